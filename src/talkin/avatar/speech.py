"""Text to sound with the time of every phoneme: what a synthetic speaker says.

espeak-ng's event marks where a phoneme is heard. A face moves earlier for stops: their event is
the release, the closure that the eye sees lies before it. The intervals given here are those of
the articulation.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float

from talkin.avatar.espeak import EspeakVoice, Utterance, speak
from talkin.avatar.vocal_tract import add_breath, colour, exact_stretch, lengthen_tract
from talkin.avatar.voices import Voice, voice_bank
from talkin.files import replace_when_whole

__all__ = ["SILENCE", "Phoneme", "Speech", "Voice", "phoneme_table", "synthesise", "voice_bank"]

SILENCE = "_"
_STOPS = frozenset("pbtdkg")
_CLOSURE_LEAD_S = 0.055
_CLOSURE_SHARE = 0.6  # at most this much of the sound before a stop is spent closing
_ZERO_LENGTH_SHARE = 0.35
_PEAK = 0.7


@dataclass(frozen=True)
class Phoneme:
    """One sound and when the mouth makes it.

    Attributes:
        symbol: espeak-ng mnemonic without its stress mark; `_` is silence.
        start_s: Begin in seconds from the first sample.
        end_s: End; the next phoneme's begin.
        is_stressed: Whether it carries primary stress.
    """

    symbol: str
    start_s: float
    end_s: float
    is_stressed: bool


@dataclass(frozen=True, eq=False)
class Speech:
    """A spoken sentence.

    Attributes:
        samples: Mono, in [-1, 1].
        sample_rate: Hz.
        phonemes: In order, without gaps, from 0 to the end of the samples.
    """

    samples: Float[np.ndarray, "samples"]
    sample_rate: int
    phonemes: list[Phoneme]

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate


def synthesise(
    text: str, voice: Voice, seed: int = 0, lead_s: float = 0.35, tail_s: float = 0.45
) -> Speech:
    """Speak a sentence; equal arguments give equal samples, in any process.

    Args:
        text: One or more sentences.
        voice: The speaker's voice.
        seed: Varies noise, and rate and pitch by a few per cent: nobody speaks twice alike.
        lead_s: Silence before.
        tail_s: Silence after.

    Raises:
        TalkinError: If espeak-ng (extra `demo`) is not installed, or knows no such voice.
    """
    rng = np.random.default_rng([seed & 0x7FFFFFFF, 17])
    stretch = exact_stretch(voice.tract_length)
    rate = round(voice.rate * stretch * rng.uniform(0.96, 1.04))
    pitch = int(np.clip(voice.pitch + rng.integers(-3, 4), 0, 99))
    name = f"{voice.language}+{voice.variant}"
    spoken = speak(text, EspeakVoice(name, rate, pitch, voice.pitch_range), seed)
    samples = lengthen_tract(spoken.samples, voice.tract_length)
    samples = colour(samples, spoken.sample_rate, voice)
    samples = add_breath(samples, spoken.sample_rate, voice.breath, seed)
    samples = samples * (_PEAK / max(float(np.abs(samples).max(initial=0.0)), 1e-6))
    phonemes = _stretched(_intervals(spoken), stretch)
    return _with_silence(samples, spoken.sample_rate, phonemes, lead_s, tail_s)


def phoneme_table(speech: Speech) -> pa.Table:
    """As an Arrow table (`symbol, start_s, end_s, is_stressed`), a row a phoneme."""
    rows = [vars(phoneme) for phoneme in speech.phonemes]
    types = [pa.string(), pa.float64(), pa.float64(), pa.bool_()]
    names = ["symbol", "start_s", "end_s", "is_stressed"]
    return pa.Table.from_pylist(rows, schema=pa.schema(list(zip(names, types, strict=True))))


def save_phonemes(speech: Speech, path: Path) -> None:
    """Write the phoneme table as Parquet, whole or not at all."""
    with replace_when_whole(path) as part:
        pq.write_table(phoneme_table(speech), part)


def load_phonemes(path: Path) -> list[Phoneme]:
    """Read what `save_phonemes` wrote."""
    return [Phoneme(**row) for row in pq.read_table(path).to_pylist()]


def _intervals(spoken: Utterance) -> list[Phoneme]:
    """Phoneme intervals in espeak-ng's own time: pauses merged, no empty ones, closures early."""
    end = len(spoken.samples) / spoken.sample_rate
    onsets = [(symbol, sample / spoken.sample_rate) for symbol, sample in spoken.onsets]
    if not onsets:
        return [Phoneme(SILENCE, 0.0, end, False)]
    ends = [*(start for _, start in onsets[1:]), end]
    phonemes = [
        _phoneme(symbol, start, stop) for (symbol, start), stop in zip(onsets, ends, strict=True)
    ]
    lead = Phoneme(SILENCE, 0.0, onsets[0][1], False)
    return _early_closures(_without_empty([lead, *phonemes]))


