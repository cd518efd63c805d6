import itertools
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talkin.editing.frame_selection import (
    SelectionConfig,
    liveliness,
    motion_mismatch,
    play_back_and_forth,
    select_frames,
)
from talkin.errors import FootageError

CONFIG = SelectionConfig()


def cost_of(path, is_speaking, motion, config=CONFIG):
    """The objective of Algorithm 1 for one path, term by term."""
    total = 0.0 if path[0] == 0 else motion[path[0]]
    for i in range(1, len(path)):
        total += motion_mismatch(motion, is_speaking[i], config)[path[i]]
        if path[i] == path[i - 1]:
            total += config.repeat_penalty * motion[path[i]]
    return total


def allowed_paths(n_source, n_target):
    """Every sequence that starts anywhere, steps by 0 or 1 and shows no frame three times."""
    for start in range(n_target):
        for steps in itertools.product((0, 1), repeat=n_source - 1):
            path = start + np.concatenate([[0], np.cumsum(steps)]).astype(int)
            thrice = any(a == b == 0 for a, b in itertools.pairwise(steps))
            if path[-1] < n_target and not thrice:
                yield path


@given(st.data(), st.integers(1, 7), st.integers(1, 7))
@settings(max_examples=80, deadline=None)
def test_the_dynamic_programme_finds_the_cheapest_path_of_all(data, n_source, n_target):
    values = st.floats(0, 2).map(lambda value: round(value, 3))
    motion = np.array(data.draw(st.lists(values, min_size=n_target, max_size=n_target)))
    flags = st.lists(st.booleans(), min_size=n_source, max_size=n_source)
    is_speaking = np.array(data.draw(flags))
    costs = [cost_of(path, is_speaking, motion) for path in allowed_paths(n_source, n_target)]
    if not costs:
        with pytest.raises(FootageError):
            select_frames(is_speaking, motion, CONFIG)
        return
    selected = select_frames(is_speaking, motion, CONFIG)
    assert cost_of(selected, is_speaking, motion) == pytest.approx(min(costs), abs=1e-9)


@given(st.integers(0, 10_000), st.integers(1, 200), st.integers(1, 300))
@settings(max_examples=40, deadline=None)
def test_time_never_runs_back_or_skips_and_no_frame_shows_three_times(seed, n_source, n_target):
    rng = np.random.default_rng(seed)
    n_source = min(n_source, 2 * n_target)
    selected = select_frames(rng.random(n_source) < 0.5, rng.random(n_target), CONFIG)
    assert len(selected) == n_source
    assert set(np.diff(selected)) <= {0, 1}
    assert selected[0] >= 0
    assert selected[-1] < n_target
    assert np.bincount(selected).max() <= 2


def test_speech_goes_to_lively_footage_and_silence_to_calm_footage():
    motion = np.concatenate([np.ones(40), np.zeros(40), np.ones(40)])
    is_speaking = np.concatenate([np.zeros(30, bool), np.ones(30, bool)])
    selected = select_frames(is_speaking, motion, CONFIG)
    assert motion[selected[:30]].mean() < 0.1
    assert motion[selected[30:]].mean() > 0.9


def test_footage_of_half_the_length_just_suffices():
    selected = select_frames(np.zeros(8, bool), np.linspace(0, 1, 4), CONFIG)
    assert selected.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_too_short_footage_is_explained_with_the_way_out():
    with pytest.raises(FootageError, match=r"too short by 2 frames.*back and forth"):
        select_frames(np.zeros(10, bool), np.zeros(4), CONFIG)


def test_frames_without_a_face_are_avoided():
    has_face = np.ones(60, bool)
    has_face[20:40] = False
    motion = np.where(has_face, 1.0, 0.0)
    selected = select_frames(np.zeros(15, bool), motion, CONFIG, has_face)
    assert has_face[selected].all()


def test_two_minutes_over_fifteen_take_under_two_seconds_and_300_megabytes():
    rng = np.random.default_rng(0)
    is_speaking, motion = rng.random(3000) < 0.7, rng.random(22500)
    tracemalloc.start()
    start = time.process_time()
    select_frames(is_speaking, motion, CONFIG)
    seconds, peak = time.process_time() - start, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seconds < 2.0
    assert peak < 50e6


def test_a_blink_counts_as_motion():
    lively = liveliness(np.array([0.0, 1.0, 0.0]), np.array([False, False, True]), CONFIG)
    assert lively.tolist() == [0.0, 1.0, CONFIG.blink_weight]


def test_motion_costs_in_silence_and_stillness_in_speech():
    motion = np.array([0.0, 1.0])
    silent = motion_mismatch(motion, False, CONFIG)
    speaking = motion_mismatch(motion, True, CONFIG)
    assert silent[1] > silent[0]
    assert speaking[0] > speaking[1]


@given(st.integers(1, 30), st.integers(0, 200))
def test_back_and_forth_play_moves_by_one_frame_at_a_time(n_target, n_source):
    order = play_back_and_forth(n_target, n_source)
    assert len(order) == n_source
    assert ((order >= 0) & (order < n_target)).all()
    if n_target > 1:
        assert (np.abs(np.diff(order)) == 1).all()


def test_no_sound_selects_nothing_and_no_footage_is_an_error():
    assert select_frames(np.zeros(0, bool), np.zeros(3), CONFIG).shape == (0,)
    with pytest.raises(FootageError, match="no frames"):
        play_back_and_forth(0, 5)
