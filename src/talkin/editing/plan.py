"""The whole edit in numbers, before any picture is drawn."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from talkin.editing.driving import DrivenMouth
from talkin.editing.landmark_smoothing import SmoothingConfig, smooth_mouth
from talkin.editing.shots import (
    bridge_short_gaps,
    crop_transforms_of_shots,
    shot_numbers,
    starts_of_runs,
)
from talkin.editing.timing import TimingConfig, plan_frames
from talkin.face3d.model import MorphableModel
from talkin.face3d.parameters import FaceParameters
from talkin.samples.alignment import CropConfig, resized_points, resized_transforms

_LONGEST_BRIDGED_GAP_S = 0.3  # so long the crop is led smoothly on without a face
_FRAMES_AT_ONCE = 2000  # carrying all of a long clip into its crops at once takes 5 kB a frame
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

    def in_crop_of(self, size_px: int, instead_of_px: int) -> Self:
        """The same edit in crops of another side."""
        factor = size_px / instead_of_px
        return replace(
            self,
            transforms=resized_transforms(self.transforms, factor),
            old_points=resized_points(self.old_points, factor),
            new_points=resized_points(self.new_points, factor),
        )


def plan_edit(
    parameters: FaceParameters,
    mouth: DrivenMouth,
    face_model: MorphableModel,
    crop: CropConfig,
    smoothing: SmoothingConfig,
    timing: TimingConfig,
    cuts: Sequence[int] = (),
) -> EditPlan:
    """Decide which footage lies under the driven mouth, and where the mouth is in it.

    Args:
        parameters: The face fitted to the footage, footage px.
        mouth: What the mouth does.
        face_model: The face model of the fit.
        crop: Geometry of the crops.
        smoothing: Of the landmarks, where that is done after projection (Algorithm 2).
        timing: How footage is laid under the mouth.
        cuts: Footage frames with which a new shot begins.

    Raises:
        FootageError: If the footage is too short for the timing.
    """
    order = plan_frames(parameters, face_model, mouth.is_speaking, timing, cuts)
    transforms = crop_transforms_of_shots(parameters, crop, cuts)[order]
    is_valid = parameters.is_valid[order]
    longest_gap = round(_LONGEST_BRIDGED_GAP_S * parameters.fps)
    is_rendered = bridge_short_gaps(is_valid, longest_gap)
    starts_anew = starts_of_runs(is_rendered, shot_numbers(len(parameters), cuts)[order])
    old_points, new_points = _mouth_points(
        parameters, order, transforms, mouth.expression, face_model
    )
    return EditPlan(
        order=order,
        expression=mouth.expression,
        transforms=transforms,
        old_points=old_points,
        new_points=_smoothed(new_points, smoothing, crop, starts_anew),
        is_edited=is_valid,
        is_rendered=is_rendered,
        starts_anew=starts_anew,
        is_speaking=mouth.is_speaking,
        notes=(*mouth.notes, *_notes(order, len(parameters))),
    )


def _mouth_points(
    parameters: FaceParameters,
    order: Int[np.ndarray, "frames"],
    transforms: Float[np.ndarray, "frames 2 3"],
    expression: Float[np.ndarray, "frames expression"],
    face_model: MorphableModel,
) -> tuple[Float32[np.ndarray, "frames 39 2"], Float32[np.ndarray, "frames 39 2"]]:
    """The footage's mouth-region points and those of the driven mouth, crop px."""
    old = np.empty((len(order), len(face_model.mouth39), 2), dtype=np.float32)
    new = np.empty_like(old)
    for first in range(0, len(order), _FRAMES_AT_ONCE):
        rows = np.s_[first : first + _FRAMES_AT_ONCE]
        shown = parameters.select(order[rows]).in_crop(transforms[rows])
        old[rows] = shown.mouth_landmarks(face_model)
        new[rows] = shown.with_expression(expression[rows]).mouth_landmarks(face_model)
    return old, new


def _smoothed(
    points: Float32[np.ndarray, "frames 39 2"],
    smoothing: SmoothingConfig,
    crop: CropConfig,
    starts_anew: Bool[np.ndarray, "frames"],
) -> Float[np.ndarray, "frames 39 2"]:
    if smoothing.method != "paper":
        return points
    to_full = _FULL_SIZE_PX / crop.size_px
    return smooth_mouth(points * to_full, smoothing, starts_anew) / to_full


def _notes(order: np.ndarray, n_footage: int) -> list[str]:
    notes = []
    if len(order) > 1 and (np.diff(order) < 0).any():
        notes.append(
            f"the speech ({len(order)} frames) is longer than the footage ({n_footage} frames), "
            "which therefore plays back and forth"
        )
    return notes
