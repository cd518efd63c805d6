"""Who must have agreed to what before a stage touches their clips.

A clip of the splits that train needs consent for `train`; any other clip of the manifest needs a
record that has not expired. An edit needs `edit-face` of whoever is shown, or whose face drives it,
and `edit-voice` of whoever is heard, clips of the manifest or not.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pipelines.rows import Table, rows_of

SEPARATOR = ";"
_TEXT = ".txt"
_TRAINING_SPLITS = frozenset({"train", "validation"})


def require_consent_for_clips(clips: Table, register: Any) -> None:
    """Refuse clips whose speakers did not agree to what their split is for.

    Args:
        clips: Rows with `clip, speaker, split` and, if known, `consent`.
        register: Who agreed to what.

    Raises:
        ConsentError: Naming everyone without a valid record, and the row to add.
    """
    from talkin.provenance.consent import require_consent

    rows = rows_of(clips)
    _gathered(
        lambda: require_consent(_of_splits(rows, True), register, purpose="train"),
        lambda: require_consent(_of_splits(rows, False), register),
    )


def require_consent_for_edits(jobs: Table, footage: Table, register: Any) -> None:
    """Refuse edits that show, or use the voice of, somebody who did not agree to that.

    Args:
        jobs: Rows with `job, target, audio, target_speaker, audio_speaker` and, if known,
            `driven_by`.
        footage: The footage table, which knows the record that each clip names.
        register: Who agreed to what.

    Raises:
        ConsentError: Naming everyone without a valid record, and the row to add.
    """
    from talkin.provenance.consent import require_consent

    known = {row["clip"]: row for row in rows_of(footage)}
    rows = rows_of(jobs)
    driving = [row for row in rows if row.get("driven_by") == "face"]
    faces = [*_people(rows, "target", known), *_people(driving, "audio", known)]
    _gathered(
        lambda: require_consent(faces, register, purpose="edit-face"),
        lambda: require_consent(_people(rows, "audio", known), register, purpose="edit-voice"),
    )


def people_of(said: str) -> list[str]:
    """The names in a column of speakers."""
    return [name for part in said.split(SEPARATOR) if (name := part.strip())]


def is_read_aloud(job: Mapping[str, str]) -> bool:
    """Whether a job's speech is a text: nobody's voice."""
    is_text = Path(job["audio"]).suffix.lower() == _TEXT
    return is_text and job.get("driven_by") != "face" and not job.get("audio_speaker")


def _of_splits(rows: list[dict[str, Any]], is_training: bool) -> list[dict[str, Any]]:
    return [row for row in rows if (row["split"] in _TRAINING_SPLITS) == is_training]


def _people(
    jobs: Iterable[Mapping[str, Any]], role: str, known: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """A row for whoever a job shows or lets speak; only clips name a record."""
    people: list[dict[str, Any]] = []
    for job in jobs:
        name = job[role]
        if name in known:
            people.append({key: known[name][key] for key in ("clip", "speaker", "consent")})
        elif not (role == "audio" and is_read_aloud(job)):
            named = people_of(job[f"{role}_speaker"]) or [""]
            people += [{"speaker": speaker, "clip": name} for speaker in named]
    return people


def _gathered(*checks: Any) -> None:
    """Tell all refusals at once."""
    from talkin.errors import ConsentError

    refusals = []
    for check in checks:
        try:
            check()
        except ConsentError as refusal:
            refusals.append(refusal)
    if refusals:
        speakers = dict.fromkeys(name for refusal in refusals for name in refusal.speakers)
        raise ConsentError("\n".join(map(str, refusals)), tuple(speakers))
