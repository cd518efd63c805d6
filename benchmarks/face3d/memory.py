"""Peak memory of `talkin fit` by the length of the clip, with the embedded nets' 468 points.

The clip is some seconds of a rendered person, set one behind the other by stream copy. Each length
runs in a process of its own: at first the shortest clip is fitted, which loads everything, then the
kernel forgets the peak (Linux: /proc/self/clear_refs), so that the one printed is the long fit's.
What the fit writes takes 1.0 kB a frame, the points meanwhile 3.7 kB.

Run: OMP_NUM_THREADS=1 python benchmarks/face3d/memory.py [--minutes 1 10] [--height 360]
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from click.testing import CliRunner


def memory_mb(kind: str) -> float:
    """Resident size of this process: VmRSS now, VmHWM at its peak."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    found = dict(line.split(":", 1) for line in lines)
    return int(found[kind].split()[0]) / 1024


def forget_peak() -> None:
    """Let the peak begin anew."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def fit(video: Path) -> None:
    """As `talkin fit` does."""
    from talkin.cli import main as talkin

    asked = ["fit", str(video), "--out", str(video.with_suffix(".parquet"))]
    done = CliRunner().invoke(talkin, asked, catch_exceptions=False)
    if done.exit_code:
        raise SystemExit(done.output)


def run_one(folder: Path, minutes: float) -> None:
    """Fit one clip and print seconds, memory with everything loaded, and the peak."""
    fit(folder / "loop.mp4")
    forget_peak()
    loaded, start = memory_mb("VmRSS"), time.perf_counter()
    fit(folder / f"{minutes}.mp4")
    print(f"{time.perf_counter() - start:.1f} {loaded:.1f} {memory_mb('VmHWM'):.1f}")


def write_footage(folder: Path, minutes: list[float], height: int) -> None:
    """Render a person once, and lengthen the clip."""
    from talkin.avatar.corpus import plan_corpus, render_clip
    from talkin.avatar.plan import CorpusConfig
    from talkin.footage.joining import join_pieces
    from talkin.footage.video import probe_video

    corpus = CorpusConfig(
        seed=5, n_speakers=1, train_clips=0, validation_clips=0, test_clips=1,
        sentences_per_clip=2, views=("front",), size_px=height,
    )  # fmt: skip
    plan = plan_corpus(corpus)[0]
    render_clip(plan, corpus, folder)
    next(folder.rglob(f"{plan.clip}.mp4")).rename(folder / "loop.mp4")
    loop = probe_video(folder / "loop.mp4")
    for length in minutes:
        n = round(length * 60 / loop.duration_s)
        join_pieces([loop.path] * n, folder / f"{length}.mp4", loop.fps)


def main() -> None:
    """Print the table and the ratio of the longest to the shortest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, nargs="+", default=[1.0, 10.0])
    parser.add_argument("--height", type=int, default=360)
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one is not None:
        run_one(chosen.one, chosen.minutes[0])
        return
    peaks = []
    print("minutes  seconds  loaded MB  peak MB")
    with tempfile.TemporaryDirectory() as name:
        write_footage(Path(name), chosen.minutes, chosen.height)
        for minutes in chosen.minutes:
            command = [sys.executable, __file__, "--one", name, "--minutes", str(minutes)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            seconds, loaded, peak = done.stdout.split()[-3:]
            print(f"{minutes:7g}  {seconds:>7}  {loaded:>9}  {peak:>7}", flush=True)
            peaks.append(float(peak))
    print(f"peak of the longest over that of the shortest: {peaks[-1] / peaks[0]:.3f}")


if __name__ == "__main__":
    main()
