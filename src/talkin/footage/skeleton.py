"""A manifest to be filled in by hand, of all videos in a folder."""

import hashlib
import re
from pathlib import Path

import pandas as pd

from talkin.errors import FootageError
from talkin.files import is_one_line
from talkin.footage.manifest import COLUMNS, OPTIONAL

_CLIPS = "clips"  # where the README says to put them
VIDEO_SUFFIXES = frozenset(
    {".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".wmv"}
)
"""Files so named are taken for videos where a folder is searched."""


def manifest_skeleton(folder: Path) -> pd.DataFrame:
    """A manifest of all videos in a folder, to be filled in by hand.

    The speaker is the sub-folder's name (or "speaker1"; a folder `clips` about all of them names
    nobody), the split follows from the clip's name
    alone (80 % train, 10 % validation, 10 % test), so it stays when clips are added; `consent`
    is left empty, because only a person can say who agreed.

    Args:
        folder: Where the videos are, sub-folders included; the manifest belongs into it.

    Raises:
        FootageError: If there is no such folder or no video in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FootageError(f"{folder}: there is no such folder")
    files = [file for file in _videos(folder) if _can_be_listed(file, folder)]
    if not files:
        raise FootageError(
            f"{folder}: no video there (looked for {', '.join(sorted(VIDEO_SUFFIXES))})"
        )
    taken: set[str] = set()
    rows = [_skeleton_row(file.relative_to(folder), taken) for file in files]
    return pd.DataFrame(rows, columns=[*COLUMNS, *OPTIONAL], dtype=str)


def unlistable_videos(folder: Path) -> list[Path]:
    """Videos that no line of a manifest can name: rename them.

    Their names hold control characters, or bytes that are no UTF-8.
    """
    return [file for file in _videos(folder) if not _can_be_listed(file, folder)]


def _videos(folder: Path) -> list[Path]:
    return sorted(
        file
        for file in folder.rglob("*")
        if file.suffix.lower() in VIDEO_SUFFIXES and file.is_file() and not _is_hidden(file, folder)
    )


def _can_be_listed(file: Path, folder: Path) -> bool:
    return is_one_line(str(file.relative_to(folder)))


def _is_hidden(file: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(folder).parts)


def _skeleton_row(path: Path, taken: set[str]) -> dict[str, str]:
    parts = path.with_suffix("").parts
    told = parts[1:] if parts[0] == _CLIPS and len(parts) > 1 else parts
    clip = _free_name(_safe("_".join(told)), taken)
    speaker = _safe(told[0]) if len(told) > 1 else "speaker1"
    return {
        "clip": clip,
        # A spreadsheet would take the name for a formula.
        "path": f"./{path}" if path.parts[0][0] in "=+-@" else path.as_posix(),
        "speaker": speaker,
        "split": _stable_split(clip),
        "view": "front",
        "consent": "",
        "sentence": "",
    }


def _safe(name: str) -> str:
    kept = re.sub(r"\.{2,}", ".", re.sub(r"[^A-Za-z0-9._-]+", "_", name)).strip("._-")
    return kept[:100].rstrip("._-") or "clip"


def _free_name(name: str, taken: set[str]) -> str:
    candidate, number = name, 2
    while candidate.casefold() in taken:
        candidate, number = f"{name}_{number}", number + 1
    taken.add(candidate.casefold())
    return candidate


def _stable_split(clip: str) -> str:
    tenth = int(hashlib.sha256(clip.encode()).hexdigest()[:8], 16) % 10
    return {0: "test", 1: "validation"}.get(tenth, "train")
