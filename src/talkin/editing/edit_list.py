"""An edit list: pieces of recordings, cut and set behind each other to new speech (Fig. 6).

YAML:

    cross_fade_s: 0.02          # of every joint, may be left out
    pieces:
      - {audio: interview.mp4, in: 3.2, out: 3.71}
      - {pause: 0.25}
      - {audio: lecture.wav, in: "1:02.5", out: "1:03.1", cross_fade_s: 0.05}
      - {audio: lecture.wav, in: 70}          # to its end

or CSV with the columns `audio, in, out, pause, cross_fade_s`, of which only `audio` must be there:

    audio,in,out
    interview.mp4,3.2,3.71
    lecture.wav,1:02.5,1:03.1

`audio` is a sound or video file, relative to the list. `in` and `out` are times in it, in seconds
or as [hours:]minutes:seconds; left out they are its beginning and end. `pause` is silence, in
seconds, in the place of `audio`. `cross_fade_s` is how long a piece and the one before it sound
together; it is cut to half of the shorter one. Beside a pause a piece fades by itself.
"""

import csv
import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from talkin.errors import ConfigurationError

_KEYS = ("audio", "in", "out", "pause", "cross_fade_s")
_LARGEST_LIST_BYTES = 300_000
_DEEPEST = 5  # a list of mappings of words; deeper nesting is an attack or a slip
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{1,2}(?:\.\d{1,18})?)")
_SECONDS = re.compile(r"\d{1,7}(?:\.\d{1,18})?")


