"""Several edits at once: wall time of the same jobs by one process and by two.

Run on idle cores, without OMP_NUM_THREADS: python benchmarks/editing/jobs.py PROJECT [--jobs 6]
where PROJECT has footage and a trained model, such as after `make demo`.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from pipelines.clips import ClipTask, ParallelConfig, for_every_clip
from pipelines.editing.steps import edited_clip
from talkin.editing.edit_clip import EditConfig
from talkin.footage.detection import DetectionConfig


def edited(n_threads: int, **arguments: Any) -> tuple[dict[str, Any]]:
    """One edit by a process whose torch has so many threads; what it did."""
    import torch

    torch.set_num_threads(n_threads)
    return (edited_clip(**arguments)[3],)


def run(project: Path, n_jobs: int, n_workers: int, n_threads: int) -> float:
    """Wall time of some jobs, s."""
    clips = sorted((project / "data/01_raw/footage/clips").glob("*_test_*.mp4"))
    with tempfile.TemporaryDirectory() as scratch:
        tasks = {}
        for number in range(n_jobs):
            target, audio = clips[number % len(clips)], clips[(number + 3) % len(clips)]
            arguments = {
                "job": f"job{number}", "target": str(target), "audio": str(audio),
                "driven_by": "", "model_folder": str(project / "data/06_models/talking_face"),
                "scratch": scratch, "detection": DetectionConfig(), "edit": EditConfig(),
                "truth": None, "landmarks": None, "n_threads": n_threads,
            }  # fmt: skip
            tasks[f"job{number}"] = ClipTask(str(number), arguments)
        parallel = ParallelConfig(n_jobs=n_workers, progress=False)
        start = time.perf_counter()
        for chunk in for_every_clip("edits", edited, tasks, {}, parallel):
            for record in chunk[-1].values():
                if record.state != "done":
                    raise RuntimeError(record.reason)
        return time.perf_counter() - start


def main() -> None:
    """Print a line a number of processes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project", type=Path)
    parser.add_argument("--jobs", type=int, default=6)
    chosen = parser.parse_args()
    cores = os.cpu_count() or 1
    run(chosen.project, 1, 1, cores)  # so that all modules are loaded
    alone = 0.0
    for n_workers, n_threads in ((1, cores), (2, max(1, cores // 2))):
        wall = run(chosen.project, chosen.jobs, n_workers, n_threads)
        alone = alone or wall
        print(
            f"{n_workers} processes, torch with {n_threads} threads each: {wall:6.1f} s, "
            f"speed-up {alone / wall:.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
