"""The consent register: nobody's face or voice is used without a record of their leave.

A CSV or YAML file with a row a record: `consent` (the record's name, which the footage manifest
repeats), `speaker`, `purpose` (what for), `expires` (a date as 2027-12-31, or empty for never) and,
if wanted, `document_sha256` (of the signed paper). The purpose is a list with `;` between: `train`,
`edit-face`, `edit-voice`, or `anything`; other words are kept and shown, but allow nothing that a
step asks for by name.
"""

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import yaml

from talkin.errors import ConsentError
from talkin.files import one_line, spreadsheet_habits

Purpose = Literal["train", "edit-face", "edit-voice"]

_COLUMNS = ("consent", "speaker", "purpose", "expires")
_OPTIONAL = ("document_sha256",)
_ANYTHING = frozenset({"anything", "this person does not exist"})
_LARGEST_FILE = 10_000_000
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class ConsentRecord:
    """One person's leave.

    Attributes:
        consent: The record's name.
        speaker: Who gave it.
        purpose: What for, as written.
        expires: Last day on which it holds; None for no end.
        document_sha256: Of the document they signed; empty where none is named.
    """

    consent: str
    speaker: str
    purpose: str
    expires: date | None
    document_sha256: str = ""

    @property
    def purposes(self) -> tuple[str, ...]:
        """The purpose as a list."""
        return tuple(word.strip() for word in re.split("[;,]", self.purpose) if word.strip())

    def allows(self, purpose: Purpose | None, day: date) -> bool:
        """Whether it covers a purpose (None: any at all) on a day."""
        in_time = self.expires is None or self.expires >= day
        given = {word.lower() for word in self.purposes}
        return in_time and (purpose is None or bool({purpose, *_ANYTHING} & given))


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
    except (OSError, ValueError, csv.Error, yaml.YAMLError, RecursionError) as error:
        habits = spreadsheet_habits(path) if path.is_file() else ""
        raise ConsentError(
            f"{path}: the consent register cannot be read: {one_line(error)}{habits}"
        ) from error
    return ConsentRegister(
        path, tuple(_record(row, path, number) for number, row in enumerate(rows, start=1))
    )


def require_consent(
    rows: Any,
    register: ConsentRegister,
    today: date | None = None,
    purpose: Purpose | None = None,
) -> None:
    """Refuse to go on unless everyone agreed.

    Args:
        rows: Speakers' names, or rows of the footage manifest (a DataFrame, or mappings with
            `speaker` and, if known, `clip` and `consent`). A row that names consent records (`;`
            between several) must name that speaker's, and only those count for it.
        register: Who agreed to what.
        today: The day to judge by; None for today.
        purpose: What they shall be used for; None asks only whether there is a record at all.

    Raises:
        ConsentError: Naming speaker, clips and the row to add, for all who lack a valid record.
    """
    today = today or date.today()
    clips: dict[tuple[str, str | None], list[str]] = {}
    for row in _as_rows(rows):
        clips.setdefault((row["speaker"], row.get("consent")), []).append(row.get("clip") or "")
    told: dict[str, str] = {}
    for (speaker, named), theirs in clips.items():
        trouble = _trouble(speaker, named, _clips(theirs), register, today, purpose)
        if trouble:
            told[trouble] = speaker
    if told:
        raise ConsentError("\n".join(told), tuple(dict.fromkeys(told.values())))


def _clips(names: list[str]) -> str:
    """One line a person, however many clips there are of them."""
    named = list(dict.fromkeys(name for name in names if name))
    if not named:
        return ""
    more = f" and {len(named) - 1} more" if len(named) > 1 else ""
    return f" (clip {named[0]}{more})"


