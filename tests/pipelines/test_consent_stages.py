"""Preparation, training and editing ask for the consent that they need, each through its node."""

import logging
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from pipelines.clips import ParallelConfig
from pipelines.consent import require_consent_for_edits
from pipelines.datasets.manifest import EditRequestsDataset
from pipelines.editing.nodes import EditPlanConfig, edit_clips, plan_edits
from pipelines.hooks import ConsentHooks
from pipelines.preprocess.tables import check_consent_and_probe_clips
from pipelines.training.corpus import CorpusChoice
from pipelines.training.nodes import gather_training_data
from talkin.errors import ConfigurationError, ConsentError
from talkin.provenance.consent import ConsentRegister, read_consent

Register = Callable[..., ConsentRegister]
CLIPS = {"ann_1": ("ann", "train"), "ann_2": ("ann", "test"), "bo_1": ("bo", "test")}


@pytest.fixture
def register(tmp_path: Path) -> Register:
    """A register whose rows are `record, speaker, purpose, expires`."""

    def written(*rows: str) -> ConsentRegister:
        path = tmp_path / "consent.csv"
        path.write_text("consent,speaker,purpose,expires\n" + "".join(f"{r}\n" for r in rows))
        return read_consent(path)

    return written


@pytest.fixture
def clips(tmp_path: Path) -> pd.DataFrame:
    rows = [
        {
            "clip": clip,
            "path": f"{clip}.mp4",
            "file": str(tmp_path / f"{clip}.mp4"),
            "view": "front",
        }
        | {"speaker": who, "split": split, "consent": f"c-{who}", "sentence": "", "problem": ""}
        for clip, (who, split) in CLIPS.items()
    ]
    return pd.DataFrame(rows)


def train(index: pd.DataFrame, register: ConsentRegister) -> None:
    nothing: Any = None
    settings = (nothing, nothing, nothing, nothing, nothing, CorpusChoice())
    gather_training_data(index, {}, {}, {}, register, *settings)


def edit(jobs: pd.DataFrame, clips: pd.DataFrame, register: ConsentRegister) -> None:
    nothing: Any = None
    alone = ParallelConfig(n_jobs=1)
    edits = edit_clips(
        jobs, clips, {}, {}, {}, {}, nothing, register, {}, nothing, nothing, nothing, alone
    )
    next(iter(edits))


def job(**changes: str) -> pd.DataFrame:
    known = {"job": "j", "target": "ann_2", "audio": "bo_1"}
    speakers = {"target_speaker": "ann", "audio_speaker": "bo"}
    return pd.DataFrame([known | speakers | changes])


def test_preparation_wants_leave_to_train_for_training_clips_alone(
    clips: pd.DataFrame, register: Register
) -> None:
    allowed = register("c-ann,ann,train,", "c-bo,bo,edit-voice,")
    assert len(check_consent_and_probe_clips(clips, allowed)) == 3
    with pytest.raises(ConsentError) as refusal:
        check_consent_and_probe_clips(clips, register("c-ann,ann,edit-face,", "c-bo,bo,train,"))
    assert "ann (clip ann_1) is for edit-face, not for train" in str(refusal.value)
    assert "add the row `c-ann,ann,train," in str(refusal.value)
    assert refusal.value.speakers == ("ann",)


def test_everyone_who_is_refused_is_named_at_once(clips: pd.DataFrame, register: Register) -> None:
    with pytest.raises(ConsentError) as refusal:
        check_consent_and_probe_clips(clips, register("c-ann,ann,train,2020-01-01"))
    assert refusal.value.speakers == ("ann", "bo")


def test_training_stops_where_leave_was_taken_back_since_preparation(
    clips: pd.DataFrame, register: Register
) -> None:
    with pytest.raises(ConsentError, match=r"ann \(clip ann_1\) expired on 2020-01-01"):
        train(clips, register("c-ann,ann,train,2020-01-01", "c-bo,bo,anything,"))


