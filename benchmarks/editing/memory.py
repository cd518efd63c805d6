"""Peak memory of a whole edit by the length of the clip (tiny networks).

The footage is four seconds, set one behind the other by stream copy. Each length runs in a process
of its own, after an edit of one second that loads everything, and says how far the peak rose
beyond it.

Run: OMP_NUM_THREADS=1 python benchmarks/editing/memory.py [--minutes 1 10] [--height 360]
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_LOOP_S = 4


def peak_mb() -> float:
    """Largest resident size of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run_one(folder: Path, minutes: float, size: tuple[int, int]) -> None:
    """Edit one clip and print seconds, memory with everything loaded, and the peak."""
    import toy_job

    short = toy_job.write_footage(folder / "short.mp4", 1 / 60, *size)
    speech = toy_job.write_speech(folder / "short.wav", 1 / 60)
    toy_job.edit(short, speech, folder / "short_edited.mp4", *size)
    loaded = peak_mb()
    video, audio = folder / f"{minutes}.mp4", folder / f"{minutes}.wav"
    start = time.perf_counter()
    report = toy_job.edit(video, audio, folder / "edited.mp4", *size)
    print(f"{time.perf_counter() - start:.1f} {loaded:.1f} {peak_mb():.1f} {report.n_frames}")


def main() -> None:
    """Print the table and the ratio of the longest to the shortest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, nargs="+", default=[1.0, 10.0])
    parser.add_argument("--height", type=int, default=360)
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    size = (chosen.height * 16 // 9, chosen.height)
    if chosen.one is not None:
        run_one(chosen.one, chosen.minutes[0], size)
        return
    import toy_job

    from talkin.footage.joining import join_pieces

    peaks = []
    print("minutes  frames  seconds  loaded MB  peak MB")
    with tempfile.TemporaryDirectory() as name:
        loop = toy_job.write_footage(Path(name) / "loop.mp4", _LOOP_S / 60, *size)
        for minutes in chosen.minutes:
            path = Path(name) / f"{minutes}.mp4"
            join_pieces([loop] * round(minutes * 60 / _LOOP_S), path, toy_job.FPS)
            toy_job.write_speech(Path(name) / f"{minutes}.wav", minutes)
            command = [sys.executable, __file__, "--one", name, "--minutes", str(minutes)]
            command += ["--height", str(chosen.height)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            seconds, loaded, peak, frames = done.stdout.split()[-4:]
            print(f"{minutes:7g}  {frames:>6}  {seconds:>7}  {loaded:>9}  {peak:>7}", flush=True)
            peaks.append(float(peak))
    print(f"peak of the longest over that of the shortest: {peaks[-1] / peaks[0]:.3f}")


if __name__ == "__main__":
    main()
