import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talkin.evaluation.blur import cpbd, edge_widths, frame_cpbd


def picture(seed: int = 0) -> np.ndarray:
    """Rectangles of plain greys: every edge is a step."""
    rng = np.random.default_rng(seed)
    drawn = np.full((192, 192, 3), 90, np.uint8)
    for _ in range(30):
        x, y = rng.integers(0, 160, 2)
        grey = int(rng.integers(0, 255))
        cv2.rectangle(drawn, (int(x), int(y)), (int(x) + 30, int(y) + 30), (grey,) * 3, -1)
    return drawn


def widths_by_walking(row: np.ndarray) -> list[int]:
    """The slow reference: from each pixel walk both ways while the greys go on changing."""
    found = []
    for x in range(len(row)):
        best = 0
        for sign in (1, -1):
            left = right = x
            while left > 0 and sign * (int(row[left]) - int(row[left - 1])) > 0:
                left -= 1
            while right < len(row) - 1 and sign * (int(row[right + 1]) - int(row[right])) > 0:
                right += 1
            best = max(best, right - left)
        found.append(best)
    return found


@pytest.mark.parametrize("width", [1, 3, 4, 9])
def test_a_ramp_of_known_width_is_measured_and_judged_by_it(width: int) -> None:
    levels = np.interp(np.arange(64), [32, 32 + width], [20, 220]).round().astype(np.uint8)
    luma = np.tile(levels, (64, 1))
    assert edge_widths(luma, np.ones(luma.shape, bool)).max() == width
    assert frame_cpbd(luma) == (1.0 if width <= 3 else 0.0)


@given(st.integers(0, 2**31))
@settings(max_examples=20, deadline=None)
def test_widths_agree_with_walking_along_the_row(seed: int) -> None:
    luma = np.random.default_rng(seed).integers(0, 9, (3, 24)).astype(np.uint8)
    found = edge_widths(luma, np.ones(luma.shape, bool))
    np.testing.assert_array_equal(found, [widths_by_walking(row) for row in luma])


def test_blurring_lowers_it_step_by_step_and_a_plain_picture_has_none() -> None:
    sharp = picture()
    blurred = [cv2.GaussianBlur(sharp, (0, 0), sigma) for sigma in (0.6, 1.2, 2.5)]
    values = [cpbd(frame[None]) for frame in (sharp, *blurred)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 0.9
    assert values[-1] < 0.2
    assert np.isnan(cpbd(np.full((2, 64, 64, 3), 128, np.uint8)))
