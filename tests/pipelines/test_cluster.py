"""A Dask cluster of two worker processes on this machine; the script is a program of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import json, os, sys, time
from pathlib import Path

import cloudpickle
from distributed import Client, LocalCluster

from pipelines.clips import ClipTask, ParallelConfig, for_every_clip


def halved(number, folder):
    died = Path(folder) / f"died-{number}"
    if number == 3 and not died.exists():
        died.touch()
        os._exit(9)  # as a machine that is switched off
    if number < 0:
        raise ValueError("negative")
    return (number / 2,)


def main(folder):
    cloudpickle.register_pickle_by_value(sys.modules["__main__"])
    tasks = {f"c{n}": ClipTask(str(n), {"number": n, "folder": folder}) for n in (-1, *range(1, 9))}
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        there = ParallelConfig(backend="dask", scheduler=cluster.scheduler_address, progress=False)
        found, states = {}, {}
        for output, record in for_every_clip("halve", halved, tasks, {}, there):
            found |= output
            states |= {clip: r.state for clip, r in record.items()}
    print(json.dumps([found, states]))


if __name__ == "__main__":
    main(sys.argv[1])
"""


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_loses_nothing(tmp_path: Path) -> None:
    script = tmp_path / "on_a_cluster.py"
    script.write_text(SCRIPT)
    answer = subprocess.run(
        [sys.executable, str(script), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=200,
        check=True,
    )
    found, states = json.loads(answer.stdout.splitlines()[-1])
    assert found == {"c-1": None} | {f"c{n}": n / 2 for n in range(1, 9)}
    assert states == {"c-1": "failed"} | {f"c{n}": "done" for n in range(1, 9)}
    assert (tmp_path / "died-3").exists()


def test_a_cluster_that_is_not_there_is_named_with_the_way_to_start_one() -> None:
    from pipelines import cluster
    from talkin.errors import ConfigurationError

    cluster._CONNECT_S = 1
    with pytest.raises(ConfigurationError, match="dask scheduler"):
        list(cluster.results_on_cluster("tcp://127.0.0.1:9", int, {"a": ("1",)}))