class Piece(BaseModel):
    """A piece of a recording, or a pause."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    audio: Path | None = Field(default=None, description="A sound or video file; None: a pause.")
    start_s: float = Field(default=0.0, ge=0, alias="in", description="Where it begins, s.")
    stop_s: float | None = Field(
        default=None, gt=0, alias="out", description="Where it ends, s; None for the file's end."
    )
    pause_s: float = Field(
        default=0.0, ge=0, le=3600, alias="pause", description="Length of a pause, s."
    )
    cross_fade_s: float | None = Field(
        default=None, ge=0, le=10, description="Overlap with the piece before, s; None: the list's."
    )

    @field_validator("start_s", "stop_s", "pause_s", "cross_fade_s", mode="before")
    @classmethod
    def _as_seconds(cls, value: Any) -> Any:
        return seconds_of(value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _is_sound_or_pause(self) -> "Piece":
        if (self.audio is None) == (self.pause_s == 0):
            raise ValueError("give either `audio` or a `pause` longer than 0")
        if self.audio is None and (self.start_s or self.stop_s is not None):
            raise ValueError("a pause has neither `in` nor `out`")
        if self.stop_s is not None and self.stop_s <= self.start_s:
            raise ValueError(f"`out` ({self.stop_s:g} s) must lie after `in` ({self.start_s:g} s)")
        return self


class EditList(BaseModel):
    """Pieces in the order in which they are heard."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    pieces: tuple[Piece, ...] = Field(
        min_length=1, max_length=5_000, description="The pieces, in order."
    )
    cross_fade_s: float = Field(
        default=0.02, ge=0, le=10, description="Overlap of a piece with the one before, s."
    )

    @field_validator("cross_fade_s", mode="before")
    @classmethod
    def _as_seconds(cls, value: Any) -> Any:
        return seconds_of(value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _is_heard(self) -> "EditList":
        if all(piece.audio is None for piece in self.pieces):
            raise ValueError("the list holds nothing but pauses")
        return self

    @property
    def files(self) -> tuple[Path, ...]:
        """The recordings it is cut from, each once."""
        return tuple(dict.fromkeys(piece.audio for piece in self.pieces if piece.audio is not None))


def read_edit_list(path: Path) -> EditList:
    """Read a list; its files' names become paths relative to the list's folder.

    Args:
        path: `.csv`, or YAML by any other name.

    Raises:
        ConfigurationError: If it cannot be read or is no edit list, naming the piece.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_LIST_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(f"{path}: the edit list cannot be read: {error}") from error
    if len(content) > _LARGEST_LIST_BYTES:
        raise ConfigurationError(f"{path}: an edit list has at most {_LARGEST_LIST_BYTES} bytes")
    return parse_edit_list(content, str(path), path.parent, path.suffix.lower() == ".csv")


def parse_edit_list(content: bytes, name: str, folder: Path, is_csv: bool) -> EditList:
    """Make an edit list of a file's bytes.

    Args:
        content: The file.
        name: What to call it in messages.
        folder: What its files' names are relative to.
        is_csv: Whether it is CSV and not YAML.

    Raises:
        ConfigurationError: If it is no edit list, whatever else it is.
    """
    try:
        text = content.decode("utf-8-sig")
        found = _csv_content(text) if is_csv else _yaml_content(text)
        return EditList.model_validate(_with_paths(found, folder))
    except ValidationError as error:
        raise ConfigurationError(f"{name}: {_first_fault(error)}") from error
    except (UnicodeDecodeError, csv.Error, yaml.YAMLError, ValueError) as error:
        said = " ".join(str(error).split())
        raise ConfigurationError(f"{name} is no edit list: {said}") from error


def seconds_of(text: str) -> float:
    """Seconds, or [hours:]minutes:seconds, as seconds.

    >>> seconds_of("1:02.5"), seconds_of("7"), seconds_of("1:00:00")
    (62.5, 7.0, 3600.0)
    """
    text = text.strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    parts = _CLOCK.fullmatch(text)
    if parts is None:
        raise ValueError(f"{text[:40]!r} is no time: write seconds (3.2) or minutes (1:02.5)")
    hours, minutes, seconds = (float(part or 0) for part in parts.groups())
    return 3600 * hours + 60 * minutes + seconds


def _yaml_content(text: str) -> Any:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        # An alias can make a short file endless.
        if isinstance(event, yaml.AliasEvent):
            raise ValueError("references (*name) are not allowed in it")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise ValueError("it is nested too deeply")
    # Words only: `1:02.5` is a time here, and no number to the base of 60.
    # The base loader makes nothing but texts, lists and mappings, whatever tags say.
    found = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506
    return {"pieces": found} if isinstance(found, list) else found


def _csv_content(text: str) -> Any:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True, restkey="too many")
    names = [name.strip() for name in reader.fieldnames or ()]
    if "audio" not in names or len(set(names)) < len(names):
        raise ValueError("its first line must name columns, such as audio,in,out")
    reader.fieldnames = names
    return {"pieces": [row for row in reader if any(row.values())]}


def _with_paths(found: Any, folder: Path) -> Any:
    """Files' names, relative to the list; all else as it is, for the model to judge."""
    if not isinstance(found, Mapping) or not isinstance(found.get("pieces"), list):
        return found
    pieces = [
        _piece(piece, folder) if isinstance(piece, Mapping) else piece for piece in found["pieces"]
    ]
    return {**found, "pieces": pieces}


def _piece(row: Mapping[Any, Any], folder: Path) -> dict[Any, Any]:
    """A piece without what is left empty."""
    filled = {key: value for key, value in row.items() if value != ""}
    name = filled.get("audio")
    if isinstance(name, str):
        if "\0" in name:
            raise ValueError("a file's name holds a zero byte")
        filled["audio"] = folder / name
    return filled


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_input=False)[0]
    place = list(fault["loc"])
    said = str(fault["msg"]).removeprefix("Value error, ")
    if place[:1] == ["pieces"] and len(place) > 1:
        key = ".".join(str(part) for part in place[2:])
        known = f" (a piece has {', '.join(_KEYS)})" if fault["type"] == "extra_forbidden" else ""
        return f"piece {int(place[1]) + 1}{', ' + key if key else ''}: {said}{known}"
    return f"{'.'.join(str(part) for part in place) or 'edit list'}: {said}"
