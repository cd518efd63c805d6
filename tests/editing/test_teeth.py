import cv2
import numpy as np
import pytest

from talkin.editing.teeth import TeethConfig, TeethDatabase, transfer_teeth
from talkin.samples.alignment import CropConfig

CROP = CropConfig(size_px=384)
CONFIG = TeethConfig()


@pytest.fixture
def open_mouth(toy_model, toy_parameters):
    placed = toy_parameters(
        1,
        scale=CROP.px_per_mm,
        translation=np.array([[191.5, 191.5 - 60 * CROP.px_per_mm]]),
        expression=np.array([[1.5]]),
    )
    return placed.mouth_landmarks(toy_model)[0]


def mouth_picture(blur: float = 0.0, shift: int = 0) -> np.ndarray:
    """Skin with bright teeth parted by dark lines."""
    picture = np.full((384, 384, 3), (180, 140, 120), np.uint8)
    picture[200:260, 130:255] = (200, 195, 185)
    picture[200:260, 130 + shift : 255 : 12] = (90, 70, 70)
    return cv2.GaussianBlur(picture, (0, 0), blur) if blur else picture


def sharpness(picture, points):
    inner = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(inner, [np.rint(points[12:20]).astype(np.int32)], 1)
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return np.abs(cv2.Laplacian(grey, cv2.CV_32F))[inner > 0].mean()


def test_blurred_teeth_get_the_detail_of_the_footage(open_mouth):
    database = TeethDatabase(CROP.px_per_mm, CONFIG)
    assert database.add(mouth_picture(), open_mouth)
    blurred = mouth_picture(blur=3)
    sharp = transfer_teeth(blurred, open_mouth, database)
    assert sharpness(sharp, open_mouth) > 2 * sharpness(blurred, open_mouth)


def test_only_the_inner_mouth_changes(open_mouth):
    database = TeethDatabase(CROP.px_per_mm, CONFIG)
    database.add(mouth_picture(), open_mouth)
    blurred = mouth_picture(blur=3)
    changed = (transfer_teeth(blurred, open_mouth, database) != blurred).any(axis=2)
    inner = np.zeros((384, 384), np.uint8)
    cv2.fillPoly(inner, [np.rint(open_mouth[12:20]).astype(np.int32)], 1)
    assert changed.any()
    assert not changed[cv2.dilate(inner, np.ones((5, 5))) == 0].any()


def test_its_own_detail_is_not_doubled(open_mouth):
    database = TeethDatabase(CROP.px_per_mm, CONFIG)
    database.add(mouth_picture(), open_mouth)
    same = transfer_teeth(mouth_picture(), open_mouth, database)
    assert np.abs(same.astype(int) - mouth_picture()).max() <= 1


def test_the_best_overlapping_mouth_is_found(open_mouth):
    database = TeethDatabase(CROP.px_per_mm, CONFIG)
    narrow = open_mouth.copy()
    centre = narrow[12:20].mean(axis=0)
    narrow[12:20] = centre + (narrow[12:20] - centre) * [0.5, 1.0]
    database.add(mouth_picture(), narrow)
    database.add(mouth_picture(), open_mouth)
    entry, overlap = database.best(open_mouth)
    assert entry == 1
    assert overlap == pytest.approx(1.0)
    assert database.best(narrow)[0] == 0


def test_closed_mouths_are_neither_kept_nor_changed(open_mouth):
    database = TeethDatabase(CROP.px_per_mm, CONFIG)
    closed = open_mouth.copy()
    closed[12:20, 1] = closed[12:20, 1].mean()
    assert not database.add(mouth_picture(), closed)
    assert not database.shows_teeth(closed[None])[0]
    database.add(mouth_picture(), open_mouth)
    assert np.array_equal(transfer_teeth(mouth_picture(), closed, database), mouth_picture())


def test_an_empty_database_changes_nothing(open_mouth):
    database = TeethDatabase(CROP.px_per_mm, CONFIG)
    assert np.array_equal(transfer_teeth(mouth_picture(), open_mouth, database), mouth_picture())


def test_no_more_mouths_than_configured_are_kept(open_mouth):
    database = TeethDatabase(CROP.px_per_mm, TeethConfig(entries=2))
    kept = [database.add(mouth_picture(), open_mouth) for _ in range(4)]
    assert kept == [True, True, False, False]
