"""Faces here are coloured squares, and the detector sees colours: who is followed is then plain."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from talkin.footage.detection import FaceRegion, Landmarks
from talkin.footage.tracking import TrackingConfig, track_landmarks
from talkin.footage.video import VideoWriter

RED, BLUE = (220, 30, 30), (30, 60, 220)
GREY, NIGHT = 110, 60
_LEAST_COLOUR = 60
SIZE = (96, 160)


@dataclass
class Square:
    x: float
    y: float
    side: int
    colour: tuple[int, int, int] = RED


class SquareDetector:
    """Finds coloured squares; sees nothing in a region that holds none."""

    scheme = "ibug68"
    min_score = 0.5

    n_searches = 0

    def find_faces(self, image, thorough=False):
        self.n_searches += 1
        return [
            FaceRegion(float(cols.mean()), float(rows.mean()), 1.5 * np.ptp(rows) + 1.5, 0.0, 0.9)
            for rows, cols in map(np.nonzero, _masks(image))
        ]

    def place_points(self, image, region):
        for rows, cols in map(np.nonzero, _masks(image)):
            centre = np.array([cols.mean(), rows.mean()])
            if np.abs(centre - (region.x, region.y)).max() < region.size / 3:
                side = float(np.ptp(rows)) + 1
                along = np.linspace(-0.5, 0.5, 68)[:, None] * side
                points = (centre + along).astype(np.float32)
                return Landmarks(points, 0.9, FaceRegion(*centre, 1.5 * side, 0.0, 0.9))
        return Landmarks(np.full((68, 2), region.x, np.float32), 0.1, region)


def _masks(image):
    values = image.astype(int)
    for strong, weak in ((0, 2), (2, 0)):
        mask = values[..., strong] - values[..., weak] > _LEAST_COLOUR
        if mask.sum() > 4:
            yield mask


@pytest.fixture
def clip(tmp_path) -> Callable[..., object]:
    """Writes scenes: for each frame a list of squares, and a background."""

    def write(scenes, background=None):
        path = tmp_path / "clip.mp4"
        with VideoWriter(path, SIZE[1], SIZE[0], 25, crf=4) as writer:
            for number, squares in enumerate(scenes):
                grey = GREY if background is None else background[number]
                image = np.full((*SIZE, 3), grey, np.uint8)
                for square in squares:
                    half = square.side // 2
                    x, y = round(square.x), round(square.y)
                    image[y - half : y + half, x - half : x + half] = square.colour
                writer.write(image)
        return path

    return write


def centres(track):
    return track.points.mean(axis=1)


def test_a_moving_face_is_followed_to_the_pixel(clip):
    scenes = [[Square(40 + 2 * k, 48, 30)] for k in range(30)]
    track = track_landmarks(clip(scenes), SquareDetector())
    assert track.is_found.all()
    np.testing.assert_allclose(centres(track)[:, 0], 40 + 2 * np.arange(30) - 0.5, atol=1)
    assert (track.width, track.height, track.fps, track.scheme) == (160, 96, 25.0, "ibug68")
    assert track.notes == []


def test_following_searches_the_whole_picture_rarely(clip):
    detector = SquareDetector()
    track_landmarks(clip([[Square(40, 48, 30)]] * 60), detector)
    assert detector.n_searches <= 3


@pytest.mark.parametrize(
    ("which", "x"), [("largest", 110), ("left", 40), ("right", 110), (1, 40), (2, 110)]
)
def test_of_two_faces_the_wanted_one_is_followed(clip, which, x):
    scenes = [[Square(40, 48, 24), Square(110, 48, 36, BLUE)]] * 30
    track = track_landmarks(clip(scenes), SquareDetector(), TrackingConfig(which=which))
    np.testing.assert_allclose(centres(track)[:, 0], x, atol=1)
    assert any(note.startswith("2 faces") for note in track.notes)


def test_the_person_is_kept_when_another_becomes_larger(clip):
    scenes = [[Square(40, 48, 34), Square(110, 48, 10 + k, BLUE)] for k in range(60)]
    track = track_landmarks(clip(scenes), SquareDetector())
    np.testing.assert_allclose(centres(track)[:, 0], 40, atol=1)


def test_a_wanted_face_that_is_not_there_is_said(clip):
    track = track_landmarks(
        clip([[Square(40, 48, 24)]] * 5), SquareDetector(), TrackingConfig(which=3)
    )
    assert not track.is_found.any()
    assert track.notes == ["frames 0-4: only 1 faces, number 3 was wanted"]


def test_frames_without_a_face_are_nan_and_named(clip):
    scenes = [[Square(40, 48, 30)]] * 10 + [[]] * 6 + [[Square(44, 48, 30)]] * 10
    track = track_landmarks(clip(scenes), SquareDetector())
    assert np.flatnonzero(~track.is_found).tolist() == list(range(10, 16))
    assert np.isnan(track.points[10:16]).all()
    assert np.isfinite(track.points[track.is_found]).all()
    assert (track.score[10:16] == 0).all()
    assert track.notes == ["frames 10-15: no face found"]


def test_no_face_at_all_is_a_result_too(clip):
    track = track_landmarks(clip([[]] * 8), SquareDetector())
    assert track.found_share == 0
    assert track.notes == ["frames 0-7: no face found"]


def test_somebody_else_does_not_take_the_place_of_who_left(clip):
    scenes = [[Square(40, 48, 30), Square(110, 48, 30, BLUE)]] * 10
    scenes += [[Square(110, 48, 30, BLUE)]] * 10
    scenes += [[Square(42, 48, 30), Square(110, 48, 30, BLUE)]] * 10
    track = track_landmarks(clip(scenes), SquareDetector(), TrackingConfig(which="left"))
    assert track.is_found.tolist() == [True] * 10 + [False] * 10 + [True] * 10
    np.testing.assert_allclose(centres(track)[track.is_found, 0], 41, atol=2)


def test_after_a_cut_the_same_person_is_found_elsewhere(clip):
    first = [[Square(40, 48, 40), Square(120, 48, 24, BLUE)]] * 20
    second = [[Square(110, 48, 24), Square(40, 48, 40, BLUE)]] * 20
    light = [GREY] * 20 + [230] * 20
    track = track_landmarks(clip(first + second, light), SquareDetector())
    assert track.is_found.all()
    np.testing.assert_allclose(centres(track)[:20, 0], 40, atol=1)
    np.testing.assert_allclose(centres(track)[20:, 0], 110, atol=1)
    assert "cut at 0.8 s (frame 20)" in track.notes


def test_a_shot_of_somebody_else_alone_is_not_taken_for_the_person(clip):
    shots = [[Square(40, 48, 40)]] * 15 + [[Square(40, 48, 40, BLUE)]] * 15
    shots += [[Square(60, 48, 40)]] * 15
    light = [GREY] * 15 + [230] * 15 + [GREY] * 15
    track = track_landmarks(clip(shots, light), SquareDetector())
    assert track.is_found.tolist() == [True] * 15 + [False] * 15 + [True] * 15
    assert "frames 15-29: only another person's face found" in track.notes


def test_a_face_too_small_is_said_with_its_size(clip):
    track = track_landmarks(
        clip([[Square(40, 48, 10)]] * 5), SquareDetector(), TrackingConfig(min_face_px=16)
    )
    assert not track.is_found.any()
    assert re.match(r"frames 0-4: face only 1[0-3] px high: too small", track.notes[0])


@pytest.mark.parametrize(
    ("colour", "told"),
    [((64, 0, 0), "very dark"), ((255, 250, 222), "overexposed")],
)
def test_a_face_in_bad_light_is_kept_and_remarked(clip, monkeypatch, colour, told):
    monkeypatch.setattr(f"{__name__}._LEAST_COLOUR", 20)
    scenes = [[Square(40, 48, 30, colour)]] * 5
    track = track_landmarks(clip(scenes, [10] * 5), SquareDetector())
    assert track.is_found.all()
    assert track.notes == [f"frames 0-4: the face is {told}, its points may be off"]


def test_rows_follow_the_rate_asked_for(clip):
    done: list[int] = []
    track = track_landmarks(
        clip([[Square(40, 48, 30)]] * 20), SquareDetector(), fps=12.5, progress=done.append
    )
    assert len(track) == 10
    np.testing.assert_allclose(track.time_s, np.arange(10) / 12.5)
    assert done == list(range(1, 11))


def test_one_frame_is_enough(clip):
    assert track_landmarks(clip([[Square(40, 48, 30)]]), SquareDetector()).is_found.tolist() == [
        True
    ]
