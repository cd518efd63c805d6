"""The nodes of editing: which edits to make, making them, and the table of what was done."""

from collections.abc import Iterator, Mapping
from hashlib import file_digest
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from pipelines.clips import Chunk, ParallelConfig, for_every_clip, shared_scratch
from pipelines.consent import require_consent_for_edits
from pipelines.editing import steps
from pipelines.editing.people import FilmedPeople, asked_for
from pipelines.editing.tasks import as_prepared, known_geometry, task_of_job
from pipelines.lazy import configured
from pipelines.rows import Table, rows_of
from pipelines.step_records import StepRecord, came_through

if TYPE_CHECKING:
    from talkin.avatar.corpus import CorpusConfig
    from talkin.editing.edit_clip import EditConfig
    from talkin.footage.detection import DetectionConfig
    from talkin.networks.talking_face import TalkingFace
else:
    TalkingFace = Any
    CorpusConfig = configured("talkin.avatar.corpus:CorpusConfig")
    EditConfig = configured("talkin.editing.edit_clip:EditConfig")
    DetectionConfig = configured("talkin.footage.detection:DetectionConfig")


JOB_COLUMNS = (
    *("job", "target", "audio", "target_speaker", "audio_speaker", "timing", "driven_by"),
    "has_truth",
)
_MOST_REASONS = 30


class EditPlanConfig(BaseModel):
    """Which edits are made when nobody asks for any."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_crossed: int = Field(
        default=0,
        ge=0,
        description="Synthetic test clips that are made to speak another speaker's unseen "
        "sentence. Filmed people are only edited by a line in edit_requests.csv.",
    )


def plan_edits(
    requests: Table,
    footage: Table,
    truth: Mapping[str, Any],
    plan: EditPlanConfig,
) -> Table:
    """The jobs: what a user asked for and, on a synthetic corpus, some crossed edits.

    Args:
        requests: `job, target, audio`, whoever is in a file that is no clip, and its path.
        footage: The footage table.
        truth: Which clips are synthetic.
        plan: How many crossed edits.

    Raises:
        ConfigurationError: If a job asks for an unknown clip.
        ConsentError: If a job takes a file of which nobody says who is in it.
    """
    import pandas as pd

    people = FilmedPeople(footage)
    jobs = [asked_for(row, people) for row in rows_of(requests)]
    jobs += _crossed(footage, truth, plan.n_crossed)
    for job in jobs:
        for role in ("target", "audio"):
            job[f"{role}_speaker"] = people.in_file(job[role], job.get(f"{role}_speaker", ""))
    known = [
        {"timing": "", "driven_by": "", **job, "has_truth": _knows(job, truth)} for job in jobs
    ]
    return pd.DataFrame(known, columns=list(JOB_COLUMNS))


def _knows(job: Mapping[str, str], truth: Mapping[str, Any]) -> bool:
    """The true edit is known where sound alone drives and both clips are synthetic."""
    is_heard = job.get("driven_by", "") != "face"
    return is_heard and job["target"] in truth and job["audio"] in truth


def edit_clips(  # noqa: PLR0913, PLR0917 - each input is a name in the graph
    jobs: Table,
    footage: Table,
    truth: Mapping[str, Any],
    landmark_records: Mapping[str, StepRecord],
    landmarks: Mapping[str, Any],
    speaker_geometry: Mapping[str, Any],
    model: TalkingFace,
    consent_register: Any,
    before: Mapping[str, StepRecord],
    edit: EditConfig,
    detection: DetectionConfig,
    corpus: CorpusConfig,
    parallel: ParallelConfig,
) -> Iterator[Chunk]:
    """Make every edit that is not up to date.

    Raises:
        ConsentError: If somebody who shall be edited, or whose voice is used, did not agree to it.
    """
    require_consent_for_edits(jobs, footage, consent_register)
    with shared_scratch("edits", parallel) as scratch:
        folder = scratch / "model"
        model.save(folder)
        with (folder / "weights.safetensors").open("rb") as file:
            weights = file_digest(file, "sha256").hexdigest()
        found, settings = came_through(landmark_records), (weights, edit, detection, corpus)
        tasks = {
            row["job"]: as_prepared(
                task_of_job(row, footage, truth, settings, scratch),
                found.get(row["target"]),
                landmarks,
                known_geometry(row["target_speaker"], speaker_geometry, model.face_model.name),
            )
            for row in rows_of(jobs)
        }
        yield from for_every_clip("edits", steps.edited_clip, tasks, before, parallel, n_outputs=4)


def tabulate_edits(
    jobs: Table, records: Mapping[str, StepRecord], reports: Mapping[str, Any]
) -> Table:
    """A row an edit: what was asked for, what was done, and where it went wrong.

    Args:
        jobs: What was asked for.
        records: Which edits came through.
        reports: What each edit did.
    """
    import pandas as pd

    rows = []
    for job in rows_of(jobs):
        record = records.get(job["job"])
        report = reports.get(job["job"], {})
        done = {
            "state": record.state if record else "failed",
            "reason": record.reason if record else "nothing is known of it",
            "n_frames": report.get("n_frames", 0),
            "n_edited": report.get("n_edited", 0),
            "fps": report.get("fps"),
            "duration_s": report.get("duration_s"),
            "notes": "; ".join(report.get("notes", [])),
        }
        rows.append(job | done)
    columns = [
        *JOB_COLUMNS, "state", "reason", "n_frames", "n_edited", "fps", "duration_s", "notes",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def check_some_edit_was_made(edits: Table) -> None:
    """End the run as failed where nothing came of any edit; one alone stops no other.

    Args:
        edits: What `tabulate_edits` gave, which is kept by then.

    Raises:
        TalkinError: If there are edits and all of them failed.
    """
    from talkin.errors import TalkinError

    if not len(edits) or (edits["state"] == "done").any():
        return
    reasons = [f"  {row['job']}: {row['reason']}" for row in rows_of(edits)]
    more = len(reasons) - _MOST_REASONS
    rest = [f"  ... and {more} more, all in data/07_model_output/edits.parquet"] if more > 0 else []
    head = f"none of the {len(edits)} edits that were asked for could be made:"
    raise TalkinError("\n".join([head, *reasons[:_MOST_REASONS], *rest]))


def _crossed(footage: Table, truth: Mapping[str, Any], n: int) -> list[dict[str, str]]:
    """Test clips that speak the next speaker's test sentence, frontal views first."""
    test = footage[(footage["split"] == "test") & (footage["problem"] == "")]
    test = test[[clip in truth for clip in test["clip"]]]
    frontal = test.sort_values(
        by=["view", "clip"], key=lambda column: column.where(column != "front", "")
    )
    rows = rows_of(frontal)
    jobs: list[dict[str, str]] = []
    for target in rows:
        others = [
            row
            for row in rows
            if row["speaker"] != target["speaker"] and row["sentence"] != target["sentence"]
        ]
        if others and len(jobs) < n:
            source = min(others, key=lambda row: row["duration_s"] > 2 * target["duration_s"])
            name = f"{target['clip']}__says__{source['clip']}"
            jobs.append({"job": name, "target": target["clip"], "audio": source["clip"]})
    return jobs
