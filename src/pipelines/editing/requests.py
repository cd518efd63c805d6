"""The list of edits that a user asks for: a CSV with a row an edit."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from talkin.errors import ConfigurationError
from talkin.files import checked_name, is_one_line, spreadsheet_habits

COLUMNS = ("job", "target", "audio")
SPEAKERS = ("target_speaker", "audio_speaker")
# What may be chosen for a job; the first is what an empty field means.
CHOICES = {"timing": ("", "keep", "select"), "driven_by": ("", "sound", "face")}
_LARGEST_FIELD = 4096


def read_edit_requests(path: Path) -> list[dict[str, str]]:
    """Read and check a list of edits.

    Args:
        path: CSV with `job, target, audio`. `target` and `audio` are clips of the footage manifest
            or paths relative to this file's folder; whoever is seen or heard in a path that is no
            clip is named, as the consent register names them, in the columns `target_speaker` and
            `audio_speaker`. `audio` may also be an edit list (.yml, .yaml, .csv) or a text to be
            read aloud (.txt). `timing` (keep, select) and `driven_by` (sound, or the face of a
            video) may be left out.

    Returns:
        The rows with all columns, empty where they are not given; none if there is no file.

    Raises:
        ConfigurationError: Naming line and column.
    """
    rows: dict[str, dict[str, str]] = {}
    for row, line in _rows(path):
        where = f"{path}, line {line}"
        _check_fields(row, where)
        name = checked_name(row["job"], f"{where}: job")
        # Two jobs whose names differ in case alone would overwrite each other on some disks.
        if name.casefold() in rows:
            raise ConfigurationError(f"{where}: job {name!r} stands there twice")
        rows[name.casefold()] = row
    return list(rows.values())


def _check_fields(row: dict[str, str], where: str) -> None:
    for column in COLUMNS:
        if not row[column]:
            raise ConfigurationError(f"{where}, column {column}: empty; every edit needs one")
    for column, value in row.items():
        if len(value) > _LARGEST_FIELD or not is_one_line(value):
            raise ConfigurationError(
                f"{where}, column {column}: too long, or holds control characters"
            )
    for column, choices in CHOICES.items():
        if row[column] not in choices:
            raise ConfigurationError(
                f"{where}, column {column}: {row[column]!r} is none of {', '.join(choices[1:])}"
            )


def _rows(path: Path) -> Iterator[tuple[dict[str, str], int]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True, restkey="", restval="")
            reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
            _check_columns(reader.fieldnames, path)
            for row in reader:
                if any(row.pop("", ())):
                    raise ConfigurationError(
                        f"{path}, line {reader.line_num}: more fields than columns; put a field "
                        "that holds a comma in double quotes"
                    )
                fields = (*COLUMNS, *SPEAKERS, *CHOICES)
                yield {key: row.get(key, "").strip() for key in fields}, reader.line_num
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError(
            f"{path}: cannot be read as a CSV table in UTF-8: {error}"
        ) from error


def _check_columns(names: Sequence[str], path: Path) -> None:
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise ConfigurationError(
            f"{path}: column {missing[0]!r} is missing; its first line must be "
            f"{','.join(COLUMNS)}{spreadsheet_habits(path)}"
        )
