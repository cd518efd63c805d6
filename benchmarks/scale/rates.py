"""Processor seconds that each step of preparation takes for a minute of footage, on one core.

    python benchmarks/scale/rates.py CLIP [CLIP ...] --size 384

With these rates `docs/scale.md` plans a thousand hours. Start-up (imports, nets, the face model)
is not counted: a worker does it once.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pipelines.preprocess import steps
from pipelines.preprocess.nodes import CropStorageConfig
from talkin.face3d.fitting import FitConfig
from talkin.face3d.loading import FaceModelConfig
from talkin.footage.audio import Audio
from talkin.footage.detection import DetectionConfig
from talkin.footage.mfcc import MfccConfig, compute_mfcc
from talkin.footage.tracking import TrackingConfig
from talkin.footage.video import probe_video
from talkin.samples.alignment import CropConfig
from talkin.samples.crops import CropReader

FIT, FACE, FOUND = FitConfig(), FaceModelConfig(), DetectionConfig()


def main() -> None:
    """Print a line a step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--size", type=int, default=384)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    steps._detector(FOUND)
    steps._face_model(FACE)
    compute_mfcc(Audio(np.zeros(16000, np.float32), 16000))  # librosa compiles at its first call
    for clip in arguments.clips:
        info = probe_video(clip)
        print(f"{clip.name}: {info.width} x {info.height}, {info.duration_s:.1f} s")
        spent, megabytes, window_ms = _steps(str(clip), CropConfig(size_px=arguments.size))
        for name, seconds in spent.items():
            print(f"  {name:12}{60 * seconds / info.duration_s:8.2f} s a minute")
        raw = clip.stat().st_size / 1e6
        print(
            f"  crops {60 * megabytes / info.duration_s:.0f} MB a minute, {megabytes / raw:.1f} x; "
            f"a window of 7 in {window_ms:.1f} ms"
        )
        print(f"  {'all':12}{60 * sum(spent.values()) / info.duration_s:8.2f} s a minute")


def _steps(file: str, crop: CropConfig) -> tuple[dict[str, float], float, float]:
    spent: dict[str, float] = {}

    def timed(name: str, work: Callable[..., tuple[Any, ...]], *given: Any) -> Any:
        began = time.process_time()
        result = work(*given)[0]
        spent[name] = time.process_time() - began
        return result

    sound = timed("sound", steps.sound_of_clip, file, 16000)
    timed("MFCC", steps.mfcc_of_clip, lambda: sound, MfccConfig())
    track = timed("landmarks", steps.detected_landmarks, file, FOUND, TrackingConfig())
    face = timed("faces", steps.fitted_face, lambda: track, FACE, FIT)
    with tempfile.TemporaryDirectory() as folder:
        given = (file, lambda: face, crop, CropStorageConfig().psnr_db, folder, "clip")
        path: Path = timed("crops", steps.face_crops, *given)
        megabytes = path.stat().st_size / 1e6
        window_ms = _window_ms(CropReader(path))
    return spent, megabytes, window_ms


def _window_ms(reader: CropReader) -> float:
    took = []
    for end in np.random.default_rng(0).integers(6, len(reader), 50):
        began = time.process_time()
        reader.window(int(end), 7)
        took.append(1e3 * (time.process_time() - began))
    return float(np.median(took))


if __name__ == "__main__":
    main()
