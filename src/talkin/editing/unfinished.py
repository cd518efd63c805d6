"""What an edit has done so far, kept in a folder, so that it goes on where it was stopped.

Kept are the followed faces and the pictures in pieces of 250 frames. A piece is there whole or not
at all, and an edit that nothing disturbs writes the same pieces, so an edit that was killed and run
again gives the same pictures to the last bit. The folder's `edit.json` says what it belongs to;
what another edit left is thrown away.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq

from talkin.errors import FootageError
from talkin.face3d.parameters import FaceParameters
from talkin.files import one_line, replace_when_whole

FRAMES_A_PIECE = 250
_RECORD = "edit.json"
_ROWS_A_GROUP = 1000


@dataclass(frozen=True, eq=False)
class FollowedFace:
    """What the first pass found in a video.

    Attributes:
        parameters: The fitted face, a row a frame.
        cuts: Frames with which a new shot begins.
        notes: What tracking had to say.
    """

    parameters: FaceParameters
    cuts: list[int]
    notes: list[str]


class UnfinishedEdit:
    """The folder of one edit."""

    def __init__(self, folder: Path) -> None:
        """Take a folder that is there; `kept_folder` makes it."""
        self.folder = folder

    def face(self, name: str) -> FollowedFace | None:
        """The face followed through a video before, if that came to its end."""
        table, words = self.folder / f"{name}.parquet", self.folder / f"{name}.json"
        if not (table.exists() and words.exists()):
            return None
        said = json.loads(words.read_text())
        return FollowedFace(FaceParameters.load(table), said["cuts"], said["notes"])

    def keep_face(self, name: str, face: FollowedFace) -> FollowedFace:
        """Keep a followed face, and give it as it will be read when the edit goes on."""
        with _named_errors(self.folder):
            with replace_when_whole(self.folder / f"{name}.parquet") as part:
                # In one group, with a dictionary of all its numbers, it takes 4 kB a frame more.
                pq.write_table(
                    face.parameters.to_table(),
                    part,
                    row_group_size=_ROWS_A_GROUP,
                    use_dictionary=False,
                )
            # Arrow keeps for itself what it once held.
            pa.default_memory_pool().release_unused()
            # The words come last, so that both files are there or neither counts.
            self._write_json(f"{name}.json", {"cuts": face.cuts, "notes": face.notes})
        found = self.face(name) or face
        pa.default_memory_pool().release_unused()
        return found

    def piece(self, track: str, number: int) -> Path:
        """Where a piece of a video stands, or shall stand."""
        return self.folder / f"{track}-{number:05d}.mp4"

    def whole_pieces(self, tracks: list[str]) -> int:
        """How many pieces from the first on are whole in all of some videos."""
        number = 0
        while all(self.piece(track, number).exists() for track in tracks):
            number += 1
        return number

    def _write_json(self, name: str, content: object) -> None:
        with replace_when_whole(self.folder / name) as part:
            part.write_text(json.dumps(content))


@contextmanager
def kept_folder(folder: Path | None, output: Path, belongs_to: str) -> Iterator[UnfinishedEdit]:
    """Open an edit's folder; it is deleted when the edit comes to its end.

    Args:
        folder: Where to keep what is done if the edit is stopped; None keeps nothing.
        output: What the edit writes; beside it a folder lies that is not kept.
        belongs_to: A hash of all that the edit depends on.

    Raises:
        FootageError: If another process is at it, or the folder is somebody's own.
    """
    if folder is None:
        with _named_errors(output.parent):
            opened = TemporaryDirectory(dir=output.parent, prefix=f".{output.stem}.")
        with opened as name:
            yield UnfinishedEdit(Path(name))
        return
    with _named_errors(folder):
        _check_ours(folder)
        folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise FootageError(f"{output}: another process is making this edit") from error
        edit = UnfinishedEdit(folder)
        with _named_errors(folder):
            _begin(edit, belongs_to)
        try:
            yield edit
        except BaseException:
            if not _holds_work(folder):
                shutil.rmtree(folder, ignore_errors=True)
            raise
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _named_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else one_line(error)
        raise FootageError(f"{folder} cannot be written to: {reason}") from error


def _check_ours(folder: Path) -> None:
    """Never delete what is not an unfinished edit."""
    if not folder.exists():
        return
    held = {path.name for path in folder.iterdir()}
    if held - {".lock"} and _RECORD not in held:
        raise FootageError(f"{folder} holds other files; name another folder for unfinished work")


def _begin(edit: UnfinishedEdit, belongs_to: str) -> None:
    """Throw away what belongs to another edit."""
    record = edit.folder / _RECORD
    try:
        known = json.loads(record.read_text())["belongs_to"]
    except (OSError, ValueError, KeyError, TypeError):
        known = None
    if known != belongs_to:
        for path in edit.folder.iterdir():
            if path.is_file() and path.name != ".lock":
                path.unlink()
        edit._write_json(_RECORD, {"belongs_to": belongs_to})


def _holds_work(folder: Path) -> bool:
    return any(folder.glob("[!.]*.json")) and any(folder.glob("[!.]*.parquet"))
