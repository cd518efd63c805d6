"""Where the shot changes: two pictures in a row that share neither layout nor colours."""

import cv2
import numpy as np
from jaxtyping import UInt8

_SIDE = 32
_LAYOUT_JUMP = 18.0  # mean difference of grey levels of the shrunk pictures
_COLOUR_JUMP = 0.35  # share of the colours that changed
_TIMES_USUAL = 4.0


class CutFinder:
    """Compares each picture with the one before it; holds two thumbnails."""

    def __init__(self) -> None:
        """Begin before the first picture."""
        self._thumbnail: np.ndarray | None = None
        self._colours: np.ndarray | None = None
        self._usual = 0.0

    def is_cut(self, image: UInt8[np.ndarray, "height width 3"]) -> bool:
        """Whether a new shot begins with this picture; False for the first one."""
        step = max(1, min(image.shape[:2]) // (2 * _SIDE))
        thumbnail = cv2.resize(
            image[::step, ::step], (_SIDE, _SIDE), interpolation=cv2.INTER_AREA
        ).astype(np.float32)
        colours = _histogram(thumbnail)
        before, colours_before = self._thumbnail, self._colours
        self._thumbnail, self._colours = thumbnail, colours
        if before is None or colours_before is None:
            return False
        moved = float(np.abs(thumbnail - before).mean())
        recoloured = float(np.abs(colours - colours_before).sum()) / 2
        # A camera that pans or shakes changes every picture by much: a cut stands out from that.
        is_cut = moved > max(_LAYOUT_JUMP, _TIMES_USUAL * self._usual) and recoloured > _COLOUR_JUMP
        self._usual = 0.9 * self._usual + 0.1 * (0.0 if is_cut else moved)
        return is_cut


def _histogram(thumbnail: np.ndarray) -> np.ndarray:
    bins = (thumbnail / 64).astype(np.int32).clip(0, 3)
    number = bins[..., 0] * 16 + bins[..., 1] * 4 + bins[..., 2]
    counts = np.bincount(number.ravel(), minlength=64).astype(np.float32)
    return counts / counts.sum()
