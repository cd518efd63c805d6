import hashlib
import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from talkin.avatar import espeak
from talkin.avatar.espeak import EspeakVoice, Utterance, speak
from talkin.avatar.grammar import sentences
from talkin.avatar.speech import (
    SILENCE,
    Phoneme,
    Speech,
    _intervals,
    load_phonemes,
    save_phonemes,
    synthesise,
)
from talkin.avatar.vocal_tract import add_breath, colour, lengthen_tract, response_db
from talkin.avatar.voices import Voice, voice_bank
from talkin.errors import TalkinError

TEXT = "Paul bought a big map, and his thumb zipped shut."


@pytest.fixture(scope="module")
def speech() -> Speech:
    pytest.importorskip("espeakng_loader")
    return synthesise(TEXT, Voice(name="test"), seed=5)


def _digest(samples: np.ndarray) -> str:
    return hashlib.sha256(samples.tobytes()).hexdigest()


def test_a_sentence_sounds_the_same_again_and_in_a_new_process(speech: Speech) -> None:
    other = synthesise("Something else.", Voice(name="test", variant="f2"), seed=9)
    again = synthesise(TEXT, Voice(name="test"), seed=5)
    assert _digest(again.samples) == _digest(speech.samples) != _digest(other.samples)
    assert again.phonemes == speech.phonemes
    program = (
        "import hashlib; from talkin.avatar.speech import synthesise, Voice;"
        f"s = synthesise({TEXT!r}, Voice(name='test'), seed=5).samples;"
        "print(hashlib.sha256(s.tobytes()).hexdigest())"
    )
    fresh = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert fresh.stdout.strip() == _digest(speech.samples)


def test_samples_are_mono_float_within_range_and_start_and_end_in_silence(speech: Speech) -> None:
    assert speech.samples.dtype == np.float32
    assert 0.5 < np.abs(speech.samples).max() <= 1.0
    rate = speech.sample_rate
    assert np.abs(speech.samples[: int(0.3 * rate)]).max() < 1e-3
    assert np.abs(speech.samples[-int(0.3 * rate) :]).max() < 1e-2


def test_phonemes_cover_the_clip_without_gap_or_overlap(speech: Speech) -> None:
    phonemes = speech.phonemes
    assert phonemes[0].start_s == 0.0
    assert phonemes[0].symbol == phonemes[-1].symbol == SILENCE
    assert phonemes[-1].end_s == pytest.approx(speech.duration_s)
    for before, after in pairwise(phonemes):
        assert before.end_s == pytest.approx(after.start_s, abs=1e-9)
        assert after.end_s > after.start_s
        assert not (before.symbol == after.symbol == SILENCE)


def test_the_words_are_heard_in_order_with_their_stress(speech: Speech) -> None:
    symbols = [phoneme.symbol for phoneme in speech.phonemes]
    assert symbols[1] == "p"
    assert [s for s in symbols if s in ("p", "b", "m")] == list("pbbmpmp")
    stressed = {phoneme.symbol for phoneme in speech.phonemes if phoneme.is_stressed}
    assert stressed
    assert not stressed & {"p", "b", "m", SILENCE}


def test_sibilants_hiss_where_their_phonemes_stand() -> None:
    """High frequencies, found without espeak-ng's help, must agree with the intervals."""
    said = synthesise("She says six seas.", Voice(name="t", tract_length=1.1), seed=1)
    power = np.abs(np.diff(said.samples, n=2)) ** 2
    rate = said.sample_rate
    inside = np.zeros(len(power), bool)
    for phoneme in said.phonemes:
        if phoneme.symbol in ("s", "S"):
            inside[int(phoneme.start_s * rate) : int(phoneme.end_s * rate)] = True
    assert power[inside].mean() > 4 * power[~inside].mean()


def test_a_longer_tract_speaks_lower_but_no_slower() -> None:
    short = synthesise(TEXT, Voice(name="s", tract_length=0.9), seed=2)
    long = synthesise(TEXT, Voice(name="l", tract_length=1.15), seed=2)
    assert long.duration_s == pytest.approx(short.duration_s, rel=0.12)

    def centroid(speech: Speech) -> float:
        spectrum = np.abs(np.fft.rfft(speech.samples)) ** 2
        return float((spectrum * np.arange(len(spectrum))).sum() / spectrum.sum()) / len(spectrum)

    assert centroid(long) < 0.9 * centroid(short)


def test_a_sound_of_no_length_takes_the_end_of_the_one_before_it() -> None:
    spoken = Utterance(np.zeros(1000, np.float32), 1000, [("'a", 0), ("l", 400), ("z", 400)])
    a, l_sound, z = _intervals(spoken)
    assert (a.symbol, a.is_stressed, a.start_s, a.end_s) == ("a", True, 0.0, pytest.approx(0.26))
    assert (l_sound.start_s, l_sound.end_s) == (pytest.approx(0.26), 0.4)
    assert (z.start_s, z.end_s) == (0.4, 1.0)