def _trouble(
    speaker: str,
    named: str | None,
    clip: str,
    register: ConsentRegister,
    today: date,
    purpose: Purpose | None,
) -> str:
    records = register.of_speaker(speaker)
    if named is not None:
        names = {name.strip() for name in named.split(";")}
        records = tuple(record for record in records if record.consent in names)
    if any(record.allows(purpose, today) for record in records):
        return ""
    wanted = f"{named or 'NAME-OF-RECORD'},{speaker},{purpose or 'what-for'},{today.year + 1}-12-31"
    way_out = f"if they agreed, add the row `{wanted}` to {register.path}"
    if named == "":
        return (
            f"speaker {speaker}{clip} names no consent record: fill the column `consent` of the "
            f"manifest, and {way_out}"
        )
    if not records:
        about = f"speaker {speaker}{clip} has no consent record {named or ''}".rstrip()
        return f"{about}: {way_out}"
    return f"{_why_not(speaker, clip, records, today, purpose)}: {way_out}{_find_derived(speaker)}"


def _why_not(
    speaker: str,
    clip: str,
    records: tuple[ConsentRecord, ...],
    today: date,
    purpose: Purpose | None,
) -> str:
    """Records there are, but they are over, or are for something else."""
    in_time = [record for record in records if record.allows(None, today)]
    if in_time:
        given = ", ".join(dict.fromkeys(word for record in in_time for word in record.purposes))
        return f"the consent of speaker {speaker}{clip} is for {given}, not for {purpose}"
    last = max(record.expires for record in records if record.expires)
    return f"the consent of speaker {speaker}{clip} expired on {last}"


def _find_derived(speaker: str) -> str:
    return f"; otherwise `talkin consent trace {speaker}` lists what was made from them, to delete"


def _as_rows(rows: Any) -> Iterable[Mapping[str, str]]:
    if hasattr(rows, "to_dict"):
        return rows.to_dict("records")
    return [{"speaker": row} if isinstance(row, str) else row for row in rows]


class _FlatLoader(yaml.SafeLoader):
    """Safe YAML without aliases: a few lines of them can stand for billions of values."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not allowed here")
        return super().compose_node(parent, index)


def _check_size(path: Path) -> None:
    if path.stat().st_size > _LARGEST_FILE:
        raise ConsentError(f"{path}: larger than {_LARGEST_FILE // 10**6} MB; no register is")


def _csv_rows(path: Path) -> list[dict[str, Any]]:
    _check_size(path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
        missing = [name for name in _COLUMNS if name not in reader.fieldnames]
        if missing:
            raise ConsentError(
                f"{path}, line 1: column {missing[0]!r} is missing; the first line must be "
                f"{','.join(_COLUMNS)}[,document_sha256]{spreadsheet_habits(path)}"
            )
        return list(reader)


def _yaml_rows(path: Path) -> list[dict[str, Any]]:
    _check_size(path)
    # As safe as yaml.safe_load, whose loader it is.
    content = yaml.load(path.read_text(encoding="utf-8"), _FlatLoader)  # noqa: S506
    if content is None:
        return []
    if not isinstance(content, list) or not all(isinstance(row, dict) for row in content):
        raise ConsentError(
            f"{path}: a list of records with the keys {', '.join(_COLUMNS)} is wanted"
        )
    return content


def _record(row: Mapping[str, Any], path: Path, number: int) -> ConsentRecord:
    values = {key: _text(row.get(key)) for key in (*_COLUMNS, *_OPTIONAL)}
    for key in ("consent", "speaker", "purpose"):
        if not values[key]:
            raise ConsentError(f"{path}, record {number}: `{key}` is empty or missing")
        if not values[key].isprintable():
            raise ConsentError(f"{path}, record {number}: `{key}` holds control characters")
    expires = values["expires"]
    try:
        until = date.fromisoformat(expires) if expires else None
    except ValueError as error:
        raise ConsentError(
            f"{path}, record {number}: `expires` is {expires!r}; write a date as 2027-12-31, or "
            "leave it empty"
        ) from error
    document = values["document_sha256"].lower()
    if document and not _SHA256.fullmatch(document):
        raise ConsentError(
            f"{path}, record {number}: `document_sha256` is no SHA-256 of 64 hexadecimal digits; "
            "`sha256sum FILE` prints one, or leave it empty"
        )
    return ConsentRecord(values["consent"], values["speaker"], values["purpose"], until, document)


def _text(value: Any) -> str:
    """A cell; YAML may hold a list of purposes, and a date of its own kind."""
    return ";".join(map(str, value)) if isinstance(value, list) else str(value or "").strip()
