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
from talkin.footage.colour import Colours, colours_of, rgb_picture
from talkin.footage.media import (
    as_frame_rate,
    check_hole,
    decoded_packet,
    open_media,
    packets_of,
    time_of,
    video_stream,
)
from talkin.footage.picture_clock import PictureClock, read_timeline
from talkin.footage.video_writer import VideoWriter

__all__ = ["Frame", "VideoInfo", "VideoWriter", "iter_frames", "probe_video"]

_SLOWEST = Fraction(1, 2)  # pictures a second


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
        colours: How its pictures are coded.
    """

    path: Path
    width: int
    height: int
    fps: float
    n_frames: int
    duration_s: float
    rotation: int
    has_audio: bool
    colours: Colours


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
        FootageError: If it is missing, empty, no media file, holds no picture, or less than one
            every two seconds.
    """
    path = Path(path)
    timeline = read_timeline(path)
    with open_media(path) as container:
        stream = video_stream(container, path)
        start, first = next(_shown(container, stream), (Fraction(0), None))
        if first is None:
            raise FootageError(f"{path}: none of its pictures can be decoded; the file is damaged")
        has_audio = len(container.streams.audio) > 0
        rate = timeline.mean_rate(stream.average_rate)
    height, width = _upright(first).shape[:2]
    shown = [time for time in timeline.times if time >= start]
    if len(shown) > 1 and rate < _SLOWEST:
        raise FootageError(
            f"{path}: shows a new picture only every {float(1 / rate):.0f} s, so no speech can be "
            "seen in it; its time stamps are damaged, or it is a slide show"
        )
    return VideoInfo(
        path=path,
        width=width,
        height=height,
        fps=float(rate),
        n_frames=len(shown),
        duration_s=float(timeline.end - start),
        rotation=first.rotation % 360,
        has_audio=has_audio,
        colours=colours_of(first),
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


def _shown(
    container: Any, stream: Any, clock: PictureClock | None = None
) -> Iterator[tuple[Fraction, Any]]:
    """Decoded frames with their presentation times, which strictly rise."""
    clock = clock or PictureClock()
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
    clock = PictureClock(max(1 / rate, own))
    held: deque[tuple[Fraction, Any]] = deque()
    start: Fraction | None = None
    half, number = 1 / (2 * rate), 0
    for time, frame in _shown(container, stream, clock):
        start = time if start is None else start
        check_hole(held[-1][0] if held else Fraction(0), time - start, path)
        held.append((time - start, frame))
        # A row is due once the pictures reach half a step past it: until then a nearer one, or
        # the end of the clip, may still come.
        while held[-1][0] >= number / rate + half:
            yield _nearest(held, number / rate, clock, start)
            number += 1
    if start is None:
        raise FootageError(f"{path}: none of its pictures can be decoded; the file is damaged")
    end = (clock.end or start) - start
    check_hole(held[-1][0], end, path)
    while number == 0 or number / rate + half <= max(end, held[-1][0] + half):
        yield _nearest(held, number / rate, clock, start)
        number += 1


def _nearest(
    held: deque[tuple[Fraction, Any]],
    wanted: Fraction,
    clock: PictureClock,
    start: Fraction,
) -> Frame:
    while len(held) > 1 and abs(held[1][0] - wanted) < abs(held[0][0] - wanted):
        held.popleft()
    time, frame = held[0]
    return Frame(float(wanted), _upright(frame), clock.is_lost(wanted + start, time + start))


def _upright(frame: Any) -> np.ndarray:
    """RGB picture as a player shows it."""
    return np.ascontiguousarray(np.rot90(rgb_picture(frame), k=round(frame.rotation / 90) % 4))
