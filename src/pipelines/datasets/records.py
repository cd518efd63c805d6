"""What a preparing step did with each clip, and whether its results are still there."""

from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset, DatasetError

from pipelines.datasets.clip_files import ClipFiles, ClipFilesDataset
from pipelines.step_records import StepRecord


class StepRecordsDataset(AbstractDataset[dict[str, StepRecord | None], dict[str, StepRecord]]):
    """A JSON file a clip.

    A record that says "done" counts only while every file it answers for exists: deleting a
    result, by hand or by a cache, is enough to have it made again.
    """

    def __init__(
        self,
        *,
        path: str,
        results: dict[str, dict[str, str]],
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Name the folders.

        Args:
            path: Folder of the records.
            results: `path` and `kind` of each folder that the step writes to.
            metadata: Ignored by Kedro; a description for readers.
        """
        self._records = ClipFilesDataset(path=path, kind="record")
        self._results = [ClipFiles(Path(r["path"]), r["kind"]) for r in results.values()]
        self.metadata = metadata

    def load(self) -> dict[str, StepRecord]:
        """Records of clips whose results are whole, and of clips set aside."""
        records = self._records.load()
        found = {clip: _readable(records, clip) for clip in records}
        return {
            clip: record
            for clip, record in found.items()
            if record is not None and self._is_backed(record)
        }

    def save(self, data: dict[str, StepRecord | None]) -> None:
        """Add, replace or delete records."""
        self._records.save(data)

    def _is_backed(self, record: StepRecord) -> bool:
        return record.state != "done" or all(record.clip in files for files in self._results)

    def _exists(self) -> bool:
        return bool(self._records.exists())

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._records.load().folder)}


def _readable(records: ClipFiles, clip: str) -> StepRecord | None:
    try:
        record: StepRecord = records[clip]
    except (DatasetError, TypeError, KeyError):
        return None  # a damaged record only means that the clip is done again
    return record
