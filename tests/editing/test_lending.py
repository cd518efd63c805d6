"""Who lends a mouth to whom: near, steady, and never across a cut."""

import tracemalloc
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talkin.editing.lending import (
    LendingConfig,
    cross_faded,
    diverse_moments,
    lenders_of,
    steady_choice,
)
from talkin.samples.lent_mouths import mouth_distance


def cost(chosen, unlike, change, starts_anew):
    moves = zip(pairwise(chosen), starts_anew[1:], strict=True)
    changes = [a != b and not anew for (a, b), anew in moves]
    return sum(unlike[t][entry] for t, entry in enumerate(chosen)) + change * sum(changes)


@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(1, 4), st.floats(0, 2))
@settings(max_examples=60, deadline=None)
def test_the_choice_is_as_good_as_the_best_of_all(seed, n_frames, n_entries, change):
    rng = np.random.default_rng(seed)
    unlike = rng.uniform(0, 2, (n_frames, n_entries))
    starts_anew = rng.random(n_frames) < 0.3
    best = min(
        cost(path, unlike, change, starts_anew)
        for path in product(range(n_entries), repeat=n_frames)
    )
    chosen = steady_choice(unlike, change, starts_anew)
    assert cost(chosen.tolist(), unlike, change, starts_anew) == pytest.approx(best)


def test_dear_changes_are_rare_and_free_ones_follow_the_nearest():
    unlike = np.random.default_rng(0).uniform(0, 1, (200, 30))
    still = np.zeros(200, bool)
    assert np.array_equal(steady_choice(unlike, 0.0, still), unlike.argmin(1))
    n_changes = [(np.diff(steady_choice(unlike, c, still)) != 0).sum() for c in (0, 0.3, 1, 99)]
    assert n_changes == sorted(n_changes, reverse=True)
    assert n_changes[-1] == 0


def test_one_of_very_many_entries_is_found_by_its_number():
    unlike = np.ones((2, 40_000), np.float32)
    unlike[:, 39_999] = 0.0
    assert steady_choice(unlike, 1.0, np.zeros(2, bool)).tolist() == [39_999, 39_999]


def test_a_change_is_spread_over_its_neighbours_but_not_across_a_cut():
    chosen = np.array([4, 4, 4, 7, 7, 7])
    whole = cross_faded(chosen, np.zeros(6, bool), 3)
    assert whole.tolist()[2:4] == [[4, 4, 7], [4, 7, 7]]
    assert whole.tolist()[0] == [4, 4, 4]
    cut = cross_faded(chosen, np.array([0, 0, 0, 1, 0, 0], bool), 3)
    assert (cut == chosen[:, None]).all()
    assert cross_faded(chosen, np.zeros(6, bool), 1).tolist() == chosen[:, None].tolist()


def mouths(n, seed=0):
    rng = np.random.default_rng(seed)
    face = rng.uniform(0, 100, (1, 97, 2))
    moved = np.repeat(face, n, axis=0)
    moved[:, :39] += rng.normal(0, 5, (n, 1, 2))
    return moved.astype(np.float32)


def test_few_moments_stand_for_all():
    points = mouths(400)
    valid = np.random.default_rng(1).random(400) < 0.8
    chosen = diverse_moments(points, valid, 40, 1.0)
    assert len(np.unique(chosen)) == 40
    assert valid[chosen].all()
    reach = mouth_distance(points[valid], points[chosen], 1.0).min(1).max()
    evenly = np.flatnonzero(valid)[:: valid.sum() // 40]
    assert reach < 0.7 * mouth_distance(points[valid], points[evenly], 1.0).min(1).max()
    assert diverse_moments(points, valid, 1000, 1.0).tolist() == np.flatnonzero(valid).tolist()


def test_moments_that_are_all_alike_are_still_told_apart():
    assert (
        len(np.unique(diverse_moments(np.repeat(mouths(1), 9, 0), np.ones(9, bool), 4, 1.0))) == 4
    )


def test_wanted_mouths_that_the_footage_shows_are_lent_by_those_moments():
    shown = mouths(50)
    order = np.repeat([7, 30, 12], 20)
    given = lenders_of(shown[order], shown, np.zeros(60, bool), 1.0, LendingConfig(change_mm=0.5))
    assert np.array_equal(given[:, given.shape[1] // 2], order)


def test_choosing_lenders_for_a_long_clip_holds_little_more_than_its_points():
    shown = mouths(200)

    def peak(n_frames):
        wanted, still = np.resize(shown, (n_frames, 97, 2)), np.zeros(n_frames, bool)
        tracemalloc.start()
        lenders_of(wanted, shown, still, 1.0, LendingConfig())
        diverse_moments(wanted, ~still, 20, 1.0)
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    # What is held a frame: 464 bytes to compare it by twice over, no row of 200 distances.
    assert peak(8000) - peak(4000) < 4000 * 1000
