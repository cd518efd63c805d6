"""The real package and its weights are the user's; here a module of its form sees red squares."""

import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from talkin.errors import FaceModelError
from talkin.footage.detection import DetectionConfig, load_detector
from talkin.footage.dlib_backend import WEIGHTS_NAME
from talkin.footage.tracking import track_landmarks
from talkin.footage.video import VideoWriter

GOOD = b"a predictor"


@dataclass
class Box:
    x0: float
    y0: float
    x1: float
    y1: float

    def left(self):
        return self.x0

    def top(self):
        return self.y0

    def right(self):
        return self.x1

    def bottom(self):
        return self.y1


@dataclass
class Point:
    x: float
    y: float


class Faces:
    searched = 0

    def run(self, image, doubled, threshold):
        assert image.dtype == np.uint8
        self.searched = max(self.searched, *image.shape[:2])
        red = image[..., 0].astype(int) - image[..., 2] > 60
        if red.sum() < 4:
            return [], [], []
        rows, cols = np.nonzero(red)
        return [Box(cols.min(), rows.min(), cols.max(), rows.max())], [1.0], [0]


@dataclass
class Shape:
    box: Box
    num_parts: int

    def part(self, number):
        share = number / (self.num_parts - 1)
        box = self.box
        return Point(box.x0 + share * (box.x1 - box.x0), box.y0 + share * (box.y1 - box.y0))


@pytest.fixture
def dlib(monkeypatch):
    def predictor(path):
        content = Path(path).read_bytes()
        if content not in (GOOD, b"five"):
            raise RuntimeError("Unable to deserialise")
        return lambda image, box: Shape(box, 68 if content == GOOD else 5)

    module = ModuleType("dlib")
    faces = Faces()
    module.get_frontal_face_detector = lambda: faces
    module.shape_predictor = predictor
    module.rectangle = Box
    monkeypatch.setitem(sys.modules, "dlib", module)
    return faces


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / WEIGHTS_NAME
    path.write_bytes(GOOD)
    return path


def test_without_the_package_the_way_out_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "dlib", None)
    with pytest.raises(FaceModelError, match=r"install dlib-bin, or set detection\.backend"):
        load_detector(DetectionConfig(backend="dlib"))


def test_missing_weights_are_named_with_their_licence(dlib, tmp_path, monkeypatch):
    gone = DetectionConfig(backend="dlib", dlib_weights=tmp_path / "gone.dat")
    with pytest.raises(FaceModelError, match=r"gone\.dat is not there.*detection\.dlib_weights"):
        load_detector(gone)
    monkeypatch.setattr("talkin.footage.dlib_backend.find_spec", lambda name: None)
    with pytest.raises(FaceModelError, match=r"is not installed.*non-commercial"):
        load_detector(DetectionConfig(backend="dlib"))


@pytest.mark.parametrize(
    ("content", "told"), [(b"rubbish", "fetch .* anew"), (b"five", "places 5 points, 68")]
)
def test_damaged_and_other_weights_are_refused(dlib, weights, content, told):
    weights.write_bytes(content)
    with pytest.raises(FaceModelError, match=told):
        load_detector(DetectionConfig(backend="dlib", dlib_weights=weights))


def test_weights_of_the_installed_package_are_found(dlib, tmp_path, monkeypatch):
    folder = tmp_path / "face_recognition_models" / "models"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("raise ImportError('needs setuptools of old')")
    (folder / WEIGHTS_NAME).write_bytes(GOOD)
    monkeypatch.syspath_prepend(tmp_path)
    assert load_detector(DetectionConfig(backend="dlib")).scheme == "ibug68"


def test_a_face_is_followed_in_footage_px_and_lost_where_it_leaves(dlib, weights, tmp_path):
    path = tmp_path / "clip.mp4"
    with VideoWriter(path, 1280, 720, 25, crf=4) as writer:
        for number in range(12):
            image = np.full((720, 1280, 3), 110, np.uint8)
            if number < 8:
                x = 300 + 12 * number
                image[200:360, x : x + 160] = (220, 30, 30)
            writer.write(image)
    detector = load_detector(DetectionConfig(backend="dlib", dlib_weights=weights))
    track = track_landmarks(path, detector)
    assert track.is_found.tolist() == [True] * 8 + [False] * 4
    assert track.notes == ["frames 8-11: no face found"]
    middle = track.points[:8].mean(axis=1)
    np.testing.assert_allclose(middle[:, 0], 380 + 12 * np.arange(8), atol=3)
    np.testing.assert_allclose(middle[:, 1], 280, atol=3)
    assert dlib.searched <= 640  # HOG is slow on large pictures
