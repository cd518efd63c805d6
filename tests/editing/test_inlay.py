"""A lent mouth is set into the frame's own face, which follows it."""

import cv2
import numpy as np
import pytest

from talkin.editing.inlay import Inlay, InlayConfig
from talkin.samples.alignment import CropConfig, crop_transforms
from talkin.samples.mouth_warp import MOUTH, MouthWarp, face_points

CROP = CropConfig(size_px=192)
WARP = MouthWarp(CROP)
X0, Y0, X1, Y1 = WARP.box
INLAY = Inlay(WARP, CROP, InlayConfig())


def textured(seed, low=60):
    noise = np.random.default_rng(seed).uniform(0, 120, (192, 192, 3)).astype(np.float32)
    return (low + cv2.GaussianBlur(noise, (0, 0), 2.0)).astype(np.uint8)


@pytest.fixture
def at_rest(toy_model, toy_parameters):
    """`face_points` of the resting toy face, crop px."""
    face = toy_parameters(3)
    placed = face.in_crop(crop_transforms(face, CROP))
    return face_points(placed, toy_model)[0].astype(np.float64)


@pytest.fixture
def opened(at_rest):
    """The same with a chin that is 6 mm lower."""
    moved = at_rest.copy()
    low = moved[MOUTH, 1] > np.median(moved[:20, 1])
    moved[MOUTH][low] += (0.0, 6 * CROP.px_per_mm)
    return moved


def away_from(points):
    """Distance from the hull of points in the mask's square, mm."""
    filled = np.zeros((192, 192), np.uint8)
    cv2.fillConvexPoly(filled, cv2.convexHull(np.rint(points).astype(np.int32)), 255)
    away = cv2.distanceTransform(255 - filled, cv2.DIST_L2, 5)
    return away[Y0:Y1, X0:X1] / CROP.px_per_mm


def test_an_unmoved_face_keeps_its_pixels_but_about_the_lips(at_rest):
    frame, other = textured(0), textured(1)[Y0:Y1, X0:X1]
    drawn = INLAY(frame, other, at_rest, at_rest)
    own = frame[Y0:Y1, X0:X1]
    past = away_from(at_rest[:12]) > 12
    assert np.abs(drawn[past].astype(int) - own[past]).max() <= 1
    lips = away_from(at_rest[:12]) <= 1
    # Shown is the other moment, in the colours of this one's surroundings.
    fine = [p[lips].astype(float) - p[lips].mean(axis=0) for p in (drawn, other)]
    assert np.corrcoef(fine[0].ravel(), fine[1].ravel())[0, 1] > 0.9


def test_what_lies_past_the_jaw_stays_where_it_was_filmed_when_the_chin_drops(at_rest, opened):
    frame = textured(0)
    drawn = INLAY(frame, frame[Y0:Y1, X0:X1], at_rest, opened)
    far = away_from(opened[MOUTH]) > 13
    assert far.sum() > 100
    assert np.abs(drawn[far].astype(int) - frame[Y0:Y1, X0:X1][far]).max() <= 1


def test_the_chin_follows_the_new_mouth(at_rest, opened):
    frame = np.full((192, 192, 3), 100, np.uint8)
    chin = at_rest[MOUTH][25]
    cv2.circle(frame, tuple(int(v) for v in np.rint(chin)), 4, (220, 220, 220), -1)
    drawn = INLAY(frame, np.full((Y1 - Y0, X1 - X0, 3), 100, np.uint8), at_rest, opened)
    rows, columns = np.nonzero(drawn[..., 0] > 160)
    there = np.array([columns.mean() + X0, rows.mean() + Y0])
    assert np.linalg.norm(there - opened[MOUTH][25]) < 2.5
    assert np.linalg.norm(there - chin) > 4


def test_another_moments_light_does_not_show(at_rest):
    frame = textured(0)
    lighter = np.clip(frame.astype(int) + 40, 0, 255).astype(np.uint8)[Y0:Y1, X0:X1]
    drawn = INLAY(frame, lighter, at_rest, at_rest).astype(int)
    assert np.abs(drawn - frame[Y0:Y1, X0:X1]).max() <= 4
