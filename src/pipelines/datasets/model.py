"""A trained network's folder: safetensors and a JSON of its configuration, nothing pickled."""

import importlib
import shutil
from pathlib import Path
from typing import Any
from uuid import uuid4

from kedro.io import AbstractDataset

from talkin.scratch import remove_old_parts


class ModelFolderDataset(AbstractDataset[Any, Any]):
    """A folder that a network's `save(folder)` writes and its class' `load(folder)` reads."""

    def __init__(self, *, path: str, network: str, metadata: dict[str, Any] | None = None) -> None:
        """Name the folder.

        Args:
            path: The folder.
            network: `module:Class` with `save` and `load`.
            metadata: Ignored by Kedro; a description for readers.
        """
        self._folder = Path(path)
        self._network = network
        self.metadata = metadata

    def load(self) -> Any:
        """The network, on the CPU, ready to use."""
        module, name = self._network.split(":")
        return getattr(importlib.import_module(module), name).load(self._folder)

    def save(self, data: Any) -> None:
        """Write beside the folder, then take its place, so that a model is never half new."""
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        remove_old_parts(self._folder.parent)
        mark = uuid4().hex[:8]
        fresh = self._folder.with_name(f".{self._folder.name}.{mark}.part")
        old = self._folder.with_name(f".{self._folder.name}.{mark}.old")
        try:
            data.save(fresh)
            if self._folder.exists():
                self._folder.rename(old)
            fresh.rename(self._folder)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
            shutil.rmtree(old, ignore_errors=True)

    def _exists(self) -> bool:
        return self._folder.exists()

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._folder), "network": self._network}


class FolderDataset(AbstractDataset[Path, Path]):
    """A folder that a node itself writes to, such as that of checkpoints: loading makes it."""

    def __init__(self, *, path: str, metadata: dict[str, Any] | None = None) -> None:
        """Name the folder; `metadata` is a description for readers."""
        self._folder = Path(path)
        self.metadata = metadata

    def load(self) -> Path:
        """The folder, which exists from now on."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder

    def save(self, data: Path) -> None:
        """Nothing: whoever loaded the folder has written to it."""

    def _exists(self) -> bool:
        return self._folder.exists()

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._folder)}
