"""The whole edit in numbers, before any picture is drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float, Int

from talkin.editing.driving import (
    DrivingConfig,
    close_in_silence,
    closed_mouth,
    expression_of_speech,
    smooth_expression,
)
from talkin.editing.landmark_smoothing import smooth_mouth
from talkin.editing.shots import (
    bridge_short_gaps,
    crop_transforms_of_shots,
    shot_numbers,
    starts_of_runs,
)
from talkin.editing.speech_activity import is_speech
from talkin.editing.timing import TimingConfig, plan_frames
from talkin.errors import FootageError
from talkin.face3d.model import MorphableModel
from talkin.face3d.parameters import FaceParameters
from talkin.footage.audio import Audio
from talkin.samples.alignment import CropConfig

if TYPE_CHECKING:
    from talkin.networks.talking_face import TalkingFace

_LONGEST_BRIDGED_GAP_S = 0.3  # so long the crop is led smoothly on without a face
_FULL_SIZE_PX = 384  # the crop for which the smoothing's pixels are meant


@dataclass(frozen=True, eq=False)
class EditPlan:
    """What each output frame shows.

    Attributes:
        order: Footage frame.
        expression: Of the new speech, standard deviations.
        transforms: Footage px to crop px.
        old_points: The footage's mouth-region points, crop px.
        new_points: Those of the new speech, crop px.
        is_edited: False where no face was found in the footage frame.
        is_rendered: True also in short gaps, so that the frames after one keep their history.
        starts_anew: Frames before which nothing may be carried on: after a cut or a long gap.
        is_speaking: The utterance flag A(i).
        notes: What a user should know.
    """

    order: Int[np.ndarray, "frames"]
    expression: Float[np.ndarray, "frames expression"]
    transforms: Float[np.ndarray, "frames 2 3"]
    old_points: Float[np.ndarray, "frames 39 2"]
    new_points: Float[np.ndarray, "frames 39 2"]
    is_edited: Bool[np.ndarray, "frames"]
    is_rendered: Bool[np.ndarray, "frames"]
    starts_anew: Bool[np.ndarray, "frames"]
    is_speaking: Bool[np.ndarray, "frames"]
    notes: tuple[str, ...]

    def __len__(self) -> int:
        """Number of output frames."""
        return len(self.order)


def plan_edit(
    parameters: FaceParameters,
    sound: Audio,
    model: "TalkingFace",
    face_model: MorphableModel,
    driving: DrivingConfig,
    timing: TimingConfig,
    cuts: Sequence[int] = (),
) -> EditPlan:
    """Decide what the mouth does and which footage lies under it.

    Args:
        parameters: The face fitted to the footage, footage px.
        sound: The new speech.
        model: Trained networks.
        face_model: The face model of networks and fit.
        driving: How sound moves the mouth.
        timing: How footage is laid under the sound.
        cuts: Footage frames with which a new shot begins.

    Raises:
        FootageError: If the sound is empty or the footage is too short for the timing.
    """
    times_s = output_times(sound, parameters.fps)
    speaking = is_speech(sound, times_s, driving.speech)
    order = plan_frames(parameters, face_model, speaking, timing, cuts)
    expression = expression_of_speech(sound, times_s, model)
    expression = smooth_expression(
        expression, parameters.geometry, face_model, parameters.fps, driving.smoothing
    )
    if driving.silence_closes_the_mouth:
        resting = closed_mouth(parameters, face_model)
        ramp = driving.closing_time_s * parameters.fps
        expression = close_in_silence(expression, resting, speaking, ramp)
    crop = model.config.crop
    transforms = crop_transforms_of_shots(parameters, crop, cuts)[order]
    shown = parameters.select(order).in_crop(transforms)
    longest_gap = round(_LONGEST_BRIDGED_GAP_S * parameters.fps)
    is_rendered = bridge_short_gaps(shown.is_valid, longest_gap)
    starts_anew = starts_of_runs(is_rendered, shot_numbers(len(parameters), cuts)[order])
    driven = shown.with_expression(expression)
    return EditPlan(
        order=order,
        expression=expression,
        transforms=transforms,
        old_points=shown.mouth_landmarks(face_model),
        new_points=_driven_points(driven, face_model, driving, crop, starts_anew),
        is_edited=shown.is_valid,
        is_rendered=is_rendered,
        starts_anew=starts_anew,
        is_speaking=speaking,
        notes=tuple(_notes(order, speaking, len(parameters))),
    )


def output_times(sound: Audio, fps: float) -> Float[np.ndarray, "frames"]:
    """Times of the output frames: as long as the sound, to half a frame.

    Raises:
        FootageError: If the sound is shorter than half a frame.
    """
    n_frames = round(sound.duration_s * fps)
    if n_frames < 1:
        raise FootageError(
            f"the new speech is {sound.duration_s * 1000:.0f} ms long, shorter than one frame; "
            "give a longer sound"
        )
    return np.arange(n_frames) / fps


def _driven_points(
    driven: FaceParameters,
    face_model: MorphableModel,
    driving: DrivingConfig,
    crop: CropConfig,
    starts_anew: Bool[np.ndarray, "frames"],
) -> Float[np.ndarray, "frames 39 2"]:
    points = driven.mouth_landmarks(face_model)
    if driving.smoothing.method != "paper":
        return points
    to_full = _FULL_SIZE_PX / crop.size_px
    return smooth_mouth(points * to_full, driving.smoothing, starts_anew) / to_full


def _notes(order: np.ndarray, speaking: np.ndarray, n_footage: int) -> list[str]:
    notes = []
    if not speaking.any():
        notes.append("the new sound is silent throughout: the mouth stays closed")
    if len(order) > 1 and (np.diff(order) < 0).any():
        notes.append(
            f"the speech ({len(order)} frames) is longer than the footage ({n_footage} frames), "
            "which therefore plays back and forth"
        )
    return notes
