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


def test_log_mel_rows_hold_loudness_and_what_cepstra_are_made_of():
    config = MfccConfig(front_end="log_mel", n_mels=40)
    rows = compute_mfcc(Audio(NOISE, 16000), config)
    assert rows.shape == (101, config.n_columns) == (101, 41)
    np.testing.assert_allclose(rows[:, 0], rows[:, 1:].mean(axis=1), atol=1e-4)
    cepstra = compute_mfcc(Audio(NOISE, 16000), MfccConfig(n_mels=40))
    np.testing.assert_allclose(cepstra[:, 0], rows[:, 0] * np.sqrt(40), rtol=1e-4)


def test_deltas_are_slopes_a_second():
    config = MfccConfig(n_mfcc=13, has_deltas=True)
    rising = NOISE * np.exp(np.linspace(0, 3, len(NOISE))).astype(np.float32)
    rows = compute_mfcc(Audio(rising, 16000), config)
    assert rows.shape == (101, config.n_columns) == (101, 26)
    grown = (rows[90, 0] - rows[10, 0]) / 0.8
    assert rows[10:90, 13].mean() == pytest.approx(grown, rel=0.15)
