"""The node that finds one geometry a speaker.

Where every clip finds its own geometry, each divides what is constant in a face differently
between geometry and expression, and the audio networks cannot know how.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from operator import getitem
from typing import TYPE_CHECKING, Any, Literal
from zlib import crc32

from pydantic import BaseModel, ConfigDict, Field

from pipelines.clips import Chunk, ClipTask, ParallelConfig, for_every_clip
from pipelines.lazy import configured
from pipelines.preprocess import steps
from pipelines.rows import Table, rows_of
from pipelines.step_records import StepRecord, came_through, fingerprint

if TYPE_CHECKING:
    from talkin.face3d.fitting import FitConfig
    from talkin.face3d.loading import FaceModelConfig
else:
    FitConfig = configured("talkin.face3d.fitting:FitConfig")
    FaceModelConfig = configured("talkin.face3d.loading:FaceModelConfig")

_LEARNED_FROM = ("train", "validation", "test")


class GeometryConfig(BaseModel):
    """Whose geometry a clip is fitted with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    of: Literal["speaker", "clip"] = Field(
        default="speaker",
        description="speaker: one geometry for all clips of a speaker, found from the training "
        "clips where there are any; clip: each clip finds its own",
    )
    max_clips: int = Field(
        default=40,
        ge=1,
        description="Clips of a speaker from which the geometry is found: with more, another clip "
        "seldom changes it, so that the speaker's other clips need no new fit",
    )


def find_geometry(  # noqa: PLR0913, PLR0917 - each input is a name in the graph
    footage: Table,
    landmark_records: Mapping[str, StepRecord],
    landmarks: Mapping[str, Any],
    before: Mapping[str, StepRecord],
    geometry: GeometryConfig,
    face_model: FaceModelConfig,
    fit: FitConfig,
    parallel: ParallelConfig,
) -> Iterator[Chunk]:
    """The one geometry of every speaker; results and records go by speaker here."""
    tracked = came_through(landmark_records)
    tasks = {}
    for speaker, clips in clips_of_speakers(footage, tracked, geometry).items():
        seen = [(clip, tracked[clip].fingerprint) for clip in clips]
        tasks[speaker] = ClipTask(
            fingerprint("geometry", seen, face_model, fit),
            {
                "tracks": {clip: partial(getitem, landmarks, clip) for clip in clips},
                "face_model": face_model,
                "fit": fit,
                "speaker": speaker,
            },
        )
    yield from for_every_clip(
        "geometry", steps.speakers_geometry, tasks, before, parallel, of="speaker"
    )


def clips_of_speakers(
    footage: Table, tracked: Mapping[str, StepRecord], config: GeometryConfig
) -> dict[str, list[str]]:
    """From which clips the geometry of each speaker is found.

    Test clips must not shape what training learns from, so they count only where a speaker has
    no others. The choice goes by a hash of the name: it hardly changes when clips come or go.
    """
    if config.of == "clip":
        return {}
    by_speaker: dict[str, dict[str, list[str]]] = {}
    for row in rows_of(footage):
        if row["clip"] in tracked:
            splits = by_speaker.setdefault(row["speaker"], {})
            splits.setdefault(row["split"], []).append(row["clip"])
    chosen = {}
    for speaker, splits in sorted(by_speaker.items()):
        clips = next(splits[split] for split in _LEARNED_FROM if split in splits)
        chosen[speaker] = sorted(clips, key=_in_any_order)[: config.max_clips]
    return chosen


def _in_any_order(clip: str) -> tuple[int, str]:
    return crc32(clip.encode()), clip
