"""Peak memory of a whole edit by the length of the clip (360p, tiny networks).

Each length runs in a process of its own, after an edit of one second that loads everything, and
says how far the peak rose beyond it.

Run: OMP_NUM_THREADS=1 python benchmarks/editing/memory.py [--minutes 1 4]
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WIDTH, HEIGHT = 640, 360


def peak_mb() -> float:
    """Largest resident size of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run_one(folder: Path, minutes: float) -> None:
    """Edit one clip and print seconds, memory with everything loaded, and the peak."""
    import toy_job

    short = toy_job.write_footage(folder / "short.mp4", 1 / 60, WIDTH, HEIGHT)
    speech = toy_job.write_speech(folder / "short.wav", 1 / 60)
    toy_job.edit(short, speech, folder / "short_edited.mp4", WIDTH, HEIGHT)
    loaded = peak_mb()
    video, audio = folder / f"{minutes}.mp4", folder / f"{minutes}.wav"
    start = time.perf_counter()
    report = toy_job.edit(video, audio, folder / "edited.mp4", WIDTH, HEIGHT)
    print(f"{time.perf_counter() - start:.1f} {loaded:.1f} {peak_mb():.1f} {report.n_frames}")


def main() -> None:
    """Print the table and the ratio of the longest to the shortest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, nargs="+", default=[1.0, 4.0])
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one is not None:
        run_one(chosen.one, chosen.minutes[0])
        return
    import toy_job

    peaks = []
    print("minutes  frames  seconds  loaded MB  peak MB")
    with tempfile.TemporaryDirectory() as name:
        for minutes in chosen.minutes:
            toy_job.write_footage(Path(name) / f"{minutes}.mp4", minutes, WIDTH, HEIGHT)
            toy_job.write_speech(Path(name) / f"{minutes}.wav", minutes)
            command = [sys.executable, __file__, "--one", name, "--minutes", str(minutes)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            seconds, loaded, peak, frames = done.stdout.split()[-4:]
            print(f"{minutes:7g}  {frames:>6}  {seconds:>7}  {loaded:>9}  {peak:>7}", flush=True)
            peaks.append(float(peak))
    print(f"peak of the longest over that of the shortest: {peaks[-1] / peaks[0]:.3f}")


if __name__ == "__main__":
    main()
