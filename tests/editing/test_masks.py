import cv2
import numpy as np
import pytest

from talkin.editing.compositing import CompositingConfig, composite
from talkin.editing.masks import MaskConfig, mouth_mask
from talkin.samples.alignment import CropConfig, mask_box

CROP = CropConfig(size_px=192)
BOX = mask_box(CROP)
CONFIG = MaskConfig()


@pytest.fixture
def mouths(toy_model, toy_parameters):
    """Closed and wide open mouth of the toy face, in the middle of its crop, px."""
    placed = toy_parameters(
        2,
        scale=CROP.px_per_mm,
        translation=np.tile(95.5 - np.array([0.0, 60.0]) * CROP.px_per_mm, (2, 1)),
        expression=np.array([[0.0], [2.0]]),
    )
    return placed.mouth_landmarks(toy_model)


def mask_of(old, new):
    return mouth_mask(old, new, BOX, CROP.size_px, CROP.px_per_mm, CONFIG)


def value_at(mask, points):
    x, y = np.rint(points).astype(int).T
    return mask[y, x]


def test_lips_and_both_jaws_lie_fully_inside(mouths):
    closed, opened = mouths
    for old, new in ((closed, opened), (opened, closed), (closed, closed)):
        mask = mask_of(old, new)
        for points in (old, new):
            assert value_at(mask, points[:20]).min() > 0.99
            assert value_at(mask, points[22:29]).min() > 0.9


def test_the_mask_is_soft_and_nothing_at_the_border_of_the_box(mouths):
    mask = mask_of(*mouths)
    assert mask.min() == 0.0
    assert mask.max() == pytest.approx(1.0, abs=1e-3)
    assert np.abs(np.diff(mask, axis=1)).max() < 0.25
    x0, y0, x1, y1 = BOX
    inside = np.zeros_like(mask, bool)
    inside[y0 + 1 : y1 - 1, x0 + 1 : x1 - 1] = True
    assert not mask[~inside].any()


@pytest.mark.parametrize("opens", [True, False])
@pytest.mark.parametrize("cast", [[0, 0, 0], [9, -6, 4]])
def test_no_trace_of_the_old_jaw_is_left_beside_the_new_one(mouths, opens, cast):
    """The exact truth of an edit, a chin that opens or closes, pasted by mask and blending."""
    old, new = mouths if opens else mouths[::-1]

    def face(points):
        picture = np.full((CROP.size_px, CROP.size_px, 3), (120, 80, 70), np.uint8)  # the neck
        skin = np.concatenate([points[20:31], points[30:31] * [1, 0], points[20:21] * [1, 0]])
        cv2.fillPoly(picture, [np.rint(skin).astype(np.int32)], (205, 160, 140), cv2.LINE_AA)
        cv2.fillPoly(picture, [np.rint(points[:12]).astype(np.int32)], (150, 70, 70), cv2.LINE_AA)
        return picture

    footage, truth = face(old), face(new)
    drawn = np.clip(truth.astype(int) + cast, 0, 255).astype(np.uint8)
    still = np.array([[1.0, 0, 0], [0, 1.0, 0]])
    made = composite(footage, drawn, footage, mask_of(old, new), still, CompositingConfig())
    near_a_jaw = np.zeros(made.shape[:2], np.uint8)
    for points in (old, new):
        line = np.rint(points[23:28]).astype(np.int32)  # the chin, away from the ears
        cv2.polylines(near_a_jaw, [line], False, 1, round(8 * CROP.px_per_mm))
    wrong = np.abs(made.astype(int) - truth).mean(axis=2)[near_a_jaw > 0]
    left_as_it_is = np.abs(footage.astype(int) - truth).mean(axis=2)[near_a_jaw > 0]
    assert left_as_it_is.max() > 60
    assert wrong.max() < 6


def test_old_and_new_mouth_may_be_exchanged(mouths):
    assert np.array_equal(mask_of(*mouths), mask_of(*mouths[::-1]))


def test_eyes_and_nose_bridge_stay_outside(mouths):
    mask = mask_of(*mouths)
    assert not mask[: round(95.5 - 25 * CROP.px_per_mm)].any()


def test_points_far_outside_the_crop_are_no_error(mouths):
    mask = mask_of(mouths[0] + 5000.0, mouths[0] + 5000.0)
    assert mask.shape == (192, 192)
    assert not mask.any()
