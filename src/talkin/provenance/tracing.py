"""What was derived from a speaker, so that it can be deleted when they take their leave back.

Names are followed, not contents: per-clip files bear their clip's name, an edit its job's name,
and a model's folder or the index it was trained from lists its speakers.
"""

import csv
import json
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from talkin.errors import FootageError

_DERIVED = (
    "02_intermediate", "03_primary", "04_feature", "05_model_input", "07_model_output",
    "08_reporting",
)  # fmt: skip
_MODELS = "06_models"
_TEXTS = {".html", ".json"}
_LARGEST_TEXT = 200_000_000
_SHOWN = {
    "footage": "Recordings",
    "files": "Files made from their clips, and edits",
    "models": "Models trained with them",
    "tables": "Tables and reports that name them; make them anew",
}


@dataclass(frozen=True)
class Derived:
    """What one speaker left behind; all paths are files but models, which are folders.

    Attributes:
        speaker: Whose.
        clips: Their clips.
        jobs: Edits that show them or use their voice.
        footage: Their own recordings, and the truth of synthetic ones.
        files: Files made from one of their clips, or of an edit.
        tables: Tables and reports that name them among others: to be made anew, not deleted.
        models: Folders of models that were, or may have been, trained with them.
        notes: What the files cannot tell.
    """

    speaker: str
    clips: tuple[str, ...]
    jobs: tuple[str, ...]
    footage: tuple[Path, ...]
    files: tuple[Path, ...]
    tables: tuple[Path, ...]
    models: tuple[Path, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            name: [str(entry) for entry in value] if isinstance(value, tuple) else value
            for name, value in vars(self).items()
        }

    def in_words(self) -> list[str]:
        """Lines for the user."""
        lines = [f"{self.speaker}: {len(self.clips)} clips, {len(self.jobs)} edits"]
        for name, heading in _SHOWN.items():
            paths = getattr(self, name)
            lines.append(f"{heading}: {len(paths)}")
            lines += [f"  {path}" for path in paths]
        return lines + [f"Note: {note}." for note in self.notes]


def derived_from(speaker: str, data: Path) -> Derived:
    """List what was derived from a speaker.

    Clips that have left the manifest are still found as long as one of the footage table, the
    training index or the earlier manifest names them.

    Args:
        speaker: As manifest and register name them.
        data: The folder with 01_raw to 08_reporting.

    Raises:
        FootageError: If there is no such folder, or a table in it cannot be read.
    """
    data = Path(data)
    if not data.is_dir():
        raise FootageError(f"{data}: there is no such folder; name it with --data")
    owners = _owners(data)
    clips = {clip for clip, names in owners.items() if speaker in names}
    jobs = _jobs(data, clips)
    known, wanted = {*owners, *_all_jobs(data)}, clips | jobs
    tables, files = [], []
    for path in _files_under(data, _DERIVED):
        owner = _owner(path.name, known)
        if owner in wanted:
            files.append(path)
        elif owner is None and _mentions(path, {speaker, *wanted}):
            tables.append(path)
    raw = _files_under(data, ("01_raw",))
    models, notes = _models(data, speaker)
    return Derived(
        speaker=speaker,
        clips=tuple(sorted(clips)),
        jobs=tuple(sorted(jobs)),
        footage=tuple(path for path in raw if _owner(path.name, owners) in clips),
        files=tuple(files),
        tables=tuple(tables),
        models=models,
        notes=notes,
    )


def _owners(data: Path) -> dict[str, set[str]]:
    """Clip -> whoever any table says speaks in it."""
    owners: dict[str, set[str]] = {}
    for path in (
        data / "01_raw" / "footage" / "manifest.csv",
        data / "02_intermediate" / "footage.parquet",
        data / "05_model_input" / "training_index.parquet",
    ):
        for row in _rows(path):
            if row.get("clip") and row.get("speaker"):
                owners.setdefault(str(row["clip"]), set()).add(str(row["speaker"]))
    return owners


def _jobs(data: Path, clips: set[str]) -> set[str]:
    return {
        str(row["job"])
        for row in _job_rows(data)
        if {str(row.get("target")), str(row.get("audio"))} & clips
    }


def _all_jobs(data: Path) -> set[str]:
    return {str(row["job"]) for row in _job_rows(data)}


def _job_rows(data: Path) -> Iterator[dict[str, Any]]:
    for name in ("edit_jobs.parquet", "edits.parquet"):
        yield from (row for row in _rows(data / "07_model_output" / name) if row.get("job"))
    yield from (row for row in _rows(data / "01_raw" / "edit_requests.csv") if row.get("job"))


def _rows(path: Path) -> list[dict[str, Any]]:
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


def _files_under(data: Path, layers: Iterable[str]) -> list[Path]:
    return sorted(
        path
        for layer in layers
        for path in (data / layer).rglob("*")
        if path.is_file() and path.name != ".gitkeep"
    )


def _owner(name: str, known: Container[str]) -> str | None:
    """The clip or job that a file is of: the longest known name that it begins with."""
    parts = name.split(".")
    stems = (".".join(parts[:n]) for n in range(len(parts), 0, -1))
    return next((stem for stem in stems if stem in known), None)


def _mentions(path: Path, names: set[str]) -> bool:
    """Whether a table's cells, or a report's text, hold one of the names."""
    if path.suffix == ".parquet":
        return not names.isdisjoint(_texts_of(path))
    if path.suffix == ".csv":
        return any(str(cell) in names for row in _rows(path) for cell in row.values())
    if path.suffix in _TEXTS and path.stat().st_size <= _LARGEST_TEXT:
        text = path.read_text(encoding="utf-8", errors="replace")
        return any(name in text for name in names)
    return False


def _texts_of(path: Path) -> Iterator[str]:
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


def _models(data: Path, speaker: str) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """A model's own list of speakers counts; a model without one goes by the training index."""
    index = _rows(data / "05_model_input" / "training_index.parquet")
    trained = {str(row.get("speaker")) for row in index if row.get("split") != "test"}
    folders = sorted(path for path in (data / _MODELS).glob("*") if path.is_dir())
    listed = {folder: _listed_speakers(folder) for folder in folders}
    heard = set().union(*(names for names in listed.values() if names is not None))
    with_speaker = speaker in trained | heard
    models = tuple(
        folder
        for folder, names in listed.items()
        if (with_speaker if names is None else speaker in names)
    )
    notes = []
    if models:
        notes.append("versions of these models in the MLflow registry are to be deleted there")
    elif folders and not index:
        notes.append("there is no training index: whether the models heard them is not known")
    return models, tuple(notes)


def _listed_speakers(folder: Path) -> set[str] | None:
    try:
        content = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    speakers = content.get("speakers") if isinstance(content, dict) else None
    return {str(name) for name in speakers} if isinstance(speakers, list) else None
