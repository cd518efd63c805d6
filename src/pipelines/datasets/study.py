"""The user study: clips that are listed by hand, and where the study and its key stand."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.io import AbstractDataset, DatasetError

if TYPE_CHECKING:
    from talkin.study.selection import ClipSource


class StudyClipsDataset(AbstractDataset[None, "list[ClipSource]"]):
    """A CSV of further clips, `path, system, speaker, view`; an absent file is an empty list.

    Clips that other systems made stand here (Table 5), or recordings that are not in the manifest.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Name the file; `metadata` is a description for readers."""
        self._path = Path(filepath)
        self.metadata = metadata

    def load(self) -> "list[ClipSource]":
        """Read and check the list."""
        from talkin.study.export import read_sources

        return read_sources(self._path) if self._path.exists() else []

    def save(self, data: None) -> None:
        """Refused: people write this list."""
        raise DatasetError(f"{self._path} is written by hand")

    def _exists(self) -> bool:
        return self._path.exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._path)}


class StudyPlaceDataset(AbstractDataset[None, "tuple[Path, Path]"]):
    """Where the study's folder and its key shall stand; the export itself writes there.

    It writes both or neither and never replaces a study that people may have answered, which
    Kedro's way of saving would do.
    """

    def __init__(
        self, *, folder: dict[str, str], key: dict[str, str], metadata: dict[str, Any] | None = None
    ) -> None:
        """Name both, each under `path:`; `metadata` is a description for readers."""
        self._folder = Path(folder["path"])
        self._key = Path(key["path"])
        self.metadata = metadata

    def load(self) -> "tuple[Path, Path]":
        """The study's folder and its key."""
        return self._folder, self._key

    def save(self, data: None) -> None:
        """Refused: the export writes."""
        raise DatasetError(f"{self._folder} is written by the export of the study")

    def _exists(self) -> bool:
        return self._folder.exists()

    def _describe(self) -> dict[str, Any]:
        return {"folder": str(self._folder), "key": str(self._key)}
