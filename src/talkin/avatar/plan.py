"""What a synthetic corpus shall hold: its configuration and, from that, a list of clips.

Sentences are split before speakers get them: no sentence of the test split is ever spoken in the
train or validation split, by anyone. Unseen speakers appear in the test split alone.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from talkin.avatar.grammar import SentenceKind, sentences
from talkin.avatar.motion import View
from talkin.avatar.speaker import Speaker, draw_speakers

Split = Literal["train", "validation", "test"]
ALL_VIEWS: tuple[View, ...] = (
    "front", "left30", "left60", "right30", "right60", "up30", "down30",
)  # fmt: skip


class CorpusConfig(BaseModel):
    """Size and kind of the synthetic corpus; equal configurations give equal corpora."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=0, ge=0, description="another seed gives other people and sentences")
    n_speakers: int = Field(
        default=4, ge=1, description="speakers with train, validation and test clips"
    )
    n_unseen_speakers: int = Field(
        default=0, ge=0, description="further speakers, with test clips only"
    )
    train_clips: int = Field(default=100, ge=0, description="train clips a speaker and view")
    validation_clips: int = Field(
        default=8, ge=0, description="validation clips a speaker and view"
    )
    test_clips: int = Field(default=14, ge=0, description="test clips a speaker and view")
    sentences_per_clip: int = Field(default=3, ge=1, description="sentences spoken in one clip")
    grammar: SentenceKind = Field(default="everyday", description="everyday, or GRID's six words")
    views: tuple[View, ...] = Field(default=ALL_VIEWS, min_length=1, description="camera positions")
    size_px: int = Field(
        default=512, ge=32, le=2048, multiple_of=2, description="side of the picture"
    )
    fps: float = Field(default=25.0, gt=0, le=120, description="frames a second")
    noise: float = Field(default=1.8, ge=0, le=20, description="sensor noise, sRGB levels")

    @model_validator(mode="after")
    def _views_are_different(self) -> Self:
        if len(set(self.views)) < len(self.views):
            raise ValueError("views: every view may stand only once")
        return self


def tiny_corpus(seed: int = 0) -> CorpusConfig:
    """Seconds of footage, for tests."""
    return CorpusConfig(
        seed=seed, n_speakers=2, n_unseen_speakers=1, train_clips=1, validation_clips=1,
        test_clips=1, sentences_per_clip=1, views=("front",), size_px=96, noise=1.0,
    )  # fmt: skip


def demo_corpus(seed: int = 0) -> CorpusConfig:
    """Six speakers to train on and two unseen ones: about six minutes at 256 px."""
    return CorpusConfig(
        seed=seed, n_speakers=6, n_unseen_speakers=2, train_clips=5, validation_clips=1,
        test_clips=2, sentences_per_clip=2, views=("front",), size_px=256, noise=1.5,
    )  # fmt: skip


def paper_corpus(seed: int = 0) -> CorpusConfig:
    """The paper's collected set: 4 speakers, 7 views, about 15 minutes to train and 2 to test."""
    return CorpusConfig(seed=seed)


def grid_corpus(seed: int = 0) -> CorpusConfig:
    """Like GRID: 34 speakers, 1000 six-word sentences each, seen from the front."""
    return CorpusConfig(
        seed=seed, n_speakers=34, train_clips=900, validation_clips=50, test_clips=50,
        sentences_per_clip=1, grammar="grid", views=("front",), size_px=288,
    )  # fmt: skip


@dataclass(frozen=True)
class ClipPlan:
    """One clip that shall be rendered.

    Attributes:
        clip: Name of the clip and of its files.
        speaker: Speaker label.
        speaker_index: Which of `draw_speakers(config.seed, ...)`.
        split: train, validation or test.
        view: Where the camera stands.
        sentence: What is said; several sentences are joined by blanks.
        sentences: The same, one by one.
        speech_seed: Drives how it is said.
        motion_seed: Drives head motion, blinks and brows.
        noise_seed: Drives the sensor noise.
    """

    clip: str
    speaker: str
    speaker_index: int
    split: Split
    view: View
    sentence: str
    sentences: tuple[str, ...]
    speech_seed: int
    motion_seed: int
    noise_seed: int


@lru_cache(maxsize=4)
def speakers_of(config: CorpusConfig) -> tuple[Speaker, ...]:
    """All speakers of a corpus, the unseen ones last."""
    return tuple(draw_speakers(config.seed, config.n_speakers + config.n_unseen_speakers))


def plan_corpus(config: CorpusConfig) -> list[ClipPlan]:
    """List every clip of the corpus, speaker by speaker and view by view.

    Args:
        config: Size and kind.

    Raises:
        ConfigurationError: If the grammar has too few sentences to keep the splits apart.
    """
    clips = {
        "test": config.test_clips,
        "validation": config.validation_clips,
        "train": config.train_clips,
    }
    places = [
        (index, view, split, number)
        for index in range(config.n_speakers + config.n_unseen_speakers)
        for view in config.views
        for split in _splits_of(index, config)
        for number in range(clips[split])
    ]
    spoken = _sentences_by_split(config, [split for _, _, split, _ in places])
    return [_plan(config, *place, spoken[place[2]].pop()) for place in places]


def _splits_of(speaker_index: int, config: CorpusConfig) -> tuple[Split, ...]:
    return ("train", "validation", "test") if speaker_index < config.n_speakers else ("test",)


def _sentences_by_split(
    config: CorpusConfig, clip_splits: list[Split]
) -> dict[Split, list[tuple[str, ...]]]:
    """Deal different sentences to every clip; the train split takes what the others leave."""
    per_clip = config.sentences_per_clip
    deck = sentences(config.grammar, config.seed, len(clip_splits) * per_clip)
    dealt: dict[Split, list[tuple[str, ...]]] = {"test": [], "validation": [], "train": []}
    start = 0
    for split, clips in dealt.items():
        for _ in range(clip_splits.count(split)):
            clips.append(tuple(deck[start : start + per_clip]))
            start += per_clip
        clips.reverse()  # plans take theirs from the end
    return dealt


def _plan(
    config: CorpusConfig,
    index: int,
    view: View,
    split: Split,
    number: int,
    spoken: tuple[str, ...],
) -> ClipPlan:
    speaker = speakers_of(config)[index].name
    place = [
        config.seed,
        index,
        ALL_VIEWS.index(view),
        ("train", "validation", "test").index(split),
    ]
    seeds = np.random.SeedSequence([*place, number]).generate_state(3) >> 1
    return ClipPlan(
        clip=f"{speaker}_{view}_{split}_{number:03d}",
        speaker=speaker,
        speaker_index=index,
        split=split,
        view=view,
        sentence=" ".join(spoken),
        sentences=spoken,
        speech_seed=int(seeds[0]),
        motion_seed=int(seeds[1]),
        noise_seed=int(seeds[2]),
    )
