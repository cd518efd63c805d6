import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talkin.editing.landmark_smoothing import (
    SmoothingConfig,
    mouth_centre,
    smooth_mouth,
    smooth_without_lag,
)

HALF_PER_PX = SmoothingConfig(still_threshold_px=5.0, strength_per_px=math.log(2.0))


def shifted(*x: float) -> np.ndarray:
    clip = np.zeros((len(x), 39, 2))
    clip[..., 0] = np.array(x)[:, None]
    return clip


def transcribed(landmarks, threshold, strength):
    """Algorithm 2 line by line."""
    result = [landmarks[0]]
    for t in range(1, len(landmarks)):
        l_before, l_now = result[-1], landmarks[t]
        c_now = (l_now[0] + l_now[3] + l_now[6] + l_now[9]) / 4
        c_before = (l_before[0] + l_before[3] + l_before[6] + l_before[9]) / 4
        distance = math.hypot(*(c_now - c_before))
        if distance > threshold:
            result.append(l_now)
        else:
            alpha = math.exp(-strength * distance)
            result.append(alpha * l_before + (1 - alpha) * l_now)
    return np.stack(result)


def test_a_slow_step_lands_halfway_at_one_pixel():
    assert smooth_mouth(shifted(0.0, 1.0), HALF_PER_PX)[1, 0, 0] == pytest.approx(0.5)


def test_a_fast_step_is_let_through():
    assert smooth_mouth(shifted(0.0, 6.0), HALF_PER_PX)[1, 0, 0] == 6.0


@given(st.integers(0, 1000), st.floats(0, 5), st.floats(0, 3))
@settings(max_examples=30)
def test_smoothing_equals_the_transcription_of_algorithm_2(seed, threshold, strength):
    walk = np.random.default_rng(seed).normal(0, 1, (15, 39, 2)).cumsum(axis=0)
    config = SmoothingConfig(still_threshold_px=threshold, strength_per_px=strength)
    assert smooth_mouth(walk, config) == pytest.approx(transcribed(walk, threshold, strength))


def test_the_mouth_centre_is_the_mean_of_left_top_right_and_bottom():
    points = np.zeros((39, 2))
    points[[0, 3, 6, 9]] = [[-4, 1], [0, -2], [4, 1], [0, 4]]
    assert mouth_centre(points).tolist() == [0.0, 1.0]


def speaking_mouth(seed=0, jitter=0.7, frames=250):
    """A mouth that rests, then opens and closes fast; true and jittered."""
    rng = np.random.default_rng(seed)
    t = np.arange(frames) / 25
    opening = 12 * np.clip(np.sin(2 * np.pi * 3 * t), 0, None) * (t > frames / 50)
    shape = rng.normal(0, 1, (39, 1))
    shape[[0, 3, 6, 9], 0] = [0, -0.3, 0, 1.0]
    true = np.zeros((frames, 39, 2))
    true[..., 1] = opening[:, None] * shape[:, 0]
    common = rng.normal(0, jitter, (frames, 1, 2)) * 0.5
    return true, true + common + rng.normal(0, jitter, true.shape) * 0.8


def error(points, true):
    return np.sqrt(np.mean(np.sum((points - true) ** 2, axis=-1)))


def test_the_way_without_lag_beats_algorithm_2_on_a_jittering_speaking_mouth():
    true, shaken = speaking_mouth()
    config = SmoothingConfig()
    ours = smooth_without_lag(shaken, shaken, 25.0, config)
    printed = smooth_mouth(shaken, config)
    rest, speech = slice(0, 120), slice(130, 250)
    assert error(ours[rest], true[rest]) < 0.6 * error(shaken[rest], true[rest])
    assert error(ours[speech], true[speech]) <= error(shaken[speech], true[speech])
    assert error(ours, true) < error(printed, true)


def test_the_way_without_lag_leaves_a_lone_fast_frame_alone():
    clip = shifted(*([0.0] * 10 + [20.0] + [0.0] * 10))
    assert smooth_without_lag(clip, clip, 25.0, SmoothingConfig())[10, 0, 0] == pytest.approx(20.0)


def test_the_way_without_lag_is_the_same_backwards():
    clip = np.random.default_rng(0).normal(0, 1, (30, 39, 2))
    config = SmoothingConfig()
    forth = smooth_without_lag(clip, clip, 25.0, config)
    back = smooth_without_lag(clip[::-1], clip[::-1], 25.0, config)[::-1]
    assert forth == pytest.approx(back)


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_short_clips_can_be_smoothed(frames):
    clip = shifted(*range(frames))
    assert smooth_without_lag(clip, clip, 25.0, SmoothingConfig()).shape == clip.shape
    assert smooth_mouth(clip, SmoothingConfig()).shape == clip.shape
