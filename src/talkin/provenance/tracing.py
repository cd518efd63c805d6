"""What was derived from a speaker, so that it can be deleted when they take their leave back.

Names are followed, not contents: per-clip files bear their clip's name, an edit its job's name, a
study's key tells what its blinded clips are, and a model's folder or the index it was trained from
lists its speakers.
"""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from talkin.errors import FootageError
from talkin.provenance.traced_tables import (
    models_of,
    owners_of_clips,
    people_of_jobs,
    rows_of_table,
    sources_of_study_clips,
    texts_of_table,
)

_DERIVED = (
    "02_intermediate", "03_primary", "04_feature", "05_model_input", "07_model_output",
    "08_reporting",
)  # fmt: skip
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
    """What one speaker left behind; paths are files, and of most models folders.

    Attributes:
        speaker: Whose.
        clips: Their clips.
        jobs: Edits that show them or use their voice.
        footage: Their own recordings, and the truth of synthetic ones.
        files: Files made from one of their clips, or of an edit, a study's clips included.
        tables: Tables and reports that name them among others: to be made anew, not deleted.
        models: Models that were, or may have been, trained with them.
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
            if paths := getattr(self, name):
                lines += [f"{heading}: {len(paths)}", *(f"  {path}" for path in paths)]
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
    owners = owners_of_clips(data)
    clips = {clip for clip, names in owners.items() if speaker in names}
    people, shown = people_of_jobs(data, owners), sources_of_study_clips(data)
    jobs = {job for job, names in people.items() if speaker in names}
    blinded = {
        clip for clip, (seen, source) in shown.items() if seen == speaker or source in clips | jobs
    }
    known, wanted = {*owners, *people, *shown}, clips | jobs | blinded
    tables, files = [], []
    for path in _files_under(data, _DERIVED):
        owner = _owner(path.name, known)
        if owner in wanted:
            files.append(path)
        elif owner is None and _mentions(path, {speaker, *wanted}):
            tables.append(path)
    raw = _files_under(data, ("01_raw",))
    models, notes = models_of(data, speaker)
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
        return not names.isdisjoint(texts_of_table(path))
    if path.suffix == ".csv":
        return any(str(cell) in names for row in rows_of_table(path) for cell in row.values())
    if path.suffix in _TEXTS and path.stat().st_size <= _LARGEST_TEXT:
        text = path.read_text(encoding="utf-8", errors="replace")
        return any(name in text for name in names)
    return False
