"""Full disks, read-only folders, files that go away or are cut short, a tracking database lost."""

import errno
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from operator import getitem
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from kedro.io import DatasetError

from pipelines import tracking
from pipelines.clips import ClipTask, ParallelConfig, for_every_clip
from pipelines.datasets.clip_files import ClipFilesDataset
from pipelines.datasets.records import StepRecordsDataset
from pipelines.preprocess import steps
from pipelines.preprocess.nodes import compute_mfcc
from pipelines.step_records import StepRecord
from talkin.errors import FootageError
from talkin.footage.audio import Audio, write_wav
from talkin.footage.landmarks import LandmarkTrack
from talkin.footage.mfcc import MfccConfig

ALONE = ParallelConfig(n_jobs=1, progress=False)
SOUND = Audio(np.zeros(16000, np.float32), 16000)


def track(n: int = 400) -> LandmarkTrack:
    found = np.ones(n, bool)
    points = np.random.default_rng(0).uniform(0, 60, (n, 68, 2)).astype(np.float32)
    return LandmarkTrack(
        points, "ibug68", found, found.astype("f4"), np.arange(n) / 25, 25.0, 64, 48
    )


def _write_video(path: Path) -> None:
    from talkin.footage.video import VideoWriter

    rng = np.random.default_rng(0)
    with VideoWriter(path, 64, 48, 25.0) as writer:
        for _ in range(20):
            writer.write(rng.integers(0, 256, (48, 64, 3)).astype(np.uint8))


def _save_manifest(path: Path) -> None:
    from pipelines.datasets.manifest import FootageManifestDataset

    FootageManifestDataset(filepath=str(path)).save(pd.DataFrame({"clip": ["c" * 50] * 400}))


def _write_crops(path: Path) -> None:
    from talkin.samples.crops import CropWriter

    with CropWriter(path, 32, 25.0) as writer:
        for _ in range(20):
            writer.write(np.zeros((32, 32, 3), np.uint8), np.eye(2, 3, dtype=np.float32))


WRITERS: dict[str, Callable[[Path], Any]] = {
    "wav": lambda path: write_wav(path, SOUND),
    "parquet": lambda path: track().save(path),
    "mp4": _write_video,
    "csv": _save_manifest,
    "arrow": _write_crops,
}


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", WRITERS)
def test_a_full_disk_leaves_the_older_file_and_nothing_else(tmp_path: Path, kind: str) -> None:
    """A process that may write no file beyond 1,500 bytes is refused as by a full disk."""
    path = tmp_path / f"clip.{kind}"
    path.write_bytes(b"older")
    before = files(tmp_path)
    code = (
        "import resource, sys; sys.path.insert(0, sys.argv[1]); import test_faults as t\n"
        "from pathlib import Path\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))\n"
        "t.WRITERS[sys.argv[2]](Path(sys.argv[3]))"
    )
    command = [sys.executable, "-c", code, str(Path(__file__).parent), kind, str(path)]
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode != 0
    assert "large" in done.stderr or "rror" in done.stderr
    assert files(tmp_path) == before
    WRITERS[kind](path)
    assert path.read_bytes() != b"older"


def test_a_folder_that_cannot_be_written_to_is_told_and_a_retry_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = ClipFilesDataset(path=str(tmp_path / "audio"), kind="sound")
    dataset.save({"a": SOUND})
    before = files(tmp_path)

    def refuse(*_: Any) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), "audio/a.wav")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", refuse)
        with pytest.raises(DatasetError, match="Read-only file system") as told:
            dataset.save({"a": Audio(SOUND.samples[:100], 16000)})
        assert isinstance(told.value.__cause__, FootageError)
    assert files(tmp_path) == before
    dataset.save({"a": Audio(SOUND.samples[:100], 16000)})
    assert files(tmp_path) != before


class MfccStage:
    """The MFCC node over two clips on disk."""

    def __init__(self, root: Path) -> None:  # noqa: D107
        self.sound = ClipFilesDataset(path=str(root / "audio"), kind="sound")
        self.mfcc = ClipFilesDataset(path=str(root / "mfcc"), kind="mfcc")
        results = {"mfcc": {"path": str(root / "mfcc"), "kind": "mfcc"}}
        self.records = StepRecordsDataset(path=str(root / "records"), results=results)
        self.sound.save({"a": SOUND, "b": SOUND})

    def run(self) -> dict[str, StepRecord]:
        heard = {clip: StepRecord(clip, "sound", "f", "done") for clip in "ab"}
        before = self.records.load() if self.records.exists() else {}
        for mfcc, records in compute_mfcc(heard, self.sound.load(), before, MfccConfig(), ALONE):
            self.mfcc.save(mfcc)
            self.records.save(records)
        return self.records.load()


def test_sound_cut_short_under_the_stage_is_named_with_the_way_out_and_tried_again(
    tmp_path: Path,
) -> None:
    stage, cut = MfccStage(tmp_path), tmp_path / "audio" / "a.wav"
    whole = cut.read_bytes()
    cut.write_bytes(whole[:20])
    records = stage.run()
    assert (records["a"].state, records["b"].state) == ("failed", "done")
    assert "a.wav is damaged" in records["a"].reason
    assert "delete it" in records["a"].reason
    assert not (tmp_path / "mfcc" / "a.parquet").exists()
    cut.write_bytes(whole)
    assert {record.state for record in stage.run().values()} == {"done"}


