"""Tiny clips to sign and to mark."""

import cv2
import numpy as np

from talkin.footage.audio import Audio
from talkin.footage.video import VideoWriter


def pictures(n, width=128, height=96, seed=0):
    """A smooth scene that drifts, with grain: footage, as far as a mark is concerned."""
    rng = np.random.default_rng(seed)
    scene = cv2.GaussianBlur(rng.uniform(0, 255, (height + 40, width + 40, 3)), (0, 0), 6)
    scene = 128 + (scene - scene.mean()) * 4
    for t in range(n):
        dx, dy = round(5 * np.sin(t / 9)) + 10, round(4 * np.cos(t / 7)) + 10
        part = scene[dy : dy + height, dx : dx + width]
        yield np.clip(part + rng.normal(0, 2, part.shape), 0, 255).astype(np.uint8)


def write_clip(path, images, fps=25.0, crf=17.0, sound=True):
    images = list(images)
    height, width = images[0].shape[:2]
    samples = np.random.default_rng(1).normal(0, 0.1, 16000 * len(images) // 25)
    audio = Audio(samples.astype(np.float32), 16000) if sound else None
    with VideoWriter(path, width, height, fps, audio=audio, crf=crf) as writer:
        for image in images:
            writer.write(image)
    return path
