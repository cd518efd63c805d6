"""How far a predicted face is from the true one.

Arrays in, a number out. Landmarks are the 39 mouth-region points (20 lip, 11 jaw, 8 cheek), in
pixels of the face crop, x right and y down; a crop of another size than the paper's 384 px is
brought to it by `at_paper_size`. Expression is in standard deviations of one face model: figures
of two face models cannot be compared.
"""

from typing import TypeVar

import numpy as np
from jaxtyping import Float

PAPER_CROP_PX = 384
_Number = TypeVar("_Number", float, np.ndarray)
# Inner-lip points 61..63 and 67..65 of the iBUG layout, at their places among the 39.
UPPER_INNER, LOWER_INNER = [13, 14, 15], [19, 18, 17]


def expression_error(
    predicted: Float[np.ndarray, "frames expression"], true: Float[np.ndarray, "frames expression"]
) -> float:
    """E_exp (Eq. 5): mean absolute error over coefficients and frames, standard deviations.

    Raises:
        ValueError: If the shapes differ.
    """
    _same_shape(predicted, true)
    return float(np.mean(np.abs(predicted - true)))


def landmark_error(
    predicted: Float[np.ndarray, "frames 39 2"], true: Float[np.ndarray, "frames 39 2"]
) -> float:
    """E_ldmk (Eq. 5): mean Euclidean distance over points and frames, crop px.

    Raises:
        ValueError: If the shapes differ.
    """
    return float(np.mean(landmark_distances(predicted, true)))


def landmark_distances(
    predicted: Float[np.ndarray, "frames 39 2"], true: Float[np.ndarray, "frames 39 2"]
) -> Float[np.ndarray, "frames"]:
    """Mean distance of a frame's points, crop px: E_ldmk before the mean over frames.

    Raises:
        ValueError: If the shapes differ.
    """
    _same_shape(predicted, true)
    return np.linalg.norm(predicted - true, axis=-1).mean(axis=-1)


def landmark_distance(
    predicted: Float[np.ndarray, "frames points 2"], true: Float[np.ndarray, "frames points 2"]
) -> float:
    """LMD as other papers define it: mean distance of lip points once their centres are aligned.

    Chen et al. (2018), "Lip movements generation at a glance": each frame's points are moved so
    that their centre lies where the true centre lies, so that a face that merely moved is not
    blamed. Most papers give it over the 20 lip points of a face of 256 px.

    Args:
        predicted: Points of each frame, px.
        true: The same of the footage.

    Returns:
        px.

    Raises:
        ValueError: If the shapes differ.
    """
    _same_shape(predicted, true)
    shift = true.mean(axis=1, keepdims=True) - predicted.mean(axis=1, keepdims=True)
    return float(np.mean(np.linalg.norm(predicted + shift - true, axis=-1)))


def at_paper_size(value_px: _Number, crop_size_px: int) -> _Number:
    """Distances or points of a crop of `crop_size_px`, in pixels of the paper's 384 px crop."""
    return value_px * PAPER_CROP_PX / crop_size_px


def mouth_opening(landmarks: Float[np.ndarray, "*frames 39 xy"]) -> Float[np.ndarray, "*frames"]:
    """Gap of the inner lips, mean of the three middle pairs of points.

    In crop px for points of the picture, in mm for points (x, y, z) of the face.
    """
    gap = landmarks[..., LOWER_INNER, :] - landmarks[..., UPPER_INNER, :]
    return np.linalg.norm(gap, axis=-1).mean(axis=-1)


def correlation(a: Float[np.ndarray, "frames"], b: Float[np.ndarray, "frames"]) -> float:
    """Pearson's r; 0 where one of the two does not move, for it then follows nothing.

    Raises:
        ValueError: If the shapes differ.
    """
    _same_shape(a, b)
    a, b = a - a.mean(), b - b.mean()
    strength = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / strength if strength > 1e-9 else 0.0


def _same_shape(a: np.ndarray, b: np.ndarray) -> None:
    if a.shape != b.shape:  # NumPy would broadcast, and the figure would be wrong
        raise ValueError(f"shapes differ: {a.shape} and {b.shape}")
