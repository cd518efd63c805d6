from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkin.editing.head_motion import head_motion
from talkin.editing.landmark_smoothing import SmoothingConfig, smooth_mouth
from talkin.editing.shots import (
    bridge_short_gaps,
    crop_transforms_of_shots,
    cuts_of,
    shot_numbers,
    starts_of_runs,
)
from talkin.samples.alignment import CropConfig, crop_transforms

CROP = CropConfig(size_px=96)


def test_cuts_are_those_that_tracking_found_each_once_and_in_order():
    assert cuts_of(SimpleNamespace(cuts=(30, 10, 30))) == [10, 30]


def test_tracking_hands_on_the_cuts_it_finds(scene, toy_model):
    from talkin.footage.tracking import track_landmarks

    nothing = SimpleNamespace(
        scheme="ibug68", min_score=0.5, find_faces=lambda image, thorough=False: []
    )
    video = scene.video(lambda t: [], 12, floor_of_frame=lambda t: 20 if t < 7 else 220)
    assert cuts_of(track_landmarks(video, nothing)) == [7]


@given(st.lists(st.integers(1, 30)), st.integers(1, 30))
def test_a_shot_number_counts_the_cuts_up_to_the_frame(cuts, n_frames):
    counted = [len([cut for cut in cuts if cut <= frame]) for frame in range(n_frames)]
    assert shot_numbers(n_frames, cuts).tolist() == counted


def test_the_crop_is_smoothed_within_shots_alone(toy_parameters):
    walk = np.random.default_rng(0).normal(0, 2, (40, 2)).cumsum(axis=0) + 80
    clip = toy_parameters(40, translation=walk)
    whole = crop_transforms_of_shots(clip, CROP, [])
    assert np.array_equal(whole, crop_transforms(clip, CROP))
    parts = crop_transforms_of_shots(clip, CROP, [15])
    first = crop_transforms(clip.select(np.arange(15)), CROP)
    assert np.array_equal(parts[:15], first)
    assert not np.allclose(parts[14:16], whole[14:16])


def test_a_cut_is_no_motion_of_the_head(toy_model, toy_parameters):
    place = np.where(np.arange(20)[:, None] < 10, [40.0, 50.0], [110.0, 50.0])
    clip = toy_parameters(20, translation=place)
    assert head_motion(clip, toy_model).max() > 1
    assert head_motion(clip, toy_model, [10]) == pytest.approx(0.0, abs=1e-4)
    assert len(head_motion(clip, toy_model, [1, 19])) == 20


def test_algorithm_2_holds_nothing_over_a_cut():
    points = np.zeros((4, 39, 2))
    points[2:, :, 0] = 0.5
    config = SmoothingConfig(method="paper")
    starts = np.array([True, False, True, False])
    assert smooth_mouth(points, config)[2, 0, 0] < 0.5
    assert smooth_mouth(points, config, starts)[2, 0, 0] == 0.5


@pytest.mark.parametrize(
    ("flags", "longest", "expected"),
    [
        ("1001", 2, "1111"),
        ("10001", 2, "10001"),
        ("0110", 5, "0110"),
        ("1010010", 1, "1110010"),
        ("", 3, ""),
    ],
)
def test_only_short_gaps_between_frames_are_bridged(flags, longest, expected):
    bridged = bridge_short_gaps(np.array([c == "1" for c in flags], dtype=bool), longest)
    assert "".join("01"[int(flag)] for flag in bridged) == expected


def test_runs_start_where_any_label_changes():
    starts = starts_of_runs(np.array([1, 1, 0, 0, 0]), np.array([0, 0, 0, 1, 1]))
    assert starts.tolist() == [True, False, True, True, False]
    assert starts_of_runs(np.zeros(0)).tolist() == []
