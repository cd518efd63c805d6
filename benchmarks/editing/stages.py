"""Milliseconds a frame of every editing stage but the renderer, on one core.

Run: OMP_NUM_THREADS=1 python benchmarks/editing/stages.py
"""

import time
from collections.abc import Callable

import cv2
import numpy as np

from talkin.editing.compositing import CompositingConfig, composite
from talkin.editing.deflicker import Deflicker, DeflickerConfig, deflicker_frame_as_printed
from talkin.editing.frame_selection import SelectionConfig, select_frames
from talkin.editing.masks import MaskConfig, mouth_mask
from talkin.editing.teeth import TeethConfig, TeethDatabase
from talkin.samples.alignment import CropConfig, crop_frame, mask_box

CROP = CropConfig()
REPEATS = 10


def mouth_points() -> np.ndarray:
    """A plausible open mouth in the middle of the crop, px."""
    around = np.pi - np.linspace(0, 2 * np.pi, 12, endpoint=False)
    inside = np.pi - np.linspace(0, 2 * np.pi, 8, endpoint=False)
    sweep = np.linspace(0.05, 0.95, 11) * np.pi
    down = np.linspace(0, 1, 4)
    outer = np.stack([192 - 48 * np.cos(around), 215 - 30 * np.sin(around)], 1)
    inner = np.stack([192 - 38 * np.cos(inside), 215 - 18 * np.sin(inside)], 1)
    jaw = np.stack([192 - 110 * np.cos(sweep), 200 + 105 * np.sin(sweep)], 1)
    left = np.stack([155 - 22 * down, 160 + 44 * down], 1)
    return np.concatenate([outer, inner, jaw, left, [384, 0] + left * [-1, 1]])


def milliseconds(work: Callable[[], object]) -> float:
    """Median processor time of some runs, the first left out: waiting for a core counts not."""
    work()
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return 1000 * float(np.median(times))


def main() -> None:
    """Print the table."""
    cv2.setNumThreads(1)
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 60, (1080, 1920, 3)).astype(np.float32)
    frame = np.clip(128 + 4 * cv2.GaussianBlur(noise, (0, 0), 3), 0, 255).astype(np.uint8)
    transform = np.array([[0.64, 0.0, -420.0], [0.0, 0.64, -150.0]])  # a face 600 px high
    crop, points, box = crop_frame(frame, transform, 384), mouth_points(), mask_box(CROP)
    rendered = np.clip(crop.astype(int) + 10, 0, 255).astype(np.uint8)
    shape = (box, 384, CROP.px_per_mm, MaskConfig())
    mask = mouth_mask(points, points, *shape)
    teeth = TeethDatabase(CROP.px_per_mm, TeethConfig())
    while teeth.add(crop, points):
        pass
    step = Deflicker(box, CROP.px_per_mm, DeflickerConfig())
    plain = CompositingConfig(poisson=False)
    whole = np.full((384, 384), 255, np.uint8)
    speaking, motion = rng.random(3000) < 0.7, rng.random(22500)
    table: dict[str, Callable[[], object]] = {
        "crop, 1080p": lambda: crop_frame(frame, transform, 384),
        "mask": lambda: mouth_mask(points, points, *shape),
        "composite, 1080p": lambda: composite(
            frame, rendered, crop, mask, transform, CompositingConfig()
        ),
        "composite without Poisson": lambda: composite(
            frame, rendered, crop, mask, transform, plain
        ),
        "cv2.seamlessClone of the crop, for comparison": lambda: cv2.seamlessClone(
            rendered, crop, ((mask > 0) * whole), (192, 192), cv2.NORMAL_CLONE
        ),
        "deflicker": lambda: list(step.push(rendered, points)),
        "Eq. 7 as printed, without its flow": lambda: deflicker_frame_as_printed(
            rendered.astype(float), crop.astype(float), 0.5
        ),
        "teeth, 256 mouths": lambda: teeth.transfer(rendered, points),
        "select 2 min over 15 min (all of it)": lambda: select_frames(
            speaking, motion, SelectionConfig()
        ),
    }
    for name, work in table.items():
        print(f"{name:48} {milliseconds(work):8.2f} ms", flush=True)


if __name__ == "__main__":
    main()
