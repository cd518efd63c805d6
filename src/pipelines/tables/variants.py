"""Results by variant: a folder for the full model and for each ablation, found by name.

variants/<name>/score_summary.parquet   a row a metric, system and group of speakers
variants/<name>/metrics.json            the same as flat keys
"""

import json
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from pipelines.rows import Table
from talkin.files import checked_name, replace_when_whole

_SUMMARY, _METRICS = "score_summary.parquet", "metrics.json"
Results = dict[str, tuple[Table, dict[str, float]]]


class VariantsDataset(AbstractDataset[Results, dict[str, Table]]):
    """Saving adds or replaces variants; loading gives the summary of each, by name."""

    def __init__(self, *, path: str, metadata: dict[str, Any] | None = None) -> None:
        """Name the folder; `metadata` is a description for readers."""
        self._path = Path(path)
        self.metadata = metadata

    def load(self) -> dict[str, Table]:
        """Variant -> its summary; none where nothing has been scored yet."""
        import pandas as pd

        found = sorted(self._path.glob(f"*/{_SUMMARY}"))
        return {file.parent.name: pd.read_parquet(file) for file in found}

    def save(self, data: Results) -> None:
        """Add or replace variants, each file whole or not at all."""
        for name, (summary, metrics) in data.items():
            folder = self._path / checked_name(name, "variant")
            with replace_when_whole(folder / _METRICS) as part:
                part.write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
            with replace_when_whole(folder / _SUMMARY) as part:
                summary.to_parquet(part)

    def _exists(self) -> bool:
        return self._path.exists()

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._path)}
