"""What a line of edit_requests.csv may ask for."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from kedro.io import DatasetError

from pipelines.clips import ClipTask
from pipelines.datasets.manifest import EditRequestsDataset
from pipelines.editing import nodes, steps, tasks
from pipelines.step_records import StepRecord
from talkin.editing.edit_clip import EditConfig
from talkin.errors import TalkinError

HEAD = "job,target,audio,target_speaker,audio_speaker,timing,driven_by\n"


def requests(folder: Path, text: str) -> pd.DataFrame:
    (folder / "edit_requests.csv").write_text(text)
    return EditRequestsDataset(filepath=str(folder / "edit_requests.csv")).load()


@pytest.fixture
def clips(tmp_path: Path) -> pd.DataFrame:
    rows = [
        {
            "clip": clip,
            "speaker": clip[:2],
            "split": "test",
            "view": "front",
            "sentence": clip,
            "duration_s": 2.0,
            "problem": "",
            "sha256": clip,
            "file": str(tmp_path / f"{clip}.mp4"),
        }
        for clip in ("ann", "bob")
    ]
    return pd.DataFrame(rows)


def planned(folder: Path, clips: pd.DataFrame, line: str, truth: Any = ()) -> pd.Series:
    asked = requests(folder, HEAD + line)
    known: dict[str, Any] = dict.fromkeys(truth)
    return nodes.plan_edits(asked, clips, known, nodes.EditPlanConfig()).iloc[0]


def test_timing_and_what_drives_are_chosen_a_job(tmp_path: Path, clips: pd.DataFrame) -> None:
    job = planned(tmp_path, clips, "j,ann,bob,,,select,face\n", truth=("ann", "bob"))
    assert (job["timing"], job["driven_by"], job["has_truth"]) == ("select", "face", False)
    plain = planned(tmp_path, clips, "j,ann,bob\n", truth=("ann", "bob"))
    assert (plain["timing"], plain["driven_by"], plain["has_truth"]) == ("", "", True)
    settings = ("w", EditConfig(), None, None)
    task, other = (
        tasks.task_of_job(dict(row) | {"has_truth": False}, clips, {}, settings, tmp_path)
        for row in (job, plain)
    )
    assert task.arguments["edit"].timing.mode == "select"
    assert other.arguments["edit"].timing.mode == "keep"
    assert task.fingerprint != other.fingerprint


@pytest.mark.parametrize("line", ["j,ann,bob,,,both,\n", "j,ann,bob,,,,hands\n"])
def test_an_unknown_choice_is_named_with_its_line(tmp_path: Path, line: str) -> None:
    with pytest.raises(DatasetError, match="line 2, column"):
        requests(tmp_path, HEAD + line)


def test_a_file_says_by_its_name_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("Hello.")
    assert steps._way(str(tmp_path / "words.txt"), "") == {"text": "Hello."}
    assert steps._way("list.YAML", "") == {"edit_list": "list.YAML"}
    assert steps._way("a.mp4", "face") == {"drive": "a.mp4"}
    assert steps._way("a.mp4", "sound") == {"audio": "a.mp4"}


def test_an_edit_lists_recordings_belong_to_its_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"x")
    (tmp_path / "list.yml").write_text("- {audio: a.wav}\n- {audio: gone.wav}\n")
    assert steps.listed_files(str(tmp_path / "list.yml")) == (tmp_path / "a.wav",)
    assert steps.listed_files(str(tmp_path / "a.wav")) == ()


def edits(**states: Any) -> pd.DataFrame:
    jobs = [dict.fromkeys(nodes.JOB_COLUMNS, "") | {"job": job} for job in states]
    records = {
        job: StepRecord(job, "edits", "f", state, f"why {job}") for job, state in states.items()
    }
    return nodes.tabulate_edits(pd.DataFrame(jobs, columns=list(nodes.JOB_COLUMNS)), records, {})


def test_a_run_whose_every_edit_failed_ends_as_failed_and_says_why_of_each() -> None:
    with pytest.raises(TalkinError, match="none of the 2 edits") as told:
        nodes.check_some_edit_was_made(edits(a="failed", b="rejected"))
    assert "a: why a" in str(told.value)
    assert "b: why b" in str(told.value)


def test_one_failed_edit_among_others_ends_no_run_and_neither_does_none_at_all() -> None:
    nodes.check_some_edit_was_made(edits(a="failed", b="done"))
    nodes.check_some_edit_was_made(edits())


def test_a_target_has_the_geometry_that_preparation_found_for_its_speaker() -> None:
    found = {"ann": {"face_model": "m", "geometry": [1.0]}, "bob": {"face_model": "n"}}
    assert tasks.known_geometry("ann", found, "m") == [1.0]
    for speaker in ("bob", "zoe", "ann; bob", ""):
        assert tasks.known_geometry(speaker, found, "m") is None
    task = ClipTask("f", {"job": "j"})
    own, known, other = (tasks.as_prepared(task, None, {}, g) for g in (None, [1.0], [2.0]))
    assert known.arguments == {"job": "j", "landmarks": None, "geometry": [1.0]}
    assert len({own.fingerprint, known.fingerprint, other.fingerprint}) == 3
