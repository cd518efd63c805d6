import numpy as np
import pytest

from talkin.errors import ConfigurationError
from talkin.evaluation.lip_sync import LipSyncConfig, measure_lip_sync
from talkin.footage.audio import Audio

FPS, RATE = 25.0, 16000


def speech(seed: int = 0, seconds: float = 4.0) -> tuple[np.ndarray, np.ndarray, Audio]:
    """An opening, its times, and noise as loud as the mouth is open."""
    rng = np.random.default_rng(seed)
    times = np.arange(0, seconds, 1 / FPS)
    knots = np.arange(0, seconds + 1, 0.12)
    amounts = rng.uniform(0, 1, len(knots)) ** 2
    opening = np.interp(times, knots, amounts)
    fine = np.arange(int(seconds * RATE)) / RATE
    samples = rng.normal(0, 0.2, len(fine)) * np.interp(fine, knots, amounts)
    return opening, times, Audio(samples.astype(np.float32), RATE)


@pytest.mark.parametrize("late_s", [0.0, 0.12, -0.2])
def test_a_planted_offset_is_found(late_s: float) -> None:
    opening, times, audio = speech()
    moved = np.roll(audio.samples, round(late_s * RATE))
    found = measure_lip_sync(opening, times, Audio(moved, RATE))
    assert found.offset_s == pytest.approx(late_s, abs=0.021)
    assert found.confidence > 0.3


def test_another_persons_speech_is_followed_less() -> None:
    opening, times, own = speech(0)
    right = measure_lip_sync(opening, times, own)
    wrong = [measure_lip_sync(opening, times, speech(seed)[2]) for seed in (1, 2, 3)]
    assert right.correlation > max(other.correlation for other in wrong) + 0.2


def test_a_still_mouth_and_silence_have_no_offset() -> None:
    opening, times, audio = speech()
    still = measure_lip_sync(np.zeros_like(opening), times, audio)
    silent = measure_lip_sync(opening, times, Audio(np.zeros(4 * RATE, np.float32), RATE))
    for found in (still, silent):
        assert np.isnan(found.offset_s)
        assert found.correlation == 0.0


def test_a_clip_too_short_to_search_says_so() -> None:
    opening, times, audio = speech(seconds=0.6)
    with pytest.raises(ConfigurationError, match="max_offset_s"):
        measure_lip_sync(opening, times, audio, LipSyncConfig(max_offset_s=0.4))
