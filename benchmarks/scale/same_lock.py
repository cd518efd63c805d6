"""Which outputs of two runs have the same hash, and which have not.

    python benchmarks/scale/same_lock.py dvc.lock ../another_clone/dvc.lock
    git show HEAD:dvc.lock > committed.lock && python benchmarks/scale/same_lock.py committed.lock

What differs for a known reason is listed in docs/demo.md.
"""

import argparse
from pathlib import Path

import yaml


def main() -> None:
    """Print a line an output."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path, nargs="?", default=Path("dvc.lock"))
    arguments = parser.parse_args()
    first, second = _outputs(arguments.first), _outputs(arguments.second)
    for path in first | second:
        word = "same     " if first.get(path) == second.get(path) else "different"
        print(f"{word} {path}")


def _outputs(lock: Path) -> dict[str, str]:
    stages = yaml.safe_load(lock.read_text(encoding="utf-8"))["stages"]
    return {out["path"]: out["md5"] for stage in stages.values() for out in stage["outs"]}


if __name__ == "__main__":
    main()
