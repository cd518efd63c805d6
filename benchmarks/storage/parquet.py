"""The layout of face parameters for 100 million frames, written and read with fewer rows.

    python benchmarks/storage/parquet.py --rows 5000000 --folder build/parquet-benchmark

Layout: a folder a speaker (`speaker=s01/`), files of a million rows, rows sorted by clip and frame,
row groups of 50,000 rows (33 minutes), zstd, statistics of `clip` and `frame` in every row group.
A clip is then found by the footers alone, and a column is read without the others.
Data are random walks, which compress like fitted faces do or worse. Times are processor time.
"""

import argparse
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

FRAMES_OF_CLIP = 250
SPEAKERS = 20
ROWS_OF_FILE = 1_000_000
ROWS_OF_GROUP = 50_000
N_EXPRESSION = 29


def main() -> None:
    """Write, then read in the four ways that stages do."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--folder", type=Path, default=Path("build/parquet-benchmark"))
    arguments = parser.parse_args()
    shutil.rmtree(arguments.folder, ignore_errors=True)
    _timed("write", lambda: _write(arguments.folder, arguments.rows))
    files = list(arguments.folder.rglob("*.parquet"))
    size = sum(path.stat().st_size for path in files)
    print(f"{arguments.rows:,} rows, {len(files)} files, {size / arguments.rows:.0f} bytes a row")
    opened: ds.Dataset = _timed("open: list the files", lambda: _open(arguments.folder))
    clips = np.random.default_rng(1).integers(arguments.rows // FRAMES_OF_CLIP, size=20)
    _timed("20 clips by name, all columns", lambda: [_clip(opened, int(c)) for c in clips])
    _timed("one speaker's poses", lambda: _speaker(opened))
    _timed("is_valid of all rows: count", lambda: _count(opened))
    _timed("expression of all rows: mean", lambda: _mean(opened))
    shutil.rmtree(arguments.folder)


def _timed(name: str, action: Callable[[], Any]) -> Any:
    began, wall = time.process_time(), time.perf_counter()
    result = action()
    spent = time.process_time() - began
    print(f"{name:32}{spent:9.3f} s processor{time.perf_counter() - wall:9.3f} s")
    return result


def _write(folder: Path, rows: int) -> None:
    per_speaker = rows // SPEAKERS // FRAMES_OF_CLIP
    rng = np.random.default_rng(0)
    for speaker in range(SPEAKERS):
        place = folder / f"speaker=s{speaker:03d}"
        place.mkdir(parents=True)
        clips = range(speaker * per_speaker, (speaker + 1) * per_speaker)
        n_files = -(-len(clips) * FRAMES_OF_CLIP // ROWS_OF_FILE)
        for number, part in enumerate(np.array_split(np.array(clips), n_files)):
            pq.write_table(
                _faces(part, rng),
                place / f"part-{number:04d}.parquet",
                row_group_size=ROWS_OF_GROUP,
                compression="zstd",
                use_dictionary=["clip"],
                write_statistics=["clip", "frame", "is_valid"],
                sorting_columns=[pq.SortingColumn(0), pq.SortingColumn(1)],
            )


def _faces(clips: np.ndarray, rng: np.random.Generator) -> pa.Table:
    n = len(clips) * FRAMES_OF_CLIP
    walk = np.cumsum(rng.normal(0, 0.05, (n, N_EXPRESSION)).astype(np.float32), axis=0)
    pose = np.cumsum(rng.normal(0, 0.002, (n, 6)).astype(np.float32), axis=0)
    return pa.table(
        {
            "clip": np.repeat([f"c{clip:08d}" for clip in clips], FRAMES_OF_CLIP),
            "frame": np.tile(np.arange(FRAMES_OF_CLIP, dtype=np.int32), len(clips)),
            "expression": pa.FixedSizeListArray.from_arrays(walk.reshape(-1), N_EXPRESSION),
            "pose": pa.FixedSizeListArray.from_arrays(pose.reshape(-1), 6),
            "is_valid": rng.random(n) > 0.02,
        }
    )


def _open(folder: Path) -> ds.Dataset:
    return ds.dataset(folder, partitioning="hive")


def _clip(opened: ds.Dataset, clip: int) -> None:
    found = opened.to_table(filter=ds.field("clip") == f"c{clip:08d}", use_threads=False)
    assert found.num_rows == FRAMES_OF_CLIP


def _speaker(opened: ds.Dataset) -> pa.Table:
    return opened.to_table(["pose"], filter=ds.field("speaker") == "s007", use_threads=False)


def _count(opened: ds.Dataset) -> int:
    return opened.count_rows(filter=ds.field("is_valid"), use_threads=False)


def _mean(opened: ds.Dataset) -> np.ndarray:
    total, n = np.zeros(N_EXPRESSION), 0
    for batch in opened.to_batches(["expression"], use_threads=False):
        values = batch["expression"].flatten().to_numpy().reshape(-1, N_EXPRESSION)
        total, n = total + values.sum(axis=0, dtype=np.float64), n + len(values)
    return total / n


if __name__ == "__main__":
    main()
