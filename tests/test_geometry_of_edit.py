"""Whose geometry `talkin edit` takes: a file's, the project's, or the footage's own."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from talkin.cli.geometry_of_edit import OWN, geometry_of_edit
from talkin.errors import FaceModelError
from talkin.face3d.person_geometry import PersonGeometry

MODEL: Any = SimpleNamespace(name="m", n_geometry=2)
HEAD = "clip,path,speaker,split,view,consent\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A project whose preparation found Ann's geometry, and Bob's in another model."""
    footage, found = tmp_path / "data/01_raw/footage", tmp_path / "data/03_primary/speaker_geometry"
    footage.mkdir(parents=True)
    found.mkdir(parents=True)
    rows = "a,clips/a.mp4,ann,train,front,c\nb,clips/b.mp4,bob,train,front,c\n"
    (footage / "manifest.csv").write_text(HEAD + rows)
    PersonGeometry("m", ("a", "a2"), np.array([1.0, 2.0])).save(found / "ann.json")
    PersonGeometry("other", ("b",), np.array([1.0, 2.0])).save(found / "bob.json")
    return tmp_path / "data"


def asked(
    data: Path, geometry: str | None, video: str, speaker: str | None
) -> tuple[list[float] | None, str]:
    found, told = geometry_of_edit(geometry, data / video, speaker, data, MODEL)
    return (None if found is None else found.tolist()), told


def test_a_clip_of_the_project_has_what_preparation_found_for_its_speaker(data: Path) -> None:
    found, told = asked(data, None, "01_raw/footage/clips/a.mp4", None)
    assert found == [1.0, 2.0]
    assert "2 prepared clips of ann" in told


def test_a_clip_of_two_people_has_nobodys_unless_the_speaker_is_named(data: Path) -> None:
    with (data / "01_raw/footage/manifest.csv").open("a") as manifest:
        manifest.write("a_too,clips/a.mp4,zoe,train,front,c\n")
    assert asked(data, None, "01_raw/footage/clips/a.mp4", None) == (None, "")
    assert asked(data, None, "01_raw/footage/clips/a.mp4", "ann")[0] == [1.0, 2.0]


def test_other_footage_has_it_where_its_speaker_is_named(data: Path) -> None:
    assert asked(data, None, "new.mp4", "ann")[0] == [1.0, 2.0]
    assert asked(data, None, "new.mp4", None) == (None, "")
    assert asked(data, None, "new.mp4", "zoe") == (None, "")
    assert asked(data, None, "new.mp4", "../speaker_geometry/ann") == (None, "")


def test_the_footage_itself_may_be_asked_for(data: Path) -> None:
    assert asked(data, OWN, "01_raw/footage/clips/a.mp4", "ann") == (None, "")


def test_a_file_goes_before_what_the_project_knows(data: Path) -> None:
    PersonGeometry("m", ("x",), np.array([3.0, 4.0])).save(data / "me.json")
    found, told = asked(data, str(data / "me.json"), "01_raw/footage/clips/a.mp4", None)
    assert found == [3.0, 4.0]
    assert "me.json" in told


def test_anothers_model_is_refused_in_a_file_and_told_of_in_a_project(data: Path) -> None:
    with pytest.raises(FaceModelError, match="of face model other"):
        asked(data, str(data / "03_primary/speaker_geometry/bob.json"), "new.mp4", None)
    found, told = asked(data, None, "01_raw/footage/clips/b.mp4", None)
    assert found is None
    assert "found in this video alone" in told
