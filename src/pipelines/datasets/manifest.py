"""The footage manifest, and the table of edits that a user asks for."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.io import AbstractDataset

from pipelines.datasets.table import TableDataset
from talkin.files import replace_when_whole

if TYPE_CHECKING:
    import pandas as pd


class FootageManifestDataset(AbstractDataset["pd.DataFrame", "pd.DataFrame"]):
    """A checked CSV, a row a clip: `clip, path, speaker, split, view, consent[, sentence]`.

    `path` is as written, relative to the manifest; loading adds `file`, the same as an absolute
    path, and `problem`: why a row cannot be used. Such a row is named by its line (`line-3`) and
    stops no other. A missing manifest, or one without a column, raises the library's own error.
    """

    COLUMNS = ("clip", "path", "speaker", "split", "view", "consent")

    def __init__(
        self, *, filepath: str, is_optional: bool = False, metadata: dict[str, Any] | None = None
    ) -> None:
        """Name the file.

        Args:
            filepath: The CSV.
            is_optional: Whether an absent file is an empty table.
            metadata: Ignored by Kedro; a description for readers.
        """
        self._path = Path(filepath)
        self._is_optional = is_optional
        self.metadata = metadata

    def load(self) -> "pd.DataFrame":
        """Read and check the manifest."""
        import pandas as pd

        from talkin.footage.manifest import sort_manifest

        if self._is_optional and not self._path.exists():
            return pd.DataFrame(columns=[*self.COLUMNS, "file", "problem"], dtype=str)
        manifest, problems = sort_manifest(self._path)
        folder = self._path.parent.resolve()
        manifest["file"] = [str(folder / path) for path in manifest["path"]]
        wrong = pd.DataFrame(
            # The message names the manifest alone: absolute paths differ by machine.
            [
                {"clip": f"line-{line}", "problem": told.replace(str(self._path), self._path.name)}
                for line, told in problems.items()
            ],
            columns=[*manifest.columns, "problem"],
        )
        return pd.concat([manifest, wrong], ignore_index=True).fillna("")

    def save(self, data: "pd.DataFrame") -> None:
        """Write the table without the columns that loading adds."""
        with replace_when_whole(self._path) as part:
            data.drop(columns=["file", "problem"], errors="ignore").to_csv(part, index=False)

    def _exists(self) -> bool:
        return self._path.exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._path)}


class FootageTableDataset(TableDataset):
    """A row a clip, whose `file` is an absolute path in memory and is not in the file.

    So the table's bytes are the same on every machine.
    """

    def __init__(
        self,
        *,
        filepath: str,
        footage: dict[str, str],
        columns: dict[str, str],
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Name the file, its columns, and under `footage: path:` the folder of the footage."""
        super().__init__(filepath=filepath, columns=columns, metadata=metadata)
        self._folder = Path(footage["path"])

    def load(self) -> "pd.DataFrame":
        """Read the table and add `file`."""
        table = super().load()
        table["file"] = [str(self._folder.resolve() / path) for path in table["path"]]
        return table

    def save(self, data: "pd.DataFrame") -> None:
        """Write the table without `file`."""
        super().save(data.drop(columns="file", errors="ignore"))


class EditRequestsDataset(AbstractDataset["pd.DataFrame", "pd.DataFrame"]):
    """A CSV, a row an edit: `job, target, audio`; an absent file is an empty table.

    See `pipelines.editing.requests` for its columns. Loading adds `target_file` and `audio_file`:
    the path that a name stands for if it is no clip.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Name the file; `metadata` is a description for readers."""
        self._path = Path(filepath)
        self.metadata = metadata

    def load(self) -> "pd.DataFrame":
        """Read and check the table."""
        import pandas as pd

        from pipelines.editing.requests import CHOICES, COLUMNS, SPEAKERS, read_edit_requests

        requests = read_edit_requests(self._path)
        folder = self._path.parent.resolve()
        for row in requests:
            row["target_file"] = str(folder / row["target"])
            row["audio_file"] = str(folder / row["audio"])
        names = [*COLUMNS, *SPEAKERS, *CHOICES, "target_file", "audio_file"]
        return pd.DataFrame(requests, columns=names, dtype=str)

    def save(self, data: "pd.DataFrame") -> None:
        """Write the table."""
        with replace_when_whole(self._path) as part:
            data.to_csv(part, index=False)

    def _exists(self) -> bool:
        return self._path.exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._path)}