def test_sound_deleted_under_the_stage_stops_no_other_clip(tmp_path: Path) -> None:
    stage, gone = MfccStage(tmp_path), tmp_path / "audio" / "a.wav"
    whole = gone.read_bytes()
    gone.unlink()
    records = stage.run()
    assert (records["a"].state, records["b"].state) == ("failed", "done")
    gone.write_bytes(whole)
    assert stage.run()["a"].state == "done"


def test_a_result_that_was_deleted_or_whose_record_was_cut_is_made_again(tmp_path: Path) -> None:
    stage = MfccStage(tmp_path)
    stage.run()
    before = files(tmp_path)
    (tmp_path / "mfcc" / "a.parquet").unlink()
    record = tmp_path / "records" / "b.json"
    record.write_bytes(record.read_bytes()[:30])
    stage.run()
    assert files(tmp_path) == before


def test_landmarks_cut_short_fail_the_fit_instead_of_rejecting_the_clip_for_good(
    tmp_path: Path,
) -> None:
    folder = ClipFilesDataset(path=str(tmp_path), kind="landmarks")
    folder.save({"a": track(5)})
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    nothing: Any = None
    arguments = {"track": partial(getitem, folder.load(), "a")}
    arguments |= {"face_model": nothing, "fit": nothing}
    task = ClipTask("f", arguments)
    chunks = list(for_every_clip("faces", steps.fitted_face, {"a": task}, {}, ALONE))
    record: Any = chunks[0][1]["a"]
    assert record.state == "failed"
    assert "a.parquet is damaged" in record.reason


@pytest.mark.parametrize(("states", "level"), [("df", "WARNING"), ("ff", "ERROR"), ("dd", "")])
def test_preparation_ends_with_how_many_clips_are_missing(
    states: str, level: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.preprocess.tables import FOOTAGE_COLUMNS, index_prepared_clips
    from talkin.samples.sync import SyncConfig

    footage = pd.DataFrame({name: ["a", "b"] for name in FOOTAGE_COLUMNS})
    state = {"d": "done", "f": "failed"}
    records: Any = {
        clip: StepRecord(clip, "s", "x", state[s])  # type: ignore[arg-type]
        for clip, s in zip("ab", states, strict=True)
    }
    faces: Any = dict.fromkeys("ab", track(3))
    monkeypatch.setattr(LandmarkTrack, "is_valid", np.ones(3, bool), raising=False)
    without_sync = SyncConfig(is_used=False)
    index_prepared_clips(footage, faces, {}, records, records, records, without_sync)
    told = [r.levelname for r in caplog.records if "rejects.csv" in r.getMessage()]
    assert told == ([level] if level else [])


@pytest.mark.slow
def test_a_tracking_database_that_vanishes_costs_the_tracking_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tracking._state["run_id"] = ""
    place = tmp_path / "mlruns"
    tracking.start_run(f"sqlite:///{place}/mlflow.db", "e", "r", place / "artifacts", {})
    assert tracking.is_tracking()
    for path in place.glob("mlflow.db*"):
        path.write_bytes(b"no database any more" * 100)
    with caplog.at_level(logging.WARNING):
        for step in range(3):
            tracking.log_metrics({"loss": 1.0}, step)
        tracking.end_run()
    assert caplog.text.count("goes on untracked") <= 1
    assert not tracking.is_tracking()


def test_a_table_is_the_same_bytes_wherever_the_project_stands(tmp_path: Path) -> None:
    """Kedro turns a column that is named `path` into an absolute path."""
    from pipelines.datasets.table import TableDataset

    written = []
    for place in ("here", "elsewhere"):
        path = tmp_path / place / "table.parquet"
        path.parent.mkdir()
        columns = {"path": f"{tmp_path}/{place}/file, relative to the manifest"}
        TableDataset(filepath=str(path), columns=columns).save(pd.DataFrame({"path": ["a"]}))
        written.append(path.read_bytes())
    assert written[0] == written[1]
    assert b"relative to the manifest" in written[0]


def test_a_face_model_is_the_same_bytes_each_time_it_is_saved(tmp_path: Path) -> None:
    """Safetensors keeps its metadata in an order that chance decides anew each time."""
    from talkin.face3d.model import MorphableModel, load_model_file

    model = MorphableModel(
        name="toy",
        mean=np.zeros((70, 3), np.float32),
        geometry_basis=np.zeros((70, 3, 1), np.float32),
        expression_basis=np.zeros((70, 3, 1), np.float32),
        triangles=np.array([[0, 1, 2]]),
        landmarks68=np.arange(68),
        mouth39=np.arange(39),
        mesh468=np.full(468, -1),
        notes={"made by": "ümlaut"},
    )
    for number in range(8):
        model.save(tmp_path / f"{number}.safetensors")
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1
    assert load_model_file(tmp_path / "0.safetensors").notes == {"made by": "ümlaut"}
