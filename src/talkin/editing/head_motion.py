"""How lively each footage frame is: head motion V(j) and blinks B(j) of appendix E."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from talkin.editing.shots import shot_numbers
from talkin.face3d.model import MorphableModel
from talkin.face3d.parameters import FaceParameters

_NOSE_TIP = 30
_EYES = (slice(36, 42), slice(42, 48))


def head_motion(
    parameters: FaceParameters, model: MorphableModel, cuts: Sequence[int] = ()
) -> Float[np.ndarray, "frames"]:
    """Speed of the nose tip (V of appendix E), in eye distances a second.

    The nose tip of the fitted face is followed: lips and lids cannot move it, and it jitters less
    than the detected one. The unit makes weights independent of the resolution of the footage.

    Args:
        parameters: The fitted face, in any pixels.
        model: Its morphable model.
        cuts: Frames with which a new shot begins: a cut is no motion of the head.

    Returns:
        The speed at each frame; 0 in a shot of one frame.
    """
    tip = parameters.project(model, model.landmarks68[[_NOSE_TIP]])[:, 0].astype(np.float64)
    starts = np.flatnonzero(np.diff(shot_numbers(len(tip), cuts))) + 1
    speed_px_s = np.concatenate([_speed(shot) for shot in np.split(tip, starts)]) * parameters.fps
    return speed_px_s / np.maximum(parameters.interocular_px, 1e-6)


def _speed(places: np.ndarray) -> Float[np.ndarray, "frames"]:
    if len(places) < 2:
        return np.zeros(len(places))
    return np.linalg.norm(np.gradient(places, axis=0), axis=1)


def is_blink(
    landmarks: Float[np.ndarray, "frames 68 2"], threshold: float = 0.6
) -> Bool[np.ndarray, "frames"]:
    """Tell blinks by the height of the eyes over their width (B of appendix E).

    A fixed threshold calls narrow eyes blinking all the time, so the ratio is taken relative to
    the clip's own open eye.

    Args:
        landmarks: Detected points in the 68-point layout, any pixels; NaN where none was found.
        threshold: A ratio below this part of the open eye's is a blink.

    Returns:
        Blink flags; False where no face was found.
    """
    ratio = np.mean([_height_over_width(landmarks[:, eye]) for eye in _EYES], axis=0)
    seen = np.isfinite(ratio)
    if not seen.any():
        return np.zeros(len(ratio), dtype=bool)
    open_eye = np.percentile(ratio[seen], 75)
    return np.where(seen, ratio, np.inf) < threshold * open_eye


def _height_over_width(eye: np.ndarray) -> Float[np.ndarray, "frames"]:
    """Lid distance over corner distance, measured along the eye's own axes so that roll is free."""
    along = eye[:, 3] - eye[:, 0]
    width = np.maximum(np.linalg.norm(along, axis=1), 1e-6)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1) / width[:, None]
    heights = np.einsum("fpc,fc->fp", eye - eye[:, :1], across)
    return np.ptp(heights, axis=1) / width
