"""How often, and how fast, landmarks are found: every clip of a folder, worst first.

    python benchmarks/footage/detection.py ../shared/realdata/clips [--only spk07 ...]

Prints a table (clip, size, frames, found %, frames/s with decoding, notes) and how many clips
reach 98 %. One process; set OMP_NUM_THREADS=1 to compare figures between machines.
"""

import argparse
import time
from pathlib import Path

import cv2

from talkin.errors import TalkinError
from talkin.footage.detection import load_detector
from talkin.footage.tracking import track_landmarks

_WANTED = 0.98


def main() -> None:
    """Track every clip and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*", default=[], help="clips whose name holds one of these")
    parser.add_argument("--fps", type=float, default=None)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    detector = load_detector()
    rows = []
    for path in sorted(options.folder.iterdir()):
        if options.only and not any(part in path.name for part in options.only):
            continue
        begun = time.perf_counter()
        cpu = time.process_time()
        try:
            track = track_landmarks(path, detector, fps=options.fps)
        except TalkinError as error:
            rows.append((-1.0, f"{path.name:36} {error}"))
            continue
        took, cpu = time.perf_counter() - begun, time.process_time() - cpu
        line = f"{path.name:36} {track.width}x{track.height} {len(track):5} frames  "
        line += f"{track.found_share:7.2%}  {len(track) / took:6.1f} frames/s "
        line += f"({len(track) / cpu:6.1f} a cpu-second)  {'; '.join(track.notes[:4])}"
        print(line, flush=True)
        rows.append((track.found_share, line))
    print("\nworst first")
    for _, line in sorted(rows)[:30]:
        print(line)
    reached = sum(share >= _WANTED for share, _ in rows)
    print(f"\n{reached} of {len(rows)} clips at {_WANTED:.0%} or better")


if __name__ == "__main__":
    main()
