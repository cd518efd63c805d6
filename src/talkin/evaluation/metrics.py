"""How far a predicted face is from the true one, and whether the mouth does what speech asks.

Arrays in, a number out. Landmarks are the 39 mouth-region points (20 lip, 11 jaw, 8 cheek), in
pixels of the face crop, x right and y down; a crop of another size than the paper's 384 px is
brought to it by `at_paper_size`. Expression is in standard deviations of one face model: figures
of two face models cannot be compared.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from jaxtyping import Bool, Float

PAPER_CROP_PX = 384
# Inner-lip points 61..63 and 67..65 of the iBUG layout, at their places among the 39.
_UPPER_INNER, _LOWER_INNER = [13, 14, 15], [19, 18, 17]
_BILABIALS = frozenset("pbm")


class TimedPhoneme(Protocol):
    """What a phoneme has to tell; `avatar.speech.Phoneme` is one."""

    @property
    def symbol(self) -> str:
        """Mnemonic, such as `p`."""
        ...

    @property
    def start_s(self) -> float:
        """Begin, s."""
        ...

    @property
    def end_s(self) -> float:
        """End, s."""
        ...


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


def at_paper_size(value_px: float, crop_size_px: int) -> float:
    """A distance measured in a crop of `crop_size_px`, in pixels of the paper's 384 px crop."""
    return value_px * PAPER_CROP_PX / crop_size_px


def mouth_opening(landmarks: Float[np.ndarray, "*frames 39 xy"]) -> Float[np.ndarray, "*frames"]:
    """Gap of the inner lips, mean of the three middle pairs of points.

    In crop px for points of the picture, in mm for points (x, y, z) of the face.
    """
    gap = landmarks[..., _LOWER_INNER, :] - landmarks[..., _UPPER_INNER, :]
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


def silence_movement(
    opening: Float[np.ndarray, "frames"], is_silent: Bool[np.ndarray, "frames"]
) -> float:
    """How much the mouth moves in silence: its speed there against its speed in speech.

    A step counts as silent if both of its frames are.

    Returns:
        0 for a mouth that rests in silence, 1 for one that does not care; NaN where the clip has
        no silence or no movement in speech to compare with.
    """
    speed = np.abs(np.diff(opening))
    in_silence = is_silent[1:] & is_silent[:-1]
    if not in_silence.any() or in_silence.all():
        return float("nan")
    speaking = float(speed[~in_silence].mean())
    return float(speed[in_silence].mean()) / speaking if speaking > 1e-9 else float("nan")


def silent_frames(
    phonemes: Sequence[TimedPhoneme], time_s: Float[np.ndarray, "frames"], margin_s: float = 0.12
) -> Bool[np.ndarray, "frames"]:
    """Frames that lie in a pause, at least `margin_s` from any sound; `_` is a pause."""
    silent = np.ones(len(time_s), dtype=bool)
    for phoneme in phonemes:
        if phoneme.symbol != "_":
            silent &= ~((time_s > phoneme.start_s - margin_s) & (time_s < phoneme.end_s + margin_s))
    return silent


def bilabial_closure(
    opening: Float[np.ndarray, "frames"],
    time_s: Float[np.ndarray, "frames"],
    phonemes: Sequence[TimedPhoneme],
    largest_gap: float,
) -> float:
    """Share of the sounds p, b and m on which the lips meet.

    A closure may last less than a frame, so the frame before and after each sound count as well.

    Args:
        opening: `mouth_opening` of each frame.
        time_s: Time of each frame.
        phonemes: Sounds with their times.
        largest_gap: That counts as closed, in the unit of `opening`.

    Returns:
        0 to 1; NaN where the clip has no such sound.
    """
    step_s = float(np.median(np.diff(time_s))) if len(time_s) > 1 else 0.0
    closed = []
    for phoneme in phonemes:
        near = (time_s >= phoneme.start_s - step_s / 2) & (time_s <= phoneme.end_s + step_s / 2)
        if phoneme.symbol in _BILABIALS and near.any():
            closed.append(opening[near].min() <= largest_gap)
    return float(np.mean(closed)) if closed else float("nan")


def _same_shape(a: np.ndarray, b: np.ndarray) -> None:
    if a.shape != b.shape:  # NumPy would broadcast, and the figure would be wrong
        raise ValueError(f"shapes differ: {a.shape} and {b.shape}")
