"""Other moments of the same person whose mouth is like a wanted one.

A hidden mouth need not be invented: the person's own footage shows it, sharp and in the right
colours, in a hundred shapes. A near one is warped to the wanted landmarks (`mouth_warp`) and fills
the mouth mask in the place of noise; the renderer has to correct it, not to imagine it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from jaxtyping import Bool, Float, Float32, Int, UInt8
from pydantic import BaseModel, ConfigDict, Field

from talkin.face3d.model import MorphableModel
from talkin.face3d.parameters import FaceParameters
from talkin.samples.alignment import CropConfig
from talkin.samples.mouth_warp import HEAD, MOUTH, RESTING_MOUTH, MouthWarp, face_points

# What a point's motion counts in likeness: outer lips, inner lips, which show teeth, jaw, cheeks.
_GROUPS = ((12, 1.0), (8, 4.0), (11, 0.5), (8, 0.3))
_MOUTH_SHARE = np.concatenate([np.full(n, weight) for n, weight in _GROUPS])
_MOUTH_SHARE /= _MOUTH_SHARE.sum()
_HEAD_SHARE = 0.2 / 19  # a head that is turned otherwise; a warp makes up for a little of it


class LentMouthsConfig(BaseModel):
    """Which moments lend their mouth in training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    crop: CropConfig = CropConfig()
    gap_s: float = Field(
        default=0.4,
        ge=0,
        description="Moments of the clip nearer in time lend nothing: they hold the truth.",
    )
    among: int = Field(default=6, ge=1, description="One of so many nearest lends, at random.")
    other_clip_share: float = Field(
        default=0.2,
        ge=0,
        le=1,
        description="How often it is of another clip of the speaker, where there is one.",
    )


def mouth_distance(
    wanted: Float[np.ndarray, "a 97 2"], shown: Float[np.ndarray, "b 97 2"], px_per_mm: float
) -> Float32[np.ndarray, "a b"]:
    """How unlike mouths are, mm, by their `face_points`.

    Compared are what the mouth does against the face at rest, and, at a fifth of the weight, how
    the head is turned. Where the head lies in its crop does not count: a warp moves it without a
    trace.
    """
    return _distance(*(mouth_features(points, px_per_mm) for points in (wanted, shown)))


def mouth_features(
    points: Float[np.ndarray, "n 97 2"], px_per_mm: float
) -> Float32[np.ndarray, "n 116"]:
    """Numbers whose Euclidean distance is `mouth_distance`, mm."""
    moved = (points[:, MOUTH] - points[:, RESTING_MOUTH]) * np.sqrt(_MOUTH_SHARE)[:, None]
    head = points[:, HEAD] - points[:, HEAD].mean(axis=1, keepdims=True)
    both = np.concatenate([moved, head * np.sqrt(_HEAD_SHARE)], axis=1)
    return (both.reshape(len(points), -1) / px_per_mm).astype(np.float32)


def _distance(
    a: Float32[np.ndarray, "a 116"], b: Float32[np.ndarray, "b 116"]
) -> Float32[np.ndarray, "a b"]:
    squared = (a * a).sum(1)[:, None] + (b * b).sum(1) - 2 * (a @ b.T)
    distance: np.ndarray = np.sqrt(np.maximum(squared, 0.0))
    return distance


def may_lend(
    is_valid: Bool[np.ndarray, "frames"], hidden: Int[np.ndarray, "window"], gap: int
) -> Bool[np.ndarray, "frames"]:
    """Valid frames of a clip further than `gap` frames from hidden ones of the same clip.

    Where none is that far, the furthest alone.
    """
    apart = np.abs(np.arange(len(is_valid))[:, None] - hidden).min(axis=1)
    apart = np.where(is_valid, apart, -1)
    return (apart > gap) if (apart > gap).any() else (apart == apart.max())


@dataclass(frozen=True, eq=False)
class ShownMouths:
    """What one clip shows, frame by frame.

    Attributes:
        speaker: Whose mouths they are.
        points: `face_points`, crop px.
        is_valid: Frames whose face was fitted.
        fps: Frames per second.
    """

    speaker: str
    points: Float32[np.ndarray, "frames 97 2"]
    is_valid: Bool[np.ndarray, "frames"]
    fps: float

    @classmethod
    def of(cls, parameters: FaceParameters, model: MorphableModel, speaker: str = "") -> Self:
        """The mouths of a fitted clip; parameters in crop px."""
        return cls(speaker, face_points(parameters, model), parameters.is_valid, parameters.fps)


class Lender(NamedTuple):
    """The clip and the frame that lend their mouth."""

    clip: int
    frame: int


class LentMouths:
    """Chooses, for the windows of a corpus, the moments whose mouths fill their masks."""

    def __init__(self, clips: Sequence[ShownMouths], config: LentMouthsConfig) -> None:
        """Take the corpus' clips."""
        self._clips, self._config = clips, config
        self._warp = MouthWarp(config.crop)
        px_per_mm = config.crop.px_per_mm
        self._features = [mouth_features(shown.points, px_per_mm) for shown in clips]

    def lender(
        self, clip: int, frames: Int[np.ndarray, "window"], random: np.random.Generator | None
    ) -> Lender:
        """Who lends to a window.

        Args:
            clip: Whose window it is.
            frames: Its frames.
            random: Chooses among the nearest; None takes the nearest of the clip itself.
        """
        source = self._source(clip, random)
        shown, allowed = self._clips[source], self._clips[source].is_valid
        if source == clip:
            allowed = may_lend(allowed, frames, round(self._config.gap_s * shown.fps))
        wanted = self._features[clip][frames]
        unlike = _distance(wanted, self._features[source]).mean(axis=0)
        order = np.argsort(np.where(allowed, unlike, np.inf), kind="stable")
        n_near = min(self._config.among, int(allowed.sum()))
        return Lender(source, int(order[0 if random is None else random.integers(n_near)]))

    def drawn(
        self,
        picture: UInt8[np.ndarray, "size size 3"],
        lender: Lender,
        clip: int,
        frames: Int[np.ndarray, "window"],
    ) -> UInt8[np.ndarray, "window height width 3"]:
        """The mask's square of every frame of a window, from the lender's picture."""
        shown = self._clips[lender.clip].points[lender.frame]
        wanted = self._clips[clip].points[frames]
        return np.stack([self._warp(picture, shown, points) for points in wanted])

    def _source(self, clip: int, random: np.random.Generator | None) -> int:
        if random is None or random.random() >= self._config.other_clip_share:
            return clip
        speaker = self._clips[clip].speaker
        others = [
            number
            for number, shown in enumerate(self._clips)
            if number != clip and shown.speaker == speaker and shown.is_valid.any()
        ]
        return int(random.choice(others)) if others else clip
