import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import lil_matrix
from scipy.sparse.linalg import spsolve

from talkin.editing.compositing import CompositingConfig, composite, poisson_blend
from talkin.samples.alignment import crop_frame, invert_transforms, transform_points

CONFIG = CompositingConfig()
SIZE = 96


def similarity(scale=0.9, turn=0.1, shift=(5.0, -8.0)):
    cos, sin = scale * np.cos(turn), scale * np.sin(turn)
    return np.array([[cos, -sin, shift[0]], [sin, cos, shift[1]]])


def disc(radius=26.0, soft=4.0):
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    return np.clip((radius - np.hypot(x, y)) / soft, 0, 1).astype(np.float32)


def exact_blend(rendered, target, region):
    """Poisson blending by a direct sparse solve of one channel."""
    number = -np.ones(region.shape, int)
    number[region] = np.arange(region.sum())
    matrix, right = lil_matrix((region.sum(), region.sum())), np.zeros(region.sum())
    for y, x in zip(*np.nonzero(region), strict=True):
        row = number[y, x]
        matrix[row, row] = 4
        for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0)):
            right[row] += rendered[y, x] - rendered[y + dy, x + dx]
            if region[y + dy, x + dx]:
                matrix[row, number[y + dy, x + dx]] = -1
            else:
                right[row] += target[y + dy, x + dx]
    result = target.copy()
    result[region] = spsolve(matrix.tocsr(), right)
    return result


def test_blending_agrees_with_a_direct_solve_of_the_poisson_equation():
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    rendered = 80 + 20 * np.cos(x / 9) + 10 * np.sin(y / 7)
    target = rendered - 40 + 6 * np.sin(x / 30) + 0.1 * y  # the same things, other colours
    offset = rendered + 0.05 * x
    region = disc() > 0
    ours = poisson_blend(*(np.repeat(p[..., None], 3, 2) for p in (offset, target)), region)
    exact = exact_blend(offset, target, region)
    inner = disc(radius=20) > 0
    assert np.abs(ours[..., 0] - exact)[inner].mean() < 1.5
    assert np.abs(ours[..., 0] - exact)[inner].max() < 5.0


def test_a_constant_colour_offset_vanishes():
    target = np.full((SIZE, SIZE, 3), 90.0, np.float32)
    blended = poisson_blend(target + 50, target, disc() > 0)
    assert np.abs(blended - target).max() < 0.5


def test_what_moved_on_the_border_does_not_stain_the_mouth():
    """A chin that lay lower in the footage crosses the border; the two agree elsewhere."""
    region = disc() > 0
    rendered = np.full((SIZE, SIZE, 3), 90.0, np.float32)
    target = rendered + np.array([6, -4, 2])
    target[60:, 30:66] -= 70
    blended = poisson_blend(rendered.astype(np.float32), target.astype(np.float32), region)
    middle = disc(radius=18) > 0
    assert np.abs(blended - [96, 86, 92])[middle].max() < 4.0  # 47 if all of the border counts


@given(st.floats(0.3, 2.5), st.floats(-0.6, 0.6), st.tuples(st.floats(-60, 60), st.floats(-60, 60)))
@settings(max_examples=25, deadline=None)
def test_pixels_outside_the_mask_are_bit_identical(scale, turn, shift):
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 256, (144, 160, 3), dtype=np.uint8)
    transform = similarity(scale, turn, shift)
    crop = crop_frame(frame, transform, SIZE)
    rendered = rng.integers(0, 256, crop.shape, dtype=np.uint8)
    result = composite(frame, rendered, crop, disc(), transform, CONFIG)
    y, x = np.mgrid[:144, :160]
    there = transform_points(transform, np.stack([x, y], -1).reshape(-1, 2).astype(float))
    radius = np.hypot(*(there - (SIZE - 1) / 2).T).reshape(144, 160)
    untouched = radius > 26 + 1.5 + 3 * max(1.0, scale)
    assert np.array_equal(result[untouched], frame[untouched])


@pytest.mark.parametrize("scale", [0.4, 0.9, 1.7])
def test_pasting_the_truth_changes_nothing(scale, textured_frame):
    frame = textured_frame()
    transform = similarity(scale, 0.2, (10, -20))
    crop = crop_frame(frame, transform, SIZE)
    result = composite(frame, crop, crop, disc(), transform, CONFIG)
    assert np.abs(result.astype(int) - frame).max() <= 1


def test_a_painted_spot_appears_in_the_frame_where_the_transform_says(textured_frame):
    frame = np.full_like(textured_frame(), 100)
    transform = similarity(0.8, 0.3, (12, -9))
    crop = crop_frame(frame, transform, SIZE)
    rendered = crop.copy()
    rendered[40:47, 50:57] = 220
    result = composite(frame, rendered, crop, disc(), transform, CONFIG)
    y, x = np.mgrid[: frame.shape[0], : frame.shape[1]]
    bright = np.clip(result[..., 0].astype(float) - 110, 0, None)
    centroid = np.array([(bright * x).sum(), (bright * y).sum()]) / bright.sum()
    expected = transform_points(invert_transforms(transform), np.array([[53.0, 43.0]]))[0]
    assert centroid == pytest.approx(expected, abs=0.3)


def test_detail_finer_than_the_crop_stays_where_the_mouth_did_not_change():
    rng = np.random.default_rng(1)
    frame = np.clip(rng.normal(128, 25, (400, 400, 3)), 0, 255).astype(np.uint8)
    transform = similarity(0.24, 0.0, (0, 0))
    crop = crop_frame(frame, transform, SIZE)
    kept = composite(frame, crop, crop, disc(), transform, CONFIG)
    bare = CompositingConfig(keep_detail_levels=0)
    lost = composite(frame, crop, crop, disc(), transform, bare)
    middle = np.s_[180:220, 180:220]
    assert kept[middle].std() > 3 * lost[middle].std()


def test_an_empty_mask_and_a_crop_off_the_frame_return_the_frame(textured_frame):
    frame = textured_frame()
    crop = np.zeros((SIZE, SIZE, 3), np.uint8)
    empty = np.zeros((SIZE, SIZE), np.float32)
    assert np.array_equal(composite(frame, crop, crop, empty, similarity(), CONFIG), frame)
    away = similarity(1.0, 0.0, (5000, 5000))
    assert np.array_equal(composite(frame, crop, crop, disc(), away, CONFIG), frame)
