import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talkin.errors import ConfigurationError
from talkin.footage.audio import Audio
from talkin.footage.mfcc import MfccConfig, compute_mfcc

NOISE = np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32)


@settings(max_examples=20, deadline=None)
@given(hops=st.integers(1, 60), gain=st.floats(0.1, 3))
def test_delaying_the_sound_by_hops_moves_the_rows_by_as_many(hops, gain):
    delayed = np.concatenate([np.zeros(hops * 160, np.float32), NOISE * np.float32(gain)])
    rows = compute_mfcc(Audio(NOISE * np.float32(gain), 16000))
    moved = compute_mfcc(Audio(delayed, 16000))
    np.testing.assert_allclose(moved[hops + 2 :], rows[2:], atol=1e-3)


@pytest.mark.parametrize("row", [5, 37, 80])
def test_a_row_is_centred_on_its_own_time(row):
    samples = np.zeros(16000, np.float32)
    samples[row * 160] = 1.0  # a click
    loudness = compute_mfcc(Audio(samples, 16000))[:, 0]
    assert np.argmax(loudness) == row
    np.testing.assert_allclose(loudness[row - 1], loudness[row + 1], rtol=0.05)


def test_a_second_is_a_hundred_rows_and_one():
    config = MfccConfig(n_mfcc=13)
    rows = compute_mfcc(Audio(NOISE, 16000), config)
    assert rows.shape == (101, 13)
    assert rows.dtype == np.float32
    assert config.rows_per_second == pytest.approx(100)


def test_a_loud_moment_elsewhere_changes_nothing_here():
    loud = NOISE.copy()
    loud[12000:] *= 50
    before = compute_mfcc(Audio(NOISE, 16000))
    np.testing.assert_allclose(compute_mfcc(Audio(loud, 16000))[:70], before[:70], atol=1e-4)


def test_silence_is_finite_and_constant():
    rows = compute_mfcc(Audio(np.zeros(8000, np.float32), 16000))
    assert np.isfinite(rows).all()
    assert np.ptp(rows, axis=0).max() == 0


def test_another_sample_rate_is_refused_with_its_key():
    with pytest.raises(ConfigurationError, match=r"mfcc\.sample_rate"):
        compute_mfcc(Audio(NOISE, 44100))
