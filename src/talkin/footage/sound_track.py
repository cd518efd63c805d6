"""The sound of a video being written: encoded from samples, or copied from a file."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy as np

from talkin.errors import FootageError
from talkin.footage.audio import Audio
from talkin.footage.media import decoded, first_picture_time, open_media, packets_of, time_of

_COPIED_CODECS = frozenset({"aac", "mp3", "ac3", "eac3", "alac", "opus"})
_AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000)
_AAC_FRAME = 1024
_BITS_PER_SECOND = 192_000


class SoundTrack:
    """Packets of a sound track, drawn as far as the picture has come."""

    def __init__(self, packets: Iterable[tuple[Fraction, Any]]) -> None:
        """Take (start time in s, packet) pairs in order."""
        self._packets = iter(packets)
        self._waiting: list[tuple[Fraction, Any]] = []

    def until(self, time: Fraction) -> Iterator[Any]:
        """Packets that begin before `time` seconds."""
        for start, packet in chain(self._take_waiting(), self._packets):
            if start >= time:
                self._waiting.append((start, packet))
                return
            yield packet

    def finish(self, time: Fraction) -> Iterator[Any]:
        """The rest, cut at `time` seconds: the end of the picture."""
        yield from self.until(time)

    def _take_waiting(self) -> list[tuple[Fraction, Any]]:
        waiting, self._waiting = self._waiting, []
        return waiting


class _EncodedTrack(SoundTrack):
    """Sound encoded piece by piece, cut or filled with silence to the picture's length."""

    def __init__(self, stream: Any, pieces: Iterator[Any], rate: int, layout: str) -> None:
        super().__init__(())
        self._stream, self._pieces = stream, pieces
        self._rate, self._layout = rate, layout
        self._fifo = av.AudioFifo()
        self._sent = self._received = 0

    def until(self, time: Fraction) -> Iterator[Any]:
        """Packets of the sound before `time` seconds."""
        wanted = int(time * self._rate)
        while self._received < wanted:
            piece = next(self._pieces, None)
            if piece is None:
                return
            self._receive(piece)
        while self._sent + _AAC_FRAME <= min(wanted, self._received):
            yield from self._encode(_AAC_FRAME)

    def finish(self, time: Fraction) -> Iterator[Any]:
        """The rest, cut or filled with silence to `time` seconds."""
        yield from self.until(time)
        wanted = round(time * self._rate)
        while self._received < wanted:
            size = min(_AAC_FRAME, wanted - self._received)
            silence = np.zeros((_n_channels(self._layout), size), np.float32)
            self._receive(av.AudioFrame.from_ndarray(silence, "fltp", self._layout))
        while self._sent < wanted:
            yield from self._encode(min(_AAC_FRAME, wanted - self._sent))
        yield from self._stream.encode(None)

    def _receive(self, frame: Any) -> None:
        frame.sample_rate, frame.pts = self._rate, None
        self._received += frame.samples
        self._fifo.write(frame)

    def _encode(self, samples: int) -> Iterator[Any]:
        frame = self._fifo.read(samples)
        frame.pts, frame.time_base = self._sent, Fraction(1, self._rate)
        self._sent += samples
        yield from self._stream.encode(frame)


def encoded_track(container: Any, audio: Audio) -> SoundTrack:
    """Samples as AAC.

    Raises:
        FootageError: If samples are no numbers.
    """
    if not np.isfinite(audio.samples).all():
        raise FootageError("the sound to be written holds samples that are no numbers")
    samples = np.clip(audio.samples, -1, 1).astype(np.float32)[None]
    frames = (
        _frame(samples[:, begin : begin + audio.sample_rate], audio.sample_rate, "mono")
        for begin in range(0, samples.shape[1], audio.sample_rate)
    )
    return _aac_track(container, frames, audio.sample_rate, "mono")


def copied_track(container: Any, path: Path, stack: ExitStack) -> SoundTrack | None:
    """A file's sound, its packets untouched where mp4 holds such; None where it has none.

    Args:
        container: The mp4 being written.
        path: The file whose sound is wanted; closed when `stack` ends.
        stack: Keeps the file open while the video is written.

    Raises:
        FootageError: If it is missing or no media file.
    """
    origin = first_picture_time(path)
    source = stack.enter_context(open_media(path))
    if not source.streams.audio:
        return None
    stream = source.streams.audio[0]
    if stream.codec_context.name in _COPIED_CODECS:
        return SoundTrack(_copied(container.add_stream_from_template(stream), source, origin))
    layout = "mono" if len(stream.layout.channels) == 1 else "stereo"
    rate = stream.codec_context.sample_rate
    return _aac_track(container, _from_origin(source, stream, origin, layout), rate, layout)


def _copied(target: Any, source: Any, origin: Fraction) -> Iterator[tuple[Fraction, Any]]:
    stream = source.streams.audio[0]
    for packet in packets_of(source, stream):
        time = time_of(packet)
        if time is None or packet.dts is None or packet.size == 0:
            continue
        start = time - origin
        length = Fraction(packet.duration or 0) * packet.time_base
        if start + length <= 0 and not packet.is_discard:
            continue
        shift = round(origin / packet.time_base)
        packet.pts -= shift
        packet.dts -= shift
        packet.stream = target
        yield start, packet


def _from_origin(source: Any, stream: Any, origin: Fraction, layout: str) -> Iterator[Any]:
    """Decoded frames from the first picture on: earlier sound dropped, a late start made up."""
    rate = stream.codec_context.sample_rate
    resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate)
    begun = False
    for frame in chain(decoded(source, stream), [None]):
        for piece in resampler.resample(frame):
            values = piece.to_ndarray()
            if not begun:
                offset = round(((time_of(piece) or origin) - origin) * rate)
                values = values[:, max(0, -offset) :]
                silence = np.zeros((values.shape[0], max(0, offset)), np.float32)
                values = np.concatenate([silence, values], axis=1)
                begun = values.shape[1] > 0
            if values.shape[1]:
                yield _frame(values, rate, layout)


def _aac_track(container: Any, frames: Iterator[Any], rate: int, layout: str) -> SoundTrack:
    kept = rate if rate in _AAC_RATES else 48_000
    if kept != rate:
        frames = _at_rate(frames, kept, layout)
    stream = container.add_stream("aac", rate=kept, layout=layout)
    stream.codec_context.bit_rate = _BITS_PER_SECOND // (1 if layout == "stereo" else 2)
    return _EncodedTrack(stream, frames, kept, layout)


def _at_rate(frames: Iterator[Any], rate: int, layout: str) -> Iterator[Any]:
    resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate)
    for frame in chain(frames, [None]):
        yield from resampler.resample(frame)


def _frame(values: np.ndarray, rate: int, layout: str) -> Any:
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(values, dtype=np.float32), "fltp", layout
    )
    frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
    return frame


def _n_channels(layout: str) -> int:
    return 1 if layout == "mono" else 2