def test_a_stop_begins_at_its_closure_before_the_release() -> None:
    spoken = Utterance(np.zeros(1000, np.float32), 1000, [("a", 0), ("b", 400), ("E", 450)])
    a, b, _ = _intervals(spoken)
    assert a.end_s == b.start_s == pytest.approx(0.345)
    assert b.end_s == pytest.approx(0.45)


def test_nothing_to_say_is_silence() -> None:
    spoken = Utterance(np.zeros(500, np.float32), 1000, [])
    assert _intervals(spoken) == [Phoneme(SILENCE, 0.0, 0.5, False)]


def test_an_unknown_voice_is_an_error_and_not_another_voice() -> None:
    with pytest.raises(TalkinError, match="en-nowhere"):
        speak("hello", EspeakVoice("en-nowhere"), seed=0)


def test_without_espeak_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = json.dumps({"error": "espeakng_loader is not installed"}).encode() + b"\n"
    monkeypatch.setattr(
        espeak.subprocess,
        "run",
        lambda *a, **k: subprocess.CompletedProcess(a, 0, stdout=answer, stderr=b""),
    )
    with pytest.raises(TalkinError, match=r"extra `demo`.*talkin\[demo\]"):
        speak("hello", EspeakVoice("en-us"), seed=0)


def test_the_worker_itself_reports_a_missing_loader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "espeakng_loader.py").write_text("raise ImportError('gone')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(TalkinError, match="espeakng_loader is not installed"):
        speak("hello", EspeakVoice("en-us"), seed=0)


def test_phonemes_survive_their_file(speech: Speech, tmp_path: Path) -> None:
    save_phonemes(speech, tmp_path / "clip.phonemes.parquet")
    assert load_phonemes(tmp_path / "clip.phonemes.parquet") == speech.phonemes


def test_voices_differ_and_do_not_depend_on_how_many_there_are() -> None:
    bank = voice_bank(40)
    assert len({voice.model_dump_json(exclude={"name"}) for voice in bank}) == 40
    assert len({(v.variant, v.pitch, v.rate, v.tract_length) for v in bank}) == 40
    assert voice_bank(5) == bank[:5]


def test_every_voice_of_the_bank_exists() -> None:
    for voice in voice_bank(23):
        assert synthesise("Map.", voice).duration_s > 0.9


def test_colouring_gives_each_frequency_its_gain_and_moves_no_time() -> None:
    rate = 16000
    voice = Voice(name="c", tilt_db_per_octave=-3.0, resonance_db=(6.0, 0.0))
    time_s = np.arange(rate) / rate
    for hz in (300.0, 1200.0, 4000.0):
        tone = (np.sin(2 * np.pi * hz * time_s) * np.hanning(rate)).astype(np.float32)
        coloured = colour(tone, rate, voice)
        gain = 10 ** (response_db(np.array([hz]), voice)[0] / 20)
        np.testing.assert_allclose(coloured, gain * tone, atol=0.03 * gain)


def test_lengthening_the_tract_lowers_a_tone_by_its_factor() -> None:
    rate = 8000
    tone = np.sin(2 * np.pi * 1000 * np.arange(rate) / rate).astype(np.float32)
    longer = lengthen_tract(tone, 1.25)
    peak_hz = np.abs(np.fft.rfft(longer)).argmax() * rate / len(longer)
    assert len(longer) == pytest.approx(1.25 * rate, rel=1e-3)
    assert peak_hz == pytest.approx(800.0, abs=1.0)


def test_breath_leaves_silence_silent() -> None:
    samples = np.concatenate([np.zeros(4000), np.ones(4000) * 0.5]).astype(np.float32)
    breathy = add_breath(samples, 16000, 0.1, seed=0)
    assert np.abs(breathy[:3000]).max() < 1e-6
    assert 0.02 < np.std(breathy[5000:7000]) < 0.08


def test_the_grammars_use_all_the_sounds_of_english() -> None:
    symbols: set[str] = set()
    for index, sentence in enumerate(sentences("everyday", 1, 45)):
        symbols |= {p.symbol for p in synthesise(sentence, voice_bank(2)[index % 2]).phonemes}
    consonants = set("pbtdkgfvTDszSZhmnNlrwj") | {"tS", "dZ"}
    assert consonants <= symbols
    assert {"a", "E", "I", "0", "V", "i:", "u:", "eI", "aI", "OI", "oU", "aU"} <= symbols
