"""What a painted mouth has less or more of than the face around it.

A renderer paints smoother than a camera films, and leaves other traces in the finest detail. Each
frame's power spectrum is taken in the mouth's square and in the equal one above it, of nose and
cheeks; the features are differences of logarithms, so that the footage's own sharpness, noise and
encoding, which both squares share, cancel.
"""

from collections.abc import Iterable

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from talkin.errors import FootageError
from talkin.footage.landmarks import LandmarkTrack

N_BINS = 10
NAMES = tuple(
    f"{channel}_{number:02d}" for channel in ("luma", "chroma") for number in range(N_BINS)
)
_LIPS = slice(48, 68)  # of the 68 points
_FLOOR = 1e-2  # power of rounding, so that flat squares have a logarithm

Square = tuple[int, int, int]


def mouth_square(track: LandmarkTrack, width: int, height: int) -> Square:
    """The square (x, y, side) px that holds the mouth through a clip.

    Raises:
        FootageError: If no face was found, or the mouth is too small to tell anything.
    """
    lips = track.subset68()[track.is_found][:, _LIPS]
    if len(lips) == 0:
        raise FootageError("no face was found in the clip, so there is no mouth to look at")
    centre = np.median(lips.mean(axis=1), axis=0)
    side = round(1.4 * float(np.median(np.ptp(lips[..., 0], axis=1))))
    side = min(side, width, height // 2)
    if side < 16:
        raise FootageError(f"the mouth is only {side} px wide in the picture; 16 are needed")
    x = int(np.clip(round(centre[0] - side / 2), 0, width - side))
    y = int(np.clip(round(centre[1] - side / 2), side, height - side))
    return x, y, side


def features_of(
    images: Iterable[UInt8[np.ndarray, "height width 3"]], square: Square
) -> Float[np.ndarray, "frames features"]:
    """Features of every frame, in the order of `NAMES`.

    Args:
        images: RGB frames.
        square: Where the mouth is; from `mouth_square`.
    """
    rows = [_frame(image, square) for image in images]
    return np.array(rows).reshape(len(rows), len(NAMES))


def _frame(image: np.ndarray, square: Square) -> np.ndarray:
    x, y, side = square
    planes = cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb).astype(np.float32)
    mouth = planes[y : y + side, x : x + side]
    above = planes[y - side : y, x : x + side]
    return np.concatenate(
        [
            _spectrum(mouth[..., :1]) - _spectrum(above[..., :1]),
            _spectrum(mouth[..., 1:]) - _spectrum(above[..., 1:]),
        ]
    )


def _spectrum(planes: np.ndarray) -> Float[np.ndarray, "bins"]:
    """Logarithm of the mean power in rings of spatial frequency, up to half a cycle a pixel."""
    side = planes.shape[0]
    window = np.outer(np.hanning(side), np.hanning(side))[..., None]
    centred = planes - planes.mean(axis=(0, 1))
    power = np.square(np.abs(np.fft.rfft2(centred * window, axes=(0, 1)))).mean(axis=2)
    radius = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None])
    ring = np.minimum((radius / 0.5 * N_BINS).astype(int), N_BINS - 1)
    total = np.bincount(ring.ravel(), power.ravel(), N_BINS)
    mean = total / np.maximum(np.bincount(ring.ravel(), minlength=N_BINS), 1) / side**2
    return np.log(mean + _FLOOR)
