"""Runs stages on a disk that fills up; once it has room again the next run must end as usual.

    python benchmarks/reliability/full_disk.py [--trials 5] [--stages preprocess training editing]

In each trial the project as it was before the stage stands on a file system of its own in memory,
with room for a random share of what the stage writes (wanted: the right to mount one, as root or in
a container). The stage is run, the room is enlarged, the stage is run again, and all files are
compared with those of an undisturbed run as `kill.py` does it. Prints a table and exits with 1 on
any difference.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from kill import STAGES, differences, digests, finish, warm_up
from project import new_project

_ENOUGH = "1g"


def main() -> None:
    """Prepare, fill, enlarge, compare, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=5)
    parser.add_argument("--stages", nargs="*", default=STAGES, choices=STAGES)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    faults: list[str] = []
    with tempfile.TemporaryDirectory(prefix="talkin-full-disk-") as scratch:
        work = Path(scratch).resolve()
        warm_up(work)
        whole = new_project(work / "whole")
        finish(whole, "demo", only_tracking=True)
        finish(whole, "demo")
        print("| stage | stopped by the full disk | clips set aside | as undisturbed |")
        print("| --- | --- | --- | --- |")
        for stage in STAGES:
            before = work / f"before-{stage}"
            shutil.copytree(whole, before, symlinks=True)
            finish(whole, stage)
            if stage in options.stages:
                rng = random.Random(f"{options.seed} {stage}")
                faults += _trials(work, stage, options.trials, rng)
    print("\n".join(f"FAULT {fault}" for fault in faults) or "\nno faults")
    sys.exit(bool(faults))


def _trials(work: Path, stage: str, n: int, rng: random.Random) -> list[str]:
    truth, before = digests(work / "whole", stage), work / f"before-{stage}"
    written = _size(work / "whole") - _size(before)
    count: Counter[str] = Counter()
    faults = []
    for number in range(n):
        share = rng.uniform(0.02, 0.95)
        place = work / "disk"
        place.mkdir(exist_ok=True)
        room = f"{int(_size(before) + share * written) // 1024}k"
        _run("mount", "-t", "tmpfs", "-o", f"size={room}", "talkin", str(place))
        try:
            wrong = _trial(before, place / "project", stage, truth, count)
        finally:
            _run("umount", "--lazy", str(place))
        count["same"] += not wrong
        faults += [f"{stage}, trial {number}, room for {share:.0%}: {w}" for w in wrong]
        print(f"{stage} {number}: {wrong[:2] or 'same'}", file=sys.stderr, flush=True)
    cells = f"{count['stopped']} | {count['aside']} | {count['same']} of {n} |"
    print(f"| {stage} | {cells}", flush=True)
    return faults


def _trial(
    before: Path, project: Path, stage: str, truth: dict[str, str], count: Counter[str]
) -> list[str]:
    shutil.copytree(before, project, symlinks=True)
    try:
        finish(project, stage)
        count["aside"] += bool(differences(truth, digests(project, stage)))
    except RuntimeError:
        count["stopped"] += 1
    _run("mount", "-o", f"remount,size={_ENOUGH}", str(project.parent))
    try:
        finish(project, stage)
    except RuntimeError as error:
        return [str(error)]
    return differences(truth, digests(project, stage))


def _size(folder: Path) -> int:
    """Bytes in whole pages, as a file system in memory counts them."""
    page = os.sysconf("SC_PAGE_SIZE")
    paths = [path for path in folder.rglob("*") if not path.is_symlink()]
    return sum(page * -(-max(path.stat().st_size, 1) // page) for path in paths)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr.strip()}")


if __name__ == "__main__":
    main()
