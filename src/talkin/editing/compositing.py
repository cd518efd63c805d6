"""Pasting the rendered mouth into the frame without a seam (3.3: Poisson blending, soft mask).

Blending happens in the aligned crop, where it costs the same whatever the footage, and what
changed is carried back into the frame. Frame pixels outside the mask keep their exact values.
"""

import math

import cv2
import numpy as np
from jaxtyping import Float, Float32, UInt8
from pydantic import BaseModel, ConfigDict, Field

from talkin.samples.alignment import invert_transforms, transform_points, warp_similarity

# The membrane is smooth away from its border, so it is solved on this coarser grid; the soft
# border of the mask hides what the grid misses at the seam.
_COARSENESS = 4
_SWEEPS = 40


class CompositingConfig(BaseModel):
    """How a rendered mouth is blended in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    poisson: bool = Field(
        default=True, description="Match colours across the border by Poisson blending."
    )
    keep_detail_levels: float = Field(
        default=6.0,
        ge=0,
        description="Where the rendered picture differs from the footage by less than about this "
        "many grey levels, the footage's own detail finer than the crop is kept; 0 keeps none.",
    )


def poisson_blend(
    rendered: Float32[np.ndarray, "height width 3"],
    target: Float32[np.ndarray, "height width 3"],
    region: np.ndarray,
) -> Float32[np.ndarray, "height width 3"]:
    """Give the rendered picture the target's colours on the border of a region.

    Poisson blending with the rendered picture's gradients (Perez et al. 2003) equals adding the
    harmonic function that carries the difference target - rendered from the border inwards. It is
    found by Jacobi sweeps on a pyramid of grids, coarsest first.

    Args:
        rendered: Source of the gradients.
        target: Source of the border's colours.
        region: (height, width) bool, where the rendered picture is wanted.

    Returns:
        The blended picture inside the region, the target outside.
    """
    if region.all() or not region.any():
        return (rendered if region.all() else target).copy()
    levels = max(1, int(math.log2(max(region.shape) / 8)))
    membrane = _membrane(target - rendered, region, levels)
    return np.where(region[..., None], rendered + membrane, target)


def _membrane(
    difference: np.ndarray, region: np.ndarray, levels: int
) -> Float32[np.ndarray, "height width 3"]:
    """Harmonic continuation of `difference` from outside the region into it."""
    height, width = region.shape
    outside = (~region).astype(np.float32)
    known = np.where(region[..., None], 0, difference).astype(np.float32)
    solution = None
    for level in range(levels, -1, -1):
        step = _COARSENESS * 2**level
        small = (max(2, math.ceil(width / step)), max(2, math.ceil(height / step)))
        share = cv2.resize(outside, small, interpolation=cv2.INTER_AREA)
        value = cv2.resize(known, small, interpolation=cv2.INTER_AREA)
        fixed = (share > 0.25)[..., None]
        border = value / np.maximum(share, 1e-3)[..., None]
        if solution is None:
            mean = border[fixed[..., 0]].mean(axis=0) if fixed.any() else np.zeros(3)
            solution = np.broadcast_to(mean.astype(np.float32), border.shape)
        else:
            solution = cv2.resize(solution, small, interpolation=cv2.INTER_LINEAR)
        solution = _relax(np.where(fixed, border, solution), fixed)
    return cv2.resize(solution, (width, height), interpolation=cv2.INTER_LINEAR)


def _relax(values: np.ndarray, fixed: np.ndarray) -> np.ndarray:
    cross = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], dtype=np.float32) / 4
    for _ in range(_SWEEPS):
        mean = cv2.filter2D(values, -1, cross, borderType=cv2.BORDER_REPLICATE)
        values = np.where(fixed, values, mean)
    return values


def composite(
    frame: UInt8[np.ndarray, "height width 3"],
    rendered: UInt8[np.ndarray, "size size 3"],
    target_crop: UInt8[np.ndarray, "size size 3"],
    mask: Float32[np.ndarray, "size size"],
    transform: Float[np.ndarray, "2 3"],
    config: CompositingConfig,
) -> UInt8[np.ndarray, "height width 3"]:
    """Paste a rendered crop into its frame.

    Args:
        frame: The footage frame.
        rendered: The rendered crop.
        target_crop: The same crop of the frame as it is (`crop_frame`).
        mask: Soft mask in the crop, 0 on the crop's border.
        transform: Footage px to crop px.
        config: Blending.

    Returns:
        A new frame; pixels outside the mask are identical to the footage's.
    """
    place = _box_of_mask(mask, transform, frame.shape[1], frame.shape[0])
    result = frame.copy()
    if place is None:
        return result
    x0, y0, x1, y1 = place
    target = target_crop.astype(np.float32)
    pasted = rendered.astype(np.float32)
    if config.poisson:
        pasted = poisson_blend(pasted, target, mask > 0)
    keep = _unchanged(pasted, target, config.keep_detail_levels)
    back = invert_transforms(transform)
    back[:, 2] -= (x0, y0)
    size = (x1 - x0, y1 - y0)
    new, own = (warp_similarity(picture, back, size) for picture in (pasted, target))
    soft, keep = (warp_similarity(picture, back, size)[..., None] for picture in (mask, keep))
    soft, keep = np.clip(soft, 0, 1), np.clip(keep, 0, 1)
    under = frame[y0:y1, x0:x1].astype(np.float32)
    # Where nothing changed, `own` equals `new` and the frame's own, finer detail stays.
    change = soft * (new - keep * own - (1 - keep) * under)
    result[y0:y1, x0:x1] = np.clip(np.rint(under + change), 0, 255).astype(np.uint8)
    return result


def _unchanged(
    pasted: np.ndarray, target: np.ndarray, levels: float
) -> Float32[np.ndarray, "size size"]:
    """Near 1 where the pasted picture shows what the footage shows, near 0 where it does not."""
    if levels <= 0:
        return np.zeros(pasted.shape[:2], dtype=np.float32)
    apart = np.abs(pasted - target).mean(axis=2)
    spread = max(1.0, pasted.shape[0] / 128)
    apart = cv2.GaussianBlur(apart, (0, 0), spread)
    return np.exp(-np.square(apart / levels)).astype(np.float32)


def _box_of_mask(
    mask: np.ndarray, transform: np.ndarray, width: int, height: int
) -> tuple[int, int, int, int] | None:
    """Frame pixels (x0, y0, x1, y1) that the mask can touch, or None if it lies outside."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    x, y = columns[[0, -1]] + [-1.0, 1.0], rows[[0, -1]] + [-1.0, 1.0]
    corners = np.array([[x[0], y[0]], [x[1], y[0]], [x[1], y[1]], [x[0], y[1]]])
    there = transform_points(invert_transforms(transform), corners)
    low = np.maximum(np.floor(there.min(axis=0)), 0).astype(int)
    high = np.minimum(np.ceil(there.max(axis=0)) + 1, [width, height]).astype(int)
    if (high <= low).any():
        return None
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])
