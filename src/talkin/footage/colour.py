"""Between the colours of a video file (Y'CbCr) and RGB pictures.

8-bit 4:2:0, which nearly all footage is, is converted here: twice as fast as FFmpeg's scaler at
the same precision (its default is faster, but darkens every picture by a whole level). Chroma is
repeated on the way in and averaged on the way out, so that writing what was read gives the file's
own chroma back. All other formats go through the scaler.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Interpolation
from jaxtyping import Float, UInt8

_BT709 = 1  # matrix, primaries and transfer, as ISO/IEC 23091-2 numbers them
_BT601, _BT2020 = (5, 6), 9
_KR_KB = {_BT709: (0.2126, 0.0722), _BT2020: (0.2627, 0.0593)}
_KR_KB_601 = (0.299, 0.114)
_EXACT = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


@dataclass(frozen=True)
class Colours:
    """How a file's pictures are coded, in the numbers of ISO/IEC 23091-2.

    Attributes:
        matrix: Between RGB and Y'CbCr.
        is_full: Whether grey levels span 0 to 255 and not 16 to 235.
        primaries: What red, green and blue are; 2 where the file does not say.
        transfer: From light to grey levels, the same.
    """

    matrix: int = _BT709
    is_full: bool = False
    primaries: int = _BT709
    transfer: int = _BT709

    @property
    def colour_range(self) -> ColorRange:
        """As FFmpeg calls it."""
        return ColorRange.JPEG if self.is_full else ColorRange.MPEG


def colours_of(frame: Any) -> Colours:
    """How a decoded frame is coded; what is in no common Y'CbCr is written as BT.709."""
    matrix = _matrix(frame)
    if matrix not in (_BT709, *_BT601, _BT2020):
        return Colours()
    return Colours(matrix, _is_full(frame), int(frame.color_primaries), int(frame.color_trc))


def rgb_picture(frame: Any) -> UInt8[np.ndarray, "height width 3"]:
    """RGB picture of a decoded frame, as it is stored (rotation not applied)."""
    is_plain = frame.format.name in ("yuv420p", "yuvj420p")
    if is_plain and frame.height % 2 == 0 and frame.width % 2 == 0:
        coded = _ycc_to_rgb(_matrix(frame), _is_full(frame))
        return _from_planes(frame.to_ndarray(), frame.height, frame.width, coded)
    matrix = _matrix(frame) or _BT709  # of RGB it does not matter
    exact = frame.reformat(format="rgb24", src_colorspace=matrix, interpolation=_EXACT, threads=1)
    picture: np.ndarray = exact.to_ndarray()
    return picture


def video_frame(image: UInt8[np.ndarray, "height width 3"], colours: Colours | None = None) -> Any:
    """A frame for the encoder: 8-bit 4:2:0.

    Args:
        image: RGB, even height and width.
        colours: How to code it; None for BT.709 in limited range.
    """
    colours = colours or Colours()
    height, width = image.shape[:2]
    planes = cv2.transform(image, _rgb_to_ycc(colours.matrix, colours.is_full))
    # All three channels, for OpenCV shrinks two of them twenty times more slowly.
    small = cv2.resize(planes, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    stacked = np.empty((height * 3 // 2, width), np.uint8)
    chroma = stacked[height:].reshape(2, height // 2, width // 2)
    cv2.extractChannel(planes, 0, stacked[:height])
    for channel in (1, 2):
        cv2.extractChannel(small, channel, chroma[channel - 1])
    frame = av.VideoFrame.from_ndarray(stacked, format="yuv420p")
    frame.colorspace, frame.color_range = colours.matrix, colours.colour_range
    return frame


def _matrix(frame: Any) -> int:
    """Untagged footage is taken as players take it: BT.709 from 720 lines on, else BT.601."""
    stated = int(frame.colorspace)
    if stated == 2:  # not stated
        return _BT709 if frame.height >= 720 else _BT601[0]
    return stated


def _is_full(frame: Any) -> bool:
    return bool(frame.format.name.startswith("yuvj") or frame.color_range == ColorRange.JPEG)


def _from_planes(
    stacked: np.ndarray, height: int, width: int, coded: np.ndarray
) -> UInt8[np.ndarray, "height width 3"]:
    chroma = stacked[height:].reshape(2, height // 2, width // 2)
    full = [cv2.resize(c, (width, height), interpolation=cv2.INTER_NEAREST) for c in chroma]
    return cv2.transform(cv2.merge([stacked[:height], *full]), coded)


@cache
def _ycc_to_rgb(matrix: int, is_full: bool) -> Float[np.ndarray, "3 4"]:
    """Rows R, G, B over columns Y, Cb, Cr, 1 (ITU-R BT.601, BT.709, BT.2020)."""
    red, blue = _KR_KB.get(matrix, _KR_KB_601)
    green = 1 - red - blue
    luma, chroma, black = (1.0, 1.0, 0.0) if is_full else (255 / 219, 255 / 224, 16.0)
    rows = np.array(
        [
            [1, 0, 2 * (1 - red)],
            [1, -2 * (1 - blue) * blue / green, -2 * (1 - red) * red / green],
            [1, 2 * (1 - blue), 0],
        ]
    ) * [luma, chroma, chroma]
    return np.concatenate([rows, -rows @ [[black], [128.0], [128.0]]], axis=1)


@cache
def _rgb_to_ycc(matrix: int, is_full: bool) -> Float[np.ndarray, "3 4"]:
    back = _ycc_to_rgb(matrix, is_full)
    inverse = np.linalg.inv(back[:, :3])
    return np.concatenate([inverse, -inverse @ back[:, 3:]], axis=1)
