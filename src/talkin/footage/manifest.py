"""The footage manifest: which clips there are, and who speaks in them, by whose leave."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import pandas as pd

from talkin.errors import ConfigurationError, FootageError
from talkin.files import checked_name, is_one_line, spreadsheet_habits

SPLITS = ("train", "validation", "test")
COLUMNS = ("clip", "path", "speaker", "split", "view", "consent")
OPTIONAL = ("sentence",)
_NAMES = ("clip", "speaker")
_LARGEST_FIELD = 4096
_LARGEST_FILE = 50_000_000


def read_manifest(path: Path) -> pd.DataFrame:
    """Read and check a manifest.

    A file that a row names need not be there: preparing that clip will reject it by name, and
    the others go on.

    Args:
        path: CSV with the columns `clip, path, speaker, split, view, consent` and, if wanted,
            `sentence`. `path` is relative to the manifest's own folder.

    Returns:
        The rows as text, in the file's order, `sentence` filled with "" where it is missing.

    Raises:
        FootageError: If the file is missing or no table, or naming line and column: a missing
            column or value, an unknown split, a clip named twice, a name that cannot name a
            file, a path that leaves the manifest's folder.
    """
    rows, problems = sort_manifest(path)
    for problem in problems.values():
        raise FootageError(problem)
    return rows


def sort_manifest(path: Path) -> tuple[pd.DataFrame, dict[int, str]]:
    """Read a manifest and set its wrong rows aside, so that they do not stop the others.

    Args:
        path: As for `read_manifest`.

    Returns:
        The rows that can be used, and by line number what is wrong with the others.

    Raises:
        FootageError: If the file is missing, no table, or lacks a column.
    """
    path = Path(path)
    rows: list[dict[str, str]] = []
    problems: dict[int, str] = {}
    seen: dict[str, int] = {}
    for line, row in _rows(path):
        try:
            rows.append(_checked(row, seen, path, line))
        except FootageError as error:
            problems[line] = str(error)
    return pd.DataFrame(rows, columns=[*COLUMNS, *OPTIONAL], dtype=str), problems


def _checked(
    row: dict[str, Any] | csv.Error, seen: dict[str, int], path: Path, line: int
) -> dict[str, str]:
    where = f"{path}, line {line}"
    if isinstance(row, csv.Error):
        raise FootageError(f"{where}: cannot be read as a row of a CSV table: {row}")
    if any(row.pop("", ())):
        raise FootageError(
            f"{where}: more fields than columns; put a field that holds a comma in double quotes"
        )
    row = {key: row.get(key, "").strip() for key in (*COLUMNS, *OPTIONAL)}
    _check_row(row, where)
    # Two clips whose names differ in case alone would overwrite each other on some disks.
    first = seen.setdefault(row["clip"].casefold(), line)
    if first != line:
        raise FootageError(
            f"{where}, column clip: {row['clip']!r} already stands in line {first}; give each "
            "clip a name of its own"
        )
    return row


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any] | csv.Error]]:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise FootageError(f"{path}: larger than {_LARGEST_FILE // 10**6} MB; no manifest is")
        # Bytes that are no UTF-8 spoil their own row only: they do not count as printable.
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            reader = csv.DictReader(file, strict=True, restkey="", restval="")
            reader.fieldnames = _checked_columns(reader.fieldnames, path)
            while True:
                try:
                    row = next(reader)
                    yield reader.line_num, row
                except csv.Error as error:
                    # Only the inner reader counts a line that it could not read.
                    yield reader.reader.line_num, error
                except StopIteration:
                    return
    except FileNotFoundError as error:
        raise FootageError(
            f"{path}: there is no manifest; `talkin manifest FOLDER` writes one to fill in"
        ) from error
    except (OSError, csv.Error) as error:
        raise FootageError(f"{path}: cannot be read as a CSV table in UTF-8: {error}") from error


def _checked_columns(names: Sequence[str] | None, path: Path) -> list[str]:
    given = [name.strip() for name in names or ()]
    while given and not given[-1]:
        given.pop()  # spreadsheets leave empty columns at the end
    missing = [name for name in COLUMNS if name not in given]
    if missing:
        raise FootageError(
            f"{path}, line 1: column {missing[0]!r} is missing; the first line must be "
            f"{','.join(COLUMNS)}[,sentence]{spreadsheet_habits(path)}"
        )
    name, count = Counter(given).most_common(1)[0]
    if count > 1:
        raise FootageError(f"{path}, line 1: column {name!r} stands there twice")
    return given


def _check_row(row: dict[str, str], where: str) -> None:
    for column in ("clip", "path", "speaker", "split"):
        if not row[column]:
            raise FootageError(f"{where}, column {column}: empty; every clip needs one")
    for column, value in row.items():
        if any("\ud800" <= letter <= "\udfff" for letter in value):
            raise FootageError(f'{where}, column {column}: no UTF-8; save the table as "CSV UTF-8"')
        if len(value) > _LARGEST_FIELD or not is_one_line(value):
            raise FootageError(f"{where}, column {column}: too long, or holds control characters")
    _check_names(row, where)
    if row["split"] not in SPLITS:
        raise FootageError(
            f"{where}, column split: {row['split']!r} is none of {', '.join(SPLITS)}"
        )
    if _leaves_folder(row["path"]):
        raise FootageError(
            f"{where}, column path: {row['path']!r} leaves the manifest's folder; copy or link "
            "the file into that folder and name it relative to it"
        )


def _check_names(row: dict[str, str], where: str) -> None:
    for column in _NAMES:
        try:
            checked_name(row[column], column)
        except ConfigurationError as error:
            raise FootageError(f"{where}, column {column}: {error}") from error


def _leaves_folder(path: str) -> bool:
    as_posix, as_windows = PurePosixPath(path), PureWindowsPath(path)
    is_absolute = as_posix.is_absolute() or bool(as_windows.drive or as_windows.root)
    return is_absolute or ".." in as_posix.parts or ".." in as_windows.parts
