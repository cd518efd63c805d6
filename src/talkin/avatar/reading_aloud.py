"""Reading a text aloud by espeak-ng: new speech for an edit when nobody recorded any."""

import re
from collections.abc import Iterator

import numpy as np

from talkin.avatar.espeak import EspeakVoice, speak
from talkin.errors import ConfigurationError
from talkin.footage.audio import Audio

DEFAULT_VOICE = "en-us"
_PAUSE_S = 0.3
_LONGEST_SENTENCE = 500
_LONGEST_TEXT = 20_000


def read_aloud(text: str, voice: str = DEFAULT_VOICE) -> Audio:
    """Speak a text, sentence by sentence, with a short pause before, between and after them.

    Args:
        text: At most 20,000 characters.
        voice: espeak-ng's name of a language and variant, such as `en-us` or `en-gb+f2`.

    Raises:
        ConfigurationError: If there is nothing to speak, or too much.
        TalkinError: If espeak-ng is not installed or has no such voice.
    """
    if len(text) > _LONGEST_TEXT:
        raise ConfigurationError(
            f"the text has {len(text)} characters, at most {_LONGEST_TEXT} are read aloud at once"
        )
    sentences = list(_sentences(text))
    if not sentences:
        raise ConfigurationError("there is nothing to read aloud: the text has no letter or digit")
    pieces, rate = [], 22_050
    for sentence in sentences:
        said = speak(sentence, EspeakVoice(voice), seed=0)
        rate = said.sample_rate
        pause = np.zeros(round(_PAUSE_S * rate), np.float32)
        pieces += [pause, said.samples.astype(np.float32)]
    pieces.append(np.zeros(round(_PAUSE_S * rate), np.float32))
    return Audio(np.concatenate(pieces), rate)


def _sentences(text: str) -> Iterator[str]:
    """Sentences, long ones cut at a space; what holds no letter or digit is left out."""
    for sentence in re.split(r"(?<=[.!?;:])\s+|\n+", text.strip()):
        rest = sentence
        while rest:
            cut = len(rest)
            if cut > _LONGEST_SENTENCE:
                cut = rest.rfind(" ", 0, _LONGEST_SENTENCE) + 1 or _LONGEST_SENTENCE
            if any(letter.isalnum() for letter in rest[:cut]):
                yield rest[:cut]
            rest = rest[cut:]
