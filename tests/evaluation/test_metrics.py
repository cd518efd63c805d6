import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkin.evaluation.metrics import (
    at_paper_size,
    correlation,
    expression_error,
    landmark_distance,
    landmark_distances,
    landmark_error,
    mouth_opening,
)


def test_expression_error_is_the_mean_over_coefficients_and_frames() -> None:
    true = np.zeros((2, 3))
    predicted = np.array([[1.0, -2.0, 0.0], [0.0, 0.0, 3.0]])
    assert expression_error(predicted, true) == pytest.approx(1.0)


def test_landmark_error_is_the_mean_distance_of_three_and_four_make_five() -> None:
    true = np.zeros((4, 39, 2))
    predicted = true.copy()
    predicted[0] += [3.0, 4.0]
    assert landmark_error(predicted, true) == pytest.approx(5.0 / 4)
    np.testing.assert_allclose(landmark_distances(predicted, true), [5.0, 0, 0, 0])


@given(st.integers(0, 2**31), st.floats(0.1, 10))
def test_errors_are_zero_for_the_truth_and_grow_with_the_distance(seed: int, factor: float) -> None:
    rng = np.random.default_rng(seed)
    true, offset = rng.normal(size=(5, 39, 2)), rng.normal(size=(5, 39, 2))
    assert landmark_error(true, true) == 0
    assert landmark_error(true + factor * offset, true) == pytest.approx(
        factor * landmark_error(true + offset, true)
    )


def test_shapes_that_would_broadcast_are_refused() -> None:
    with pytest.raises(ValueError, match="shapes differ"):
        landmark_error(np.zeros((4, 39, 2)), np.zeros((1, 39, 2)))
    with pytest.raises(ValueError, match="shapes differ"):
        expression_error(np.zeros((4, 29)), np.zeros((29,)))


def test_a_small_crop_counts_as_if_it_were_the_papers() -> None:
    assert at_paper_size(1.0, 96) == 4.0


def test_the_opening_is_the_gap_between_the_inner_lips_and_nothing_else() -> None:
    landmarks = np.random.default_rng(0).normal(size=(2, 39, 2))
    landmarks[:, [13, 14, 15]] = [[10, 20], [20, 20], [30, 20]]
    landmarks[:, [19, 18, 17]] = [[10, 23], [20, 26], [30, 29]]
    np.testing.assert_allclose(mouth_opening(landmarks), [6.0, 6.0])
    moved = landmarks + np.array([7.0, -3.0])
    np.testing.assert_allclose(mouth_opening(moved), [6.0, 6.0])


def test_correlation_agrees_with_numpy_and_a_still_mouth_follows_nothing() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=50), rng.normal(size=50)
    assert correlation(a, b) == pytest.approx(np.corrcoef(a, b)[0, 1])
    assert correlation(a, 3 * a + 1) == pytest.approx(1.0)
    assert correlation(a, -a) == pytest.approx(-1.0)
    assert correlation(a, np.full(50, 2.0)) == 0.0


def test_lmd_forgives_a_moved_face_but_no_other_shape() -> None:
    rng = np.random.default_rng(2)
    true = rng.normal(size=(3, 20, 2))
    assert landmark_distance(true + np.array([5.0, -7.0]), true) == pytest.approx(0.0)
    spread = true.copy()
    spread[:, 0] += [0.0, 2.0]  # centre moves by 0.1: that point is 1.9 off, the others 0.1
    assert landmark_distance(spread, true) == pytest.approx((1.9 + 19 * 0.1) / 20)
