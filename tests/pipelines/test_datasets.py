import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from kedro.io import DatasetError

from pipelines.datasets.clip_files import ClipFilesDataset
from pipelines.datasets.consent import ConsentRegisterDataset
from pipelines.datasets.documents import HtmlDataset, JsonDataset
from pipelines.datasets.manifest import (
    EditRequestsDataset,
    FootageManifestDataset,
    FootageTableDataset,
)
from pipelines.datasets.model import ModelFolderDataset
from pipelines.datasets.records import StepRecordsDataset
from pipelines.datasets.table import TableDataset
from pipelines.step_records import StepRecord
from talkin.errors import ConfigurationError
from talkin.face3d.parameters import FaceParameters
from talkin.footage.audio import Audio
from talkin.footage.landmarks import LandmarkTrack
from talkin.samples.crops import CropWriter


def face(frames: int = 4) -> FaceParameters:
    rng = np.random.default_rng(0)
    return FaceParameters(
        model_name="m",
        fps=25.0,
        time_s=np.arange(frames) / 25,
        geometry=rng.normal(size=5).astype(np.float32),
        expression=rng.normal(size=(frames, 3)).astype(np.float32),
        rotation=rng.normal(size=(frames, 3)).astype(np.float32),
        translation=rng.normal(size=(frames, 2)).astype(np.float32),
        scale=np.ones(frames, np.float32),
        landmarks=rng.normal(size=(frames, 68, 2)).astype(np.float32),
        reprojection_error_px=np.ones(frames, np.float32),
        interocular_px=np.ones(frames, np.float32),
        is_valid=np.array([True] * frames),
    )


def track(frames: int = 4) -> LandmarkTrack:
    points = np.random.default_rng(1).normal(size=(frames, 68, 2)).astype(np.float32)
    found = np.ones(frames, bool)
    return LandmarkTrack(
        points, "ibug68", found, found.astype(np.float32), np.arange(frames) / 25, 25.0, 10, 10
    )


def folder_of(kind: str, path: Path) -> ClipFilesDataset:
    return ClipFilesDataset(path=str(path), kind=kind)


def test_an_absent_folder_holds_no_clips(tmp_path: Path) -> None:
    clips = folder_of("sound", tmp_path / "nowhere").load()
    assert dict(clips) == {}
    assert "a" not in clips


def test_face_parameters_come_back_as_they_were(tmp_path: Path) -> None:
    dataset = folder_of("face_parameters", tmp_path)
    dataset.save({"a": face()})
    assert np.array_equal(dataset.load()["a"].expression, face().expression)


def test_landmarks_come_back_as_they_were(tmp_path: Path) -> None:
    dataset = folder_of("landmarks", tmp_path)
    dataset.save({"a": track()})
    assert np.array_equal(dataset.load()["a"].points, track().points)


def test_sound_comes_back_to_within_a_step_of_sixteen_bits(tmp_path: Path) -> None:
    samples = np.sin(np.arange(16000) / 20).astype(np.float32) * 0.5
    dataset = folder_of("sound", tmp_path)
    dataset.save({"a": Audio(samples, 16000)})
    assert np.abs(dataset.load()["a"].samples - samples).max() < 2**-14


def test_mfcc_come_back_with_the_time_of_each_row(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(7, 13)).astype(np.float32)
    dataset = folder_of("mfcc", tmp_path)
    dataset.save({"a": values})
    table = dataset.load()["a"]
    assert table["time_s"].tolist() == pytest.approx([i / 100 for i in range(7)])
    assert np.array_equal(table.drop(columns="time_s").to_numpy(), values)


def test_finished_crops_are_moved_in(tmp_path: Path) -> None:
    finished = tmp_path / "scratch.arrow"
    with CropWriter(finished, 16, 25.0) as writer:
        writer.write(np.full((16, 16, 3), 90, np.uint8), np.eye(2, 3))
    dataset = folder_of("crops", tmp_path / "crops")
    dataset.save({"a": finished})
    assert not finished.exists()
    assert dataset.load()["a"][0].mean() == pytest.approx(90, abs=2)


def test_crops_as_an_array_are_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="as a Path"):
        folder_of("crops", tmp_path).save({"a": np.zeros(3)})


def test_none_deletes_a_clip_and_leaves_the_others(tmp_path: Path) -> None:
    dataset = folder_of("json", tmp_path)
    dataset.save({"a": {"x": 1}, "b": {"x": 2}})
    dataset.save({"a": None})
    assert dict(dataset.load()) == {"b": {"x": 2}}


def test_half_written_files_and_longer_suffixes_are_no_clips(tmp_path: Path) -> None:
    folder_of("face_parameters", tmp_path).save({"a": face()})
    folder_of("phonemes", tmp_path).save({"a": pd.DataFrame({"symbol": ["p"]})})
    (tmp_path / ".a.1234.part.parquet").write_text("half")
    assert list(folder_of("face_parameters", tmp_path).load()) == ["a"]
    assert list(folder_of("phonemes", tmp_path).load()) == ["a"]


