"""Drawing what the footage is known to show: how well does a way of drawing know this person?"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Float, Float32, Int, UInt8

from talkin.editing.masks import MaskConfig, mouth_mask
from talkin.editing.rendering import RenderWindow
from talkin.editing.shots import shot_numbers
from talkin.editing.unfinished import FollowedFace
from talkin.samples.alignment import CropConfig, mask_box


class Trial(NamedTuple):
    """A hidden window of the footage.

    Attributes:
        true: What it shows.
        filled: The same with mouths that another moment lent, warped to the true landmarks.
        landmarks: The true ones, crop px.
    """

    true: UInt8[np.ndarray, "window size size 3"]
    filled: UInt8[np.ndarray, "window size size 3"]
    landmarks: Float[np.ndarray, "window 39 2"]


def hidden_windows(
    face: FollowedFace, n_frames: int, at_most: int
) -> list[Int[np.ndarray, "window"]]:
    """At most so many windows of valid frames of one shot, evenly spread over the footage."""
    valid = np.concatenate([[0], np.cumsum(face.parameters.is_valid)])
    shot = shot_numbers(len(face.parameters), face.cuts)
    starts = np.arange(max(0, len(shot) - n_frames + 1))
    is_whole = valid[starts + n_frames] - valid[starts] == n_frames
    starts = starts[is_whole & (shot[starts] == shot[starts + n_frames - 1])]
    if len(starts) > at_most:
        starts = starts[((np.arange(at_most) + 0.5) * len(starts) / at_most).astype(int)]
    return [np.arange(start, start + n_frames) for start in starts]


def mouth_error(
    render: RenderWindow, trials: Sequence[Trial], crop: CropConfig, config: MaskConfig
) -> float:
    """How far a way of drawing is from the truth, grey levels, mean over hidden windows.

    It is the mean absolute difference of the pictures and of their gradients in the region that an
    edit pastes: wrong colours, misplaced edges and blur all count.
    """
    return float(np.mean([_window_error(render, trial, crop, config) for trial in trials]))


def _window_error(
    render: RenderWindow, trial: Trial, crop: CropConfig, config: MaskConfig
) -> float:
    drawn, box = render(trial.filled, trial.landmarks), mask_box(crop)
    errors = []
    rows = zip(drawn, trial.true[-len(drawn) :], trial.landmarks[-len(drawn) :], strict=True)
    for picture, true, points in rows:
        mask = mouth_mask(points, points, box, crop.size_px, crop.px_per_mm, config)
        apart = picture.astype(np.float32) - true
        across, down = (cv2.filter2D(apart, -1, kernel) for kernel in _GRADIENTS)
        error = (np.abs(apart) + np.abs(across) + np.abs(down)).mean(axis=2)
        errors.append(float((error * mask).sum() / max(float(mask.sum()), 1e-6)))
    return float(np.mean(errors))


_GRADIENTS: tuple[Float32[np.ndarray, "a b"], ...] = (
    np.array([[-1, 1]], dtype=np.float32),
    np.array([[-1], [1]], dtype=np.float32),
)
