import cv2
import numpy as np
import pytest

from talkin.editing.deflicker import (
    Deflicker,
    DeflickerConfig,
    _PointMotion,
    deflicker,
    deflicker_frame_as_printed,
    optical_flow,
    warp,
)

BOX = (16, 16, 80, 80)
SCALE = 384 / 210


def textured(seed=0, size=96):
    noise = np.random.default_rng(seed).normal(0, 40, (size, size, 3))
    return np.clip(128 + cv2.GaussianBlur(noise, (0, 0), 2) * 4, 0, 255).astype(np.uint8)


def eq7_by_hand(rendered, warped, moved_px):
    """Eq. 7 for one channel, frequency by frequency, with explicit Fourier matrices."""
    n, m = rendered.shape
    dft_rows = np.exp(-2j * np.pi * np.outer(np.arange(n), np.arange(n)) / n)
    dft_columns = np.exp(-2j * np.pi * np.outer(np.arange(m), np.arange(m)) / m)
    p, w = (dft_rows @ image @ dft_columns for image in (rendered, warped))
    lam = np.exp(-moved_px)
    solved = np.zeros_like(p)
    for u in range(n):
        for v in range(m):
            fy, fx = min(u, n - u) / n, min(v, m - v) / m
            gradient = 4 * np.pi**2 * (fy**2 + fx**2)
            solved[u, v] = (gradient * p[u, v] + lam * w[u, v]) / (gradient + lam)
    return (dft_rows.conj() @ solved @ dft_columns.conj()).real / (n * m)


@pytest.mark.parametrize("moved_px", [0.0, 0.7, 5.0])
def test_the_reference_equals_equation_7_frequency_by_frequency(moved_px):
    rng = np.random.default_rng(0)
    rendered, warped = rng.normal(100, 30, (2, 9, 12, 3))
    ours = deflicker_frame_as_printed(rendered, warped, moved_px)
    for channel in range(3):
        by_hand = eq7_by_hand(rendered[..., channel], warped[..., channel], moved_px)
        assert ours[..., channel] == pytest.approx(by_hand)


def test_equation_7_returns_the_frame_when_the_frame_before_agrees():
    frame = textured().astype(float)
    assert deflicker_frame_as_printed(frame, frame, 0.0) == pytest.approx(frame)


def test_warping_by_the_flow_undoes_a_shift():
    start = textured()
    end = np.roll(start, 3, axis=1)
    carried = warp(start, optical_flow(start, end))
    middle = np.s_[16:-16, 16:-16]
    before = np.abs(start[middle].astype(int) - end[middle]).mean()
    assert np.abs(carried[middle].astype(int) - end[middle]).mean() < 0.35 * before


def points_at(shift_px=0.0):
    """39 points over the box, moved to the right."""
    x, y = np.meshgrid(np.linspace(20, 76, 13), np.linspace(24, 72, 3))
    return np.column_stack([x.ravel() + shift_px, y.ravel()])


