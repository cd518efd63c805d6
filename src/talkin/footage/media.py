"""Opening a media file: one place that turns FFmpeg's errors into words for the user."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from talkin.errors import FootageError

_LARGEST_DENOMINATOR = 100_000
# FFmpeg's names of the containers that hold pictures or sound themselves.
_FORMATS = (
    *("mov", "mp4", "matroska", "webm", "avi", "mpeg", "mpegts", "mpegvideo", "asf", "flv", "mxf"),
    *("dv", "ivf", "gif", "h264", "hevc", "m4v", "nut", "wtv", "rm", "yuv4mpegpipe"),
    *("wav", "w64", "flac", "mp3", "ogg", "aac", "ac3", "eac3", "aiff", "caf", "au", "amr", "ape"),
)
_LONGEST_HOLE_S = 600


@contextmanager
def open_media(path: Path) -> Iterator[Any]:
    """Open a media file for reading.

    Yields:
        The opened `av` input container.

    Raises:
        FootageError: If the file is missing, empty, or no media file.
    """
    path = Path(path)
    if not path.is_file():
        raise FootageError(f"{path}: there is no such file")
    if path.stat().st_size == 0:
        raise FootageError(f"{path}: the file is empty; copy or record it again")
    try:
        # "file:" keeps a name such as "concat:a|b" from being taken for a protocol; the lists keep
        # a playlist in disguise from reaching for the network or for other files.
        options = {"protocol_whitelist": "file", "format_whitelist": ",".join(_FORMATS)}
        container = av.open(f"file:{path}", options=options, metadata_errors="replace")
    except (av.FFmpegError, ValueError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FootageError(
            f"{path}: not a media file that can be read ({reason}); "
            "give a video or sound file such as .mp4, .mov, .mkv, .webm, .mpg or .wav"
        ) from error
    with container:
        yield container


def as_frame_rate(fps: float | Fraction) -> Fraction:
    """The exact rate that a float stands for: 29.97002997 becomes 30000/1001.

    Raises:
        FootageError: If it is not a positive, finite number up to 1000.
    """
    if not (np.isfinite(float(fps)) and 0 < float(fps) <= 1000):
        raise FootageError(f"a frame rate of {float(fps)} is not between 0 and 1000 frames/s")
    return Fraction(fps).limit_denominator(_LARGEST_DENOMINATOR)


def video_stream(container: Any, path: Path) -> Any:
    """The picture stream that is shown by default; a sound file's cover picture is none.

    Raises:
        FootageError: If there is none.
    """
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic:
            stream.thread_type = "AUTO"
            return stream
    raise FootageError(f"{path}: the file has no picture, only sound; give a video file")


def decoded(container: Any, stream: Any) -> Iterator[Any]:
    """Frames of a stream in the order shown; packets that cannot be decoded are passed over."""
    for packet in packets_of(container, stream):
        yield from decoded_packet(packet)


def decoded_packet(packet: Any) -> list[Any]:
    """Frames that a packet sets free; none where it cannot be decoded."""
    try:
        return list(packet.decode())
    except (av.FFmpegError, ValueError):
        return []


def packets_of(container: Any, stream: Any) -> Iterator[Any]:
    """Packets of a stream and the empty one that flushes it; a broken end ends the stream."""
    packets = container.demux(stream)
    while True:
        try:
            yield next(packets)
        except StopIteration:
            return
        except (av.FFmpegError, ValueError):
            yield _flush_packet(stream)
            return


def _flush_packet(stream: Any) -> Any:
    packet = av.Packet()
    packet.stream = stream
    return packet


def time_of(timed: Any) -> Fraction | None:
    """Presentation time in seconds of a frame or packet, exact; None where it carries none."""
    if timed.pts is None or timed.time_base is None:
        return None
    return Fraction(timed.pts) * timed.time_base


def check_hole(before: Fraction, after: Fraction, path: Path) -> None:
    """Refuse a file whose next picture or sound comes absurdly late: it would fill the disk.

    Raises:
        FootageError: If the hole is longer than ten minutes.
    """
    if after - before > _LONGEST_HOLE_S:
        raise FootageError(
            f"{path}: nothing comes for {float(after - before):.0f} s after {float(before):.2f} s; "
            "its time stamps are damaged: encode it anew, or cut it there"
        )


def first_picture_time(path: Path) -> Fraction:
    """Time in the file's own clock of the first picture that can be shown; 0 for a sound file."""
    with open_media(path) as container:
        try:
            stream = video_stream(container, path)
        except FootageError:
            return Fraction(0)
        for frame in decoded(container, stream):
            time = time_of(frame)
            if time is not None:
                return time
    return Fraction(0)
