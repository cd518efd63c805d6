"""The consent register: nobody's face or voice is used without a record of their leave.

A CSV or YAML file with a row a record: `consent` (the record's name, which the footage manifest
repeats), `speaker`, `purpose` (what for) and `expires` (a date as 2027-12-31, or empty for never).
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from talkin.errors import ConsentError

_COLUMNS = ("consent", "speaker", "purpose", "expires")


@dataclass(frozen=True)
class ConsentRecord:
    """One person's leave.

    Attributes:
        consent: The record's name.
        speaker: Who gave it.
        purpose: What for, in words.
        expires: Last day on which it holds; None for no end.
    """

    consent: str
    speaker: str
    purpose: str
    expires: date | None


@dataclass(frozen=True)
class ConsentRegister:
    """All records, and the file they stand in (named in messages)."""

    path: Path
    records: tuple[ConsentRecord, ...]

    def of_speaker(self, speaker: str) -> tuple[ConsentRecord, ...]:
        """The records a speaker gave."""
        return tuple(record for record in self.records if record.speaker == speaker)


def read_consent(path: Path) -> ConsentRegister:
    """Read a register.

    Args:
        path: CSV, or YAML holding a list of mappings with the same keys.

    Raises:
        ConsentError: If it is missing or no such table, naming the row.
    """
    path = Path(path)
    try:
        rows = _yaml_rows(path) if path.suffix in {".yaml", ".yml"} else _csv_rows(path)
    except FileNotFoundError as error:
        raise ConsentError(
            f"{path}: there is no consent register; make one whose first line is "
            f"{','.join(_COLUMNS)} and add a row for every speaker who agreed"
        ) from error
    except (OSError, UnicodeDecodeError, csv.Error, yaml.YAMLError) as error:
        raise ConsentError(f"{path}: the consent register cannot be read: {error}") from error
    return ConsentRegister(
        path, tuple(_record(row, path, number) for number, row in enumerate(rows, start=1))
    )


def require_consent(rows: Any, register: ConsentRegister, today: date | None = None) -> None:
    """Refuse to go on unless everyone agreed.

    Args:
        rows: Speakers' names, or rows of the footage manifest (a DataFrame, or mappings with
            `speaker` and, if known, `clip` and `consent`). A row that names a consent record must
            name one of that speaker's.
        register: Who agreed to what.
        today: The day to judge by; None for today.

    Raises:
        ConsentError: Naming speaker, clip and the row to add, for all who lack a valid record.
    """
    today = today or date.today()
    troubles: dict[str, None] = {}
    for row in _as_rows(rows):
        trouble = _trouble(row, register, today)
        if trouble:
            troubles.setdefault(trouble)
    if troubles:
        raise ConsentError("\n".join(troubles))


def _trouble(row: Mapping[str, str], register: ConsentRegister, today: date) -> str:
    speaker, named = row["speaker"], row.get("consent")
    records = register.of_speaker(speaker)
    if named is not None:
        records = tuple(record for record in records if record.consent == named)
    if any(record.expires is None or record.expires >= today for record in records):
        return ""
    clip = f" (clip {row['clip']})" if row.get("clip") else ""
    wanted = f"{named or 'NAME-OF-RECORD'},{speaker},what-for,{today.year + 1}-12-31"
    way_out = f"if they agreed, add the row `{wanted}` to {register.path}"
    if named == "":
        return (
            f"speaker {speaker}{clip} names no consent record: fill the column `consent` of the "
            f"manifest, and {way_out}"
        )
    if records:
        last = max(record.expires for record in records if record.expires)
        return f"the consent of speaker {speaker}{clip} expired on {last}: {way_out}"
    return f"speaker {speaker}{clip} has no consent record {named or ''}".rstrip() + f": {way_out}"


def _as_rows(rows: Any) -> Iterable[Mapping[str, str]]:
    if hasattr(rows, "to_dict"):
        return rows.to_dict("records")
    return [{"speaker": row} if isinstance(row, str) else row for row in rows]


def _csv_rows(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def _yaml_rows(path: Path) -> list[dict[str, Any]]:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    if content is None:
        return []
    if not isinstance(content, list) or not all(isinstance(row, dict) for row in content):
        raise ConsentError(
            f"{path}: a list of records with the keys {', '.join(_COLUMNS)} is wanted"
        )
    return content


def _record(row: Mapping[str, Any], path: Path, number: int) -> ConsentRecord:
    values = {key: str(row.get(key) or "").strip() for key in _COLUMNS}
    for key in ("consent", "speaker", "purpose"):
        if not values[key]:
            raise ConsentError(f"{path}, record {number}: `{key}` is empty or missing")
    expires = values["expires"]
    try:
        until = date.fromisoformat(expires) if expires else None
    except ValueError as error:
        raise ConsentError(
            f"{path}, record {number}: `expires` is {expires!r}; write a date as 2027-12-31, or "
            "leave it empty"
        ) from error
    return ConsentRecord(values["consent"], values["speaker"], values["purpose"], until)
