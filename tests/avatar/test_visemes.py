from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkin.avatar.speech import SILENCE, Phoneme, Speech, synthesise
from talkin.avatar.visemes import (
    BILABIALS,
    RECIPES,
    UNITS,
    action_unit_matrix,
    action_unit_track,
    mouth_expression,
    visemes_of,
)
from talkin.avatar.voices import Voice
from talkin.face3d.gaussian_process import action_units, build_gaussian_process_model
from talkin.face3d.model import MorphableModel

INNER_UPPER, INNER_LOWER = 62, 66
CLOSED_MM = 0.6


@pytest.fixture(scope="module")
def model() -> MorphableModel:
    return build_gaussian_process_model()


def _lip_gap_mm(model: MorphableModel, expression: np.ndarray) -> np.ndarray:
    vertices = model.landmarks68[[INNER_UPPER, INNER_LOWER]]
    points = model.points(vertices, np.zeros(model.n_geometry), expression)
    return points[..., 0, 1] - points[..., 1, 1]


def _said(*symbols: str, each_s: float = 0.12) -> Speech:
    padded = [SILENCE, *symbols, SILENCE]
    ends = np.cumsum([0.5, *[each_s] * len(symbols), 0.5])
    starts = [0.0, *ends[:-1]]
    phonemes = [
        Phoneme(symbol, float(a), float(b), False)
        for symbol, a, b in zip(padded, starts, ends, strict=True)
    ]
    return Speech(np.zeros(int(ends[-1] * 1000), np.float32), 1000, phonemes)


@pytest.mark.parametrize("labial", sorted(BILABIALS))
def test_lips_meet_between_open_vowels_for_p_b_and_m(model: MorphableModel, labial: str) -> None:
    speech = _said("a", labial, "A:")
    gap = _lip_gap_mm(model, mouth_expression(speech, 100, 136))
    vowel, closure = gap[50:62], gap[62:74]
    assert vowel.max() > 5
    assert closure.min() < CLOSED_MM


def test_silence_closes_the_mouth_also_after_the_speech_has_ended(model: MorphableModel) -> None:
    speech = _said("A:", "o", "a")
    gap = _lip_gap_mm(model, mouth_expression(speech, 25, 60))
    time_s = np.arange(60) / 25
    silent = (time_s < 0.35) | (time_s > 1.05)
    assert np.abs(gap[silent]).max() < CLOSED_MM
    assert gap.max() > 5


def test_real_sentences_close_their_lips_on_every_bilabial(model: MorphableModel) -> None:
    pytest.importorskip("espeakng_loader")
    speech = synthesise(
        "Mummy bought a big map, but Paul promised my puppy a plum.", Voice(name="t")
    )
    gap = _lip_gap_mm(model, mouth_expression(speech, 200, int(speech.duration_s * 200)))
    labials = [phoneme for phoneme in speech.phonemes if phoneme.symbol in BILABIALS]
    assert len(labials) >= 12
    for phoneme in labials:
        inside = gap[int(phoneme.start_s * 200) : int(phoneme.end_s * 200)]
        assert inside.min() < CLOSED_MM, phoneme


def test_rounded_vowels_narrow_the_mouth_and_spread_ones_widen_it(model: MorphableModel) -> None:
    corners = model.landmarks68[[48, 54]]

    def width_mm(symbol: str) -> float:
        middle = mouth_expression(_said(symbol, each_s=0.3), 100, 130)[65]
        points = model.points(corners, np.zeros(model.n_geometry), middle)
        return float(points[1, 0] - points[0, 0])

    assert width_mm("u:") < width_mm("@") - 5 < width_mm("i:") - 10


def test_open_vowels_open_wider_than_close_ones(model: MorphableModel) -> None:
    def gap_mm(symbol: str) -> float:
        middle = mouth_expression(_said(symbol, each_s=0.3), 100, 130)[65]
        return float(_lip_gap_mm(model, middle))

    assert gap_mm("A:") > gap_mm("E") > gap_mm("i:") > gap_mm("m") + 3


def test_gain_widens_vowels_and_leaves_closures_closed(model: MorphableModel) -> None:
    speech = _said("a", "b", "a")
    weak, strong = (mouth_expression(speech, 100, 136, gain) for gain in (0.8, 1.3))
    assert _lip_gap_mm(model, strong).max() > 1.3 * _lip_gap_mm(model, weak).max()
    assert _lip_gap_mm(model, strong)[62:74].min() < CLOSED_MM


@given(
    st.lists(st.sampled_from(["a", "m", "s", "u:", "aI", "_", "k"]), min_size=1, max_size=12),
    st.floats(0.8, 1.3),
)
def test_blending_never_leaves_the_range_of_the_recipes(symbols: list[str], gain: float) -> None:
    track = action_unit_track(_said(*symbols).phonemes, 50, 80, gain)
    largest = np.array([max(r.get(unit, 0.0) for r in RECIPES.values()) for unit in UNITS])
    assert np.isfinite(track).all()
    assert (track >= 0).all()
    assert (track <= largest * max(gain, 1.0) + 1e-9).all()


def test_movement_is_smooth_at_video_rate() -> None:
    speech = _said("p", "a", "t", "aI", "m", "S", "u:", each_s=0.09)
    track = action_unit_track(speech.phonemes, 1000, 1600)
    steps = np.abs(np.diff(track, axis=0)).max(axis=1)
    assert steps.max() < 0.06  # a full action takes no less than 17 ms


def test_a_diphthong_moves_from_its_first_vowel_to_its_second() -> None:
    track = action_unit_track(_said("aI", each_s=0.3).phonemes, 100, 130)
    jaw = track[50:80, UNITS.index("jaw_open")]
    assert jaw[8] > jaw[22] + 0.1


@pytest.mark.parametrize(
    ("symbol", "visemes"),
    [
        ("i:", ("I",)),
        ("t#", ("t",)),
        ("@2", ("@",)),
        ("r-", ("r",)),
        ("aU", ("a", "U")),
        ("§", ("@",)),
    ],
)
def test_marks_of_a_mnemonic_are_looked_through(symbol: str, visemes: tuple[str, ...]) -> None:
    assert visemes_of(symbol) == visemes


def test_recipes_name_only_action_units_of_the_face_model() -> None:
    assert set(UNITS) <= set(action_units())
    assert action_unit_matrix(UNITS).shape == (len(UNITS), 29)
    assert len(RECIPES) == 20


def test_no_phonemes_move_nothing() -> None:
    assert not action_unit_track([], 25, 10).any()


def test_shapes_follow_the_frames_asked_for() -> None:
    lengths = [len(mouth_expression(_said("a"), 25, n)) for n in range(0, 30, 7)]
    assert all(after - before == 7 for before, after in pairwise(lengths))
