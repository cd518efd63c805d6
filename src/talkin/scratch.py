"""Folders for files on their way, and what processes that were killed left behind."""

import fcntl
import os
import platform
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_IN_USE = ".in-use"
_SETTLED_S = 60.0  # a folder this young may be about to be locked
_OLD_S = 24 * 3600.0
# Names that `replace_when_whole` and the makers of whole folders give to what is not whole yet.
_PART = re.compile(r"\..+\.[a-z0-9_]{8}\.part(\.[A-Za-z0-9]+)?")
_swept: set[Path] = set()


@contextmanager
def scratch_folder(purpose: str, place: Path | None = None) -> Iterator[Path]:
    """A folder for files on their way, gone at the end.

    It holds a locked file as long as its process lives. Whoever makes another one in the same
    place deletes those of this computer whose process was killed.

    Args:
        purpose: A word for its name.
        place: In which folder; None for the system's temporary one.
    """
    parent = Path(tempfile.gettempdir() if place is None else place)
    prefix = f"talkin-{purpose}-"
    _remove_abandoned(parent, prefix)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=parent) as name:
        folder = Path(name)
        with (folder / _IN_USE).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            lock.write(platform.node())
            lock.flush()
            yield folder


def remove_old_parts(folder: Path) -> None:
    """Delete unfinished files and folders in a folder that nobody has written to for a day.

    A process that is killed leaves them. Each folder is looked through once a process.
    """
    if folder in _swept:
        return
    _swept.add(folder)
    try:
        found = [path for path in folder.iterdir() if _PART.fullmatch(path.name)]
    except OSError:
        return
    for path in found:
        if time.time() - _newest(path) > _OLD_S:
            _remove(path)


def _remove_abandoned(parent: Path, prefix: str) -> None:
    for folder in parent.glob(f"{prefix}*"):
        if not folder.is_symlink() and _is_abandoned(folder / _IN_USE):
            shutil.rmtree(folder, ignore_errors=True)


def _is_abandoned(mark: Path) -> bool:
    """Whether a mark is this user's, of this computer, and locked by nobody."""
    try:
        with mark.open("r+") as lock:
            known = os.fstat(lock.fileno())
            if known.st_uid != os.getuid() or time.time() - known.st_mtime < _SETTLED_S:
                return False
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock.read() == platform.node()
    except OSError:
        return False


def _newest(path: Path) -> float:
    """When a file, or the newest thing in a folder, was last written to; inf where unknown."""
    try:
        inside = path.rglob("*") if path.is_dir() and not path.is_symlink() else ()
        return max(p.lstat().st_mtime for p in (path, *inside))
    except OSError:
        return float("inf")


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        return
    try:
        path.unlink()
    except OSError:
        return
