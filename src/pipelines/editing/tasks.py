"""What each edit depends on: its arguments, and the fingerprint of all that shapes it."""

from collections.abc import Mapping
from functools import partial
from hashlib import file_digest
from operator import getitem
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.clips import ClipTask
from pipelines.editing import steps
from pipelines.rows import Table
from pipelines.step_records import StepRecord, fingerprint

if TYPE_CHECKING:
    from talkin.avatar.corpus import CorpusConfig
    from talkin.editing.edit_clip import EditConfig
    from talkin.footage.detection import DetectionConfig


def task_of_job(
    row: Mapping[str, Any],
    footage: Table,
    truth: Mapping[str, Any],
    settings: "tuple[str, EditConfig, DetectionConfig, CorpusConfig]",
    scratch: Path,
) -> ClipTask:
    """One job as a task; `as_prepared` adds what preparation knows of its target.

    Args:
        row: The job.
        footage: The footage table.
        truth: Of synthetic clips.
        settings: Digest of the model's weights, and the configurations.
        scratch: Holds the model, and takes what is made.
    """
    weights, edit, detection, corpus = settings
    files = dict(zip(footage["clip"], footage["file"], strict=True))
    hashes = dict(zip(footage["clip"], footage["sha256"], strict=True))
    target, audio = row["target"], row["audio"]
    known = [hashes[name] if name in hashes else _hash(Path(name)) for name in (target, audio)]
    known += [_hash(path) for path in steps.listed_files(files.get(audio, audio))]
    if row["timing"]:
        timing = edit.timing.model_copy(update={"mode": row["timing"]})
        edit = edit.model_copy(update={"timing": timing})
    return ClipTask(
        fingerprint("edits", known, weights, edit, detection, row["driven_by"]),
        {
            "job": row["job"],
            "target": files.get(target, target),
            "audio": files.get(audio, audio),
            "driven_by": row["driven_by"],
            "model_folder": str(scratch / "model"),
            "scratch": str(scratch),
            "detection": detection,
            "edit": edit,
            "truth": _truth(target, audio, truth, corpus) if row["has_truth"] else None,
        },
    )


def as_prepared(
    task: ClipTask,
    record: StepRecord | None,
    landmarks: Mapping[str, Any],
    geometry: list[float] | None,
) -> ClipTask:
    """Follow a prepared target where preparation saw its face, by whichever source that was.

    Whoever is in it, prepared or not, has the geometry that preparation found for them.
    """
    read = None if record is None else partial(getitem, landmarks, record.clip)
    known = fingerprint(task.fingerprint, record.fingerprint if record else "", geometry)
    return ClipTask(known, task.arguments | {"landmarks": read, "geometry": geometry})


def known_geometry(
    speaker: str, speaker_geometry: Mapping[str, Any], face_model: str
) -> list[float] | None:
    """A speaker's, if preparation found it with this morphable model."""
    if speaker not in speaker_geometry:
        return None
    known = speaker_geometry[speaker]
    return known["geometry"] if known["face_model"] == face_model else None


def _truth(
    target: str, audio: str, truth: Mapping[str, Any], corpus: "CorpusConfig"
) -> dict[str, Any] | None:
    """What the target's renderer needs to show the true edit; None for another corpus' clip."""
    from talkin.avatar.corpus import plan_corpus

    plans = {plan.clip: plan for plan in plan_corpus(corpus)}
    if target not in plans:
        return None
    return {"plan": plans[target], "corpus": corpus, "expression": truth[audio].expression}


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
