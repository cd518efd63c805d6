"""A mouth is drawn in another shape, as sharp as it was."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from toy_corpus import toy_clip, toy_face_model

from talkin.samples.alignment import CropConfig, mask_box
from talkin.samples.mouth_warp import MOUTH, WARPED, MouthWarp, face_points

CROP = CropConfig(size_px=128)
X0, Y0, X1, Y1 = mask_box(CROP)


def spread_points(seed: int = 0) -> np.ndarray:
    """97 points all over the crop, as a face's would be."""
    return np.random.default_rng(seed).uniform(5, 123, (97, 2)).astype(np.float32)


def picture(place: np.ndarray) -> np.ndarray:
    """A smooth pattern that can be drawn at any places; (..., 2) px to RGB."""
    x, y = place[..., 0], place[..., 1]
    waves = [np.sin(x / 7.0 + y / 11.0), np.cos(x / 9.0), np.sin(y / 8.0 - x / 13.0)]
    return np.clip(128 + 90 * np.stack(waves, axis=-1), 0, 255)


def pixels() -> np.ndarray:
    y, x = np.mgrid[:128, :128].astype(np.float64)
    return np.stack([x, y], axis=-1)


def test_the_wanted_moment_itself_is_drawn_as_it_is() -> None:
    shown = np.random.default_rng(1).integers(0, 256, (128, 128, 3)).astype(np.uint8)
    points = spread_points()
    drawn = MouthWarp(CROP)(shown, points, points)
    assert np.abs(drawn.astype(int) - shown[Y0:Y1, X0:X1]).max() <= 1


def test_moved_turned_and_scaled_heads_are_brought_back_exactly() -> None:
    turn = 1.05 * np.array([[np.cos(0.1), -np.sin(0.1)], [np.sin(0.1), np.cos(0.1)]])
    points = spread_points()
    there = (points @ turn.T + [-6.0, 3.0]).astype(np.float32)
    found = MouthWarp(CROP).displacement(there, points) + pixels()[Y0:Y1, X0:X1]
    expected = pixels()[Y0:Y1, X0:X1] @ turn.T + [-6.0, 3.0]
    assert np.abs(found - expected).max() < 0.02


@pytest.mark.parametrize("size", [128, 384])
def test_a_planted_bend_is_undone(size: int) -> None:
    crop = CropConfig(size_px=size)
    x0, y0, x1, y1 = mask_box(crop)
    bigger = size / 128

    def bend(place: np.ndarray) -> np.ndarray:  # where a point of the wanted picture was shown
        x, y = place[..., 0] / bigger, place[..., 1] / bigger
        bump = np.exp(-(((x - 64) / 30) ** 2) - ((y - 80) / 25) ** 2)
        return place + bigger * np.stack([2 * bump, 5 * bump], axis=-1)

    y, x = np.mgrid[:size, :size].astype(np.float64)
    place = np.stack([x, y], axis=-1)
    # What is shown is the pattern moved by the bend: shown(bend(p)) = wanted(p).
    undone = place
    for _ in range(30):
        undone = place - (bend(undone) - undone)
    shown = np.rint(picture(undone / bigger)).astype(np.uint8)
    wanted = picture(place / bigger)[y0:y1, x0:x1]
    points = bigger * spread_points(3)
    drawn = MouthWarp(crop)(shown, bend(points).astype(np.float32), points)
    before = np.abs(shown[y0:y1, x0:x1] - wanted).mean()
    assert np.abs(drawn - wanted).mean() < 0.15 * before


def test_lips_that_meet_do_not_tear_the_picture() -> None:
    points = spread_points(5)
    closed = points.copy()
    closed[14], closed[18] = [60.0, 80.0], [60.0, 80.0]
    opened = closed.copy()
    opened[14], opened[18] = [60.0, 77.0], [60.0, 84.0]
    for shown, wanted in ((opened, closed), (closed, opened)):
        moved = MouthWarp(CROP).displacement(shown, wanted)
        assert np.isfinite(moved).all()
        assert np.abs(moved).max() < 12


def test_sharpness_survives_a_warp() -> None:
    noise = np.random.default_rng(2).normal(128, 40, (128, 128, 3))
    shown = np.clip(cv2.GaussianBlur(noise, (0, 0), 1.0), 0, 255).astype(np.uint8)
    points = spread_points()
    drawn = MouthWarp(CROP)(shown, points + np.float32([2.5, 1.5]), points)
    energy = [cv2.Laplacian(p, cv2.CV_64F).var() for p in (drawn, shown[Y0:Y1, X0:X1])]
    assert energy[0] > 0.8 * energy[1]


def test_what_the_mouth_does_moves_the_mouth_points_alone() -> None:
    parameters, model = toy_clip(0, "a").parameters, toy_face_model()
    other = replace(parameters, expression=parameters.expression + 1)
    one, two = face_points(parameters, model), face_points(other, model)
    assert np.array_equal(one[:, 39:], two[:, 39:])
    assert not np.allclose(one[:, MOUTH], two[:, MOUTH])
    given = face_points(parameters, model, mouth=two[:, MOUTH])
    assert np.array_equal(given, two)
    assert one[:, WARPED].shape[1] == 58
