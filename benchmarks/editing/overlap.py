"""What decoding, painting and encoding side by side saves: seconds of the second pass, 1080p.

Both ways run in turns, with tiny networks, and must write the same bytes.

Run: OMP_NUM_THREADS=1 python benchmarks/editing/overlap.py [--frames 100] [--turns 3]
"""

import argparse
import tempfile
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import toy_job

from talkin.footage.overlap import ahead

WIDTH, HEIGHT = 1920, 1080


def one_after_the_other(items: Iterable[Any], depth: int) -> Generator[Any]:
    """The stand-in for `ahead` that draws an item when it is asked for."""
    yield from items


def main() -> None:
    """Print medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--turns", type=int, default=3)
    chosen = parser.parse_args()
    minutes = chosen.frames / toy_job.FPS / 60
    took: dict[str, list[float]] = {"in turn": [], "side by side": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        video = toy_job.write_footage(folder / "v.mp4", minutes, WIDTH, HEIGHT)
        audio = toy_job.write_speech(folder / "a.wav", minutes)
        for _ in range(chosen.turns):
            for way, drawn in (("in turn", one_after_the_other), ("side by side", ahead)):
                with mock.patch("talkin.editing.edit_clip.ahead", drawn):
                    report = toy_job.edit(video, audio, folder / f"{way}.mp4", WIDTH, HEIGHT)
                took[way].append(report.ms_per_frame["all but following"])
        same = (folder / "in turn.mp4").read_bytes() == (folder / "side by side.mp4").read_bytes()
    for way, times in took.items():
        print(f"{way:14} {np.median(times):7.1f} ms a frame  {[round(t, 1) for t in times]}")
    print({stage: round(ms, 1) for stage, ms in report.ms_per_frame.items()})
    ratio = np.median(took["side by side"]) / np.median(took["in turn"])
    print(f"side by side over in turn: {ratio:.2f}; same bytes: {same}")


if __name__ == "__main__":
    main()
