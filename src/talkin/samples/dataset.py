"""Prepared clips as a torch dataset: seven frames, their sound and face, at random from any clip.

A sample is a window of frames t-6 .. t that are all valid.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor
from torch.utils.data import Dataset

from talkin.errors import ConfigurationError
from talkin.face3d.model import MorphableModel
from talkin.face3d.parameters import FaceParameters
from talkin.samples.lent_mouths import LentMouths, LentMouthsConfig, ShownMouths
from talkin.samples.sample import Sample, stack_samples
from talkin.samples.windows import WindowConfig, audio_windows, heard_cepstra

UNKNOWN_SPEAKER = -1


class FaceCrops(Protocol):
    """What a sample needs of a clip's crops; `samples.crops.CropReader` is one."""

    def __len__(self) -> int:
        """Number of frames."""
        ...

    def window(self, t: int, n: int = 7) -> UInt8[np.ndarray, "n size size 3"]:
        """Frames t - n + 1 .. t, RGB."""
        ...


@dataclass(frozen=True, eq=False)
class PreparedClip:
    """One clip as preprocessing leaves it.

    Attributes:
        clip: Its name.
        speaker: Who speaks.
        parameters: The fitted face in crop px (`FaceParameters.in_crop`).
        mfcc: 100 rows a second.
        crops: Its face crops; may be None where only sound and face are read.
    """

    clip: str
    speaker: str
    parameters: FaceParameters
    mfcc: Float[np.ndarray, "n coefficients"]
    crops: FaceCrops | None


class DatasetConfig(BaseModel):
    """What a sample holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    frames: int = Field(default=7, ge=1, le=64, description="Frames of a window (section 3.3.1).")
    window: WindowConfig = WindowConfig()
    cache_mb: int = Field(
        default=1000,
        ge=0,
        description="Decoded crops are kept in memory while a corpus fits into so many megabytes; "
        "a larger one is decoded at every reading.",
    )
    lent_mouths: LentMouthsConfig | None = Field(
        default=None, description="Fill each mouth mask from another moment of the speaker."
    )


@dataclass(frozen=True, eq=False)
class _Clip:
    """A clip's arrays, ready to be cut."""

    source: PreparedClip
    heard: np.ndarray
    speaker: int
    geometry: Tensor
    expression: Tensor
    pose: Tensor
    mouth_landmarks: Tensor


