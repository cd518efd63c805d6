"""One window of frames with its sound and face, as a step of training reads it."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Sample:
    """One window of frames, or a batch of them (one more leading axis everywhere).

    Attributes:
        mfcc: Sound of each frame, not normalised.
        expression: Standard deviations.
        geometry: Standard deviations.
        pose: (pitch, yaw, roll, x, y, scale), crop px.
        mouth_landmarks: Crop px, projected from the fitted face.
        frames: RGB; `frames_to_unit` makes floats of them, best on the device.
        speaker: Index into `TalkingDataset.speakers`, -1 for one who is not among them.
        fill: RGB, the mouth mask of each frame as another moment shows it, warped to the true
            landmarks; of size 0 where the dataset lends no mouths.
    """

    mfcc: Float[Tensor, "*batch frames rows coefficients"]
    expression: Float[Tensor, "*batch frames expression"]
    geometry: Float[Tensor, "*batch geometry"]
    pose: Float[Tensor, "*batch frames 6"]
    mouth_landmarks: Float[Tensor, "*batch frames 39 2"]
    frames: UInt8[Tensor, "*batch frames 3 size size"]
    speaker: Int[Tensor, "*batch"]
    fill: UInt8[Tensor, "*batch frames 3 height width"]

    def to(self, device: torch.device | str) -> Self:
        """The same sample on a device."""
        moved = (getattr(self, field.name).to(device, non_blocking=True) for field in fields(self))
        return type(self)(*moved)

    def pinned(self) -> Self:
        """The same sample in page-locked memory, from which `to` copies without waiting."""
        return type(self)(*(getattr(self, field.name).pin_memory() for field in fields(self)))


def stack_samples(samples: Sequence[Sample]) -> Sample:
    """Make a batch of samples."""
    names = [field.name for field in fields(Sample)]
    return Sample(*(torch.stack([getattr(sample, name) for sample in samples]) for name in names))


def frames_to_unit(frames: UInt8[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Bytes 0 .. 255 to floats -1 .. 1."""
    return frames.float() / 127.5 - 1.0
