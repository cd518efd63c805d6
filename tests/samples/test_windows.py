import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkin.errors import ConfigurationError
from talkin.samples.windows import WindowConfig, audio_windows, window_starts


def counted_rows(n: int) -> np.ndarray:
    """MFCC whose coefficient 1 is the row's number and whose row 3 is the quietest."""
    mfcc = np.stack([np.full(n, 5.0), np.arange(n)], axis=1)
    mfcc[3, 0] = -9.0
    return mfcc


def test_the_frames_own_row_stands_eighty_rows_into_its_window() -> None:
    windows = audio_windows(counted_rows(300), [1.0, 1.04], WindowConfig())
    assert windows.shape == (2, 100, 2)
    assert windows[0, 80, 1] == 100
    assert windows[1, 80, 1] == 104
    np.testing.assert_array_equal(windows[0, :, 1], np.arange(20, 120))


def test_what_lies_outside_of_the_sound_is_the_clips_quietest_row() -> None:
    mfcc = counted_rows(50)
    window = audio_windows(mfcc, [0.1], WindowConfig())[0]
    np.testing.assert_array_equal(window[:70], np.tile(mfcc[3], (70, 1)))
    np.testing.assert_array_equal(window[70:, 1], np.arange(30))


def test_a_frame_after_the_end_of_the_sound_hears_silence() -> None:
    mfcc = counted_rows(10)
    window = audio_windows(mfcc, [30.0], WindowConfig())[0]
    np.testing.assert_array_equal(window, np.tile(mfcc[3], (100, 1)))


def test_sound_without_rows_is_refused_in_plain_words() -> None:
    with pytest.raises(ConfigurationError, match="sound empty"):
        audio_windows(np.zeros((0, 4)), [0.0], WindowConfig())


@given(
    n_rows=st.integers(1, 200),
    times=st.lists(st.floats(-1.0, 3.0), min_size=1, max_size=5),
    before=st.sampled_from([0.0, 0.3, 0.8]),
    after=st.sampled_from([0.05, 0.2]),
)
def test_windows_agree_with_reading_row_by_row(
    n_rows: int, times: list[float], before: float, after: float
) -> None:
    config = WindowConfig(before_s=before, after_s=after)
    mfcc = np.random.default_rng(n_rows).normal(size=(n_rows, 3))
    quiet = mfcc[mfcc[:, 0].argmin()]
    found = audio_windows(mfcc, times, config)
    for window, start in zip(found, window_starts(times, config), strict=True):
        for place, row in enumerate(window):
            at = start + place
            np.testing.assert_array_equal(row, mfcc[at] if 0 <= at < n_rows else quiet)
