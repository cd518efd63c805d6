import cv2
import numpy as np
import pytest

from talkin.editing.deflicker import (
    Deflicker,
    DeflickerConfig,
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


def flickering(frames=20, levels=4.0):
    rng = np.random.default_rng(1)
    truth = [np.roll(textured(), t // 2, axis=1) for t in range(frames)]
    shaken = [
        np.clip(image + rng.normal(0, levels, (1, 1, 3)), 0, 255).astype(np.uint8)
        for image in truth
    ]
    return np.stack(truth), np.stack(shaken)


def flicker_of(clip, truth):
    """Change of the mean colour from frame to frame beyond the truth's own."""
    x0, y0, x1, y1 = BOX
    apart = (clip.astype(float) - truth)[:, y0:y1, x0:x1].mean(axis=(1, 2))
    return np.abs(np.diff(apart, axis=0)).mean()


def test_colour_flicker_falls_by_half_and_nothing_is_lost():
    truth, shaken = flickering()
    stable = deflicker(shaken, BOX, SCALE)
    assert flicker_of(stable, truth) < 0.5 * flicker_of(shaken, truth)
    box = np.s_[:, BOX[1] : BOX[3], BOX[0] : BOX[2]]
    error = [np.square(clip[box].astype(float) - truth[box]).mean() for clip in (stable, shaken)]
    assert error[0] < error[1]


def test_a_clean_clip_stays_nearly_as_it_is():
    truth, _ = flickering()
    assert np.abs(deflicker(truth, BOX, SCALE).astype(int) - truth).mean() < 1.0


def test_only_the_box_is_touched():
    _, shaken = flickering(5)
    stable = deflicker(shaken, BOX, SCALE)
    outside = np.ones(shaken.shape[1:3], bool)
    outside[BOX[1] : BOX[3], BOX[0] : BOX[2]] = False
    assert np.array_equal(stable[:, outside], shaken[:, outside])


def test_after_a_cut_the_frame_before_is_forgotten():
    step = Deflicker(BOX, SCALE, DeflickerConfig())
    step(textured(1))
    step.forget()
    assert np.array_equal(step(textured(2)), textured(2))
