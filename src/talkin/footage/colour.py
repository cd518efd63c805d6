"""Between the colours of a video file (Y'CbCr) and RGB pictures.

8-bit 4:2:0, which nearly all footage is, is converted here: twice as fast as FFmpeg's scaler at
the same precision (its default is faster, but darkens every picture by a whole level). Chroma is
repeated on the way in and averaged on the way out, so that writing what was read gives the file's
own chroma back. All other formats go through the scaler.
"""

from functools import cache
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from jaxtyping import Float, UInt8

_KR_KB = {Colorspace.ITU709: (0.2126, 0.0722), Colorspace.BT2020: (0.2627, 0.0593)}
_KR_KB_601 = (0.299, 0.114)
_EXACT = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


def rgb_picture(frame: Any) -> UInt8[np.ndarray, "height width 3"]:
    """RGB picture of a decoded frame, as it is stored (rotation not applied).

    Untagged footage is taken as players take it: BT.709 from 720 lines on, else BT.601.
    """
    matrix = _colour_matrix(frame)
    is_plain = frame.format.name in ("yuv420p", "yuvj420p")
    if is_plain and frame.height % 2 == 0 and frame.width % 2 == 0:
        is_full = frame.format.name == "yuvj420p" or frame.color_range == ColorRange.JPEG
        return _from_planes(frame.to_ndarray(), frame.height, frame.width, matrix, bool(is_full))
    exact = frame.reformat(format="rgb24", src_colorspace=matrix, interpolation=_EXACT, threads=1)
    picture: np.ndarray = exact.to_ndarray()
    return picture


def video_frame(image: UInt8[np.ndarray, "height width 3"]) -> Any:
    """A frame for the encoder: 8-bit 4:2:0, BT.709, limited range.

    Args:
        image: RGB, even height and width.
    """
    height, width = image.shape[:2]
    planes = cv2.transform(image, _rgb_to_ycc(Colorspace.ITU709))
    chroma = cv2.resize(planes[..., 1:], (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    stacked = np.empty((height * 3 // 2, width), np.uint8)
    stacked[:height] = planes[..., 0]
    stacked[height:] = chroma.transpose(2, 0, 1).reshape(height // 2, width)
    frame = av.VideoFrame.from_ndarray(stacked, format="yuv420p")
    frame.colorspace, frame.color_range = Colorspace.ITU709, ColorRange.MPEG
    return frame


def _colour_matrix(frame: Any) -> Any:
    if int(frame.colorspace) in (0, 2):  # RGB or not stated
        return Colorspace.ITU709 if frame.height >= 720 else Colorspace.ITU601
    return frame.colorspace


def _from_planes(
    stacked: np.ndarray, height: int, width: int, matrix: Any, is_full: bool
) -> np.ndarray:
    chroma = stacked[height:].reshape(2, height // 2, width // 2)
    full = [cv2.resize(c, (width, height), interpolation=cv2.INTER_NEAREST) for c in chroma]
    return cv2.transform(cv2.merge([stacked[:height], *full]), _ycc_to_rgb(matrix, is_full))


@cache
def _ycc_to_rgb(matrix: Any, is_full: bool) -> Float[np.ndarray, "3 4"]:
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
def _rgb_to_ycc(matrix: Any) -> Float[np.ndarray, "3 4"]:
    back = _ycc_to_rgb(matrix, False)
    inverse = np.linalg.inv(back[:, :3])
    return np.concatenate([inverse, -inverse @ back[:, 3:]], axis=1)
