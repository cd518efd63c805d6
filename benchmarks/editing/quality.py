"""What stride, overlap and deflicker do to quality, on held-out clips whose truth is known.

The clips' own pictures are masked and completed from their fitted landmarks, so the truth of every
frame is the clip itself. PSNR is that of the mouth mask. Flicker is how far a frame differs from
the frame before, warped onto it by the truth's optical flow (so that motion does not count): the
root mean square over the mask in grey levels, and the same beyond the truth's own (its grain).
Detail is the energy of what is finer than 2 px, as a share of the truth's.

A stride longer than the model's windows becomes as long as they are.

Run: OMP_NUM_THREADS=1 python benchmarks/editing/quality.py DATA [--clips 16] [--frames 60]
where DATA is the data folder of a project after preprocessing and training, such as `make demo`.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import torch

from talkin.editing.deflicker import (
    deflicker,
    deflicker_frame_as_printed,
    optical_flow,
    warp,
)
from talkin.editing.engine import EngineConfig, engine_of
from talkin.editing.landmark_smoothing import mouth_centre
from talkin.editing.rendering import WindowedRenderer, WindowingConfig
from talkin.face3d.parameters import FaceParameters
from talkin.networks.talking_face import TalkingFace
from talkin.samples.alignment import mask_box
from talkin.samples.crops import CropReader

WINDOWS = {
    "stride 1, last": {"stride": 1, "overlap": "last"},
    "stride 1, averaged": {"stride": 1},
    "stride 3, averaged": {"stride": 3},
    "whole windows": {"stride": 7},
}
AS_PRINTED = "stride 1, last"


class Clip:
    """Pictures of the aligned face, and the landmarks that complete them."""

    def __init__(self, data: Path, name: str, model: TalkingFace, n_frames: int) -> None:
        """Read the first frames of a clip."""
        reader = CropReader(data / f"03_primary/crops/{name}.arrow")
        fitted = FaceParameters.load(data / f"03_primary/face_parameters/{name}.parquet")
        n = min(n_frames, len(reader))
        self.truth = np.stack([reader[t] for t in range(n)])
        placed = fitted.select(np.arange(n)).in_crop(reader.transforms[:n])
        self.points = placed.mouth_landmarks(model.face_model)


def rendered(clip: Clip, model: TalkingFace, config: WindowingConfig, precision: str) -> np.ndarray:
    """The clip with mouths that the network drew."""
    settings = EngineConfig.model_validate({"precision": precision})
    engine = engine_of(model, settings, mask_box(model.config.crop))
    windows, given = WindowedRenderer(engine, config.of_model(model.config.frames)), []
    for crop, points in zip(clip.truth, clip.points, strict=True):
        given += list(windows.push(crop, points))
    return np.stack([*given, *windows.flush()])


def as_printed(pictures: np.ndarray, points: np.ndarray, inside: tuple[slice, slice]) -> np.ndarray:
    """Eq. 7 of the paper, frame by frame, on the mask."""
    given = [pictures[0]]
    for t in range(1, len(pictures)):
        before, new = pictures[t - 1][inside], pictures[t][inside]
        carried = warp(given[-1][inside].astype(np.float32), optical_flow(before, new))
        moved = float(np.linalg.norm(mouth_centre(points[t]) - mouth_centre(points[t - 1])))
        solved = deflicker_frame_as_printed(new.astype(float), carried, moved)
        whole = pictures[t].copy()
        whole[inside] = np.clip(np.rint(solved), 0, 255)
        given.append(whole)
    return np.stack(given)


def psnr(pictures: np.ndarray, truth: np.ndarray, inside: tuple[slice, slice]) -> float:
    """Of the mask, dB."""
    apart = [
        (p[inside].astype(float) - t[inside]) ** 2 for p, t in zip(pictures, truth, strict=True)
    ]
    return float(10 * np.log10(255**2 / np.mean(apart)))


def flicker(pictures: np.ndarray, truth: np.ndarray, inside: tuple[slice, slice]) -> float:
    """Root mean square of what differs from the frame before along the truth's motion."""
    squares = []
    for t in range(1, len(truth)):
        flow = optical_flow(truth[t - 1][inside], truth[t][inside])
        carried = warp(pictures[t - 1][inside].astype(np.float32), flow)
        smooth = cv2.GaussianBlur(pictures[t][inside].astype(np.float32) - carried, (0, 0), 1.0)
        squares.append(np.mean(smooth**2))
    return float(np.sqrt(np.mean(squares)))


def detail(pictures: np.ndarray, truth: np.ndarray, inside: tuple[slice, slice]) -> float:
    """Energy of what is finer than 2 px, as a share of the truth's: 1 is as sharp."""
    energy = []
    for shown in (pictures, truth):
        parts = [picture[inside].astype(np.float32) for picture in shown]
        fine = [part - cv2.GaussianBlur(part, (0, 0), 2.0) for part in parts]
        energy.append(np.mean(np.square(fine)))
    return float(energy[0] / energy[1])


def row(name: str, made: Iterable[np.ndarray], clips: list[Clip], inside: object) -> None:
    """Print one way's means over the clips."""
    quality, shake, own, fine = [], [], [], []
    for pictures, clip in zip(made, clips, strict=True):
        quality.append(psnr(pictures, clip.truth, inside))
        shake.append(flicker(pictures, clip.truth, inside))
        fine.append(detail(pictures, clip.truth, inside))
        own.append(flicker(clip.truth, clip.truth, inside))
    beyond = np.sqrt(np.maximum(np.square(shake) - np.square(own), 0))
    print(
        f"{name:32} {np.mean(quality):7.2f} {np.mean(fine):7.3f} {np.mean(shake):8.3f} "
        f"{np.mean(beyond):8.3f}",
        flush=True,
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--clips", type=int, default=16)
    parser.add_argument("--frames", type=int, default=60)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    model = TalkingFace.load(chosen.data / "06_models/talking_face")
    found = sorted((chosen.data / "03_primary/crops").glob("*_test_*.arrow"))
    names = [path.stem for path in found[:: max(1, len(found) // chosen.clips)][: chosen.clips]]
    clips = [Clip(chosen.data, name, model, chosen.frames) for name in names]
    x0, y0, x1, y1 = mask_box(model.config.crop)
    inside, scale = np.s_[y0:y1, x0:x1], model.config.crop.px_per_mm
    print(f"{len(clips)} clips of at most {chosen.frames} frames; mask {x1 - x0} x {y1 - y0} px")
    print(f"{'':32} PSNR dB  detail  flicker  beyond the truth's")
    for name, settings in WINDOWS.items():
        config = WindowingConfig.model_validate(settings)
        made = [rendered(clip, model, config, "float32") for clip in clips]
        row(name, made, clips, inside)
        calmed = [
            deflicker(m, c.points, (x0, y0, x1, y1), scale)
            for m, c in zip(made, clips, strict=True)
        ]
        row("  deflickered", calmed, clips, inside)
        if name == AS_PRINTED:
            row(
                "  Eq. 7 as printed",
                [as_printed(m, c.points, inside) for m, c in zip(made, clips, strict=True)],
                clips,
                inside,
            )
            half = [rendered(clip, model, config, "bfloat16") for clip in clips]
            row("  in bfloat16", half, clips, inside)


if __name__ == "__main__":
    main()
