"""Small media files made on the spot, whose every frame carries its number as a grey level."""

import os
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

MILLISECOND = Fraction(1, 1000)


def grey_of(number: int) -> int:
    return 20 + 4 * number


@pytest.fixture
def number_of() -> Callable[[np.ndarray], int]:
    """Reads a frame's number back from its picture."""
    return lambda image: round((float(image.mean()) - 20) / 4)


@pytest.fixture
def make_video() -> Callable[..., Path]:
    """Writes frames at given times (ms), and sound pieces at given times, to any container."""
    return write_video


def write_video(
    path: Path,
    times_ms: Sequence[int],
    size: tuple[int, int] = (64, 48),
    sound: Sequence[tuple[int, np.ndarray]] = (),
    sample_rate: int = 16000,
    gop: int = 1,
) -> Path:
    rate = round(1000 / (times_ms[1] - times_ms[0])) if len(times_ms) > 1 else 25
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx264", rate=rate, options={"crf": "0", "preset": "ultrafast", "bf": "0"}
        )
        stream.width, stream.height = size
        stream.pix_fmt = "yuv444p" if size[0] % 2 or size[1] % 2 else "yuv420p"
        stream.codec_context.time_base = MILLISECOND
        stream.codec_context.gop_size = gop
        track = (
            container.add_stream("pcm_s16le", rate=sample_rate, layout="mono") if sound else None
        )
        for begin, samples in sound:
            frame = av.AudioFrame.from_ndarray(
                (samples * 32767).astype(np.int16)[None], "s16", "mono"
            )
            frame.sample_rate, frame.time_base = sample_rate, Fraction(1, sample_rate)
            frame.pts = begin * sample_rate // 1000
            container.mux(track.encode(frame))
        for number, time_ms in enumerate(times_ms):
            picture = np.full((size[1], size[0], 3), grey_of(number), np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = time_ms, MILLISECOND
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if track is not None:
            container.mux(track.encode(None))
    return path


@pytest.fixture(scope="session")
def real_clips() -> Path:
    """Folder of the real recordings; the test is skipped where it is absent."""
    default = Path(__file__).parents[3] / "shared" / "realdata"
    folder = Path(os.environ.get("TALKIN_REALDATA", default)) / "clips"
    if not folder.is_dir():
        pytest.skip(f"no recordings in {folder} (TALKIN_REALDATA names another folder)")
    return folder
