"""The GRID corpus as published, and the paper's splits of it.

Cooke et al., "An audio-visual corpus for speech perception and automatic speech recognition"
(2006): 34 talkers, 1,000 six-word sentences each, 25 frames/s, sound at 25 or 50 kHz. A sentence
is coded in the file's name: command, colour, preposition, letter, digit, adverb. As published:

    s1/video/mpg_6000/bbaf2n.mpg  (or s1/bbaf2n.mpg, video/s1/..., s1.mpg_vcd/s1/...)
    s1/align/bbaf2n.align         (or align/s1/..., alignments/s1/...)

Alignments count in 1/1000 of a frame of 25 a second. Talker 21 has no video.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from talkin.errors import FootageError
from talkin.footage.manifest import COLUMNS

UNITS_PER_S = 25_000.0
_WORDS = (
    {"b": "bin", "l": "lay", "p": "place", "s": "set"},
    {"b": "blue", "g": "green", "r": "red", "w": "white"},
    {"a": "at", "b": "by", "i": "in", "w": "with"},
    {letter: letter for letter in "abcdefghijklmnopqrstuvxyz"},  # w is never said
    dict(
        zip(
            "z123456789",
            ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
            strict=True,
        )
    ),
    {"a": "again", "n": "now", "p": "please", "s": "soon"},
)
_CODE = re.compile(r"[blps][bgrw][abiw][a-z][z1-9][anps]")
_TALKER = re.compile(r"s([1-9]|[12][0-9]|3[0-4])(?=$|[._])")
_VIDEO = frozenset({".mpg", ".mpeg", ".mp4", ".avi"})


class GridConfig(BaseModel):
    """The paper's splits (appendix B.4)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    unseen_speakers: tuple[str, ...] = Field(
        default=("s29", "s33"),
        description="Two talkers who are never in training: 31 of the 33 with video are.",
    )
    test_share: float = Field(
        default=0.2, gt=0, lt=1, description="Share of sentences that are never in training."
    )
    validation_share: float = Field(
        default=0.05, ge=0, lt=1, description="Share of the training sentences kept to validate."
    )
    seed: int = Field(default=0, ge=0, description="Of the choice of sentences.")


@dataclass(frozen=True)
class TimedWord:
    """One word of an alignment; `sil` and `sp` are silence."""

    word: str
    start_s: float
    end_s: float


def sentence_of(code: str) -> str:
    """What a file's name says.

    >>> sentence_of("bbaf2n")
    'bin blue at f two now'

    Raises:
        FootageError: If it is no GRID name.
    """
    if not _CODE.fullmatch(code) or code[3] == "w":
        raise FootageError(
            f"{code!r} is no GRID sentence: six signs such as bbaf2n (command, colour, "
            "preposition, letter, digit, adverb)"
        )
    return " ".join(words[sign] for words, sign in zip(_WORDS, code, strict=True))


def read_alignment(path: Path) -> list[TimedWord]:
    """The words of one sentence with their times.

    Raises:
        FootageError: If the file cannot be read, naming the line.
    """
    words = []
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FootageError(f"{path}: cannot be read as an alignment: {error}") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        fields = line.split()
        if len(fields) != 3 or not (fields[0].isdigit() and fields[1].isdigit()):
            raise FootageError(f"{path}, line {number}: {line!r} is not `start end word`")
        start, end = (int(field) / UNITS_PER_S for field in fields[:2])
        words.append(TimedWord(fields[2], start, end))
    return words


def grid_manifest(folder: Path, config: GridConfig | None = None) -> pd.DataFrame:
    """A manifest of all clips of a copy of GRID, split as in the paper.

    Sentences are split, not clips: a sentence that any talker says in the test split is said by
    nobody in training (GRID has 64,000 possible ones, and talkers share some). Clips of the unseen
    talkers are in the test split where their sentence is, and otherwise left out.

    Args:
        folder: Where the corpus lies; sub-folders name talkers.
        config: The splits.

    Returns:
        Rows of a manifest, `consent` left empty: GRID's talkers agreed to research on speech, and
        only a person can say whether that covers what is planned.

    Raises:
        FootageError: If there is no GRID clip.
    """
    config = config or GridConfig()
    files = list(_clips(Path(folder)))
    if not files:
        raise FootageError(
            f"{folder}: no GRID clip there; looked for files such as s1/bbaf2n.mpg in folders "
            "named s1 to s34"
        )
    split_of = _sentence_splits({file.stem.lower() for _, file in files}, config)
    rows = []
    for talker, file in files:
        split = split_of[file.stem.lower()]
        if talker in config.unseen_speakers and split != "test":
            continue
        rows.append(
            {
                "clip": f"{talker}_{file.stem.lower()}",
                "path": file.relative_to(folder).as_posix(),
                "speaker": talker,
                "split": split,
                "view": "front",
                "consent": "",
                "sentence": sentence_of(file.stem.lower()),
            }
        )
    table = pd.DataFrame(rows, columns=[*COLUMNS, "sentence"], dtype=str)
    return table.drop_duplicates("clip").reset_index(drop=True)


def alignments_of(folder: Path) -> dict[tuple[str, str], Path]:
    """(talker, code) -> alignment, of all that lie anywhere in a copy of GRID."""
    found: dict[tuple[str, str], Path] = {}
    for file in sorted(Path(folder).rglob("*.align")):
        talker = _talker(file.relative_to(folder))
        if talker:
            found.setdefault((talker, file.stem.lower()), file)
    return found


def _clips(folder: Path) -> Iterable[tuple[str, Path]]:
    """Talker and file of everything that is named as GRID names it, one file a sentence."""
    found: dict[tuple[str, str], Path] = {}
    for file in sorted(folder.rglob("*")):
        code = file.stem.lower()
        if file.suffix.lower() not in _VIDEO or not _CODE.fullmatch(code) or code[3] == "w":
            continue
        talker = _talker(file.relative_to(folder))
        if talker:
            found.setdefault((talker, code), file)
    return [(talker, file) for (talker, _), file in sorted(found.items(), key=_order)]


def _order(entry: tuple[tuple[str, str], Path]) -> tuple[int, str]:
    (talker, code), _ = entry
    return int(talker[1:]), code


def _talker(path: Path) -> str | None:
    """The nearest folder that names a talker: s1, or s1.mpg_vcd and the like."""
    for part in reversed(path.parts[:-1]):
        match = _TALKER.match(part)
        if match:
            return f"s{match.group(1)}"
    return None


def _sentence_splits(codes: set[str], config: GridConfig) -> dict[str, str]:
    """Sentence -> split, the same whatever clips are there."""
    splits = {}
    for code in codes:
        digest = hashlib.sha256(f"{config.seed} {code}".encode()).digest()
        place, inner = np.frombuffer(digest[:16], dtype=np.uint64) / 2.0**64
        is_validation = inner < config.validation_share
        splits[code] = (
            "test" if place < config.test_share else "validation" if is_validation else "train"
        )
    return splits
