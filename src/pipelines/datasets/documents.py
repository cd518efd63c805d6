"""JSON and HTML files, written whole or not at all."""

import json
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from talkin.files import replace_when_whole


class JsonDataset(AbstractDataset[dict[str, Any], dict[str, Any]]):
    """A JSON object, such as flat metrics that DVC compares between commits."""

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Name the file; `metadata` is a description for readers."""
        self._path = Path(filepath)
        self.metadata = metadata

    def load(self) -> dict[str, Any]:
        """Read the object."""
        loaded: dict[str, Any] = json.loads(self._path.read_text(encoding="utf-8"))
        return loaded

    def save(self, data: dict[str, Any]) -> None:
        """Write the object, keys in their order."""
        with replace_when_whole(self._path) as part:
            part.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")

    def _exists(self) -> bool:
        return self._path.exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._path)}


class HtmlPage:
    """A page on disk; in a notebook it shows itself."""

    def __init__(self, path: Path) -> None:
        """Name the file."""
        self.path = path

    @property
    def text(self) -> str:
        """The page's source."""
        return self.path.read_text(encoding="utf-8")

    def _repr_html_(self) -> str:
        return self.text


class HtmlDataset(AbstractDataset[str | Path, HtmlPage]):
    """An HTML page: saved from its text, or from a finished file that is moved in."""

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Name the file; `metadata` is a description for readers."""
        self._path = Path(filepath)
        self.metadata = metadata

    def load(self) -> HtmlPage:
        """The page."""
        self._path.stat()
        return HtmlPage(self._path)

    def save(self, data: str | Path) -> None:
        """Write the page."""
        text = data.read_text(encoding="utf-8") if isinstance(data, Path) else data
        with replace_when_whole(self._path) as part:
            part.write_text(text, encoding="utf-8")

    def _exists(self) -> bool:
        return self._path.exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._path)}