def test_a_clip_name_cannot_leave_the_folder(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot name a file"):
        folder_of("json", tmp_path).save({"../evil": {}})
    assert not (tmp_path.parent / "evil.json").exists()


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(DatasetError, match="unknown"):
        ClipFilesDataset(path="x", kind="hologram")


def test_a_record_counts_only_while_its_result_is_there(tmp_path: Path) -> None:
    results = {"out": {"path": str(tmp_path / "out"), "kind": "json"}}
    records = StepRecordsDataset(path=str(tmp_path / "records"), results=results)
    records.save(
        {
            "kept": StepRecord("kept", "s", "f", "done"),
            "lost": StepRecord("lost", "s", "f", "done"),
            "bad": StepRecord("bad", "s", "f", "rejected", "no face"),
        }
    )
    folder_of("json", tmp_path / "out").save({"kept": {}})
    assert set(records.load()) == {"kept", "bad"}


def test_a_damaged_record_is_as_good_as_none(tmp_path: Path) -> None:
    records = StepRecordsDataset(path=str(tmp_path), results={})
    records.save({"a": StepRecord("a", "s", "f", "done")})
    (tmp_path / "a.json").write_text('{"clip": ')
    assert records.load() == {}


def test_json_and_html_come_back(tmp_path: Path) -> None:
    numbers = JsonDataset(filepath=str(tmp_path / "m.json"))
    numbers.save({"a.b": 1.5})
    assert numbers.load() == {"a.b": 1.5}
    page = HtmlDataset(filepath=str(tmp_path / "r.html"))
    page.save("<p>ä</p>")
    assert page.load().text == "<p>ä</p>"


def test_the_footage_table_is_the_same_bytes_wherever_the_project_stands(tmp_path: Path) -> None:
    written = []
    for place in ("one", "two"):
        table = pd.DataFrame({"clip": ["a"], "path": ["a.mp4"], "file": [f"/{place}/a.mp4"]})
        dataset = FootageTableDataset(
            filepath=str(tmp_path / place / "t.parquet"),
            footage={"path": str(tmp_path / place)},
            columns={"clip": "its name"},
        )
        dataset.save(table)
        assert dataset.load()["file"][0] == str(tmp_path / place / "a.mp4")
        written.append((tmp_path / place / "t.parquet").read_bytes())
    assert written[0] == written[1]


def test_a_manifest_gains_absolute_paths_when_loaded_and_loses_them_when_saved(
    tmp_path: Path,
) -> None:
    dataset = FootageManifestDataset(filepath=str(tmp_path / "manifest.csv"))
    row = ["a", "clips/a.mp4", "anna", "train", "front", "c1", "hello, you"]
    columns = ["clip", "path", "speaker", "split", "view", "consent", "sentence"]
    dataset.save(pd.DataFrame([row], columns=columns))
    loaded = dataset.load()
    assert loaded["file"][0] == str(tmp_path / "clips/a.mp4")
    dataset.save(loaded)
    assert (tmp_path / "manifest.csv").read_text().splitlines()[0] == ",".join(columns)


def test_an_optional_manifest_may_be_absent(tmp_path: Path) -> None:
    dataset = FootageManifestDataset(filepath=str(tmp_path / "m.csv"), is_optional=True)
    assert len(dataset.load()) == 0


def test_no_edit_requests_are_an_empty_table_and_wrong_ones_are_named(tmp_path: Path) -> None:
    path = tmp_path / "edit_requests.csv"
    assert len(EditRequestsDataset(filepath=str(path)).load()) == 0
    path.write_text("job,target\nj,a\n")
    with pytest.raises(DatasetError, match="'audio' is missing") as raised:
        EditRequestsDataset(filepath=str(path)).load()
    assert isinstance(raised.value.__cause__, ConfigurationError)


def test_consent_is_saved_as_a_table_and_loaded_as_a_register(tmp_path: Path) -> None:
    dataset = ConsentRegisterDataset(filepath=str(tmp_path / "consent.csv"))
    rows = [{"consent": "c", "speaker": "anna", "purpose": "demo", "expires": ""}]
    dataset.save(pd.DataFrame(rows))
    assert dataset.load().of_speaker("anna")[0].consent == "c"


class Network:
    """Fails half way when told to."""

    def __init__(self, text: str, fails: bool = False) -> None:  # noqa: D107
        self.text, self.fails = text, fails

    def save(self, folder: Path) -> None:
        folder.mkdir()
        (folder / "weights").write_text(self.text)
        if self.fails:
            raise OSError("disk full")


def test_a_model_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    dataset = ModelFolderDataset(path=str(tmp_path / "model"), network="x:Y")
    dataset.save(Network("old"))
    with pytest.raises(DatasetError, match="disk full"):
        dataset.save(Network("new", fails=True))
    assert (tmp_path / "model" / "weights").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_table_carries_the_meaning_of_its_columns_and_the_version_in_its_file(
    tmp_path: Path,
) -> None:
    path = tmp_path / "t.parquet"
    columns = {"clip": "its name", "psnr.*": "dB"}
    dataset = TableDataset(filepath=str(path), columns=columns)
    table = pd.DataFrame({"clip": ["a"], "psnr.audio": [30.0]})
    dataset.save(table)
    notes = pq.read_schema(path).metadata
    assert json.loads(notes[b"columns"]) == {"clip": "its name", "psnr.audio": "dB"}
    assert notes[b"talkin_version"]
    pd.testing.assert_frame_equal(dataset.load(), table)
    assert dataset.preview(1)["columns"] == ["clip", "psnr.audio"]


def test_a_table_can_be_loaded_as_arrow(tmp_path: Path) -> None:
    path = str(tmp_path / "t.parquet")
    TableDataset(filepath=path, columns={}).save(pd.DataFrame({"a": [1, 2]}))
    assert TableDataset(filepath=path, columns={}, form="arrow").load().num_rows == 2


def test_a_table_in_an_unknown_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="polars"):
        TableDataset(filepath=str(tmp_path / "t.parquet"), columns={}, form="polars")
