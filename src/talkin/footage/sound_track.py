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
# AAC comes in frames of 1024 samples, and a player that overlooks the edit list plays the last one
# to its end: at these rates that is 23 ms at most, at 16 kHz it would be 64 ms.
_AAC_RATES = (44_100, 48_000)
_AAC_FRAME = 1024
_SAMPLES_A_PACKET = {"opus": 960, "alac": 4096}  # of the codecs whose streams do not say
_PRIMING_S = Fraction(1, 10)
_LONGEST_COPIED_PACKET = 2  # pictures: half a packet more or less must stay within one picture
_BITS_PER_SECOND = 192_000


class SoundTrack:
    """Packets of a sound track, drawn as far as the picture has come."""

    def __init__(
        self, packets: Iterable[tuple[Fraction, Any]], packet_length: Fraction = Fraction(0)
    ) -> None:
        """Take (start time in s, packet) pairs in order, and what a whole packet lasts in s."""
        self._packets = iter(packets)
        self._packet_length = packet_length
        self._waiting: list[tuple[Fraction, Any]] = []

    def until(self, time: Fraction) -> Iterator[Any]:
        """Packets that end by `time` seconds, whatever they say of themselves."""
        for start, packet in chain(self._take_waiting(), self._packets):
            if start + self._packet_length > time:
                self._waiting.append((start, packet))
                return
            yield packet

    def finish(self, time: Fraction, slack: Fraction) -> Iterator[Any]:
        """The rest, cut at `time` seconds: the end of the picture.

        A packet cannot be cut, only said to be shorter, which some players overlook. So the one
        across the end goes along if it reaches past it by no more than `slack`, or by no more than
        half of itself.
        """
        yield from self.until(time)
        for start, packet in self._take_waiting():
            beyond = start + self._packet_length - time
            if start < time and beyond <= max(slack, self._packet_length / 2):
                stated = packet.duration or int(self._packet_length / packet.time_base)
                packet.duration = max(1, min(stated, int((time - start) / packet.time_base)))
                yield packet

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

    def finish(self, time: Fraction, slack: Fraction) -> Iterator[Any]:
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


def copied_track(
    container: Any, path: Path, stack: ExitStack, picture_s: Fraction
) -> SoundTrack | None:
    """A file's sound, its packets untouched where mp4 holds such; None where it has none.

    Args:
        container: The mp4 being written.
        path: The file whose sound is wanted; closed when `stack` ends.
        stack: Keeps the file open while the video is written.
        picture_s: How long one picture is shown. Sound whose packets are so long that it could
            not end within one picture of the last is encoded anew.

    Raises:
        FootageError: If it is missing or no media file.
    """
    origin = sound_origin(path)
    source = stack.enter_context(open_media(path))
    if not source.streams.audio:
        return None
    stream = source.streams.audio[0]
    packet_s = _packet_length(stream)
    is_known = stream.codec.canonical_name in _COPIED_CODECS
    if is_known and packet_s <= _LONGEST_COPIED_PACKET * picture_s:
        target = container.add_stream_from_template(stream)
        return SoundTrack(_copied(target, source, origin), packet_s)
    layout = "mono" if len(stream.layout.channels) == 1 else "stereo"
    rate = stream.codec_context.sample_rate
    return _aac_track(container, _from_origin(source, stream, origin, layout), rate, layout)


def sound_origin(path: Path) -> Fraction:
    """Time in the file's own clock that counts as 0, as `read_audio` has it.

    It is that of the first picture; of a file of sound alone that of the first sample played, for
    MP3 begins with samples that are only there for the decoder.

    Raises:
        FootageError: If the file is missing or no media file.
    """
    with open_media(path) as source:
        if source.streams.audio and not source.streams.video:
            first = next(decoded(source, source.streams.audio[0]), None)
            return (time_of(first) if first is not None else None) or Fraction(0)
    return first_picture_time(path)


def stated_sound_length(path: Path) -> float | None:
    """Seconds from time 0 to the end of the sound as an mp4 states it; None of other files.

    Decoded samples fill whole packets and so reach up to 64 ms further.

    Raises:
        FootageError: If the file is missing or no media file.
    """
    origin = sound_origin(path)
    with open_media(path) as source:
        if "mp4" not in source.format.name or not source.streams.audio:
            return None
        stream = source.streams.audio[0]
        if not stream.duration:
            return None
        return float(((stream.start_time or 0) + stream.duration) * stream.time_base - origin)


def _packet_length(stream: Any) -> Fraction:
    """What a whole packet of a copied stream lasts, s."""
    usual = _SAMPLES_A_PACKET.get(stream.codec.canonical_name, _AAC_FRAME)
    samples = stream.codec_context.frame_size or usual
    return Fraction(samples, stream.codec_context.sample_rate or 48_000)


def _copied(target: Any, source: Any, origin: Fraction) -> Iterator[tuple[Fraction, Any]]:
    stream = source.streams.audio[0]
    for packet in packets_of(source, stream):
        time = time_of(packet)
        if time is None or packet.dts is None or packet.size == 0:
            continue
        start = time - origin
        length = Fraction(packet.duration or 0) * packet.time_base
        # What ends before time 0 only primes the decoder, and is not played.
        is_priming = packet.is_discard or start + _PRIMING_S > 0
        if start + length <= 0 and not is_priming:
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
