"""The same pictures give the same file, whatever the memory held before."""

import cv2
import numpy as np

from talkin.footage.video import VideoWriter


def test_the_same_pictures_give_the_same_bytes_every_time(tmp_path):
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 255, (15, 20, 3)).astype(np.uint8)
    picture = cv2.resize(coarse, (320, 240), interpolation=cv2.INTER_CUBIC)
    moving = [np.roll(picture, 3 * t, axis=1) + rng.integers(0, 4, (240, 320, 3)) for t in range(8)]
    pictures = [np.clip(image, 0, 255).astype(np.uint8) for image in moving]
    written = set()
    for number in range(12):
        with VideoWriter(tmp_path / "v.mp4", 320, 240, 25) as writer:
            for image in pictures:
                writer.write(image)
                rng.integers(
                    0, 255, 50_000 * (1 + number), dtype=np.uint8
                )  # other memory each time
        written.add((tmp_path / "v.mp4").read_bytes())
    assert len(written) == 1
