"""Sound and face of all frames of a dataset as flat arrays.

The audio stages need no pictures: a step gathers some hundred windows of one second straight from
the joined MFCC of all clips, which is stored once although neighbouring windows overlap.
"""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from talkin.samples.dataset import TalkingDataset
from talkin.samples.windows import (
    MFCC_ROWS_PER_S,
    heard_cepstra,
    pad_with_silence,
    window_starts,
)

_MARGIN_ROWS = 100  # silence kept around every clip, so that a jittered window stays its own


@dataclass(frozen=True, eq=False)
class AudioBatch:
    """Some frames with their windows of sound.

    Attributes:
        mfcc: Not normalised.
        expression: The truth, standard deviations.
        geometry: Standard deviations.
        pose: Crop px.
        speaker: Index, -1 where unknown.
    """

    mfcc: Float[Tensor, "batch rows coefficients"]
    expression: Float[Tensor, "batch expression"]
    geometry: Float[Tensor, "batch geometry"]
    pose: Float[Tensor, "batch 6"]
    speaker: Int[Tensor, "batch"]


@dataclass(frozen=True, eq=False)
class AudioCorpus:
    """All valid frames of all clips.

    Attributes:
        mfcc: The clips' sounds in a row, silence between them.
        starts: First row of each frame's window.
        neighbours: Frame before and after in the same clip, itself at an edge.
        rows_per_frame: MFCC rows between two frames of the clip.
        clip: Which clip each frame is from.
        expression: Truth of each frame.
        pose: Of each frame, crop px.
        geometry: Of each clip.
        speaker: Of each clip.
        n_rows: Rows of a window.
    """

    mfcc: Float[Tensor, "rows coefficients"]
    starts: Int[Tensor, "frames"]
    neighbours: Int[Tensor, "frames 2"]
    rows_per_frame: Float[Tensor, "frames"]
    clip: Int[Tensor, "frames"]
    expression: Float[Tensor, "frames expression"]
    pose: Float[Tensor, "frames 6"]
    geometry: Float[Tensor, "clips geometry"]
    speaker: Int[Tensor, "clips"]
    n_rows: int

    @classmethod
    def of(cls, dataset: TalkingDataset) -> Self:
        """Join the clips of a dataset."""
        window = dataset.config.window
        mfcc, frames, n_rows_so_far, n_frames_so_far = [], [], 0, 0
        for number, clip in enumerate(dataset.clips):
            parameters = clip.parameters
            valid = np.flatnonzero(parameters.is_valid)
            padded, starts = _own_silence(
                heard_cepstra(clip.mfcc, window),
                window_starts(parameters.time_s, window),
                window.n_rows,
            )
            mfcc.append(padded)
            frames.append(
                {
                    "starts": starts[valid] + n_rows_so_far,
                    "neighbours": _neighbours(valid) + n_frames_so_far,
                    "rows_per_frame": np.full(len(valid), MFCC_ROWS_PER_S / parameters.fps),
                    "clip": np.full(len(valid), number),
                    "expression": parameters.expression[valid],
                    "pose": parameters.pose[valid],
                }
            )
            n_rows_so_far += len(padded)
            n_frames_so_far += len(valid)
        joined = {key: np.concatenate([one[key] for one in frames]) for key in frames[0]}
        speakers = [
            dataset.speakers.index(c.speaker) if c.speaker in dataset.speakers else -1
            for c in dataset.clips
        ]
        return cls(
            mfcc=_tensor(np.concatenate(mfcc)),
            geometry=_tensor(np.stack([c.parameters.geometry for c in dataset.clips])),
            speaker=torch.tensor(speakers),
            n_rows=window.n_rows,
            **{key: _tensor(value) for key, value in joined.items()},
        )

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.starts)

    def to(self, device: torch.device | str) -> Self:
        """The same corpus on a device."""
        moved: dict[str, Any] = {
            name: value.to(device)
            for name, value in vars(self).items()
            if isinstance(value, Tensor)
        }
        return replace(self, **moved)

    def frames(
        self, numbers: Int[Tensor, "batch"], shift_rows: Int[Tensor, "batch"] | None = None
    ) -> AudioBatch:
        """Some frames, their moment moved by `shift_rows` hundredths of a second.

        The expression of a moment between two frames is interpolated; the moment moves at most
        to the neighbouring frame, and not at all where that is missing.
        """
        if shift_rows is None:
            shift_rows = torch.zeros_like(numbers)
        per_frame = self.rows_per_frame[numbers]
        shift_rows = shift_rows.clamp(-per_frame.long(), per_frame.long())
        share = shift_rows / per_frame
        side = (share > 0).long()
        other = self.neighbours[numbers].gather(1, side.unsqueeze(1)).squeeze(1)
        weight = share.abs().unsqueeze(1)
        moved = torch.where(other == numbers, 0, shift_rows)
        rows = (self.starts[numbers] + moved).unsqueeze(1) + torch.arange(
            self.n_rows, device=self.starts.device
        )
        clip = self.clip[numbers]
        return AudioBatch(
            mfcc=self.mfcc[rows],
            expression=torch.lerp(self.expression[numbers], self.expression[other], weight),
            geometry=self.geometry[clip],
            pose=self.pose[numbers],
            speaker=self.speaker[clip],
        )


def _own_silence(
    mfcc: np.ndarray, starts: np.ndarray, n_rows: int
) -> tuple[np.ndarray, np.ndarray]:
    before = max(0, -int(starts.min())) + _MARGIN_ROWS
    after = max(0, int(starts.max()) + n_rows - len(mfcc)) + _MARGIN_ROWS
    return pad_with_silence(mfcc, before, after), starts + before


def _neighbours(valid: np.ndarray) -> np.ndarray:
    """Place of the frame before and after, itself where that frame is missing or not valid."""
    places = np.arange(len(valid))
    is_next = np.diff(valid) == 1
    before = np.where(np.concatenate([[False], is_next]), places - 1, places)
    after = np.where(np.concatenate([is_next, [False]]), places + 1, places)
    return np.stack([before, after], axis=1)


def _tensor(values: np.ndarray) -> Tensor:
    kind = np.int64 if np.issubdtype(values.dtype, np.integer) else np.float32
    return torch.from_numpy(np.ascontiguousarray(values, dtype=kind))
