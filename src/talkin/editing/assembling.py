"""Cutting and joining the sound of an edit list."""

from pathlib import Path

import numpy as np
from jaxtyping import Float32

from talkin.editing.edit_list import EditList, Piece
from talkin.errors import FootageError
from talkin.footage.audio import Audio, read_audio

_LONGEST_S = 4 * 3600.0
_BEYOND_END_S = 0.05  # a time read off a player may lie so far past the end

Samples = Float32[np.ndarray, "samples"]


def assemble(edit_list: EditList, sample_rate: int = 48_000) -> Audio:
    """Cut the pieces of an edit list and join them, with cross-fades.

    A joint keeps the loudness of unlike sounds: the gains are a quarter of a cosine and of a sine.
    Every file is read once, one at a time.

    Args:
        edit_list: The pieces.
        sample_rate: Of the result.

    Returns:
        Mono sound, within +-1.

    Raises:
        FootageError: If a file cannot be read, a piece lies beyond its end, or all is too long.
    """
    cut: dict[int, Samples] = {}
    for path in edit_list.files:
        sound = read_audio(path, sample_rate)
        for number, piece in enumerate(edit_list.pieces):
            if piece.audio == path:
                cut[number] = _cut(piece, sound, path)
    joined = _Joined(sample_rate)
    for number, piece in enumerate(edit_list.pieces):
        fade_s = edit_list.cross_fade_s if piece.cross_fade_s is None else piece.cross_fade_s
        if number in cut:
            joined.add(cut.pop(number), fade_s)
        else:
            joined.pause(piece.pause_s, fade_s)
        if joined.duration_s > _LONGEST_S:
            raise FootageError(f"the edit list is longer than {_LONGEST_S / 3600:.0f} hours")
    samples = joined.samples()
    return Audio(samples / max(1.0, float(np.abs(samples).max(initial=0))), sample_rate)


def _cut(piece: Piece, sound: Audio, path: Path) -> Samples:
    stop_s = sound.duration_s if piece.stop_s is None else piece.stop_s
    for key, time_s in (("in", piece.start_s), ("out", stop_s)):
        if time_s > sound.duration_s + _BEYOND_END_S:
            raise FootageError(
                f"{path}: `{key}` {time_s:g} s lies beyond its end at {sound.duration_s:.2f} s"
            )
    start, stop = (round(time * sound.sample_rate) for time in (piece.start_s, stop_s))
    samples = sound.samples[start:stop]
    if not len(samples):
        raise FootageError(f"{path}: nothing lies between {piece.start_s:g} s and {stop_s:g} s")
    return samples.copy()


class _Joined:
    """Sound that grows piece by piece; the end of the last stays open to be faded."""

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._done: list[Samples] = []
        self._open = np.zeros(0, np.float32)
        self._was_pause = True
        self._n_done = 0

    @property
    def duration_s(self) -> float:
        return (self._n_done + len(self._open)) / self._rate

    def add(self, piece: Samples, fade_s: float) -> None:
        """A piece, over the end of the one before."""
        wanted = round(fade_s * self._rate)
        if self._was_pause:
            if self._n_done + len(self._open):
                _fade(piece, min(wanted, len(piece) // 2), is_in=True)
            self._close()
        else:
            n = min(wanted, len(piece) // 2, len(self._open) // 2)
            _fade(self._open, n, is_in=False)
            _fade(piece, n, is_in=True)
            if n:
                piece[:n] += self._open[-n:]
                self._open = self._open[:-n]
            self._close()
        self._open, self._was_pause = piece, False

    def pause(self, length_s: float, fade_s: float) -> None:
        """Silence, before which the last piece fades out."""
        if not self._was_pause:
            n = min(round(fade_s * self._rate), len(self._open) // 2)
            _fade(self._open, n, is_in=False)
        self._close()
        self._open, self._was_pause = np.zeros(round(length_s * self._rate), np.float32), True

    def samples(self) -> Samples:
        """All of it."""
        self._close()
        return np.concatenate([*self._done, np.zeros(0, np.float32)])

    def _close(self) -> None:
        self._n_done += len(self._open)
        self._done.append(self._open)
        self._open = np.zeros(0, np.float32)


def _fade(samples: Samples, n: int, is_in: bool) -> None:
    """Fade the first or last samples in place."""
    if n == 0:
        return
    phase = (np.arange(n, dtype=np.float32) + 0.5) / n * (np.pi / 2)
    if is_in:
        samples[:n] *= np.sin(phase)
    else:
        samples[-n:] *= np.cos(phase)
