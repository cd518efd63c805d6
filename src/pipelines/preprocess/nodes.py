"""The nodes of preparation: for every clip, what is not up to date.

A step's fingerprint holds the footage's hash (or the fingerprint of the step before) and the
settings that the step reads; `pipelines.clips` adds the code behind it.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from operator import getitem
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from pipelines.clips import Chunk, ClipTask, ParallelConfig, for_every_clip, shared_scratch
from pipelines.lazy import configured
from pipelines.preprocess import steps
from pipelines.rows import Table, rows_of
from pipelines.step_records import StepRecord, came_through, fingerprint

if TYPE_CHECKING:
    from talkin.face3d.fitting import FitConfig
    from talkin.face3d.loading import FaceModelConfig
    from talkin.footage.detection import DetectionConfig
    from talkin.footage.mfcc import MfccConfig
    from talkin.footage.tracking import TrackingConfig
    from talkin.samples.alignment import CropConfig
else:
    FitConfig = configured("talkin.face3d.fitting:FitConfig")
    FaceModelConfig = configured("talkin.face3d.loading:FaceModelConfig")
    DetectionConfig = configured("talkin.footage.detection:DetectionConfig")
    MfccConfig = configured("talkin.footage.mfcc:MfccConfig")
    TrackingConfig = configured("talkin.footage.tracking:TrackingConfig")
    CropConfig = configured("talkin.samples.alignment:CropConfig")


class LandmarkConfig(BaseModel):
    """Where landmarks come from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Literal["detector", "truth"] = Field(
        default="detector",
        description="truth: a synthetic corpus' own, to measure what detection costs.",
    )
    noise_percent: float = Field(
        default=0.0,
        ge=0,
        le=20,
        description="With source truth: noise of each coordinate, percent of the distance of the "
        "outer eye corners (a good detector has 1.5).",
    )


class CropStorageConfig(BaseModel):
    """How crops are stored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    psnr_db: float = Field(
        default=44.0,
        ge=30,
        le=60,
        description="Crops are JPEG of the lowest quality that leaves the face so near to the "
        "footage.",
    )


def extract_sound(
    footage: Table,
    before: Mapping[str, StepRecord],
    mfcc: MfccConfig,
    parallel: ParallelConfig,
) -> Iterator[Chunk]:
    """Sound of every clip at the rate that MFCC needs."""
    tasks = {
        row["clip"]: ClipTask(
            fingerprint("sound", row["sha256"], mfcc.sample_rate),
            {"file": row["file"], "sample_rate": mfcc.sample_rate},
        )
        for row in _readable(footage)
    }
    yield from for_every_clip("sound", steps.sound_of_clip, tasks, before, parallel)


def compute_mfcc(
    sound_records: Mapping[str, StepRecord],
    sound: Mapping[str, Any],
    before: Mapping[str, StepRecord],
    mfcc: MfccConfig,
    parallel: ParallelConfig,
) -> Iterator[Chunk]:
    """MFCC of every clip that has sound."""
    tasks = {
        clip: ClipTask(
            fingerprint("mfcc", record.fingerprint, mfcc),
            {"sound": partial(getitem, sound, clip), "config": mfcc},
        )
        for clip, record in came_through(sound_records).items()
    }
    yield from for_every_clip("mfcc", steps.mfcc_of_clip, tasks, before, parallel)


def track_landmarks(
    footage: Table,
    truth: Mapping[str, Any],
    before: Mapping[str, StepRecord],
    landmarks: LandmarkConfig,
    detection: DetectionConfig,
    tracking: TrackingConfig,
    parallel: ParallelConfig,
) -> Iterator[Chunk]:
    """Landmarks of every clip, by a detector or from the synthetic truth."""
    work: Callable[..., tuple[Any, ...]] = steps.detected_landmarks
    settings: tuple[Any, ...] = (landmarks.source, detection, tracking)
    if landmarks.source == "truth":
        work, settings = steps.true_landmarks, (landmarks.source, landmarks.noise_percent)
    tasks = {}
    for row in _readable(footage):
        clip = row["clip"]
        if landmarks.source == "detector":
            arguments = {"file": row["file"], "detection": detection, "tracking": tracking}
        else:
            read = partial(getitem, truth, clip)
            noise = landmarks.noise_percent
            arguments = {"truth": read, "file": row["file"], "noise_percent": noise, "clip": clip}
        tasks[clip] = ClipTask(fingerprint("landmarks", row["sha256"], settings), arguments)
    yield from for_every_clip("landmarks", work, tasks, before, parallel)


def fit_faces(  # noqa: PLR0913, PLR0917 - each input is a name in the graph
    footage: Table,
    landmark_records: Mapping[str, StepRecord],
    landmarks: Mapping[str, Any],
    speaker_geometry: Mapping[str, Any],
    before: Mapping[str, StepRecord],
    face_model: FaceModelConfig,
    fit: FitConfig,
    parallel: ParallelConfig,
) -> Iterator[Chunk]:
    """Morphable model parameters of every clip that has landmarks.

    A clip whose speaker has no geometry is fitted by itself.
    """
    speaker_of = {row["clip"]: row["speaker"] for row in rows_of(footage)}
    shared = {speaker: speaker_geometry[speaker]["geometry"] for speaker in speaker_geometry}
    tasks = {}
    for clip, record in came_through(landmark_records).items():
        geometry = shared.get(speaker_of[clip])
        tasks[clip] = ClipTask(
            fingerprint("faces", record.fingerprint, face_model, fit, geometry),
            {
                "track": partial(getitem, landmarks, clip),
                "face_model": face_model,
                "fit": fit,
                "clip": clip,
                "geometry": geometry,
            },
        )
    yield from for_every_clip("faces", steps.fitted_face, tasks, before, parallel)


def crop_faces(
    footage: Table,
    face_records: Mapping[str, StepRecord],
    face_parameters: Mapping[str, Any],
    before: Mapping[str, StepRecord],
    crop: CropConfig,
    storage: CropStorageConfig,
    parallel: ParallelConfig,
) -> Iterator[Chunk]:
    """Aligned face crops of every clip that has been fitted."""
    files = {row["clip"]: row["file"] for row in _readable(footage)}
    with shared_scratch("crops", parallel) as scratch:
        tasks = {
            clip: ClipTask(
                fingerprint("crops", record.fingerprint, crop, storage),
                {
                    "file": files[clip],
                    "face": partial(getitem, face_parameters, clip),
                    "crop": crop,
                    "psnr_db": storage.psnr_db,
                    "scratch": str(scratch),
                    "clip": clip,
                },
            )
            for clip, record in came_through(face_records).items()
        }
        yield from for_every_clip("crops", steps.face_crops, tasks, before, parallel)


def _readable(footage: Table) -> list[dict[str, Any]]:
    """Rows of clips that could be probed."""
    return rows_of(footage[footage["problem"] == ""])
