"""Pictures and clips as parts of a page, so that one file can be sent and read offline."""

import base64
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from talkin.footage.video import VideoWriter, iter_frames, probe_video
from talkin.scratch import scratch_folder

_SMALL_HEIGHT_PX = 360
_SMALL_CRF = 30.0


def data_uri(content: bytes, media_type: str) -> str:
    """Bytes as an address that holds them."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"


def picture_uri(picture: UInt8[np.ndarray, "height width 3"], quality: int = 92) -> str:
    """An RGB picture as a JPEG."""
    bgr = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2BGR)
    encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return data_uri(encoded.tobytes(), "image/jpeg")


def video_uri(path: Path, max_bytes: int) -> str | None:
    """An mp4 clip, made smaller where it is larger than allowed.

    Args:
        path: An H.264 mp4, which every browser plays.
        max_bytes: Of the clip itself; its address is a third longer.

    Returns:
        The address, or None if even the small version is too large.

    Raises:
        FootageError: If the clip cannot be read.
    """
    content = path.read_bytes()
    if len(content) > max_bytes:
        content = _small(path)
    return data_uri(content, "video/mp4") if len(content) <= max_bytes else None


def _small(path: Path) -> bytes:
    info = probe_video(path)
    shrink = min(1.0, _SMALL_HEIGHT_PX / info.height)
    width, height = (max(2, round(side * shrink / 2) * 2) for side in (info.width, info.height))
    sound = path if info.has_audio else None
    with scratch_folder("encode") as folder:
        small = folder / "small.mp4"
        with VideoWriter(
            small, width, height, info.fps, sound, crf=_SMALL_CRF, preset="medium"
        ) as writer:
            for frame in iter_frames(path):
                writer.write(cv2.resize(frame.image, (width, height), interpolation=cv2.INTER_AREA))
        return small.read_bytes()
