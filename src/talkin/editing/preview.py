"""A small copy of footage: everything after it runs on fewer pixels and frames."""

from fractions import Fraction
from pathlib import Path

import cv2

from talkin.footage.media import as_frame_rate
from talkin.footage.video import VideoInfo, VideoWriter, iter_frames, probe_video

PREVIEW_SIDE_PX = 360
_MOST_FPS = 30


def small_copy(video: Path, path: Path, side_px: int = PREVIEW_SIDE_PX) -> VideoInfo:
    """Write footage without sound, its shorter side `side_px`, at no more than 30 frames/s.

    Args:
        video: The footage; smaller footage keeps its size.
        path: The mp4 to write.
        side_px: Of the shorter side, px.

    Raises:
        FootageError: If the footage cannot be read or the copy cannot be written.
    """
    info = probe_video(video)
    factor = min(1.0, side_px / min(info.width, info.height))
    width, height = (max(2, 2 * round(side * factor / 2)) for side in (info.width, info.height))
    fps: Fraction = as_frame_rate(info.fps)
    while fps > _MOST_FPS:
        fps /= 2
    with VideoWriter(
        path, width, height, fps, crf=20, preset="ultrafast", colours=info.colours
    ) as writer:
        for frame in iter_frames(video, fps):
            writer.write(cv2.resize(frame.image, (width, height), interpolation=cv2.INTER_AREA))
    return probe_video(path)
