"""A mouth driven by another video: its expression moves the target's face.

Two faces at rest differ in their coefficients as people and fits differ. So what is carried over is
how far the driving face leaves its own closed mouth (Face2Face carries differences for the same
reason), laid on the target's closed mouth.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from talkin.editing.driving import (
    DrivenMouth,
    DrivingConfig,
    close_in_silence,
    closed_mouth,
    output_times,
)
from talkin.editing.shots import bridge_short_gaps
from talkin.editing.speech_activity import is_speech
from talkin.face3d.model import MorphableModel
from talkin.face3d.parameters import FaceParameters
from talkin.footage.audio import Audio

_LONGEST_BRIDGED_GAP_S = 0.3  # so long the mouth is led on where the driving face is not seen


@dataclass(frozen=True)
class DrivingVideo:
    """A video whose face says how the target's mouth moves; its sound becomes the edit's."""

    path: Path


def mouth_of_video(
    driver: FaceParameters,
    target: FaceParameters,
    face_model: MorphableModel,
    sound: Audio | None,
    config: DrivingConfig,
) -> DrivenMouth:
    """Carry a driving face's expression over to the target.

    Args:
        driver: The face fitted to the driving video, at that video's own frame rate.
        target: The face fitted to the footage.
        face_model: The face model of both.
        sound: The driving video's; None where it has none, which counts as speech throughout.
        config: What counts as speech, and how fast the mouth closes where no face is seen.

    Returns:
        As many frames as the driving video lasts, at the target's frame rate. Where the driving
        face is not seen for longer than 0.3 s, the mouth rests.

    Raises:
        FootageError: If the driving video is shorter than half a frame of the target.
    """
    times_s = output_times(len(driver) / driver.fps, target.fps)
    resting = closed_mouth(target, face_model)
    moved = driver.expression - closed_mouth(driver, face_model)
    seen = bridge_short_gaps(driver.is_valid, round(_LONGEST_BRIDGED_GAP_S * driver.fps))
    followed = resting + _at_times(moved, driver, times_s)
    nearest = np.clip(np.rint(times_s * driver.fps).astype(int), 0, len(driver) - 1)
    ramp = config.closing_time_s * target.fps
    expression = close_in_silence(followed, resting, seen[nearest], ramp)
    if sound is None:
        speaking = np.ones(len(times_s), dtype=bool)
    else:
        speaking = is_speech(sound, times_s, config.speech)
    return DrivenMouth(expression, speaking, _notes(seen))


def _at_times(
    moved: Float[np.ndarray, "rows expression"],
    driver: FaceParameters,
    times_s: Float[np.ndarray, "frames"],
) -> Float[np.ndarray, "frames expression"]:
    """Linear in time between rows with a face."""
    rows_s = np.arange(len(driver)) / driver.fps
    fitted = driver.is_valid
    columns = [np.interp(times_s, rows_s[fitted], column[fitted]) for column in moved.T]
    return np.stack(columns, axis=1)


def _notes(seen: np.ndarray) -> tuple[str, ...]:
    if seen.all():
        return ()
    return (
        f"the driving video shows no face in {int((~seen).sum())} of its {len(seen)} frames: the "
        "mouth rests there",
    )
