import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkin.avatar.performance import perform
from talkin.avatar.plan import plan_corpus, tiny_corpus
from talkin.avatar.speech import Phoneme
from talkin.evaluation.articulation import (
    bilabial_closure,
    lip_gap,
    silence_movement,
    silent_frames,
)
from talkin.evaluation.clip_scores import ClipScoreConfig
from talkin.evaluation.metrics import mouth_opening
from talkin.face3d.loading import load_face_model


def lips(gap: float) -> np.ndarray:
    """Lips 8 px thick in all with a signed gap, y down."""
    points = np.zeros((1, 39, 2))
    points[:, 3], points[:, 9] = [20, 10 - 4 - gap / 2], [20, 10 + 4 + gap / 2]
    points[:, [13, 14, 15]] = [[10, 10 - gap / 2], [20, 10 - gap / 2], [30, 10 - gap / 2]]
    points[:, [19, 18, 17]] = [[10, 10 + gap / 2], [20, 10 + gap / 2], [30, 10 + gap / 2]]
    return points


@given(st.floats(-3, 12), st.floats(-3, 3), st.floats(0.2, 5))
def test_the_gap_is_signed_and_turns_and_grows_with_the_picture(
    gap: float, angle: float, scale: float
) -> None:
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    assert lip_gap(scale * lips(gap) @ turn.T + 3.0) == pytest.approx(scale * gap, abs=1e-6)


def test_pressed_lips_have_no_opening_that_a_distance_would_claim() -> None:
    assert mouth_opening(lips(-1.0))[0] == pytest.approx(1.0)
    assert lip_gap(lips(-1.0))[0] == pytest.approx(-1.0)


def test_the_exact_truth_of_synthetic_speech_closes_its_lips_and_vowels_do_not() -> None:
    config = tiny_corpus().model_copy(update={"sentences_per_clip": 4})
    model = load_face_model()
    closed, vowels = [], []
    for plan in plan_corpus(config)[:3]:
        performance = perform(plan, config)
        phonemes, time_s = performance.speech.phonemes, np.arange(len(performance)) / config.fps
        geometry = np.zeros(199, np.float32)
        gap = lip_gap(model.points(model.mouth39, geometry, performance.expression))
        criterion = ClipScoreConfig().closed_mm
        closed.append(bilabial_closure(gap, time_s, phonemes, criterion))
        open_vowels = [
            Phoneme("b", p.start_s, p.end_s, False) for p in phonemes if p.symbol[0] in "aA"
        ]
        vowels.append(bilabial_closure(gap, time_s, open_vowels, criterion))
    assert np.nanmean(closed) >= 0.95
    assert np.nanmean(vowels) <= 0.3


def test_movement_in_silence_is_told_relative_to_speech() -> None:
    opening = np.array([0.0, 0, 0, 4, 0, 4, 0, 1, 0])
    silent = np.array([1, 1, 1, 0, 0, 0, 1, 1, 1], bool)
    assert silence_movement(opening, silent) == pytest.approx((2 / 4) / 4)
    assert silence_movement(np.array([0.0, 0, 0, 4, 0, 4, 0, 0, 0]), silent) == 0.0
    assert np.isnan(silence_movement(opening, np.ones(9, bool)))
    assert np.isnan(silence_movement(opening, np.zeros(9, bool)))


def test_silent_frames_keep_their_distance_from_sounds() -> None:
    phonemes = [
        Phoneme("_", 0.0, 0.5, False),
        Phoneme("a", 0.5, 0.7, False),
        Phoneme("_", 0.7, 1.5, False),
    ]
    time_s = np.arange(0, 1.5, 0.1)
    silent = silent_frames(phonemes, time_s, margin_s=0.15)
    np.testing.assert_array_equal(np.flatnonzero(~silent), [4, 5, 6, 7, 8])


def test_closure_counts_the_bilabials_whose_lips_meet() -> None:
    time_s = np.arange(0, 1.0, 0.1)
    opening = np.full(10, 5.0)
    opening[2] = 0.4
    phonemes = [
        Phoneme("b", 0.18, 0.24, False),
        Phoneme("a", 0.24, 0.5, False),
        Phoneme("m", 0.5, 0.6, False),
        Phoneme("s", 0.8, 0.9, False),
    ]
    assert bilabial_closure(opening, time_s, phonemes, largest_gap=0.5) == 0.5
    assert bilabial_closure(opening, time_s, phonemes, largest_gap=0.1) == 0.0
    assert np.isnan(bilabial_closure(opening, time_s, phonemes[3:], largest_gap=0.5))
