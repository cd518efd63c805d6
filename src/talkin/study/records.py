"""The records of a study: public manifest, sealed key, and what a rater sends.

The manifest names clips by random ids and nothing else. What a clip is stands in the key alone: a
file of its own, readable by its owner only, which the server never opens. The manifest and the
database hold the key's SHA-256, so a key cannot be changed after ratings came in; a random number
inside the key keeps anyone from guessing the key and checking the guess against that digest.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from talkin.errors import ConfigurationError
from talkin.files import replace_when_whole
from talkin.study.config import PageConfig, Question, QuestionName

REAL, OWN, CHECK = "real", "talkin", "attention check"
"""Systems with a meaning of their own: recordings, this project's edits, attention checks."""

MANIFEST_FILE = "study.json"
_LARGEST_RECORD = 20_000_000

Score = Annotated[int, Field(ge=1, le=5, strict=True)]
ClipId = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Record = TypeVar("Record", bound=BaseModel)
_Count = Annotated[int, Field(ge=0, le=2**53 - 1, strict=True)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ShownClip(_Record):
    """A clip as raters meet it."""

    id: ClipId = Field(description="Random; also the name of its file.")
    sha256: Digest = Field(description="Of the file.")
    n_bytes: int = Field(ge=1, description="Of the file.")
    duration_s: float = Field(gt=0, description="Length.")


class StudyManifest(_Record):
    """Everything of a study that may be seen: no word of which clip is which."""

    version: int = Field(default=1, ge=1, le=1, description="Of this layout.")
    study: ClipId = Field(description="Random id of the study.")
    key_sha256: Digest = Field(description="Of the sealed key.")
    page: PageConfig = Field(description="Texts.")
    questions: tuple[Question, ...] = Field(min_length=1, description="Asked of every clip.")
    width: int = Field(ge=2, description="Of every clip, px.")
    height: int = Field(ge=2, description="Of every clip, px.")
    clips: tuple[ShownClip, ...] = Field(min_length=1, description="Sorted by their random ids.")

    @model_validator(mode="after")
    def _ids_are_different(self) -> Self:
        if len({clip.id for clip in self.clips}) < len(self.clips):
            raise ValueError("clips: an id stands there twice")
        return self

    @property
    def clip_ids(self) -> tuple[str, ...]:
        """Ids of all clips."""
        return tuple(clip.id for clip in self.clips)

    def for_page(self) -> dict[str, Any]:
        """What the page gets to know: texts, questions, size, and how long all clips last."""
        return {
            "study": self.study,
            "page": self.page.model_dump(),
            "questions": [question.model_dump() for question in self.questions],
            "width": self.width,
            "height": self.height,
            "duration_s": round(sum(clip.duration_s for clip in self.clips), 1),
        }

    @property
    def question_names(self) -> tuple[QuestionName, ...]:
        """Names of all questions."""
        return tuple(question.name for question in self.questions)


class KeyEntry(_Record):
    """What one clip is."""

    id: ClipId = Field(description="As raters meet it.")
    system: str = Field(min_length=1, description="real, talkin, another system, or a check.")
    speaker: str = Field(description="Who is seen.")
    view: str = Field(description="From where.")
    clip: str = Field(description="Name of its source.")
    source_sha256: str = Field(description="Of its source's bytes; empty for a check.")
    expected: Score | None = Field(default=None, description="The score that a check asks for.")


class StudyKey(_Record):
    """What every clip is; never served."""

    version: int = Field(default=1, ge=1, le=1, description="Of this layout.")
    study: ClipId = Field(description="The study it opens.")
    nonce: Digest = Field(description="Random, so that the digest tells nothing.")
    entries: tuple[KeyEntry, ...] = Field(min_length=1, description="One a clip.")

    def digest(self) -> str:
        """SHA-256 of the content, whatever the file's layout."""
        content = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(content.encode()).hexdigest()


class Answer(_Record):
    """What a rater says of one clip.

    `sequence` grows with each change of mind, so that a delayed older answer cannot undo a newer.
    """

    clip: ClipId
    scores: dict[QuestionName, Score] = Field(default_factory=dict, max_length=3)
    sequence: _Count
    plays: _Count = 0
    elapsed_ms: _Count = 0
    is_unplayable: Annotated[bool, Field(strict=True)] = False

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.is_unplayable == bool(self.scores):
            raise ValueError("an answer has scores, or says that the clip does not play")
        return self


class CollectedAnswers(_Record):
    """The file that the static form gives a rater to send in."""

    version: int = Field(ge=1, le=1)
    study: ClipId
    rater: Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,64}$")]
    answers: tuple[Answer, ...] = Field(max_length=10_000)


def read_manifest(folder: Path) -> StudyManifest:
    """Read the manifest of a study's folder.

    Raises:
        ConfigurationError: If it is missing or damaged.
    """
    path = Path(folder) / MANIFEST_FILE
    return _read(path, StudyManifest, "make the study by `talkin study export`")


def read_key(path: Path, manifest: StudyManifest) -> StudyKey:
    """Open the sealed key.

    Raises:
        ConfigurationError: If it is missing, damaged, of another study, or was changed.
    """
    key = _read(Path(path), StudyKey, "the key was written when the study was exported")
    if key.study != manifest.study:
        raise ConfigurationError(f"{path}: this key opens another study than {manifest.study}")
    if key.digest() != manifest.key_sha256:
        raise ConfigurationError(
            f"{path}: the key was changed since the study was exported (its SHA-256 is not that "
            "of the study); use the original"
        )
    return key


def write_key(path: Path, key: StudyKey) -> None:
    """Write the key, readable and writable by its owner only from its first byte on."""
    with replace_when_whole(Path(path)) as part:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(key.model_dump_json(indent=1) + "\n")


def read_collected(path: Path) -> CollectedAnswers:
    """Read what the static form collected; the file comes from a stranger.

    Raises:
        ConfigurationError: If it is too large or no such file.
    """
    return _read(Path(path), CollectedAnswers, "ask the rater to download it again")


def _read(path: Path, kind: type[Record], way_out: str) -> Record:
    if not path.is_file():
        raise ConfigurationError(f"{path}: there is no such file; {way_out}")
    if path.stat().st_size > _LARGEST_RECORD:
        raise ConfigurationError(f"{path}: larger than any {kind.__name__}; {way_out}")
    try:
        return kind.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise ConfigurationError(f"{path}: {where}: {first['msg']}; {way_out}") from error
