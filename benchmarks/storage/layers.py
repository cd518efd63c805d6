"""Bytes per minute of footage in every layer, and the time to read seven crops at random.

    python benchmarks/storage/layers.py --project .

The project must have run `preprocess`. Times are processor time, the files in the page cache.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd

from talkin.samples.crops import CropReader

LAYERS = (
    ("raw video", "01_raw/footage/clips", "*"),
    ("sound, 16 kHz", "02_intermediate/audio", "*.wav"),
    ("landmarks", "02_intermediate/landmarks", "*.parquet"),
    ("face parameters", "03_primary/face_parameters", "*.parquet"),
    ("crops", "03_primary/crops", "*.arrow"),
    ("MFCC", "04_feature/mfcc", "*.parquet"),
)
WINDOW = 7


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--project", type=Path, default=Path())
    data = parser.parse_args().project / "data"
    minutes = pd.read_parquet(data / "02_intermediate/footage.parquet")["duration_s"].sum() / 60
    raw = _bytes(data / LAYERS[0][1], LAYERS[0][2])
    print(f"{minutes:.2f} minutes of footage")
    print(f"{'layer':18}{'MB a minute':>12}{'x raw video':>12}")
    for name, folder, pattern in LAYERS:
        size = _bytes(data / folder, pattern)
        print(f"{name:18}{size / minutes / 1e6:12.3f}{size / raw:12.2f}")
    _windows(sorted((data / "03_primary/crops").glob("*.arrow")))


def _bytes(folder: Path, pattern: str) -> int:
    return sum(path.stat().st_size for path in folder.rglob(pattern) if path.is_file())


def _windows(files: list[Path], n: int = 300) -> None:
    """Milliseconds to open nothing and decode a window: readers stay open, as in training."""
    rng = np.random.default_rng(0)
    readers = [CropReader(path) for path in files]
    side = readers[0][0].shape[0]
    took = []
    for _ in range(n):
        reader = readers[rng.integers(len(readers))]
        first = int(rng.integers(len(reader) - WINDOW))
        began = time.process_time()
        reader.window(first + WINDOW - 1, WINDOW)
        took.append(1e3 * (time.process_time() - began))
    low, middle, high = np.percentile(took, [5, 50, 95])
    print(f"{WINDOW} crops of {side} px at random: {middle:.2f} ms ({low:.2f} to {high:.2f})")


if __name__ == "__main__":
    main()