def _phoneme(mnemonic: str, start_s: float, end_s: float) -> Phoneme:
    symbol = mnemonic.lstrip("',%=\"")
    if not symbol or symbol[0] in "_|":
        return Phoneme(SILENCE, start_s, end_s, False)
    return Phoneme(symbol, start_s, end_s, mnemonic.startswith(("'", '"')))


def _without_empty(phonemes: list[Phoneme]) -> list[Phoneme]:
    """Give a sound of no length the last part of the interval before it; drop empty pauses."""
    kept: list[Phoneme] = []
    for phoneme in phonemes:
        if phoneme.end_s > phoneme.start_s:
            kept.append(phoneme)
        elif phoneme.symbol != SILENCE and kept:
            before = kept[-1]
            share = _ZERO_LENGTH_SHARE * (before.end_s - before.start_s)
            cut = before.end_s - share
            kept[-1] = replace(before, end_s=cut)
            kept.append(replace(phoneme, start_s=cut, end_s=before.end_s))
    return _merged_pauses(kept)


def _merged_pauses(phonemes: list[Phoneme]) -> list[Phoneme]:
    merged: list[Phoneme] = []
    for phoneme in phonemes:
        if merged and phoneme.symbol == merged[-1].symbol == SILENCE:
            merged[-1] = replace(merged[-1], end_s=phoneme.end_s)
        else:
            merged.append(phoneme)
    return merged


def _early_closures(phonemes: list[Phoneme]) -> list[Phoneme]:
    """Move the begin of each stop from its release to its closure."""
    moved = list(phonemes)
    for index in range(1, len(moved)):
        if moved[index].symbol[0] not in _STOPS:
            continue
        before = moved[index - 1]
        lead = min(_CLOSURE_LEAD_S, _CLOSURE_SHARE * (before.end_s - before.start_s))
        moved[index - 1] = replace(before, end_s=before.end_s - lead)
        moved[index] = replace(moved[index], start_s=before.end_s - lead)
    return moved


def _stretched(phonemes: list[Phoneme], factor: float) -> list[Phoneme]:
    return [replace(p, start_s=p.start_s * factor, end_s=p.end_s * factor) for p in phonemes]


def _with_silence(
    samples: np.ndarray, sample_rate: int, phonemes: list[Phoneme], lead_s: float, tail_s: float
) -> Speech:
    lead, tail = round(lead_s * sample_rate), round(tail_s * sample_rate)
    samples = np.concatenate([np.zeros(lead), samples, np.zeros(tail)]).astype(np.float32)
    shift = lead / sample_rate
    moved = [replace(p, start_s=p.start_s + shift, end_s=p.end_s + shift) for p in phonemes]
    first = Phoneme(SILENCE, 0.0, moved[0].start_s, False)
    last = Phoneme(SILENCE, moved[-1].end_s, len(samples) / sample_rate, False)
    padded = [first, *moved, last]
    return Speech(samples, sample_rate, _merged_pauses([p for p in padded if p.end_s > p.start_s]))
