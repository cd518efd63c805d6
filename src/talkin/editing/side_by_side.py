"""Clips beside each other with one sound, to look at."""

from collections.abc import Sequence
from itertools import product
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from talkin.errors import ConfigurationError
from talkin.footage.audio import Audio
from talkin.footage.video import VideoWriter, iter_frames, probe_video


def write_side_by_side(
    videos: Sequence[Path], labels: Sequence[str], output: Path, audio: Audio | Path | None
) -> None:
    """Put clips beside each other, as high as the first; the shortest ends the picture.

    Args:
        videos: Clips, left to right, such as target, edited and truth.
        labels: A word on each.
        output: The mp4 to write.
        audio: Its sound, or the file whose sound it gets.

    Raises:
        FootageError: If a clip cannot be read.
        ConfigurationError: If there is not one label a clip.
    """
    if not videos or len(videos) != len(labels):
        raise ConfigurationError(
            f"{len(videos)} clips need as many labels, {len(labels)} were given"
        )
    infos = [probe_video(Path(video)) for video in videos]
    height, fps = infos[0].height, infos[0].fps
    widths = [max(2, round(info.width * height / info.height / 2) * 2) for info in infos]
    streams = [iter_frames(Path(video), fps) for video in videos]
    with VideoWriter(output, sum(widths), height, fps, audio) as writer:
        for frames in zip(*streams, strict=False):
            sized = [
                cv2.resize(frame.image, (width, height), interpolation=cv2.INTER_AREA)
                for frame, width in zip(frames, widths, strict=True)
            ]
            writer.write(beside(sized, labels))


def beside(
    pictures: Sequence[UInt8[np.ndarray, "height width 3"]], labels: Sequence[str]
) -> UInt8[np.ndarray, "height total 3"]:
    """Pictures of one height beside each other, each with a word in its upper left corner."""
    return np.hstack(
        [_labelled(picture, label) for picture, label in zip(pictures, labels, strict=True)]
    )


def _labelled(picture: np.ndarray, label: str) -> UInt8[np.ndarray, "height width 3"]:
    marked = np.ascontiguousarray(picture).copy()
    size = max(0.35, picture.shape[0] / 700)
    rim, stroke = max(1, round(1.5 * size)), max(1, round(1.5 * size))
    x, y = round(12 * size), round(28 * size)

    def write(right: int, down: int, colour: tuple[int, int, int]) -> None:
        place = (x + right, y + down)
        cv2.putText(
            marked, label, place, cv2.FONT_HERSHEY_SIMPLEX, size, colour, stroke, cv2.LINE_AA
        )

    # A thicker stroke makes letters wider as well, so the rim is the same word moved about.
    for right, down in product((-rim, 0, rim), repeat=2):
        write(right, down, (0, 0, 0))
    write(0, 0, (255, 255, 255))
    return marked
