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
# Beyond about so many grey levels from the usual difference of the two pictures they show different
# things, such as a chin and what lay beside the old one: no matter of colour to be carried inwards.
_OTHER_THING_LEVELS = 20.0


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
    found by Jacobi sweeps on a pyramid of grids, coarsest first. Where the pictures show different
    things on the border, the border is left free: else a chin that moved would stain the mouth.

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
    return cv2.copyTo(rendered + membrane, region.astype(np.uint8), target.copy())


def _membrane(
    difference: np.ndarray, region: np.ndarray, levels: int
) -> Float32[np.ndarray, "height width 3"]:
    """Harmonic continuation of `difference` from outside the region into it."""
    height, width = region.shape
    outside = (~region).astype(np.float32)
    known = difference.astype(np.float32) * outside[..., None]
    grids = []
    for level in range(levels + 1):
        step = _COARSENESS * 2**level
        size = (max(2, math.ceil(width / step)), max(2, math.ceil(height / step)))
        outside = cv2.resize(outside, size, interpolation=cv2.INTER_AREA)
        known = cv2.resize(known, size, interpolation=cv2.INTER_AREA)
        if level == 0:
            alike = _alike(known, outside)
            outside, known = outside * alike, known * alike[..., None]
        grids.append((outside, known))
    solution = None
    for share, value in reversed(grids):
        fixed = (share > 0.25)[..., None]
        border = value / np.maximum(share, 1e-3)[..., None]
        if solution is None:
            mean = border[fixed[..., 0]].mean(axis=0) if fixed.any() else np.zeros(3)
            solution = np.broadcast_to(mean.astype(np.float32), border.shape)
        else:
            size = (share.shape[1], share.shape[0])
            solution = cv2.resize(solution, size, interpolation=cv2.INTER_LINEAR)
        solution = _relax(solution, border, fixed)
    return cv2.resize(solution, (width, height), interpolation=cv2.INTER_LINEAR)


def _alike(known: np.ndarray, share: np.ndarray) -> Float32[np.ndarray, "height width"]:
    """Near 1 where two pictures differ as they usually do outside the region, near 0 elsewhere.

    Args:
        known: Their difference, times `share`.
        share: How much of each place lies outside.
    """
    difference, is_known = known / np.maximum(share, 1e-3)[..., None], share > 0.25
    usual = np.median(difference[is_known], axis=0) if is_known.any() else 0.0
    unusual = np.abs(difference - usual).max(axis=2)
    return np.exp(-np.square(unusual / _OTHER_THING_LEVELS)).astype(np.float32)


def _relax(values: np.ndarray, border: np.ndarray, fixed: np.ndarray) -> np.ndarray:
    """Jacobi sweeps between fixed values."""
    cross = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], dtype=np.float32) / 4
    border, is_fixed = border.astype(np.float32), fixed.astype(np.uint8)
    values = cv2.copyTo(border, is_fixed, np.array(values, dtype=np.float32, order="C"))
    for _ in range(_SWEEPS):
        values = cv2.filter2D(values, -1, cross, borderType=cv2.BORDER_REPLICATE)
        values = cv2.copyTo(border, is_fixed, values)
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
    ink, corner = _ink(rendered, target_crop, mask, config)
    back = invert_transforms(transform)
    back[:, 2] += back[:, :2] @ corner - (x0, y0)
    # Planes, for OpenCV has no product of three channels by one.
    *drawn, hold = cv2.split(warp_similarity(ink, back, (x1 - x0, y1 - y0)))
    under = cv2.split(result[y0:y1, x0:x1].astype(np.float32))
    new = (
        cv2.add(cv2.subtract(plane, cv2.multiply(hold, own)), own)
        for plane, own in zip(drawn, under, strict=True)
    )
    result[y0:y1, x0:x1] = cv2.merge([cv2.add(plane, 0, dtype=cv2.CV_8U) for plane in new])
    return result


def _ink(
    rendered: np.ndarray, target_crop: np.ndarray, mask: np.ndarray, config: CompositingConfig
) -> tuple[Float32[np.ndarray, "height width 4"], Float[np.ndarray, "2"]]:
    """What is added to the frame, and how much of the frame's own it replaces, around the mask.

    Where nothing changed both are 0, and the frame's own, finer detail stays.

    Returns:
        Colours and the share of the frame's own, and the upper left corner, crop px.
    """
    spread_px = max(1.0, mask.shape[0] / 128)
    box, corner = _around(mask, margin=math.ceil(4 * spread_px) + 2 * _COARSENESS)
    mask = np.ascontiguousarray(mask[box])
    target, pasted = (picture[box].astype(np.float32) for picture in (target_crop, rendered))
    if config.poisson:
        pasted = poisson_blend(pasted, target, mask > 0)
    keep = _unchanged(pasted, target, config.keep_detail_levels, spread_px)
    colours = cv2.merge([mask] * 3) * (pasted - cv2.merge([keep] * 3) * target)
    return cv2.merge([*cv2.split(colours), mask * (1 - keep)]), corner


def _around(mask: np.ndarray, margin: int) -> tuple[tuple[slice, slice], Float[np.ndarray, "2"]]:
    """The part of the crop in which a mask is not 0, with a margin, and its corner (x, y)."""
    slices = []
    for axis in (1, 0):
        found = np.flatnonzero(mask.any(axis=axis))
        slices.append(slice(max(0, int(found[0]) - margin), int(found[-1]) + 1 + margin))
    return (slices[0], slices[1]), np.array([slices[1].start, slices[0].start], dtype=np.float64)


def _unchanged(
    pasted: np.ndarray, target: np.ndarray, levels: float, spread_px: float
) -> Float32[np.ndarray, "height width"]:
    """Near 1 where the pasted picture shows what the footage shows, near 0 where it does not."""
    if levels <= 0:
        return np.zeros(pasted.shape[:2], dtype=np.float32)
    apart = cv2.transform(cv2.absdiff(pasted, target), np.full((1, 3), 1 / 3, dtype=np.float32))
    apart = cv2.GaussianBlur(apart, (0, 0), spread_px)
    return cv2.exp(-np.square(apart / levels))


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