class TalkingDataset(Dataset[Sample]):
    """All windows of some clips, in the order of clips and frames."""

    def __init__(
        self,
        clips: Sequence[PreparedClip],
        face_model: MorphableModel,
        config: DatasetConfig | None = None,
        speakers: Sequence[str] | None = None,
    ) -> None:
        """Index the windows whose frames are all valid.

        Args:
            clips: Clips fitted with `face_model`.
            face_model: Projects the true mouth landmarks.
            config: What a sample holds.
            speakers: Names that speaker numbers count; those of the clips, sorted, if not given.
                Give the training speakers for a validation set.

        Raises:
            ConfigurationError: If no window is left, or a clip was fitted with another model.
        """
        self.config = config or DatasetConfig()
        self.face_model = face_model
        self.speakers = tuple(speakers or sorted({clip.speaker for clip in clips}))
        self.clips = tuple(clips)
        self._clips = [self._prepare(clip) for clip in clips]
        self.index = self._valid_windows()
        self._cache: dict[int, np.ndarray] = {}
        self._is_cached = self._pictures_fit()
        self._lent = self._lent_mouths()

    def __len__(self) -> int:
        """Number of windows."""
        return len(self.index)

    def __getitem__(self, item: int) -> Sample:
        """One window by its number; a lent mouth is the nearest."""
        return self._window(item, None)

    def _window(self, item: int, random: np.random.Generator | None) -> Sample:
        clip_number, t = (int(value) for value in self.index[item])
        clip = self._clips[clip_number]
        n = self.config.frames
        rows = slice(t - n + 1, t + 1)
        times = clip.source.parameters.time_s[rows]
        mfcc = audio_windows(clip.heard, times, self.config.window.as_given)
        return Sample(
            mfcc=torch.from_numpy(np.ascontiguousarray(mfcc, dtype=np.float32)),
            expression=clip.expression[rows],
            geometry=clip.geometry,
            pose=clip.pose[rows],
            mouth_landmarks=clip.mouth_landmarks[rows],
            frames=torch.from_numpy(self._pictures(clip_number, t, n)).movedim(-1, 1).contiguous(),
            speaker=torch.tensor(clip.speaker),
            fill=self._fill(clip_number, t, random),
        )

    def batch(
        self, items: Sequence[int] | np.ndarray, draw: tuple[int, ...] | None = None
    ) -> Sample:
        """Some windows as one batch.

        Args:
            items: Their numbers.
            draw: What lent mouths are drawn from, such as seed and step: the same numbers, the
                same mouths. None takes the nearest of the clip itself.
        """
        return stack_samples(
            [
                self._window(
                    int(item), None if draw is None else np.random.default_rng([*draw, int(item)])
                )
                for item in items
            ]
        )

    def _prepare(self, clip: PreparedClip) -> _Clip:
        parameters = clip.parameters
        if parameters.model_name != self.face_model.name:
            raise ConfigurationError(
                f"clip {clip.clip}: fitted with face model {parameters.model_name}, but "
                f"{self.face_model.name} was given; run preprocess again with this model"
            )
        speaker = (
            self.speakers.index(clip.speaker) if clip.speaker in self.speakers else UNKNOWN_SPEAKER
        )
        return _Clip(
            source=clip,
            heard=heard_cepstra(clip.mfcc, self.config.window),
            speaker=speaker,
            geometry=_float(parameters.geometry),
            expression=_float(parameters.expression),
            pose=_float(parameters.pose),
            mouth_landmarks=_float(parameters.mouth_landmarks(self.face_model)),
        )

    def _valid_windows(self) -> Int[np.ndarray, "windows 2"]:
        n = self.config.frames
        found = []
        for number, clip in enumerate(self.clips):
            valid = np.concatenate([[0], np.cumsum(clip.parameters.is_valid)])
            last = np.flatnonzero(valid[n:] - valid[:-n] == n) + n - 1
            found.append(np.stack([np.full_like(last, number), last], axis=1))
        index = np.concatenate(found) if found else np.zeros((0, 2), dtype=np.int64)
        if len(index) == 0:
            raise ConfigurationError(
                f"none of the {len(self.clips)} clips has {n} valid frames in a row to learn from; "
                "look at n_valid in the training index"
            )
        return index

    def _pictures_fit(self) -> bool:
        crops = [clip.crops for clip in self.clips]
        if not all(crops):
            return False
        frame_bytes = crops[0].window(0, 1).nbytes if crops[0] else 0
        total = sum(len(crop) for crop in crops if crop) * frame_bytes
        return total <= self.config.cache_mb * 1_000_000

    def _fill(self, clip_number: int, t: int, random: np.random.Generator | None) -> Tensor:
        n = self.config.frames
        if self._lent is None:
            return torch.zeros((n, 3, 0, 0), dtype=torch.uint8)
        window = np.arange(t - n + 1, t + 1)
        lender = self._lent.lender(clip_number, window, random)
        picture = self._pictures(lender.clip, lender.frame, 1)[0]
        drawn = self._lent.drawn(picture, lender, clip_number, window)
        return torch.from_numpy(drawn).movedim(-1, 1).contiguous()

    def _lent_mouths(self) -> LentMouths | None:
        if self.config.lent_mouths is None:
            return None
        shown = [
            ShownMouths.of(clip.parameters, self.face_model, clip.speaker) for clip in self.clips
        ]
        return LentMouths(shown, self.config.lent_mouths)

    def _pictures(
        self, clip_number: int, t: int, n: int
    ) -> UInt8[np.ndarray, "frames size size 3"]:
        crops = self.clips[clip_number].crops
        if crops is None:
            raise ConfigurationError(
                f"clip {self.clips[clip_number].clip} was prepared without its crops"
            )
        if not self._is_cached:
            return crops.window(t, n)
        if clip_number not in self._cache:
            self._cache[clip_number] = crops.window(len(crops) - 1, len(crops))
        return self._cache[clip_number][t - n + 1 : t + 1]


def _float(values: np.ndarray) -> Tensor:
    # A copy of what Arrow lends for reading only: torch has no tensors that cannot be written to.
    return torch.from_numpy(np.require(values, np.float32, ["C", "W"]))