def test_an_index_from_before_consent_was_kept_in_it_goes_by_the_speaker(
    clips: pd.DataFrame, register: Register
) -> None:
    with pytest.raises(ConsentError, match=r"ann .*not for train"):
        train(clips.drop(columns="consent"), register("c-ann,ann,edit-face,"))


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (["c-ann,ann,train,", "c-bo,bo,edit-voice,"], "ann .*not for edit-face"),
        (["c-ann,ann,edit-face,", "c-bo,bo,edit-face,"], "bo .*not for edit-voice"),
        (["c-ann,ann,edit-face,2020-01-01", "c-bo,bo,edit-voice,"], "ann .*expired"),
        (["other,ann,edit-face,", "c-bo,bo,edit-voice,"], "ann .*no consent record c-ann"),
    ],
)
def test_an_edit_wants_the_targets_face_and_the_drivers_voice(
    clips: pd.DataFrame, register: Register, rows: list[str], told: str
) -> None:
    with pytest.raises(ConsentError, match=told):
        edit(job(), clips, register(*rows))


def test_a_driving_face_wants_leave_for_face_and_voice(
    clips: pd.DataFrame, register: Register
) -> None:
    rows = ("c-ann,ann,edit-face,", "c-bo,bo,edit-voice,")
    with pytest.raises(
        ConsentError, match=r"bo \(clip bo_1\) is for edit-voice, not for edit-face"
    ):
        edit(job(driven_by="face"), clips, register(*rows))
    with pytest.raises(
        ConsentError, match=r"bo \(clip bo_1\) is for edit-face, not for edit-voice"
    ):
        edit(job(driven_by="face"), clips, register(rows[0], "c-bo,bo,edit-face,"))


def test_both_people_of_an_edit_are_refused_at_once(
    clips: pd.DataFrame, register: Register
) -> None:
    with pytest.raises(ConsentError) as refusal:
        edit(job(), clips, register("c-ann,ann,train,"))
    assert refusal.value.speakers == ("ann", "bo")


def test_a_file_that_is_no_clip_goes_by_whoever_is_named_in_it(
    clips: pd.DataFrame, register: Register
) -> None:
    jobs = job(audio="/elsewhere/speech.wav", audio_speaker="cleo")
    with pytest.raises(ConsentError, match="speaker cleo") as refusal:
        edit(jobs, clips, register("c-ann,ann,edit-face,"))
    assert refusal.value.speakers == ("cleo",)


def requests(folder: Path, text: str) -> pd.DataFrame:
    (folder / "edit_requests.csv").write_text(text)
    return EditRequestsDataset(filepath=str(folder / "edit_requests.csv")).load()


def test_a_file_in_which_nobody_is_named_is_not_edited(tmp_path: Path, clips: pd.DataFrame) -> None:
    (tmp_path / "speech.wav").write_bytes(b"x")
    asked = requests(tmp_path, "job,target,audio\nj,ann_2,speech.wav\n")
    with pytest.raises(ConsentError, match=r"whose voice is in 'speech\.wav'.*audio_speaker"):
        plan_edits(asked, clips, {}, EditPlanConfig())
    head = "job,target,audio,target_speaker,audio_speaker\n"
    asked = requests(tmp_path, head + "j,ann_2,speech.wav,,cleo\n")
    planned = plan_edits(asked, clips, {}, EditPlanConfig()).iloc[0]
    assert planned["audio"] == str(tmp_path / "speech.wav")  # beside the list, wherever we stand
    assert (planned["target_speaker"], planned["audio_speaker"]) == ("ann", "cleo")


def test_a_clip_is_its_own_speakers_whatever_a_request_says(
    tmp_path: Path, clips: pd.DataFrame
) -> None:
    head = "job,target,audio,target_speaker,audio_speaker\n"
    asked = requests(tmp_path, head + "j,ann_2,bo_1,nobody,nobody\n")
    planned = plan_edits(asked, clips, {}, EditPlanConfig()).iloc[0]
    assert (planned["target_speaker"], planned["audio_speaker"]) == ("ann", "bo")


def test_a_clip_is_its_speakers_too_when_it_is_named_by_its_file(
    tmp_path: Path, clips: pd.DataFrame
) -> None:
    for clip in clips["clip"]:
        (tmp_path / f"{clip}.mp4").write_bytes(b"x")
    (tmp_path / "link.mp4").symlink_to("bo_1.mp4")
    head = "job,target,audio,target_speaker,audio_speaker\n"
    asked = requests(tmp_path, head + "j,ann_2.mp4,link.mp4,nobody,nobody\n")
    planned = plan_edits(asked, clips, {}, EditPlanConfig()).iloc[0]
    assert (planned["target"], planned["audio"]) == ("ann_2", "bo_1")
    assert (planned["target_speaker"], planned["audio_speaker"]) == ("ann", "bo")


