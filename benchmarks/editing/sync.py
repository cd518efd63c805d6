"""Do sound and picture stay together over ten minutes, whatever the rates?

Footage flashes and sound clicks at the same moments, every half minute. The footage is read at the
rate at which an edit reads it, written in pieces and joined with the sound, as an edit does. Then
flashes and clicks are looked for in what was written.

Run: OMP_NUM_THREADS=1 python benchmarks/editing/sync.py [--minutes 10]
"""

import argparse
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from talkin.footage.audio import Audio, read_audio, write_wav
from talkin.footage.joining import join_pieces
from talkin.footage.video import VideoWriter, iter_frames, probe_video

SIDE, EVERY_S = 32, 30.0


def write_footage(path: Path, steps: list[Fraction], duration_s: float) -> list[float]:
    """Pictures whose distances go through `steps` again and again; gives where flashes begin, s."""
    begun: list[float] = []
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"preset": "ultrafast"})
        stream.width = stream.height = SIDE
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, 90_000)
        time, number = Fraction(0), 0
        while time < duration_s:
            level = 255 if float(time) % EVERY_S < 0.2 else 16
            if level == 255 and (not begun or float(time) > begun[-1] + 1):
                begun.append(float(time))
            image = np.full((SIDE, SIDE, 3), level, np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = round(time * 90_000), Fraction(1, 90_000)
            container.mux(stream.encode(frame))
            time, number = time + steps[number % len(steps)], number + 1
        container.mux(stream.encode(None))
    return begun


def write_sound(path: Path, rate: int, duration_s: float, begun: list[float]) -> None:
    """A tone at the moments of the flashes."""
    samples = np.zeros(round(duration_s * rate), np.float32)
    tone = 0.5 * np.sin(np.arange(round(0.2 * rate)) * 2 * np.pi * 1000 / rate)
    for start in begun:
        begin = round(start * rate)
        samples[begin : begin + len(tone)] = tone
    write_wav(path, Audio(samples, rate))


def onsets(loud: np.ndarray, rate: float) -> np.ndarray:
    """Times at which something begins that was away for a second."""
    at = np.flatnonzero(loud)
    return at[np.concatenate([[True], np.diff(at) > rate])] / rate


def largest_drift(footage: Path, sound: Path, folder: Path) -> tuple[float, float, int]:
    """Write as an edit does; frames/s, and the largest distance of flash and click in frames."""
    info, pieces, writer = probe_video(footage), [], None
    for number, frame in enumerate(iter_frames(footage, info.fps)):
        if number % 250 == 0:
            if writer is not None:
                writer.__exit__(None, None, None)
            pieces.append(folder / f"{number:06d}.mp4")
            writer = VideoWriter(pieces[-1], SIDE, SIDE, info.fps).__enter__()
        writer.write(frame.image)
    writer.__exit__(None, None, None)
    joined = folder / "joined.mp4"
    join_pieces(pieces, joined, info.fps, sound)
    fps = probe_video(joined).fps
    bright = np.array([frame.image.mean() > 128 for frame in iter_frames(joined, fps)])
    flashes, heard = onsets(bright, fps), read_audio(joined, 16_000)
    clicks = onsets(np.abs(heard.samples) > 0.2, 16_000)
    if len(flashes) != len(clicks):
        raise SystemExit(f"{len(flashes)} flashes, {len(clicks)} clicks")
    return fps, float(np.abs(flashes - clicks).max() * fps), len(flashes)


def main() -> None:
    """Print a row a combination of rates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    duration_s = 60 * parser.parse_args().minutes
    kinds = {
        "29.97 frames/s": [Fraction(1001, 30_000)],
        "variable, 24 to 34 frames/s": [Fraction(1, k) for k in (30, 24, 29, 34, 31, 26)],
    }
    for kind, steps in kinds.items():
        for rate in (48_000, 44_100):
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                begun = write_footage(folder / "footage.mp4", steps, duration_s)
                write_sound(folder / "sound.wav", rate, duration_s, begun)
                fps, drift, n = largest_drift(folder / "footage.mp4", folder / "sound.wav", folder)
            print(
                f"{kind:28} {rate} Hz: {fps:.4f} frames/s, {n} flashes, off by {drift:.2f} frames"
            )


if __name__ == "__main__":
    main()
