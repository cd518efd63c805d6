"""What a second worker brings in preparation: speed-up, and processor time lost to it.

    python benchmarks/scale/workers.py --project . --clips 78 --times 4

Fits faces to the project's landmarks with one worker and with two, `--times` over for more footage
than there is. The speed-up is that of wall time, start-up included, where two cores are idle. On a
machine that does other things too it is told from processor time: that of one worker over the
longest of this process alone and its busiest worker.
"""

import argparse
import os
import time
from pathlib import Path
from typing import Any

from pipelines.clips import ClipTask, ParallelConfig, for_every_clip
from pipelines.datasets.clip_files import ClipFiles


def fitted(folder: str, clip: str) -> tuple[tuple[int, float]]:
    """Fit one clip; which process did it, and the processor time that it has used so far."""
    from talkin.face3d.fitting import FitConfig, fit_clip
    from talkin.face3d.loading import load_face_model

    fit_clip(ClipFiles(Path(folder), "landmarks")[clip], load_face_model(), FitConfig())
    return ((os.getpid(), time.process_time()),)


def main() -> None:
    """Print a line a number of workers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--project", type=Path, default=Path())
    parser.add_argument("--clips", type=int, default=16)
    parser.add_argument("--times", type=int, default=1)
    arguments = parser.parse_args()
    folder = arguments.project / "data/02_intermediate/landmarks"
    clips = list(ClipFiles(folder, "landmarks"))[: arguments.clips]
    clips *= arguments.times
    alone = alone_wall = 0.0
    for n_workers in (1, 2):
        total, longest, wall = _run(str(folder), clips, n_workers)
        alone, alone_wall = alone or total, alone_wall or wall
        print(
            f"{n_workers} workers: {total:7.1f} s processor in all, longest {longest:6.1f} s, "
            f"wall {wall:6.1f} s; efficiency {alone / total:.2f}, speed-up {alone_wall / wall:.2f} "
            f"(by processor time {alone / longest:.2f})"
        )


def _run(folder: str, clips: list[str], n_workers: int) -> tuple[float, float, float]:
    tasks = {
        f"{clip} {turn}": ClipTask(clip, {"folder": folder, "clip": clip})
        for turn, clip in enumerate(clips)
    }
    parallel = ParallelConfig(n_jobs=n_workers, progress=False)
    began, own = time.perf_counter(), time.process_time()
    used: dict[int, float] = {}
    for outputs, _ in for_every_clip("fit", fitted, tasks, {}, parallel):
        used |= _by_process(outputs)
    used.pop(os.getpid(), None)
    used[os.getpid()] = time.process_time() - own
    return sum(used.values()), max(used.values()), time.perf_counter() - began


def _by_process(outputs: dict[str, Any]) -> dict[int, float]:
    return dict(outputs.values())


if __name__ == "__main__":
    main()
