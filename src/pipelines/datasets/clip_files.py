"""A folder with one file a clip, as a mapping from clip name to what the file holds."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset, DatasetError

from pipelines.datasets.kinds import KINDS
from talkin.errors import TalkinError
from talkin.files import checked_name, one_line, replace_when_whole


class ClipFiles(Mapping[str, Any]):
    """The clips of a folder; a file is read when its clip is asked for.

    The folder is looked at each time, so that clips written meanwhile are seen. Small: it may be
    sent to workers.
    """

    def __init__(self, folder: Path, kind: str) -> None:
        """Name the folder, which need not exist, and what its files hold."""
        self.folder = folder
        self.kind = kind

    def __getitem__(self, clip: str) -> Any:
        """Read one clip's file.

        Raises:
            KeyError: If the clip has none.
            DatasetError: If it is damaged; the message says how to have it made again.
        """
        path = self.path(clip)
        if not path.exists():
            raise KeyError(f"no clip {clip!r} in {self.folder}")
        try:
            return KINDS[self.kind].read(path)
        except FileNotFoundError as error:
            raise KeyError(f"{path} was deleted meanwhile; run the stage again") from error
        except (TalkinError, OSError, ValueError) as error:
            raise DatasetError(
                f"{path} is damaged ({one_line(error)}); delete it, and the stage that wrote it "
                "makes it again"
            ) from error

    def __iter__(self) -> Iterator[str]:
        """Names of the clips, sorted."""
        suffix = KINDS[self.kind].suffix
        longer = tuple(
            kind.suffix
            for kind in KINDS.values()
            if kind.suffix != suffix and kind.suffix.endswith(suffix)
        )
        files = self.folder.glob(f"*{suffix}") if self.folder.exists() else []
        names = [p.name for p in files if not p.name.startswith(".")]
        return iter(sorted(n.removesuffix(suffix) for n in names if not n.endswith(longer)))

    def __len__(self) -> int:
        """Number of clips."""
        return sum(1 for _ in self)

    def __contains__(self, clip: object) -> bool:
        """Whether a clip has a file."""
        return isinstance(clip, str) and self.path(clip).exists()

    def __repr__(self) -> str:
        """A line with the folder and the number of clips."""
        return f"ClipFiles({self.folder}, {self.kind}: {len(self)} clips)"

    def path(self, clip: str) -> Path:
        """Where a clip's file stands or would stand."""
        return self.folder / f"{checked_name(clip, 'clip')}{KINDS[self.kind].suffix}"


class ClipFilesDataset(AbstractDataset[dict[str, Any], ClipFiles]):
    """A file a clip.

    Saving takes `{clip: object}` and leaves the folder's other clips alone. A `Path` in the place
    of an object is a finished file that is moved in; None deletes the clip. An empty mapping only
    makes the folder. Loading an absent folder gives an empty mapping.
    """

    def __init__(self, *, path: str, kind: str, metadata: dict[str, Any] | None = None) -> None:
        """Name the folder.

        Args:
            path: The folder.
            kind: What its files hold: a key of `kinds.KINDS`.
            metadata: Ignored by Kedro; a description for readers.

        Raises:
            DatasetError: If the kind is unknown.
        """
        if kind not in KINDS:
            raise DatasetError(f"kind {kind!r} of {path} is unknown; there are {sorted(KINDS)}")
        self._files = ClipFiles(Path(path), kind)
        self.metadata = metadata

    def load(self) -> ClipFiles:
        """The folder's clips."""
        return self._files

    def save(self, data: dict[str, Any]) -> None:
        """Add, replace or delete clips."""
        self._files.folder.mkdir(parents=True, exist_ok=True)
        for clip, thing in data.items():
            self._save_one(self._files.path(clip), thing)

    def _save_one(self, path: Path, thing: Any) -> None:
        write = KINDS[self._files.kind].write
        if thing is None:
            path.unlink(missing_ok=True)
        elif isinstance(thing, Path):
            _move(thing, path)
        elif write is not None:
            write(thing, path)
        else:
            raise DatasetError(
                f"{path}: a {self._files.kind} file is handed over finished, as a Path, "
                f"not as {type(thing).__name__}"
            )

    def _exists(self) -> bool:
        return self._files.folder.exists()

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._files.folder), "kind": self._files.kind}


def _move(finished: Path, goal: Path) -> None:
    """Put a finished file in its place in one step, across file systems too."""
    try:
        finished.replace(goal)
    except OSError:
        with replace_when_whole(goal) as part:
            shutil.copyfile(finished, part)
        finished.unlink()
