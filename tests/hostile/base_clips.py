"""Small whole clips that the hostile ones are made from."""

import io
import struct
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np

CONTAINERS = {
    "mp4": ("libx264", "yuv420p", "aac"),
    "mkv": ("libx264", "yuv420p", "flac"),
    "avi": ("mpeg4", "yuv420p", "pcm_s16le"),
    "webm": ("libvpx-vp9", "yuv420p", "libopus"),
    "mpg": ("mpeg2video", "yuv420p", "mp2"),
    "mov": ("png", "rgb24", "pcm_s16le"),
    "gif": ("gif", "rgb8", ""),
}
_MILLISECOND = Fraction(1, 1000)


@cache
def base_bytes(kind: str) -> bytes:
    """A whole clip of half a second with sound."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"clip.{kind}"
        write_pictures(path, sound_s=0.5)
        return path.read_bytes()


def write_pictures(  # noqa: PLR0917 - what may be odd about a clip
    path: Path,
    n_pictures: int = 12,
    rate: Fraction = Fraction(25),
    times_ms: Sequence[int] | None = None,
    size: tuple[int, int] = (64, 48),
    codec: str = "",
    pixels: str = "",
    sound_s: float = 0.0,
    sound_rate: int = 48000,
    sound_start_s: float = 0.0,
) -> None:
    """Write a moving square, and a tone.

    Args:
        path: Its suffix chooses the container.
        n_pictures: How many.
        rate: A second.
        times_ms: When they are shown, instead of number and rate.
        size: Width and height, px.
        codec: Instead of the container's usual one.
        pixels: Pixel format, likewise.
        sound_s: Length of the tone; 0 for no sound.
        sound_rate: Samples a second.
        sound_start_s: When it begins.
    """
    usual = CONTAINERS[path.suffix[1:]]
    times = [Fraction(t, 1000) for t in times_ms] if times_ms is not None else None
    times = times or [k / rate for k in range(n_pictures)]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec or usual[0], rate=rate)
        stream.width, stream.height = size
        stream.pix_fmt = pixels or usual[1]
        base = _MILLISECOND if times_ms is not None else 1 / rate
        stream.codec_context.time_base = base
        sound = container.add_stream(usual[2], rate=sound_rate) if sound_s else None
        if sound is not None:
            _mux_tone(container, sound, sound_s, sound_rate, sound_start_s)
        container.start_encoding()  # writes a header even where nothing follows
        for number, time in enumerate(times):
            frame = _picture(number, size).reformat(format=stream.pix_fmt)
            frame.pts, frame.time_base = round(time / base), base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None:
            container.mux(sound.encode(None))


def _picture(number: int, size: tuple[int, int]) -> av.VideoFrame:
    picture = np.full((size[1], size[0], 3), 90, np.uint8)
    picture[:, number % size[0] : number % size[0] + 9] = (200, 30, 60)
    return av.VideoFrame.from_ndarray(picture, format="rgb24")


def _mux_tone(container, stream, length_s, rate, start_s):  # type: ignore[no-untyped-def]
    samples = (0.3 * np.sin(np.arange(round(length_s * rate)) * 0.05)).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(samples[None], "flt", "mono")
    frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
    frame.pts = round(start_s * rate)
    resampler = av.AudioResampler(
        format=stream.codec_context.format, layout="stereo", rate=stream.codec_context.sample_rate,
        frame_size=stream.codec_context.frame_size or 1024,
    )  # fmt: skip
    for piece in [*resampler.resample(frame), *resampler.resample(None)]:
        container.mux(stream.encode(piece))


def sound_bytes(value: float = 0.25, n: int = 4000, rate: int = 16000, channels: int = 1) -> bytes:
    """A WAV file of 32-bit floats, all of one value."""
    data = struct.pack("<f", min(value, 3e38) if np.isfinite(value) else value) * (n * channels)
    byte_rate = min(2**32 - 1, rate * channels * 4)
    file = io.BytesIO()
    file.write(struct.pack("<4sI4s", b"RIFF", 36 + len(data), b"WAVE"))
    file.write(
        struct.pack("<4sIHHIIHH", b"fmt ", 16, 3, channels, rate, byte_rate, 4 * channels, 32)
    )
    file.write(struct.pack("<4sI", b"data", len(data)) + data)
    return file.getvalue()