def test_everyone_whose_clips_an_edit_list_quotes_must_agree(
    tmp_path: Path, clips: pd.DataFrame, register: Register
) -> None:
    for name in ("bo_1.mp4", "ann_1.mp4", "other.wav"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "list.csv").write_text("audio\nbo_1.mp4\nother.wav\nann_1.mp4\n")
    head = "job,target,audio,target_speaker,audio_speaker\n"
    asked = requests(tmp_path, head + "j,ann_2,list.csv,,cleo; dan\n")
    planned = plan_edits(asked, clips, {}, EditPlanConfig())
    assert planned.iloc[0]["audio_speaker"] == "bo;ann;cleo;dan"
    with pytest.raises(ConsentError) as refusal:
        edit(planned, clips, register("c-ann,ann,edit-face;edit-voice,", "d,dan,edit-voice,"))
    assert refusal.value.speakers == ("bo", "cleo")


def test_a_text_that_is_read_aloud_is_nobodys_voice(
    tmp_path: Path, clips: pd.DataFrame, register: Register
) -> None:
    (tmp_path / "words.txt").write_text("Hello.")
    asked = requests(tmp_path, "job,target,audio\nj,ann_2,words.txt\n")
    planned = plan_edits(asked, clips, {}, EditPlanConfig())
    require_consent_for_edits(planned, clips, register("c-ann,ann,edit-face,"))
    with pytest.raises(ConsentError, match=r"ann \(clip ann_2\)"):
        require_consent_for_edits(planned, clips, register("c-ann,ann,train,"))


def test_an_unknown_clip_is_named_with_its_job(tmp_path: Path, clips: pd.DataFrame) -> None:
    asked = requests(tmp_path, "job,target,audio\nj,ann_9,bo_1\n")
    with pytest.raises(ConfigurationError, match="job j: target 'ann_9' is neither"):
        plan_edits(asked, clips, {}, EditPlanConfig())


def test_where_consent_ends_what_was_derived_is_listed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = tmp_path / "data"
    for folder in (
        "01_raw/footage",
        "03_primary/crops",
        "05_model_input",
        "06_models/talking_face",
    ):
        (data / folder).mkdir(parents=True)
    (data / "01_raw/footage/manifest.csv").write_text("clip,path,speaker\nann_1,a.mp4,ann\n")
    (data / "03_primary/crops/ann_1.arrow").write_bytes(b"x")
    index = pd.DataFrame([{"clip": "ann_1", "speaker": "ann", "split": "train"}])
    index.to_parquet(data / "05_model_input/training_index.parquet")
    hooks = ConsentHooks()
    hooks.after_context_created(SimpleNamespace(project_path=tmp_path))  # type: ignore[arg-type]
    with caplog.at_level(logging.ERROR):
        hooks.on_pipeline_error(ConsentError("no", ("ann",)))
        hooks.on_pipeline_error(ValueError("something else"))
    assert len(caplog.records) == 1
    assert "crops/ann_1.arrow" in caplog.text
    assert "06_models/talking_face" in caplog.text


@pytest.mark.slow
def test_the_next_run_stops_once_consent_is_narrowed(
    project: Path, run: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    footage = project / "data/01_raw/footage"
    footage.mkdir(parents=True)
    head = "clip,path,speaker,split,view,consent\n"
    (footage / "manifest.csv").write_text(head + "ann_1,ann_1.mp4,ann,train,front,c-ann\n")
    (footage / "ann_1.mp4").write_text("no video, but hers")
    consent = footage / "consent.csv"
    consent.write_text("consent,speaker,purpose,expires\nc-ann,ann,train,\n")
    run("preprocess")
    rejects = pd.read_csv(project / "data/08_reporting/rejects.csv")
    assert rejects["clip"].tolist() == ["ann_1"]
    consent.write_text("consent,speaker,purpose,expires\nc-ann,ann,edit-face,\n")
    with caplog.at_level(logging.ERROR), pytest.raises(ConsentError, match="not for train"):
        run("preprocess")
    assert "ann_1.mp4" in caplog.text
