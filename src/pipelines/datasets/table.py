"""A table whose columns are described in the catalog, and whose file carries that description."""

import json
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.io import AbstractDataset, DatasetError

from talkin.files import replace_when_whole

if TYPE_CHECKING:
    import pandas as pd

LAYOUT = "talkin-table-1"


class TableDataset(AbstractDataset["pd.DataFrame", Any]):
    """Parquet or CSV, by the file's ending.

    A Parquet file's metadata holds `layout`, the version of talkin that wrote it, and `columns`:
    meaning and unit of each. Loading gives pandas, or an Arrow table where the catalog says so.
    """

    def __init__(
        self,
        *,
        filepath: str,
        columns: dict[str, str],
        form: str = "pandas",
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Name the file and its columns.

        Args:
            filepath: Ends in .parquet or .csv.
            columns: Meaning and unit by name; a name may hold `*` for a family of columns.
            form: What loading gives: pandas or arrow.
            metadata: Ignored by Kedro; a description for readers.

        Raises:
            DatasetError: If the ending or the form is another.
        """
        self._path = Path(filepath)
        if self._path.suffix not in {".parquet", ".csv"} or form not in {"pandas", "arrow"}:
            raise DatasetError(
                f"{filepath}: a table ends in .parquet or .csv and is loaded as pandas or arrow, "
                f"not {form!r}"
            )
        # Kedro makes the value of every key named `path` absolute, a column's meaning too.
        self.columns = {
            name: Path(told).name if Path(told).is_absolute() else told
            for name, told in columns.items()
        }
        self._form = form
        self.metadata = metadata

    def load(self) -> Any:
        """Read the table."""
        import pandas as pd

        if self._path.suffix == ".csv":
            return pd.read_csv(self._path)
        if self._form == "arrow":
            import pyarrow.parquet as pq

            return pq.read_table(self._path)
        return pd.read_parquet(self._path)

    def save(self, data: "pd.DataFrame") -> None:
        """Write the table, whole or not at all."""
        with replace_when_whole(self._path) as part:
            if self._path.suffix == ".csv":
                data.to_csv(part, index=False)
            else:
                write_described(data, part, self.columns)

    def preview(self, nrows: int = 20) -> Any:
        """The first rows, for kedro-viz."""
        from kedro_datasets._typing import TablePreview

        table = self.load()
        rows = table.to_pandas() if self._form == "arrow" else table
        return TablePreview(json.loads(rows.head(nrows).to_json(orient="split", index=False)))

    def _exists(self) -> bool:
        return self._path.exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._path), "columns": ", ".join(self.columns)}


def write_described(data: "pd.DataFrame", path: Path, columns: dict[str, str]) -> None:
    """Write Parquet whose metadata says what each column is and which version wrote it."""
    from importlib.metadata import version

    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(data, preserve_index=False)
    described = {name: meaning_of(name, columns) for name in table.column_names}
    notes = {
        "layout": LAYOUT,
        "talkin_version": version("talkin"),
        "columns": json.dumps(described, ensure_ascii=False),
    }
    pq.write_table(table.replace_schema_metadata({**(table.schema.metadata or {}), **notes}), path)


def meaning_of(name: str, columns: dict[str, str]) -> str:
    """What the catalog says of a column; empty where it says nothing.

    >>> meaning_of("psnr.audio", {"psnr.*": "dB"})
    'dB'
    """
    if name in columns:
        return columns[name]
    return next((text for pattern, text in columns.items() if fnmatch(name, pattern)), "")
