"""Clips of sound and exact faces, seen from all sides, for the ablations; nothing is drawn.

Beside a planned corpus' own splits there is `accent`: the test sentences of the unseen speakers in
other accents of English than the one that the training speaks.
"""

from dataclasses import dataclass, replace

from talkin.avatar.motion import View
from talkin.avatar.plan import ClipPlan, CorpusConfig, plan_corpus
from talkin.avatar.spoken import SpokenClip, as_prepared, speak_clip
from talkin.footage.mfcc import MfccConfig
from talkin.samples.alignment import CropConfig
from talkin.samples.dataset import PreparedClip

VIEWS: tuple[View, ...] = ("front", "left30", "right60", "left60")
ACCENTS = ("en", "en-gb-scotland", "en-029", "en-gb-x-rp")


@dataclass(frozen=True, eq=False)
class HeardClip:
    """A clip as training reads it, and all that is known of it where it was spoken here."""

    split: str
    view: str
    prepared: PreparedClip
    spoken: SpokenClip | None = None


def planned(seed: int) -> CorpusConfig:
    """Six speakers to train on and four others, each from four sides: about 11 minutes."""
    return CorpusConfig(
        seed=seed, n_speakers=6, n_unseen_speakers=4, train_clips=3, validation_clips=0,
        test_clips=1, sentences_per_clip=2, views=VIEWS, size_px=224,
    )  # fmt: skip


def spoken_clips(config: CorpusConfig, crop: CropConfig, mfcc: MfccConfig) -> list[HeardClip]:
    """All clips of a corpus, and its unseen speakers' again in other accents."""
    clips = []
    for plan in plan_corpus(config):
        clips.append(_heard(plan, config, crop, mfcc, plan.split))
        if plan.speaker_index >= config.n_speakers:
            accent = ACCENTS[len(clips) % len(ACCENTS)]
            clips.append(_heard(plan, config, crop, mfcc, "accent", accent))
    return clips


def _heard(
    plan: ClipPlan,
    config: CorpusConfig,
    crop: CropConfig,
    mfcc: MfccConfig,
    split: str,
    accent: str | None = None,
) -> HeardClip:
    spoken = speak_clip(plan, config, crop, mfcc.sample_rate, accent)
    prepared = as_prepared(spoken, mfcc)
    if accent:
        prepared = replace(prepared, clip=f"{plan.clip}_{accent}")
    return HeardClip(split, plan.view, prepared, spoken)
