"""The tables and records of a project that say who is in what."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from talkin.errors import FootageError

_OUTPUT, _MODELS = "07_model_output", "06_models"
_DETECTOR = "edit_detector.json"


def owners_of_clips(data: Path) -> dict[str, set[str]]:
    """Clip -> whoever any table says speaks in it."""
    owners: dict[str, set[str]] = {}
    for path in (
        data / "01_raw" / "footage" / "manifest.csv",
        data / "02_intermediate" / "footage.parquet",
        data / "05_model_input" / "training_index.parquet",
    ):
        for row in rows_of_table(path):
            if row.get("clip") and row.get("speaker"):
                owners.setdefault(str(row["clip"]), set()).add(str(row["speaker"]))
    return owners


def people_of_jobs(data: Path, owners: dict[str, set[str]]) -> dict[str, set[str]]:
    """Edit -> whoever it shows or lets speak, by its clips and by the names it was asked with."""
    people: dict[str, set[str]] = {}
    for row in _job_rows(data):
        theirs = people.setdefault(str(row["job"]), set())
        for role in ("target", "audio"):
            theirs |= owners.get(str(row.get(role)), set())
            said = str(row.get(f"{role}_speaker") or "")
            theirs |= {name.strip() for name in said.split(";") if name.strip()}
    return people


def _job_rows(data: Path) -> Iterator[dict[str, Any]]:
    for name in ("edit_jobs.parquet", "edits.parquet"):
        yield from (row for row in rows_of_table(data / _OUTPUT / name) if row.get("job"))
    requests = data / "01_raw" / "edit_requests.csv"
    yield from (row for row in rows_of_table(requests) if row.get("job"))


def sources_of_study_clips(data: Path) -> dict[str, tuple[str, str]]:
    """Blinded clip of a user study -> whoever is seen, and the name of its source.

    Only the sealed key tells, and only its own project's folder is looked at.
    """
    found = {}
    for path in sorted((data / _OUTPUT).glob("*key*.json")):
        content = _json(path)
        for entry in content.get("entries", []) if isinstance(content, dict) else []:
            if isinstance(entry, dict) and entry.get("id"):
                found[str(entry["id"])] = (str(entry.get("speaker")), str(entry.get("clip")))
    return found


def rows_of_table(path: Path) -> list[dict[str, Any]]:
    """The rows of a CSV or Parquet table; none where there is no such file.

    Raises:
        FootageError: If it cannot be read, because what it would tell is then not known.
    """
    if not path.exists():
        return []
    try:
        if path.suffix == ".csv":
            with path.open(encoding="utf-8-sig", newline="") as file:
                return list(csv.DictReader(file))
        import pyarrow.parquet

        return list(pyarrow.parquet.read_table(path).to_pylist())
    except (OSError, ValueError, csv.Error) as error:
        raise FootageError(f"{path} cannot be read, so nothing can be traced: {error}") from error


def texts_of_table(path: Path) -> Iterator[str]:
    """Every different text in a table, without reading its numbers."""
    import pyarrow
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(path)
        schema = file.schema_arrow
        is_text = (pyarrow.types.is_string, pyarrow.types.is_large_string)
        columns = [item.name for item in schema if any(test(item.type) for test in is_text)]
        for column in file.read(columns=columns).columns:
            yield from (text for text in column.unique().to_pylist() if text)
    except (OSError, ValueError) as error:
        raise FootageError(f"{path} cannot be read, so nothing can be traced: {error}") from error


def models_of(data: Path, speaker: str) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """A model's own list of speakers counts; a model without one goes by the training index."""
    index = rows_of_table(data / "05_model_input" / "training_index.parquet")
    trained = {str(row.get("speaker")) for row in index if row.get("split") != "test"}
    folders = sorted(path for path in (data / _MODELS).glob("*") if path.is_dir())
    listed = {folder: _listed_speakers(folder) for folder in folders}
    # Also those of models further down, as of the variants of the paper's tables.
    configs = (data / _MODELS).rglob("config.json")
    heard = set().union(*(_listed_speakers(config.parent) or () for config in configs))
    with_speaker = speaker in trained | heard
    models = tuple(
        folder
        for folder, names in listed.items()
        if (with_speaker if names is None else speaker in names)
    )
    measured = rows_of_table(data / _OUTPUT / "detection_frames.parquet")
    if (data / _MODELS / _DETECTOR).exists() and any(row["speaker"] == speaker for row in measured):
        models = (*models, data / _MODELS / _DETECTOR)
    notes = []
    if models:
        notes.append(
            "MLflow keeps versions of these models in its registry, and pictures of those they "
            "were trained on with its runs: delete them there too (`mlflow gc` empties its bin)"
        )
    elif folders and not index:
        notes.append("there is no training index: whether the models heard them is not known")
    return models, tuple(notes)


def _listed_speakers(folder: Path) -> set[str] | None:
    content = _json(folder / "config.json")
    speakers = content.get("speakers") if isinstance(content, dict) else None
    return {str(name) for name in speakers} if isinstance(speakers, list) else None


def _json(path: Path) -> Any:
    """What a JSON file holds; None where there is none that can be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
