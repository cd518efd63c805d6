"""The study's nodes on tables written by hand."""

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from kedro.io import DatasetError

from pipelines.datasets.study import StudyClipsDataset, StudyPlaceDataset
from pipelines.study.nodes import StudySourcesConfig, gather_study_clips
from talkin.errors import ConfigurationError, ConsentError
from talkin.provenance.consent import read_consent

FOOTAGE = pd.DataFrame(
    [
        ("t1", "ann", "test", "front", ""),
        ("t2", "bob", "test", "left30", ""),
        ("t3", "ann", "train", "front", ""),
        ("t4", "ann", "test", "front", "cannot be read"),
    ],
    columns=["clip", "speaker", "split", "view", "problem"],
).assign(file=lambda table: "/clips/" + table["clip"] + ".mp4")
EDITS = pd.DataFrame(
    [("j1", "t3", "done"), ("j2", "t1", "failed"), ("j3", "/home/me.mp4", "done")],
    columns=["job", "target", "state"],
)


def videos(*names):
    return {name: SimpleNamespace(path=Path(f"/out/{name}.mp4")) for name in names}


@pytest.fixture
def register(tmp_path):
    path = tmp_path / "consent.csv"
    path.write_text("consent,speaker,purpose,expires\nc1,ann,study,\nc2,bob,study,\n")
    return path


def gathered(register, **config):
    sources = gather_study_clips(
        EDITS[EDITS["target"] != "/home/me.mp4"],
        videos("j1", "j2"),
        videos("j1"),
        FOOTAGE,
        [],
        read_consent(register),
        StudySourcesConfig(**config),
    )
    return {(one.system, one.name): (one.speaker, one.view) for one in sources}


def test_edits_truths_and_held_out_recordings_are_gathered_and_nothing_else(register):
    assert gathered(register) == {
        ("talkin", "j1"): ("ann", "front"),
        ("real", "j1"): ("ann", "front"),
        ("real", "t1"): ("ann", "front"),
        ("real", "t2"): ("bob", "left30"),
    }
    assert ("real", "j1") not in gathered(register, has_truths=False)
    assert ("real", "t3") in gathered(register, split="train")


def test_nobody_is_shown_without_a_consent_record(register):
    register.write_text("consent,speaker,purpose,expires\nc1,ann,study,\n")
    with pytest.raises(ConsentError, match="bob"):
        gathered(register)


def test_a_list_by_hand_may_be_absent_and_is_checked_where_it_is_there(tmp_path):
    dataset = StudyClipsDataset(filepath=str(tmp_path / "list.csv"))
    assert dataset.load() == []
    (tmp_path / "list.csv").write_text("path,system,speaker\n")
    with pytest.raises((ConfigurationError, DatasetError), match="view"):
        dataset.load()


def test_only_the_export_writes_where_the_study_stands(tmp_path):
    place = StudyPlaceDataset(folder={"path": "a"}, key={"path": "b"})
    assert place.load() == (Path("a"), Path("b"))
    with pytest.raises(DatasetError):
        place.save(None)
