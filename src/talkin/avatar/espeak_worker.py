"""Runs espeak-ng once and writes what it said to standard output; started by `espeak.speak`.

espeak-ng keeps its noise generator and its voice in global state, so a second sentence of one
process never equals a first one, whatever seed is set. A process a sentence makes the samples
depend on the request alone. This file imports nothing of talkin, so it starts in milliseconds.

Request (standard input): JSON with text, voice, rate, pitch, pitch_range, seed.
Answer (standard output): a line of JSON (`sample_rate`, `phonemes` as [mnemonic, sample] pairs, or
`error`), then the samples as 16-bit PCM.
"""

import ctypes
import json
import sys
from typing import Any

_SYNCHRONOUS = 2
_PHONEME_EVENTS_AND_NO_EXIT = 0x8001
_UTF8 = 1
_PHONEME_EVENT = 7
_RATE, _PITCH, _PITCH_RANGE = 1, 3, 4


class _Mnemonic(ctypes.Union):
    _fields_ = (
        ("number", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("string", ctypes.c_char * 8),
    )


class _Event(ctypes.Structure):
    """`espeak_EVENT` of speak_lib.h, 40 bytes on 64-bit machines."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position_ms", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Mnemonic),
    )


_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


def main() -> None:
    """Answer one request."""
    request = json.loads(sys.stdin.buffer.read())
    header, pcm = _speak(request)
    sys.stdout.buffer.write(json.dumps(header).encode() + b"\n" + pcm)


def _speak(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    try:
        import espeakng_loader
    except ImportError:
        return {"error": "espeakng_loader is not installed"}, b""
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    data = str(espeakng_loader.get_data_path()).encode()
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, data, _PHONEME_EVENTS_AND_NO_EXIT)
    if rate <= 0:
        return {"error": f"espeak-ng did not start (code {rate})"}, b""
    code = library.espeak_SetVoiceByName(request["voice"].encode())
    if code != 0:  # the old voice would stay, silently
        return {"error": f"espeak-ng has no voice {request['voice']!r} (code {code})"}, b""
    for parameter, key in ((_RATE, "rate"), (_PITCH, "pitch"), (_PITCH_RANGE, "pitch_range")):
        library.espeak_SetParameter(parameter, request[key], 0)
    library.espeak_ng_SetRandSeed(ctypes.c_long(request["seed"]))
    chunks: list[bytes] = []
    phonemes: list[tuple[str, int]] = []
    callback = _collector(chunks, phonemes)
    library.espeak_SetSynthCallback(callback)
    text = request["text"].encode()
    code = library.espeak_Synth(text, len(text) + 1, 0, 0, 0, _UTF8, None, None)
    if code != 0:
        return {"error": f"espeak-ng could not speak (code {code})"}, b""
    library.espeak_Synchronize()
    return {"sample_rate": rate, "phonemes": phonemes}, b"".join(chunks)


def _collector(chunks: list[bytes], phonemes: list[tuple[str, int]]) -> Any:
    def collect(wave: Any, n_samples: int, events: Any) -> int:
        if wave and n_samples > 0:
            chunks.append(ctypes.string_at(wave, 2 * n_samples))
        row = 0
        while events[row].type:
            if events[row].type == _PHONEME_EVENT:
                # The field in milliseconds is truncated: only `sample` is exact.
                phonemes.append((events[row].id.string.decode(), events[row].sample))
            row += 1
        return 0

    return _CALLBACK(collect)


if __name__ == "__main__":
    main()
