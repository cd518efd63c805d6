"""Fuzzes the readers of manifests, edits asked for, edit lists, consent and landmarks.

    python benchmarks/reliability/fuzz.py [manifest edits pieces consent landmarks] [--seconds 20]
        [--seed 0] [--keep FOLDER]

Mutates whole and hostile examples (bits, bytes, pieces cut, doubled, swapped between examples,
numbers replaced by extreme ones) and feeds them to the reader. Anything but an answer or the
library's own error is a finding: the input is kept under FOLDER and the exit status is 1. The same
seed tries the same inputs.
"""

import argparse
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "hostile"))

import hostile_tables

from talkin.errors import TalkinError

_LARGEST_EXAMPLE = 20_000
_SLOW_S = 5.0
_EXTREMES = (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"-1", b"1e999", b"\x80", b'"')


def main() -> None:
    """Fuzz each target for its time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", default=[], help="default: all")
    parser.add_argument("--seconds", type=float, default=20, help="processor time a target")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path("fuzz-findings"))
    options = parser.parse_args()
    n_findings = 0
    print("| target | inputs | read | refused | findings |\n| --- | --- | --- | --- | --- |")
    for name, (read, suffix, examples) in targets().items():
        if options.targets and name not in options.targets:
            continue
        count = fuzz(read, suffix, examples, options.seconds, options.seed, options.keep)
        print(f"| {name} | {sum(count)} | {count[0]} | {count[1]} | {count[2]} |", flush=True)
        n_findings += count[2]
    sys.exit(n_findings > 0)


def targets() -> dict[str, tuple[Callable[[Path], Any], str, list[bytes]]]:
    """Reader, file suffix and examples of each target."""
    from pipelines.editing.requests import read_edit_requests
    from talkin.editing.edit_list import read_edit_list
    from talkin.footage.landmarks import LandmarkTrack
    from talkin.footage.manifest import sort_manifest
    from talkin.provenance.consent import read_consent

    tables = hostile_tables
    return {
        "manifest": (sort_manifest, ".csv", _small(tables.hostile_manifests())),
        "edits": (read_edit_requests, ".csv", _small(tables.hostile_edit_requests())),
        "pieces": (read_edit_list, ".yaml", _small(tables.hostile_edit_lists())),
        "pieces-csv": (read_edit_list, ".csv", _small(tables.hostile_edit_lists())),
        "consent": (read_consent, ".yaml", _small(tables.hostile_registers())),
        "landmarks": (
            LandmarkTrack.load,
            ".parquet",
            [tables.track_bytes(), *_small(tables.hostile_tracks())],
        ),
    }


def fuzz(
    read: Callable[[Path], Any],
    suffix: str,
    examples: list[bytes],
    seconds: float,
    seed: int,
    keep: Path,
) -> tuple[int, int, int]:
    """Counts of inputs read, refused, and found to break the reader."""
    rng = random.Random(seed)
    n_read = n_refused = n_found = 0
    with tempfile.TemporaryDirectory(prefix="talkin-fuzz-") as folder:
        path = Path(folder) / f"input{suffix}"
        end = time.process_time() + seconds
        while time.process_time() < end:
            data = mutated(examples, rng)
            path.write_bytes(data)
            began = time.process_time()
            try:
                read(path)
                n_read += 1
            except TalkinError:
                n_refused += 1
            except Exception:
                n_found += 1
                _keep(keep, suffix, data, traceback.format_exc())
            if time.process_time() - began > _SLOW_S:
                n_found += 1
                _keep(keep, suffix, data, "slow")
    return n_read, n_refused, n_found


def mutated(examples: list[bytes], rng: random.Random) -> bytes:
    """An example after a few random changes."""
    data = bytearray(rng.choice(examples))
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        rng.choice((_flip, _cut, _double, _splice, _extreme))(data, examples, rng)
    return bytes(data[: 4 * _LARGEST_EXAMPLE])


def _flip(data: bytearray, examples: list[bytes], rng: random.Random) -> None:
    if data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _cut(data: bytearray, examples: list[bytes], rng: random.Random) -> None:
    start = rng.randrange(len(data) + 1)
    del data[start : start + rng.choice((1, 4, 64, 1024))]


def _double(data: bytearray, examples: list[bytes], rng: random.Random) -> None:
    start = rng.randrange(len(data) + 1)
    data[start:start] = data[start : start + rng.choice((1, 8, 256))]


def _splice(data: bytearray, examples: list[bytes], rng: random.Random) -> None:
    other = rng.choice(examples)
    start, theirs = rng.randrange(len(data) + 1), rng.randrange(len(other) + 1)
    data[start : start + 32] = other[theirs : theirs + rng.choice((1, 16, 128))]


def _extreme(data: bytearray, examples: list[bytes], rng: random.Random) -> None:
    start, value = rng.randrange(len(data) + 1), rng.choice(_EXTREMES)
    data[start : start + len(value)] = value


def _small(contents: dict[str, hostile_tables.Content]) -> list[bytes]:
    made = (content() for content in contents.values())
    return [data for data in made if len(data) <= _LARGEST_EXAMPLE]


def _keep(folder: Path, suffix: str, data: bytes, why: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    number = len(list(folder.glob(f"*{suffix}")))
    (folder / f"{number:04d}{suffix}").write_bytes(data)
    (folder / f"{number:04d}.txt").write_text(why)


if __name__ == "__main__":
    main()
