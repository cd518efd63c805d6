"""Sound of a media file as samples whose time 0 is the first picture."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from jaxtyping import Float

from talkin.errors import FootageError
from talkin.files import replace_when_whole
from talkin.footage.media import check_hole, decoded, first_picture_time, open_media, time_of

_LONGEST_S = 4 * 3600  # an hour of sound takes 230 MB
_LOUDEST = 1e3  # full scale is 1
_RATES = range(2_000, 1_000_001)
_JUMP_S = 0.04  # time stamps jitter by less than this; more is a hole or an overlap


@dataclass(frozen=True, eq=False)
class Audio:
    """Mono sound.

    Attributes:
        samples: Within +-1.
        sample_rate: Samples per second.
    """

    samples: Float[np.ndarray, "samples"]
    sample_rate: int

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.samples)

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate


def read_audio(path: Path, sample_rate: int = 16000) -> Audio:
    """Read a file's first sound track as mono.

    Sound that begins after the first picture is preceded by silence, sound before it is dropped,
    and holes are filled with silence, so that sample i belongs to time i / sample_rate of the
    picture.

    Args:
        path: Any video or sound file.
        sample_rate: Samples per second to give.

    Raises:
        FootageError: If the file is missing, no media file, has no sound, holds samples that are
            no numbers, or claims an absurd rate or length.
    """
    path = Path(path)
    start = first_picture_time(path)
    with open_media(path) as container:
        if not container.streams.audio:
            raise FootageError(f"{path}: the file has no sound; give one with a sound track")
        stream = container.streams.audio[0]
        has_picture = any(True for _ in container.streams.video)
        origin = start if has_picture else None
        samples = bytearray()  # grows in place: pieces to be joined would be held twice
        for piece in _resampled(_placed(container, stream, origin, path), sample_rate):
            samples += np.ascontiguousarray(piece, dtype=np.float32).data.cast("B")
    if not samples:
        raise FootageError(f"{path}: its sound cannot be decoded; the file is damaged")
    return Audio(np.frombuffer(samples, dtype=np.float32), sample_rate)


def write_wav(path: Path, audio: Audio) -> None:
    """Write 16-bit PCM, whole or not at all; samples beyond +-1 are clipped.

    Raises:
        FootageError: If samples are no numbers, or the file cannot be written.
    """
    import soundfile

    if not np.isfinite(audio.samples).all():
        raise FootageError(f"{path}: the sound to be written holds samples that are no numbers")
    try:
        with replace_when_whole(Path(path)) as part:
            soundfile.write(part, np.clip(audio.samples, -1, 1), audio.sample_rate, "PCM_16")
    except (OSError, soundfile.LibsndfileError) as error:
        raise FootageError(f"{path} cannot be written: {error}") from error


def _placed(
    container: Any, stream: Any, origin: Fraction | None, path: Path
) -> Iterator[tuple[np.ndarray, int]]:
    """Mono pieces at the stream's own rate, without holes, beginning at `origin`."""
    due = begin = origin
    for frame in decoded(container, stream):
        samples, rate = _mono(frame, path), frame.sample_rate
        if rate not in _RATES:
            raise FootageError(
                f"{path}: its sound claims {rate} samples a second; damaged, or no sound of speech"
            )
        time = time_of(frame)
        if due is None or begin is None:
            due = begin = time or Fraction(0)
        gap = Fraction(0) if time is None else time - due
        # The beginning is placed to the sample; later on only holes and overlaps are.
        if time is not None and (due == origin or abs(gap) > _JUMP_S):
            check_hole(due, time, path)
            shift = round(gap * rate)
            if shift > 0:
                yield np.zeros(shift, np.float32), rate
            samples = samples[max(0, -shift) :]
            due += Fraction(max(shift, 0), rate)
        if len(samples) == 0:
            continue
        due += Fraction(len(samples), rate)
        if due - begin > _LONGEST_S:
            raise FootageError(
                f"{path}: its sound is longer than {_LONGEST_S // 3600} hours; cut it into parts"
            )
        yield samples, rate


def _mono(frame: Any, path: Path) -> np.ndarray:
    n_channels = len(frame.layout.channels)
    values = frame.to_ndarray()
    if not frame.format.is_planar:
        values = values.reshape(-1, n_channels).T
    if values.dtype.kind == "u":
        values = (values.astype(np.float32) - 128) / 128
    elif values.dtype.kind == "i":
        values = values.astype(np.float32) / -float(np.iinfo(values.dtype).min)
    if not (np.abs(values) < _LOUDEST).all():
        raise FootageError(
            f"{path}: the sound at {float(frame.time or 0):.2f} s holds samples that are no "
            "numbers (NaN or infinite) or far beyond full scale; export it again"
        )
    return values.mean(axis=0, dtype=np.float32)


def _resampled(pieces: Iterator[tuple[np.ndarray, int]], sample_rate: int) -> Iterator[np.ndarray]:
    resampler = av.AudioResampler(format="flt", layout="mono", rate=sample_rate)
    pts = 0
    rate = sample_rate
    for samples, piece_rate in pieces:
        rate = piece_rate
        frame = av.AudioFrame.from_ndarray(samples[None].astype(np.float32), "flt", "mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, pts, Fraction(1, rate)
        pts += len(samples)
        yield from (out.to_ndarray()[0] for out in resampler.resample(frame))
    if pts:
        yield from (out.to_ndarray()[0] for out in resampler.resample(None))
