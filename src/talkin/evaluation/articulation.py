"""Whether the mouth does what speech asks: it closes on p, b and m, and rests in silence.

Arrays in, a number out; landmarks are the 39 mouth-region points, in pixels of a picture or in mm
of a face.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from jaxtyping import Bool, Float

from talkin.losses.translation import lip_gap as signed_gap

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


def lip_gap(landmarks: Float[np.ndarray, "*frames 39 xy"]) -> Float[np.ndarray, "*frames"]:
    """Signed gap of the inner lips (`talkin.losses.translation.lip_gap`) of arrays."""
    gap: np.ndarray = signed_gap(torch.from_numpy(np.require(landmarks, requirements="W"))).numpy()
    return gap


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
    gap: Float[np.ndarray, "frames"],
    time_s: Float[np.ndarray, "frames"],
    phonemes: Sequence[TimedPhoneme],
    largest_gap: float,
) -> float:
    """Share of the sounds p, b and m on which the lips meet.

    A closure may last less than a frame, so the frame before and after each sound count as well.

    Args:
        gap: `lip_gap` of each frame.
        time_s: Time of each frame.
        phonemes: Sounds with their times.
        largest_gap: That counts as closed, in the unit of `gap`.

    Returns:
        0 to 1; NaN where the clip has no such sound.
    """
    step_s = float(np.median(np.diff(time_s))) if len(time_s) > 1 else 0.0
    closed = []
    for phoneme in phonemes:
        near = (time_s >= phoneme.start_s - step_s / 2) & (time_s <= phoneme.end_s + step_s / 2)
        if phoneme.symbol in _BILABIALS and near.any():
            closed.append(gap[near].min() <= largest_gap)
    return float(np.mean(closed)) if closed else float("nan")
