"""The consent register: a CSV with a row a record."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.io import AbstractDataset

from talkin.files import replace_when_whole

if TYPE_CHECKING:
    import pandas as pd

    from talkin.provenance.consent import ConsentRegister


class ConsentRegisterDataset(AbstractDataset["pd.DataFrame", "ConsentRegister"]):
    """`consent, speaker, purpose, expires`: saved from a table, loaded checked."""

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Name the file; `metadata` is a description for readers."""
        self._path = Path(filepath)
        self.metadata = metadata

    def load(self) -> "ConsentRegister":
        """Read and check the register."""
        from talkin.provenance.consent import read_consent

        return read_consent(self._path)

    def save(self, data: "pd.DataFrame") -> None:
        """Write the table."""
        with replace_when_whole(self._path) as part:
            data.to_csv(part, index=False)

    def _exists(self) -> bool:
        return self._path.exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._path)}
