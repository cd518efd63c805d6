"""The nodes of the demo: every synthetic clip, and the papers that go with them."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.clips import Chunk, ClipTask, ParallelConfig, for_every_clip, shared_scratch
from pipelines.lazy import configured
from pipelines.rows import Table
from pipelines.step_records import StepRecord, fingerprint

if TYPE_CHECKING:
    from talkin.avatar.corpus import ClipPlan, CorpusConfig
else:
    ClipPlan = Any
    CorpusConfig = configured("talkin.avatar.corpus:CorpusConfig")

CONSENT = "synthetic"
"""Name of the consent record of people who do not exist; it marks a corpus as ours."""


def plan_clips(before: Table, corpus: CorpusConfig) -> list[ClipPlan]:
    """Who says what, seen from where.

    Raises:
        ConfigurationError: If the footage folder holds somebody's own manifest.
    """
    from talkin.avatar.corpus import plan_corpus
    from talkin.errors import ConfigurationError

    own = before[before["consent"] != CONSENT]
    if len(own):
        raise ConfigurationError(
            f"the footage manifest lists clips that are not the demo's ({own['clip'].iloc[0]!r}); "
            "the demo would replace it: move data/01_raw/footage elsewhere first, or run the "
            "other pipelines on it without the demo"
        )
    return list(plan_corpus(corpus))


def render_clips(
    plans: list[ClipPlan],
    before: Mapping[str, StepRecord],
    corpus: CorpusConfig,
    parallel: ParallelConfig,
) -> Iterator[Chunk]:
    """Video, truth and phonemes of every clip that is not up to date.

    A clip depends on its plan, its speaker and how pictures are drawn: a longer corpus keeps the
    clips that it has in common with the shorter one.
    """
    from talkin.avatar.plan import speakers_of

    speakers = speakers_of(corpus)
    drawn = corpus.model_dump(include={"size_px", "fps", "noise"})
    with shared_scratch("corpus", parallel) as scratch:
        tasks = {
            plan.clip: ClipTask(
                fingerprint("corpus", plan, speakers[plan.speaker_index], drawn),
                {"plan": plan, "corpus": corpus, "scratch": str(scratch)},
            )
            for plan in plans
        }
        yield from for_every_clip("corpus", rendered_clip, tasks, before, parallel, n_outputs=3)


def describe_corpus(
    plans: list[ClipPlan], records: Mapping[str, StepRecord]
) -> tuple[Table, Table]:
    """The manifest, and a consent register of people who do not exist.

    Args:
        plans: Every clip.
        records: What rendering did; taken in so that the manifest is written last.
    """
    import pandas as pd

    del records
    manifest = [
        {
            "clip": plan.clip,
            "path": f"clips/{plan.clip}.mp4",
            "speaker": plan.speaker,
            "split": plan.split,
            "view": plan.view,
            "consent": CONSENT,
            "sentence": plan.sentence,
        }
        for plan in plans
    ]
    speakers = sorted({plan.speaker for plan in plans})
    consent = [
        {
            "consent": CONSENT,
            "speaker": name,
            "purpose": "this person does not exist",
            "expires": "",
        }
        for name in speakers
    ]
    return pd.DataFrame(manifest), pd.DataFrame(consent)


def rendered_clip(plan: ClipPlan, corpus: CorpusConfig, scratch: str) -> tuple[Any, ...]:
    """One clip's video, truth and phonemes, as finished files."""
    from talkin.avatar.corpus import render_clip

    folder = Path(scratch) / plan.clip
    folder.mkdir(exist_ok=True)  # a worker that died may have begun it
    render_clip(plan, corpus, folder)
    return (
        folder / f"{plan.clip}.mp4",
        folder / "truth" / f"{plan.clip}.parquet",
        folder / "truth" / f"{plan.clip}.phonemes.parquet",
    )
