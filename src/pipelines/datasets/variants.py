"""Results by variant: a folder for the full model and for each variant of it, found by name.

<name>/score_summary.parquet   a row a metric, system and group of speakers
<name>/metrics.json            the same as flat keys
<name>/clip_scores.parquet     a row a clip, where single clips were kept
<name>/trained.json            how the model was trained, where that is known
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from pipelines.rows import Table
from talkin.files import checked_name, replace_when_whole

_SUMMARY, _METRICS = "score_summary.parquet", "metrics.json"
_CLIPS, _TRAINED = "clip_scores.parquet", "trained.json"


@dataclass(frozen=True, eq=False)
class VariantResult:
    """What is kept of one variant.

    Attributes:
        summary: A row a metric, system and group of speakers.
        metrics: The same as flat keys.
        clips: A row a clip; None where it was not kept.
        trained: How it was trained, empty where that is not known.
    """

    summary: Table
    metrics: dict[str, float]
    clips: Table | None = None
    trained: dict[str, Any] = field(default_factory=dict)


class VariantsDataset(AbstractDataset[dict[str, VariantResult], dict[str, VariantResult]]):
    """Saving adds or replaces variants; loading gives all that there are, by name."""

    def __init__(self, *, path: str, metadata: dict[str, Any] | None = None) -> None:
        """Name the folder; `metadata` is a description for readers."""
        self._path = Path(path)
        self.metadata = metadata

    def load(self) -> dict[str, VariantResult]:
        """Variant -> what is kept of it; none where nothing has been scored yet."""
        found = sorted(self._path.glob(f"*/{_SUMMARY}"))
        return {file.parent.name: _read(file.parent) for file in found}

    def save(self, data: dict[str, VariantResult]) -> None:
        """Add or replace variants, each file whole or not at all; the summary last."""
        for name, result in data.items():
            folder = self._path / checked_name(name, "variant")
            for file in (_SUMMARY, _CLIPS):  # no mixture of two results is ever found
                (folder / file).unlink(missing_ok=True)
            for file, content in ((_METRICS, result.metrics), (_TRAINED, result.trained)):
                with replace_when_whole(folder / file) as part:
                    part.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
            for file, table in ((_CLIPS, result.clips), (_SUMMARY, result.summary)):
                if table is not None:
                    with replace_when_whole(folder / file) as part:
                        table.to_parquet(part)

    def _exists(self) -> bool:
        return self._path.exists()

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._path)}


def _read(folder: Path) -> VariantResult:
    import pandas as pd

    clips, trained = folder / _CLIPS, folder / _TRAINED
    return VariantResult(
        pd.read_parquet(folder / _SUMMARY),
        json.loads((folder / _METRICS).read_text(encoding="utf-8")),
        pd.read_parquet(clips) if clips.exists() else None,
        json.loads(trained.read_text(encoding="utf-8")) if trained.exists() else {},
    )
