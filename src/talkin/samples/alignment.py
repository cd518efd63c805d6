"""Where the face crop lies in each frame, and the mouth mask inside it.

A crop is a similarity of the footage that brings the fitted head to the mean face's place: a point
of the head (`centre_mm`) to the middle, its scale to a fixed number of pixels per mm, its roll to
zero. Because it follows the fitted pose, not single landmarks, it is steady and defined for
profiles. Pixel coordinates name pixel centres: (0, 0) is the middle of the first pixel.
"""

import math
from typing import Self

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float64, UInt8
from pydantic import BaseModel, ConfigDict, Field, model_validator
from scipy.ndimage import gaussian_filter1d

from talkin.face3d.camera import project
from talkin.face3d.parameters import FaceParameters

# Between two frames 1/25 s apart a head does not move this far; a cut of the footage does.
_CUT_MM = 45.0
_CUT_LOG_SCALE = 0.15


class CropConfig(BaseModel):
    """Size and place of the face crop, and of the mouth mask in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size_px: int = Field(default=384, ge=16, le=2048, description="Side of the square crop, px.")
    extent_mm: float = Field(
        default=210.0, gt=0, description="What the side of the crop spans on the mean face, mm."
    )
    centre_mm: tuple[float, float, float] = Field(
        default=(0.0, -66.0, -27.0),
        description="Point of the head that lies in the middle of the crop (face model axes). It "
        "lies inside the head, so that the jaw of a turned head stays in the mask.",
    )
    smoothing_s: float = Field(
        default=0.1, ge=0, description="Standard deviation of the smoothing of the crop, s."
    )
    mask_centre: tuple[float, float] = Field(
        default=(0.5, 0.62), description="Middle of the mouth mask as fractions of the side."
    )
    mask_size: tuple[float, float] = Field(
        default=(0.76, 0.66),
        description="Width and height of the mask as fractions of the side. Wider than high: at a "
        "yaw of 60 degrees the far end of the jaw is as wide as a face, and a square of that width "
        "would hide the eyes.",
    )

    @model_validator(mode="after")
    def _mask_lies_in_the_crop(self) -> Self:
        for centre, size in zip(self.mask_centre, self.mask_size, strict=True):
            if size <= 0 or centre - size / 2 < -1e-9 or centre + size / 2 > 1 + 1e-9:
                raise ValueError(
                    f"mask_centre {self.mask_centre} with mask_size {self.mask_size} reaches out "
                    "of the crop; all four sides must lie within 0 and 1"
                )
        return self

    @property
    def px_per_mm(self) -> float:
        """Scale of the aligned face."""
        return self.size_px / self.extent_mm


def crop_transforms(
    parameters: FaceParameters, config: CropConfig
) -> Float64[np.ndarray, "frames 2 3"]:
    """Similarities that carry footage pixels into face crops, one a frame, smoothed in time.

    Args:
        parameters: The fitted face in footage pixels.
        config: Size and place of the crop.

    Returns:
        Rows (linear | shift): crop px = linear @ footage px + shift. The smoothing does not reach
        across cuts of the footage or gaps without a face longer than three of its deviations.
    """
    centre = np.asarray(config.centre_mm, dtype=np.float64)[None, None]
    middle = project(
        np.broadcast_to(centre, (len(parameters), 1, 3)),
        parameters.rotation.astype(np.float64),
        parameters.translation.astype(np.float64),
        parameters.scale.astype(np.float64),
    )[:, 0]
    log_scale = np.log(np.maximum(parameters.scale.astype(np.float64), 1e-6))
    roll = np.unwrap(parameters.rotation[:, 2].astype(np.float64))
    placed = np.column_stack([middle, log_scale, roll])
    cut = _starts_new_shot(placed, parameters.fps)
    sigma = config.smoothing_s * parameters.fps
    smooth = _smooth_within_shots(placed, parameters.is_valid, cut, sigma)
    # Far below a pixel; the last bits are the processor's, not the clip's.
    return np.round(_similarities(smooth, config), 7) + 0.0


def crop_frame(
    image: UInt8[np.ndarray, "height width 3"],
    transform: Float[np.ndarray, "2 3"],
    size: int,
) -> UInt8[np.ndarray, "size size 3"]:
    """Cut one face crop out of a frame.

    Args:
        image: A frame of the footage.
        transform: Footage px to crop px.
        size: Side of the crop, px.

    Returns:
        The crop. Where it reaches out of the frame the border is repeated. Shrinking averages over
        the footage pixels that a crop pixel covers, so that nothing flickers by aliasing.
    """
    return warp_similarity(image, transform, (size, size))


def warp_similarity(
    image: np.ndarray, transform: Float[np.ndarray, "2 3"], size: tuple[int, int]
) -> np.ndarray:
    """Draw `image` through a similarity without aliasing; `size` is (width, height) in px."""
    factor = math.sqrt(abs(np.linalg.det(transform[:, :2])))
    finer = min(8, math.ceil(1.0 / max(factor, 1e-6) - 0.05))  # 5 % of aliasing cannot be seen
    if finer <= 1:
        how = cv2.INTER_CUBIC if factor > 1.0 + 1e-3 else cv2.INTER_LINEAR
        return cv2.warpAffine(
            image, transform.astype(np.float64), size, flags=how, borderMode=cv2.BORDER_REPLICATE
        )
    fine = np.asarray(transform, dtype=np.float64) * finer
    fine[:, 2] += (finer - 1) / 2  # pixel centres: fine = finer * (coarse + 1/2) - 1/2
    drawn = cv2.warpAffine(
        image,
        fine,
        (size[0] * finer, size[1] * finer),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return cv2.resize(drawn, size, interpolation=cv2.INTER_AREA)


def invert_transforms(
    transforms: Float[np.ndarray, "*batch 2 3"],
) -> Float64[np.ndarray, "*batch 2 3"]:
    """The way back: crop px to footage px."""
    linear = np.linalg.inv(np.asarray(transforms, dtype=np.float64)[..., :2])
    shift = -linear @ np.asarray(transforms, dtype=np.float64)[..., 2:]
    return np.concatenate([linear, shift], axis=-1)


def transform_points(
    transforms: Float[np.ndarray, "*batch 2 3"], points: Float[np.ndarray, "*batch points 2"]
) -> Float[np.ndarray, "*batch points 2"]:
    """Carry points through transforms, px to px."""
    return points @ np.swapaxes(transforms[..., :2], -1, -2) + transforms[..., None, :, 2]


def resized_points(
    points: Float[np.ndarray, "*batch 2"], factor: float
) -> Float[np.ndarray, "*batch 2"]:
    """Pixels of a crop whose side is `factor` times as long."""
    return points * factor + (factor - 1) / 2  # pixel centres: factor * (p + 1/2) - 1/2


def resized_transforms(
    transforms: Float[np.ndarray, "*batch 2 3"], factor: float
) -> Float[np.ndarray, "*batch 2 3"]:
    """Transforms into a crop whose side is `factor` times as long."""
    return np.concatenate(
        [transforms[..., :2] * factor, resized_points(transforms[..., 2], factor)[..., None]],
        axis=-1,
    )


def mask_box(config: CropConfig) -> tuple[int, int, int, int]:
    """The mouth mask (x0, y0, x1, y1) in crop px, x1 and y1 exclusive.

    It covers lips, jaw (chin dropped included) and nasolabial folds for any mouth opening and
    yaw up to 60 degrees, and is the same for every frame: were it to follow the frame's own mouth,
    its place would tell the renderer how far the mouth is open.
    """
    (x, y), (width, height) = config.mask_centre, config.mask_size
    sides = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    x0, y0, x1, y1 = (min(config.size_px, max(0, round(s * config.size_px))) for s in sides)
    return x0, y0, x1, y1


def _starts_new_shot(placed: np.ndarray, fps: float) -> Bool[np.ndarray, "frames"]:
    """True where the face jumps further than a head can move: a cut of the footage."""
    step = np.abs(np.diff(placed, axis=0, prepend=placed[:1]))
    slack = max(1.0, 25.0 / max(fps, 1e-6))
    moved_mm = np.hypot(step[:, 0], step[:, 1]) / np.exp(placed[:, 2])
    return (moved_mm > _CUT_MM * slack) | (step[:, 2] > _CUT_LOG_SCALE * slack)


def _smooth_within_shots(
    placed: np.ndarray, is_valid: np.ndarray, cut: np.ndarray, sigma: float
) -> np.ndarray:
    """Gaussian smoothing of each stretch between cuts and long gaps; frames in gaps stay."""
    smooth = placed.copy()
    if sigma <= 0 or len(placed) == 0:
        return smooth
    kept = _bridge_short_gaps(is_valid, round(3 * sigma))
    starts = cut | np.diff(kept, prepend=kept[:1])
    for stretch in np.split(np.arange(len(placed)), np.flatnonzero(starts)):
        if len(stretch) > 1 and kept[stretch[0]]:
            smooth[stretch] = _gaussian_keeping_drift(placed[stretch], sigma)
    return smooth


def _gaussian_keeping_drift(values: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian smoothing that mirrors the ends through their own value, so a drift stays one."""
    reach = min(len(values) - 1, math.ceil(4 * sigma))
    before = 2 * values[:1] - values[reach:0:-1]
    after = 2 * values[-1:] - values[-2 : -reach - 2 : -1]
    padded = np.concatenate([before, values, after])
    return gaussian_filter1d(padded, sigma, axis=0, mode="nearest")[reach : reach + len(values)]


def _bridge_short_gaps(is_valid: np.ndarray, longest: int) -> Bool[np.ndarray, "frames"]:
    bridged = np.array(is_valid, dtype=bool)
    edges = np.flatnonzero(np.diff(np.concatenate([[True], bridged, [True]]).astype(np.int8)))
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        inside = start > 0 and stop < len(bridged)
        if inside and stop - start <= longest:
            bridged[start:stop] = True
    return bridged


def _similarities(placed: np.ndarray, config: CropConfig) -> Float64[np.ndarray, "frames 2 3"]:
    """From (centre x, y, log scale, roll) to transforms that bring them to the mean face's."""
    factor = config.px_per_mm / np.exp(placed[:, 2])
    # A head rolled anticlockwise (y up) is turned back clockwise, which with y down is +roll.
    cos, sin = factor * np.cos(placed[:, 3]), factor * np.sin(placed[:, 3])
    linear = np.stack([np.stack([cos, -sin], axis=-1), np.stack([sin, cos], axis=-1)], axis=-2)
    middle = (config.size_px - 1) / 2
    shift = middle - np.einsum("fij,fj->fi", linear, placed[:, :2])
    return np.concatenate([linear, shift[:, :, None]], axis=-1)
