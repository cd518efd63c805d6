import json

import pandas as pd
import pytest

from talkin.errors import FootageError
from talkin.provenance.tracing import derived_from

COLUMNS = ["clip", "path", "speaker", "split", "view", "consent"]
CLIPS = [("ann_1", "ann", "train"), ("ann_1.b", "bo", "train"), ("bo_1", "bo", "test")]


def put(path, content=b"x"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.fixture
def data(tmp_path):
    root = tmp_path / "data"
    for clip, _, _ in CLIPS:
        put(root / "01_raw/footage/clips" / f"{clip}.mp4")
        put(root / "01_raw/footage/truth" / f"{clip}.phonemes.parquet")
        put(root / "02_intermediate/audio" / f"{clip}.wav")
        put(root / "02_intermediate/records/sound" / f"{clip}.json", b"{}")
        put(root / "03_primary/crops" / f"{clip}.arrow")
    rows = [(clip, f"clips/{clip}.mp4", who, split, "front", "c") for clip, who, split in CLIPS]
    table = pd.DataFrame(rows, columns=COLUMNS)
    table.to_csv(root / "01_raw/footage/manifest.csv", index=False)
    put(root / "05_model_input/training_index.parquet")
    table[["clip", "speaker", "split"]].to_parquet(root / "05_model_input/training_index.parquet")
    jobs = [("j1", "bo_1", "ann_1"), ("j2", "bo_1", "ann_1.b"), ("j3", "ann_1", "bo_1")]
    for job, _, _ in jobs:
        put(root / "07_model_output/edits" / f"{job}.mp4")
    edits = pd.DataFrame(jobs, columns=["job", "target", "audio"])
    edits.to_parquet(root / "07_model_output/edit_jobs.parquet")
    put(root / "08_reporting/report.html", b"<p>ann_1</p>")
    put(root / "08_reporting/other.html", b"<p>bo_1</p>")
    put(root / "06_models/talking_face/config.json", b"{}")
    return root


def judge(data, speakers):
    put(
        data / "06_models/speaker_classifier/config.json",
        json.dumps({"speakers": speakers}).encode(),
    )


def names(paths):
    return sorted(path.name for path in paths)


def test_files_of_the_speakers_clips_and_edits_are_listed_and_no_others(data):
    found = derived_from("ann", data)
    assert found.clips == ("ann_1",)
    assert found.jobs == ("j1", "j3")  # their voice, their face
    assert names(found.footage) == ["ann_1.mp4", "ann_1.phonemes.parquet"]
    assert names(found.files) == [
        "ann_1.arrow", "ann_1.json", "ann_1.wav", "j1.mp4", "j3.mp4",
    ]  # fmt: skip


def test_a_clip_whose_name_begins_alike_is_somebody_elses(data):
    found = derived_from("bo", data)
    assert found.clips == ("ann_1.b", "bo_1")
    assert "ann_1.b.arrow" in names(found.files)
    assert "ann_1.arrow" not in names(found.files)


def test_tables_and_reports_that_name_them_are_to_be_made_anew(data):
    assert names(derived_from("ann", data).tables) == [
        "edit_jobs.parquet", "report.html", "training_index.parquet",
    ]  # fmt: skip


def test_models_trained_with_the_speaker_are_listed(data):
    judge(data, ["ann", "cleo"])
    assert names(derived_from("ann", data).models) == ["speaker_classifier", "talking_face"]
    bo = derived_from("bo", data)  # trained with, says the index; the judge lists others
    assert names(bo.models) == ["talking_face"]
    assert "MLflow" in bo.notes[0]
    assert "pictures" in bo.notes[0]


def test_a_speaker_who_left_manifest_and_index_is_still_found_by_the_judge(data):
    judge(data, ["ann", "bo"])
    path = data / "01_raw/footage/manifest.csv"
    table = pd.read_csv(path)
    table[table["speaker"] != "ann"].to_csv(path, index=False)
    index = data / "05_model_input/training_index.parquet"
    still = derived_from("ann", data)
    assert still.clips == ("ann_1",)  # the index remembers the clip
    rows = pd.read_parquet(index)
    rows[rows["speaker"] != "ann"].to_parquet(index)
    gone = derived_from("ann", data)
    assert names(gone.models) == ["speaker_classifier", "talking_face"]


def test_a_speaker_whom_only_a_variants_model_heard_is_still_found(data):
    put(data / "06_models/talking_face/config.json", b'{"speakers": ["bo"]}')
    heard = json.dumps({"speakers": ["bo", "cleo"]}).encode()
    put(data / "06_models/variants/2d/all/talking_face/config.json", heard)
    assert names(derived_from("cleo", data).models) == ["variants"]
    assert derived_from("dan", data).models == ()


def test_a_speaker_seen_in_tests_only_trained_no_model(data):
    index = data / "05_model_input/training_index.parquet"
    rows = pd.read_parquet(index)
    rows.loc[rows["speaker"] == "bo", "split"] = "test"
    rows.to_parquet(index)
    assert derived_from("bo", data).models == ()


def test_nobody_of_that_name_left_nothing(data):
    found = derived_from("cleo", data)
    assert not any((found.clips, found.files, found.tables, found.footage))


def test_a_table_that_cannot_be_read_stops_the_search_rather_than_hide_files(data):
    put(data / "05_model_input/training_index.parquet", b"cut short")
    with pytest.raises(FootageError, match=r"training_index\.parquet cannot be read"):
        derived_from("ann", data)
    with pytest.raises(FootageError, match="no such folder"):
        derived_from("ann", data / "none")


def test_other_peoples_files_are_not_even_opened(data):
    put(data / "02_intermediate/landmarks/bo_1.parquet", b"no table at all")
    assert derived_from("ann", data).clips == ("ann_1",)


def test_edits_of_recordings_that_are_no_clips_are_found_by_the_names_they_were_asked_with(data):
    jobs = [
        ("j4", "bo_1", "/elsewhere/speech.wav", "bo", "cleo; dan"),
        ("j5", "x.mp4", "y.wav", "", ""),
    ]
    columns = ["job", "target", "audio", "target_speaker", "audio_speaker"]
    pd.DataFrame(jobs, columns=columns).to_parquet(data / "07_model_output/edit_jobs.parquet")
    for job in ("j4", "j5"):
        put(data / "07_model_output/edits" / f"{job}.mp4")
    for name in ("cleo", "dan"):
        assert names(derived_from(name, data).files) == ["j4.mp4"]
    assert "j4" in derived_from("bo", data).jobs


def test_a_studys_blinded_clips_are_found_by_its_key(data):
    entries = [("aa11", "ann", "j2"), ("bb22", "bo", "bo_1"), ("cc33", "bo", "j1")]
    keyed = [{"id": clip, "speaker": who, "clip": source} for clip, who, source in entries]
    put(data / "07_model_output/study_key.json", json.dumps({"entries": keyed}).encode())
    for clip, _, _ in entries:
        put(data / "07_model_output/study/clips" / f"{clip}.mp4")
    found = names(derived_from("ann", data).files)
    assert {"aa11.mp4", "cc33.mp4"} < set(found)  # shown, and heard
    assert "bb22.mp4" not in found


def test_a_detector_of_edits_is_a_model_of_those_it_was_fitted_to(data):
    put(data / "06_models/edit_detector.json", b"{}")
    frames = pd.DataFrame({"job": ["j1"], "speaker": ["bo"], "luma_00": [0.0]})
    frames.to_parquet(data / "07_model_output/detection_frames.parquet")
    assert "edit_detector.json" in names(derived_from("bo", data).models)
    assert "edit_detector.json" not in names(derived_from("ann", data).models)
