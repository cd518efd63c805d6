import numpy as np
import pytest

from talkin.editing.speech_activity import SpeechActivityConfig, is_speech, loudness_dbfs
from talkin.footage.audio import Audio

RATE = 16000
CONFIG = SpeechActivityConfig()


def bursts(*spans, length_s=4.0, noise=1e-4):
    rng = np.random.default_rng(0)
    samples = rng.normal(0, noise, int(length_s * RATE))
    for start, stop in spans:
        inside = slice(int(start * RATE), int(stop * RATE))
        samples[inside] += 0.1 * np.sin(np.arange(int(stop * RATE) - int(start * RATE)) * 0.1)
    return Audio(samples.astype(np.float32), RATE)


TIMES = np.arange(100) / 25


def test_speech_is_found_where_it_was_put():
    flags = is_speech(bursts((1.0, 2.0)), TIMES, CONFIG)
    expected = (TIMES >= 1.0) & (TIMES <= 2.0)
    assert np.mean(flags == expected) > 0.97


def test_short_pauses_are_closed_and_long_ones_are_not():
    flags = is_speech(bursts((0.5, 1.0), (1.15, 2.0), (3.0, 3.5)), TIMES, CONFIG)
    assert flags[(TIMES > 0.55) & (TIMES < 1.95)].all()
    assert not flags[(TIMES > 2.1) & (TIMES < 2.9)].any()


def test_dilation_then_erosion_moves_no_outer_edge():
    plain = SpeechActivityConfig(closing_s=0.0)
    sound = bursts((1.0, 2.0))
    assert np.array_equal(is_speech(sound, TIMES, CONFIG), is_speech(sound, TIMES, plain))


@pytest.mark.parametrize("noise", [0.0, 1e-4])
def test_silence_is_silent_throughout(noise):
    assert not is_speech(bursts(noise=noise), TIMES, CONFIG).any()


def test_a_pause_over_audible_room_noise_is_a_pause():
    flags = is_speech(bursts((0.0, 1.5), (2.5, 4.0), noise=0.005), TIMES, CONFIG)
    assert not flags[(TIMES > 1.6) & (TIMES < 2.4)].any()


def test_the_decision_does_not_depend_on_the_gain():
    loud = bursts((1.0, 2.0), noise=1e-3)
    quiet = Audio(loud.samples * 0.1, RATE)
    assert np.array_equal(is_speech(loud, TIMES, CONFIG), is_speech(quiet, TIMES, CONFIG))


def test_loudness_of_a_sine_is_three_decibels_below_its_peak():
    sine = Audio(np.sin(np.arange(RATE) * 0.2).astype(np.float32), RATE)
    assert loudness_dbfs(sine, np.array([0.5]), 0.1) == pytest.approx(-3.01, abs=0.1)


def test_times_beyond_the_sound_are_silent():
    flags = is_speech(bursts((0, 4)), np.arange(200) / 25, CONFIG)
    assert not flags[101:].any()


def test_loudness_of_a_long_sound_is_that_of_its_parts(monkeypatch):
    sound = bursts((0.3, 1.5), (2.0, 3.1), noise=1e-3)
    whole = loudness_dbfs(sound, TIMES, 0.05)
    monkeypatch.setattr("talkin.editing.speech_activity._TIMES_AT_ONCE", 7)
    assert loudness_dbfs(sound, TIMES, 0.05) == pytest.approx(whole)
    by_hand = np.mean(np.square(sound.samples[round(0.975 * RATE) : round(1.025 * RATE)]))
    assert whole[25] == pytest.approx(10 * np.log10(by_hand), abs=1e-3)
