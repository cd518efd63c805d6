"""Pictures of a video file at a constant rate, upright, one at a time.

Time 0 is the first picture. Variable frame rates, lost frames and any container rate are resampled
by the nearest presentation time, so sound and picture stay together however long the clip is.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from talkin.errors import FootageError
from talkin.footage.media import (
    as_frame_rate,
    decoded_packet,
    open_media,
    packets_of,
    time_of,
    video_stream,
)
from talkin.footage.video_writer import VideoWriter

__all__ = ["Frame", "VideoInfo", "VideoWriter", "iter_frames", "probe_video"]

_STANDARD_RATES = tuple(
    Fraction(rate)
    for rate in (
        *("24000/1001", "24", "25", "30000/1001", "30", "48", "50", "60000/1001", "60"),
        *("15000/1001", "10", "12", "15", "120"),
    )
)


@dataclass(frozen=True)
class VideoInfo:
    """What a video file holds.

    Attributes:
        path: The file.
        width: Of the upright picture, px.
        height: Of the upright picture, px.
        fps: Mean frames per second; the nominal rate where the frames keep to it.
        n_frames: Pictures in the file.
        duration_s: From the first picture to the end of the last.
        rotation: Degrees anticlockwise that the stored pictures are turned to stand upright.
        has_audio: Whether there is sound.
    """

    path: Path
    width: int
    height: int
    fps: float
    n_frames: int
    duration_s: float
    rotation: int
    has_audio: bool


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture.

    Attributes:
        time_s: Seconds since the first picture.
        image: RGB, upright.
        is_lost: True where the file's own picture is missing or cannot be decoded and its
            nearest neighbour is shown in its place.
    """

    time_s: float
    image: UInt8[np.ndarray, "height width 3"]
    is_lost: bool = False


def probe_video(path: Path) -> VideoInfo:
    """Look at a video file: reads all packets, decodes only the first picture.

    Raises:
        FootageError: If it is missing, empty, no media file, or holds no picture.
    """
    path = Path(path)
    timeline = _timeline(path)
    with open_media(path) as container:
        stream = video_stream(container, path)
        start, first = next(_shown(container, stream), (Fraction(0), None))
        if first is None:
            raise FootageError(f"{path}: none of its pictures can be decoded; the file is damaged")
        has_audio = len(container.streams.audio) > 0
        rate = timeline.mean_rate(stream.average_rate)
    height, width = _upright(first).shape[:2]
    shown = [time for time in timeline.times if time >= start]
    return VideoInfo(
        path=path,
        width=width,
        height=height,
        fps=float(rate),
        n_frames=len(shown),
        duration_s=float(timeline.end - start),
        rotation=first.rotation % 360,
        has_audio=has_audio,
    )


def iter_frames(path: Path, fps: float | Fraction | None = None) -> Iterator[Frame]:
    """Pictures at a constant rate; row k shows what is on screen nearest to k / fps seconds.

    Holds a few frames at a time, whatever the length. Frames that cannot be decoded are replaced
    by their nearest neighbours and marked.

    Args:
        path: The video file.
        fps: Frames per second to give, or None for the file's own mean rate.

    Yields:
        round(duration * fps) frames, at least one.

    Raises:
        FootageError: If the file is missing, empty, no media file, or no picture can be decoded.
    """
    path = Path(path)
    if fps is None:
        fps = probe_video(path).fps
    rate = as_frame_rate(fps)
    with open_media(path) as container:
        yield from _resampled(container, video_stream(container, path), rate, path)


@dataclass(frozen=True)
class _Timeline:
    """Presentation times of a file's packets, in order."""

    times: list[Fraction]
    end: Fraction

    def mean_rate(self, nominal: Fraction | None) -> Fraction:
        """The nominal or a standard rate if the frames keep to it, else their mean rate."""
        span, steps = self.times[-1] - self.times[0], len(self.times) - 1
        if steps < 1 or span <= 0:
            return nominal or Fraction(25)
        mean = Fraction(steps) / span
        nearest = min(_STANDARD_RATES, key=lambda rate: abs(rate - mean))
        for rate in (*([nominal] if nominal else []), nearest):
            if abs(span * rate - steps) < 0.25 and abs(rate / mean - 1) < 2e-3:
                return Fraction(rate)
        return mean.limit_denominator(1000)


def _timeline(path: Path) -> _Timeline:
    times: set[Fraction] = set()
    longest_end = Fraction(0)
    with open_media(path) as container:
        stream = video_stream(container, path)
        for packet in packets_of(container, stream):
            time = time_of(packet)
            if time is None or packet.is_discard:
                continue
            times.add(time)
            longest_end = max(longest_end, time + _length(packet, stream))
        if not times:
            return _timeline_without_times(container, stream)
    ordered = sorted(times)
    return _Timeline(ordered, max(longest_end, ordered[-1]))


def _timeline_without_times(container: Any, stream: Any) -> _Timeline:
    # Raw streams and some AVIs carry no presentation times: the header's rate is all there is.
    rate = stream.average_rate or Fraction(25)
    count = max(1, stream.frames or 1)
    return _Timeline([Fraction(k) / rate for k in range(count)], Fraction(count) / rate)