def flickering(frames=20, levels=4.0):
    """A texture that moves with the points; the same, each frame lighter or darker; the points."""
    rng = np.random.default_rng(1)
    truth = [np.roll(textured(), t // 2, axis=1) for t in range(frames)]
    shaken = [
        np.clip(image + rng.normal(0, levels, (1, 1, 3)), 0, 255).astype(np.uint8)
        for image in truth
    ]
    points = [points_at(t // 2) for t in range(frames)]
    return np.stack(truth), np.stack(shaken), np.stack(points)


def flicker_of(clip, truth):
    """Change of the mean colour from frame to frame beyond the truth's own."""
    x0, y0, x1, y1 = BOX
    apart = (clip.astype(float) - truth)[:, y0:y1, x0:x1].mean(axis=(1, 2))
    return np.abs(np.diff(apart, axis=0)).mean()


def test_colour_flicker_falls_by_half_and_nothing_is_lost():
    truth, shaken, points = flickering()
    stable = deflicker(shaken, points, BOX, SCALE)
    assert flicker_of(stable, truth) < 0.5 * flicker_of(shaken, truth)
    box = np.s_[:, BOX[1] : BOX[3], BOX[0] : BOX[2]]
    error = [np.square(clip[box].astype(float) - truth[box]).mean() for clip in (stable, shaken)]
    assert error[0] < 0.6 * error[1]


def test_flicker_is_not_taken_for_motion():
    """A picture that jumps while the points rest is held; Eq. 7's optical flow follows it."""
    rng = np.random.default_rng(2)
    jumping = np.stack([np.roll(textured(), k, axis=1) for k in rng.integers(-1, 2, 20)])
    still = np.repeat(points_at()[None], 20, axis=0)
    box = np.s_[:, BOX[1] : BOX[3], BOX[0] : BOX[2]]
    change = [
        np.abs(np.diff(clip[box].astype(float), axis=0)).mean()
        for clip in (deflicker(jumping, still, BOX, SCALE), jumping)
    ]
    assert change[0] < 0.6 * change[1]


def test_a_clean_clip_stays_nearly_as_it_is():
    truth, _, points = flickering()
    assert np.abs(deflicker(truth, points, BOX, SCALE).astype(int) - truth).mean() < 1.0


def test_neighbours_that_show_something_else_lend_nothing():
    alternating = np.stack([textured(t % 2) for t in range(8)])
    alternating[1::2] = 255 - alternating[1::2] // 2
    still = np.repeat(points_at()[None], 8, axis=0)
    config = DeflickerConfig(reach=1)
    stable = deflicker(alternating, still, BOX, SCALE, config)
    assert np.abs(stable.astype(int) - alternating).mean() < 4


def test_only_the_box_is_touched():
    _, shaken, points = flickering(5)
    stable = deflicker(shaken, points, BOX, SCALE)
    outside = np.ones(shaken.shape[1:3], bool)
    outside[BOX[1] : BOX[3], BOX[0] : BOX[2]] = False
    assert np.array_equal(stable[:, outside], shaken[:, outside])


@pytest.mark.parametrize("frames", [1, 2, 3, 9])
def test_every_frame_comes_out_once_in_order(frames):
    _, shaken, points = flickering(frames)
    assert deflicker(shaken, points, BOX, SCALE).shape == shaken.shape
    step, n_out = Deflicker(BOX, SCALE, DeflickerConfig(reach=2)), []
    for picture, placed in zip(shaken, points, strict=True):
        n_out.append(len(list(step.push(picture, placed))))
    assert n_out == [0, 0, 1, 1, 1, 1, 1, 1, 1][:frames]


def test_a_frame_depends_on_its_neighbours_alone_so_that_an_edit_can_go_on_anywhere():
    _, shaken, points = flickering(12)
    whole = deflicker(shaken, points, BOX, SCALE, DeflickerConfig(reach=2))
    part = deflicker(shaken[4:], points[4:], BOX, SCALE, DeflickerConfig(reach=2))
    assert np.array_equal(part[2:], whole[6:])


def test_after_a_cut_the_frames_before_are_forgotten():
    step = Deflicker(BOX, SCALE, DeflickerConfig())
    given = [*step.push(textured(1), points_at()), *step.flush()]
    given += [*step.push(textured(2), points_at()), *step.flush()]
    assert np.array_equal(np.stack(given), np.stack([textured(1), textured(2)]))


def test_pixels_move_with_the_points_around_them():
    motion, rng = _PointMotion(64, 64, SCALE), np.random.default_rng(0)
    now = points_at() - BOX[:2]
    then = now + rng.normal(0, 2, (39, 2))
    there = motion.places(motion.weights(now), now, then)
    for y, x in ((0, 0), (20, 40), (60, 10)):  # on the grid of 10 px
        weight = 1 / (np.square([x, y] - now).sum(axis=1) + (2.8 * SCALE) ** 2)
        expected = np.array([x, y]) + weight @ (then - now) / weight.sum()
        assert there[y, x] == pytest.approx(expected, abs=1e-3)
    moved = motion.places(motion.weights(now), now, now + np.array([3, -2]))
    y, x = np.indices(moved.shape[:2])
    assert moved == pytest.approx(np.stack([x + 3.0, y - 2.0], axis=-1), abs=1e-3)


def test_detail_finer_than_the_coarse_grid_stays_as_it_was_rendered():
    rng = np.random.default_rng(3)
    dots = [(128 + 40 * rng.choice([-1.0, 1.0], (96, 96, 1))).repeat(3, 2) for _ in range(6)]
    clip = np.stack(dots).astype(np.uint8)
    still = np.repeat(points_at()[None], 6, axis=0)
    stable = deflicker(clip, still, BOX, px_per_mm=2.1)
    box = np.s_[:, BOX[1] + 8 : BOX[3] - 8, BOX[0] + 8 : BOX[2] - 8]
    kept = np.corrcoef(stable[box].ravel(), clip[box].ravel())[0, 1]
    assert kept > 0.9


def test_other_teeth_in_every_frame_stay_sharp_while_their_light_is_calmed():
    scale = 128 / 210
    truth, clip, points = flickering()
    teeth = np.random.default_rng(2).normal(0, 12, truth.shape)
    shown = np.clip(clip + teeth, 0, 255).astype(np.uint8)
    averaged = deflicker(shown, points, BOX, scale)
    calm = deflicker(shown, points, BOX, scale, DeflickerConfig(detail_mm=2.0))
    inside = np.s_[:, 24:72, 24:72]

    def detail(frames):
        coarse = np.stack([cv2.GaussianBlur(frame, (0, 0), 4) for frame in frames.astype(float)])
        return (frames - coarse)[inside].std()

    assert detail(calm) > 0.97 * detail(shown)
    assert detail(averaged) < 0.9 * detail(shown)
    assert flicker_of(calm, truth) < 0.6 * flicker_of(shown, truth)
