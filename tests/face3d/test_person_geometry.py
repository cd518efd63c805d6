import json

import numpy as np
import pytest

from talkin.errors import FaceModelError
from talkin.face3d.person_geometry import PersonGeometry

GOOD = {"face_model": "m", "clips": ["a"], "geometry": [0.5, -1.25]}


def test_a_geometry_survives_its_file(tmp_path):
    PersonGeometry("m", ("a.mp4", "b.mov"), np.array([0.5, -1.2345678])).save(tmp_path / "me.json")
    read = PersonGeometry.load(tmp_path / "me.json")
    assert (read.face_model, read.clips) == ("m", ("a.mp4", "b.mov"))
    assert read.geometry.tolist() == [0.5, -1.234568]


@pytest.mark.parametrize(
    "content",
    [
        "", "[]", "3", "null", "not json", '"text"', "[" * 100_000,
        json.dumps(GOOD | {"geometry": ["a", "b"]}),
        json.dumps(GOOD | {"geometry": [[0.5]]}),
        json.dumps(GOOD | {"geometry": [float("nan")]}),
        json.dumps(GOOD | {"geometry": [1e30]}),
        json.dumps(GOOD | {"geometry": {"a": 1}}),
        json.dumps({"geometry": [0.5]}),
        json.dumps(GOOD | {"clips": 3}),
    ],
)  # fmt: skip
def test_a_file_that_holds_no_geometry_is_refused_with_the_way_to_one(tmp_path, content):
    (tmp_path / "me.json").write_text(content)
    with pytest.raises(FaceModelError, match=r"me\.json cannot be read.*talkin face geometry"):
        PersonGeometry.load(tmp_path / "me.json")


@pytest.mark.parametrize("name", ["absent.json", "absent.parquet"])
def test_a_missing_file_is_named(tmp_path, name):
    with pytest.raises(FaceModelError, match=name):
        PersonGeometry.load(tmp_path / name)


def test_the_geometry_of_another_model_is_refused(model):
    with pytest.raises(FaceModelError, match="not of gaussian"):
        PersonGeometry("flame", (), np.zeros(model.n_geometry)).of_model(model, "me.json")
    with pytest.raises(FaceModelError, match="5 modes"):
        PersonGeometry(model.name, (), np.zeros(5)).of_model(model, "me.json")
    assert (
        PersonGeometry(model.name, (), np.zeros(model.n_geometry)).of_model(model, "x").any() == 0
    )
