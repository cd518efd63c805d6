"""Peak memory of preparing one long clip, all processes together.

    python benchmarks/reliability/memory.py [--minutes 3 30] [--size 256] [--clip FILE]

A short clip (a rendered speaker, or `--clip`) is repeated to the wanted length by copying its
packets, so nothing is encoded anew, and goes through `kedro run --pipelines=preprocess` with the
sizes of conf/base and the landmark nets. The resident memory of the run and its workers is added
up four times a second; shared pages count once for each of them, so the sum says rather too much.
Exits with 1 if the sum went over 4 GB or the clip did not come through.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import av
import psutil
from project import environment, good_clips, new_project

_LIMIT_MB = 4000
_EVERY_S = 0.25


def main() -> None:
    """Make the clip, prepare it, print one row a length."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, nargs="+", default=[30.0])
    parser.add_argument("--size", type=int, default=256, help="of the rendered picture, px")
    parser.add_argument("--clip", type=Path, help="repeat this one instead")
    parser.add_argument("--work", type=Path)
    options = parser.parse_args()
    peaks = []
    print("| minutes | frames prepared | s of wall time | s of processor time | peak MB |")
    print("| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory(prefix="talkin-memory-") as scratch:
        for minutes in options.minutes:
            root = (options.work or Path(scratch)) / f"{minutes:g}-minutes"
            peaks.append(prepare(root, minutes, options.size, options.clip))
    sys.exit(max(peaks) > _LIMIT_MB)


def prepare(root: Path, minutes: float, size_px: int, clip: Path | None) -> float:
    """Peak memory in MB of preparing one clip of a length."""
    import pandas as pd

    new_project(root)
    footage = root / "data/01_raw/footage"
    footage.mkdir(parents=True)
    if clip is None:
        clip = footage / f"{good_clips(footage, 1, size_px)[0]}.mp4"
    repeat(clip, footage / "long.mp4", 60 * minutes)
    head = "clip,path,speaker,split,view,consent\n"
    (footage / "manifest.csv").write_text(head + "long,long.mp4,ann,train,front,c\n")
    (footage / "consent.csv").write_text("consent,speaker,purpose,expires\nc,ann,train,\n")
    start = time.monotonic()
    peak, cpu_s = watched(root, ["-m", "kedro", "run", "--pipelines=preprocess"])
    index = pd.read_parquet(root / "data/05_model_input/training_index.parquet")
    n_frames = int(index["n_valid"].sum())
    wall = time.monotonic() - start
    print(f"| {minutes:g} | {n_frames} | {wall:.0f} | {cpu_s:.0f} | {peak:.0f} |", flush=True)
    if n_frames < 0.9 * 25 * 60 * minutes:
        raise SystemExit((root / "data/08_reporting/rejects.csv").read_text())
    return peak


def repeat(source: Path, goal: Path, length_s: float) -> None:
    """Copy a clip's packets again and again until it lasts so long."""
    with av.open(str(goal), "w") as output:
        length, offset = 0.0, 0.0
        targets: dict[int, av.stream.Stream] = {}
        while offset < length_s:
            with av.open(str(source)) as given:
                for stream in given.streams:
                    if stream.index not in targets:
                        targets[stream.index] = output.add_stream_from_template(stream)
                length = length or float(given.streams.video[0].duration * _base(given))
                for packet in given.demux():
                    if packet.dts is None:
                        continue
                    shift = round(offset / packet.time_base)
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    if packet.stream.type == "audio" and packet.pts * packet.time_base >= (
                        offset + length - 0.03
                    ):
                        continue  # the next round's sound begins here
                    packet.stream = targets[packet.stream.index]
                    output.mux(packet)
            offset += length


def _base(container: av.container.InputContainer) -> float:
    return float(container.streams.video[0].time_base)


def watched(root: Path, arguments: list[str]) -> tuple[float, float]:
    """Run Python in a project; the peak of the sum of its processes' resident memory (MB), and s.

    Raises:
        SystemExit: If it fails, with the end of its log.
    """
    log = root / "run.log"
    with log.open("w") as file:
        child = subprocess.Popen(
            [sys.executable, *arguments], cwd=root, env=environment(root), stdout=file, stderr=file
        )
        process, peak = psutil.Process(child.pid), 0.0
        while (done := os.wait4(child.pid, os.WNOHANG))[0] == 0:
            peak = max(peak, _resident_mb(process))
            time.sleep(_EVERY_S)
    child.returncode = os.waitstatus_to_exitcode(done[1])
    if child.returncode:
        raise SystemExit(log.read_text()[-2000:])
    return peak, done[2].ru_utime + done[2].ru_stime


def _resident_mb(process: psutil.Process) -> float:
    total = 0
    try:
        for one in (process, *process.children(recursive=True)):
            total += one.memory_info().rss
    except psutil.Error:  # a worker that ends while it is looked at
        pass
    return total / 1e6


if __name__ == "__main__":
    main()
