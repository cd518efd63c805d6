"""Where the new mouth is pasted: a soft mask around the old and the new mouth region.

The paper (3.3) fills the polygon of the outermost mouth-region landmarks, erodes it and smooths its
border. Eroding it along the jaw leaves a rim of the old chin beside the new one, a halo whenever
the two mouths are open differently; in a turned face the lips' own outline is cut as well. So the
region here is the hull of the old and the new points together, it is widened outwards past jaw and
lips, where the rendered picture shows what lies behind them, and only then feathered. Across the
cheeks, where skin meets skin, it is eroded as in the paper.
"""

import cv2
import numpy as np
from jaxtyping import Float, Float32
from pydantic import BaseModel, ConfigDict, Field

_LIPS_AND_JAW = slice(0, 31)


class MaskConfig(BaseModel):
    """Shape of the pasted region; mm are those of the aligned mean face."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    jaw_margin_mm: float = Field(
        default=12.0,
        description="How far the region reaches past jaw and lips before it is feathered.",
    )
    erosion_mm: float = Field(
        default=1.0, ge=0, description="How much the filled region is eroded."
    )
    feather_mm: float = Field(
        default=2.5, gt=0, description="Standard deviation of the Gaussian that softens the border."
    )


def mouth_mask(
    old: Float[np.ndarray, "39 2"],
    new: Float[np.ndarray, "39 2"],
    box: tuple[int, int, int, int],
    size: int,
    px_per_mm: float,
    config: MaskConfig,
) -> Float32[np.ndarray, "size size"]:
    """Soft mask of one frame.

    Args:
        old: Mouth-region points of the footage frame, crop px.
        new: Those of the mouth to be pasted.
        box: The rendered box (x0, y0, x1, y1); the mask is 0 on its border and outside.
        size: Side of the crop, px.
        px_per_mm: Scale of the aligned face.
        config: Margins.

    Returns:
        0 where the footage stays, 1 where the new mouth is shown.
    """
    outline = np.concatenate(
        [_widened(points, config.jaw_margin_mm * px_per_mm) for points in (old, new)]
    )
    hull = cv2.convexHull(np.rint(outline * 16).astype(np.int32))
    filled = np.zeros((size, size), dtype=np.float32)
    cv2.fillConvexPoly(filled, hull, 1.0, lineType=cv2.LINE_8, shift=4)
    soft = max(config.feather_mm * px_per_mm, 0.5)
    eroded = _erode(filled, config.erosion_mm * px_per_mm)
    eroded *= _inside(box, size, margin=2.0 * soft)
    mask = cv2.GaussianBlur(eroded, (0, 0), soft)
    # The Gaussian's far tail is cut, so that a border exists outside which nothing changes.
    mask = np.clip((mask - 0.02) / 0.96, 0.0, 1.0)
    return mask * _inside(box, size, margin=1.0)


def _widened(points: np.ndarray, margin_px: float) -> Float[np.ndarray, "39 2"]:
    """The points with lips and jaw pushed away from the middle of the region."""
    wide = np.array(points, dtype=np.float64)
    middle = (wide.min(axis=0) + wide.max(axis=0)) / 2
    outwards = wide[_LIPS_AND_JAW] - middle
    length = np.maximum(np.linalg.norm(outwards, axis=1, keepdims=True), 1e-6)
    wide[_LIPS_AND_JAW] += outwards / length * margin_px
    return wide


def _erode(mask: np.ndarray, radius_px: float) -> np.ndarray:
    side = 2 * round(radius_px) + 1
    if side <= 1:
        return mask
    return cv2.erode(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))


def _inside(box: tuple[int, int, int, int], size: int, margin: float) -> Float32[np.ndarray, "s s"]:
    """1 inside the box less a margin. A side of the box on the crop's own border counts too."""
    x0, y0, x1, y1 = box
    inner = np.zeros((size, size), dtype=np.float32)
    m = round(margin)
    inner[y0 + m : max(y1 - m, 0), x0 + m : max(x1 - m, 0)] = 1.0
    return inner
