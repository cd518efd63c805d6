"""Reads files as preparation does, each in a process of its own with limits.

    python tests/hostile/reading.py FOLDER [--every N]

writes the hostile media into FOLDER (every N-th of them), reads each and prints a JSON object by
file name: `group`, `outcome` (usable, refused, failed, crashed, over time), `reason`, `cpu_s`,
`peak_mb`. A file is usable where both pictures and sound, or pictures of a file without sound,
could be read; it is refused where the library says why; anything else is a fault.
"""

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from hostile_media import HostileFile, hostile_media

CPU_LIMIT_S = 20
MEMORY_LIMIT = 4 << 30
_STEPS = ("probe", "sound", "pictures")


def main() -> None:
    """Write, read, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1)
    options = parser.parse_args()
    files = write_media(options.folder, hostile_media()[:: options.every])
    warm_up(options.folder)
    json.dump({f.name: f_read(options.folder, f) for f in files}, sys.stdout)


def f_read(folder: Path, file: HostileFile) -> dict[str, Any]:
    """What became of one file."""
    return {"group": file.group} | in_child(lambda: read_like_preparation(folder / file.name))


def write_media(folder: Path, files: list[HostileFile]) -> list[HostileFile]:
    """Write them all; what this file system cannot hold is left out."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for file in files:
        try:
            file.write(folder / file.name)
        except OSError as error:
            sys.stderr.write(f"not made: {file.name!r}: {error}\n")
            continue
        written.append(file)
    return written


def warm_up(folder: Path) -> None:
    """Import once what every child needs."""
    import cv2
    import numpy as np

    from talkin.footage.audio import Audio, read_audio, write_wav
    from talkin.footage.mfcc import MfccConfig, compute_mfcc
    from talkin.footage.video import probe_video

    cv2.setNumThreads(1)
    path = folder / "warm-up.wav"
    write_wav(path, Audio(np.zeros(8000, np.float32), 16000))
    compute_mfcc(read_audio(path), MfccConfig())
    path.unlink()
    assert callable(probe_video)


def read_like_preparation(path: Path) -> dict[str, Any]:
    """Probe, sound with MFCC, every picture."""
    from talkin.errors import TalkinError
    from talkin.footage.audio import read_audio
    from talkin.footage.mfcc import MfccConfig, compute_mfcc
    from talkin.footage.video import iter_frames, probe_video

    try:
        if probe_video(path).has_audio:
            compute_mfcc(read_audio(path), MfccConfig())
        for frame in iter_frames(path, 25.0):
            assert frame.image.ndim == 3
    except TalkinError as error:
        return {"outcome": "refused", "reason": str(error)}
    except Exception as error:
        return {"outcome": "failed", "reason": f"{type(error).__name__}: {error}"}
    return {"outcome": "usable", "reason": ""}


def in_child(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Run in a forked process with limits of time and memory; its death is an outcome too."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT_S, CPU_LIMIT_S))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
        began = time.process_time()
        answer = work()
        answer["cpu_s"] = round(time.process_time() - began, 3)
        os.write(write_end, json.dumps(answer).encode()[:60_000])
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        told = pipe.read()
    _, status, used = os.wait4(child, 0)
    if status == 0 and told:
        return json.loads(told) | {"peak_mb": used.ru_maxrss // 1024}
    signal = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    outcome = "over time" if signal in (9, 24) else "crashed"
    return {"outcome": outcome, "reason": f"signal {signal}", "cpu_s": used.ru_utime}


if __name__ == "__main__":
    main()
