"""The project's own MLflow database: is it locked, and does it know where the project stands?

MLflow writes the place of every run's files as an absolute path, so that a project folder that was
moved or copied would read, and write, in the old place. Both questions are asked of the file
itself, before MLflow opens it.
"""

import logging
import os
import sqlite3
from contextlib import closing
from pathlib import Path

logger = logging.getLogger(__name__)

_PLACES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
)
"""Where MLflow 3 keeps absolute paths."""


def database_file(uri: str) -> Path | None:
    """The file behind a tracking URI; None for a server or another kind of database."""
    place = uri.removeprefix("sqlite:///").partition("?")[0]
    return None if place == uri or not place else Path(place)


def is_locked(path: Path, wait_s: float = 10.0) -> bool:
    """Whether another process keeps a database from being written to, for longer than `wait_s`."""
    return "locked" in why_unusable(path, wait_s)


def why_unusable(path: Path, wait_s: float = 10.0) -> str:
    """Why a database cannot be written to, in SQLite's words; "" where it can, or can be made.

    MLflow itself would try ten times, each time twice as long after.

    Args:
        path: The database.
        wait_s: How long another process may hold it.
    """
    # SQLite begins to write even where it may only read, and needs its folder for its journal.
    if not all(os.access(place, os.W_OK) for place in (path, path.parent) if place.exists()):
        return "it or its folder may only be read"
    if not path.exists():
        return ""
    try:
        with closing(sqlite3.connect(path, timeout=wait_s, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            database.execute("ROLLBACK")
    except sqlite3.DatabaseError as error:
        return str(error)
    return ""


def repair_places(path: Path, artifacts: Path) -> int:
    """Let a database that came here with its project name the files that came with it.

    Args:
        path: The database.
        artifacts: Folder that now holds the files of runs, such as `<project>/mlruns/artifacts`.

    Returns:
        How many places were corrected; 0 where nothing had moved, or where files are kept in a
        folder that is not named like this one.
    """
    if not path.exists():
        return 0
    here = artifacts.resolve().as_uri()
    end = "/" + "/".join(artifacts.resolve().parts[-2:])
    with closing(sqlite3.connect(path, timeout=10.0)) as database, database:
        known = database.execute("SELECT DISTINCT artifact_location FROM experiments").fetchall()
        moved = [place for (place,) in known if str(place).endswith(end) and place != here]
        corrected = sum(_replaced(database, old, here) for old in moved)
    if corrected:
        logger.info("the project has moved: %d places in %s were corrected", corrected, path)
    return corrected


def _replaced(database: sqlite3.Connection, old: str, new: str) -> int:
    n = 0
    for table, column in _PLACES:
        done = database.execute(
            f"UPDATE {table} SET {column} = ? || substr({column}, ?) "  # noqa: S608
            f"WHERE substr({column}, 1, ?) = ?",
            (new, len(old) + 1, len(old), old),
        )
        n += done.rowcount
    return n