def _length(packet: Any, stream: Any) -> Fraction:
    if packet.duration:
        return Fraction(packet.duration) * packet.time_base
    return 1 / stream.average_rate if stream.average_rate else Fraction(0)


class _Clock:
    """Follows packets and frames: where the stream ends, and which pictures were lost."""

    def __init__(self, step: Fraction = Fraction(1, 25)) -> None:
        self.step = step
        self.end: Fraction | None = None
        self.lost: deque[Fraction] = deque()
        self._awaited: set[Fraction] = set()

    def packet(self, packet: Any, stream: Any) -> None:
        time = time_of(packet)
        if time is None or packet.is_discard:
            return
        self._awaited.add(time)
        end = time + _length(packet, stream)
        self.end = end if self.end is None else max(self.end, end)

    def frame(self, time: Fraction) -> None:
        # Frames leave the decoder in presentation order: what is older and still awaited is lost.
        older = sorted(awaited for awaited in self._awaited if awaited < time)
        self.lost.extend(older)
        self._awaited.difference_update(older)
        self._awaited.discard(time)

    def finish(self) -> None:
        self.lost.extend(sorted(self._awaited))
        self._awaited.clear()

    def is_lost(self, wanted: Fraction, shown: Fraction) -> bool:
        distance = abs(shown - wanted)
        while self.lost and self.lost[0] < wanted - 1:
            self.lost.popleft()
        # Damage can swallow whole packets: then nothing is left to await but a hole.
        is_hole = distance > 1.5 * self.step
        return is_hole or any(abs(time - wanted) < distance for time in self.lost)


def _shown(
    container: Any, stream: Any, clock: _Clock | None = None
) -> Iterator[tuple[Fraction, Any]]:
    """Decoded frames with their presentation times, which strictly rise."""
    clock = clock or _Clock()
    last: Fraction | None = None
    step = 1 / stream.average_rate if stream.average_rate else Fraction(1, 25)
    for packet in packets_of(container, stream):
        clock.packet(packet, stream)
        for frame in decoded_packet(packet):
            time = time_of(frame)
            if time is None:
                time = Fraction(0) if last is None else last + step
            if last is not None and time <= last:
                continue
            last = time
            clock.frame(time)
            yield time, frame
    clock.finish()


def _resampled(container: Any, stream: Any, rate: Fraction, path: Path) -> Iterator[Frame]:
    own = 1 / stream.average_rate if stream.average_rate else Fraction(0)
    clock = _Clock(max(1 / rate, own))
    held: deque[tuple[Fraction, Any]] = deque()
    start: Fraction | None = None
    half, number = 1 / (2 * rate), 0
    picture = _Converter()
    for time, frame in _shown(container, stream, clock):
        start = time if start is None else start
        held.append((time - start, frame))
        # A row is due once the pictures reach half a step past it: until then a nearer one, or
        # the end of the clip, may still come.
        while held[-1][0] >= number / rate + half:
            yield _nearest(held, number / rate, clock, start, picture)
            number += 1
    if start is None:
        raise FootageError(f"{path}: none of its pictures can be decoded; the file is damaged")
    end = (clock.end or start) - start
    while number == 0 or number / rate + half <= max(end, held[-1][0] + half):
        yield _nearest(held, number / rate, clock, start, picture)
        number += 1


def _nearest(
    held: deque[tuple[Fraction, Any]],
    wanted: Fraction,
    clock: _Clock,
    start: Fraction,
    picture: "_Converter",
) -> Frame:
    while len(held) > 1 and abs(held[1][0] - wanted) < abs(held[0][0] - wanted):
        held.popleft()
    time, frame = held[0]
    return Frame(float(wanted), picture(frame), clock.is_lost(wanted + start, time + start))


class _Converter:
    """Turns decoded frames into pictures; a repeated frame is converted once."""

    def __init__(self) -> None:
        self._frame: Any = None
        self._image = np.empty((0, 0, 3), np.uint8)

    def __call__(self, frame: Any) -> np.ndarray:
        if frame is not self._frame:
            self._frame, self._image = frame, _upright(frame)
        return self._image.copy()


def _upright(frame: Any) -> np.ndarray:
    """RGB picture as a player shows it."""
    from av.video.reformatter import Colorspace, Interpolation

    # Untagged footage is taken as players take it: BT.709 from 720 lines on, else BT.601.
    matrix = frame.colorspace
    if int(matrix) in (0, 2):  # RGB or not stated
        matrix = Colorspace.ITU709 if frame.height >= 720 else Colorspace.ITU601
    # Without these two flags swscale darkens every picture by a whole level (measured: 1.1-1.4).
    exact = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
    image = frame.reformat(
        format="rgb24", src_colorspace=matrix, interpolation=exact, threads=1
    ).to_ndarray()
    return np.ascontiguousarray(np.rot90(image, k=round(frame.rotation / 90) % 4))
