"""How a person looks, in colours: enough to tell who is who after a cut, and nothing more.

A histogram of the colours of the head and what is around it (hair, skin, collar). It is no
biometric: it holds for one clip, in one light, and is never stored.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

_BINS = (6, 8, 8)
_MARGIN = 0.35  # of the face's box, on every side


@dataclass(frozen=True, eq=False)
class Appearance:
    """Colours of one head.

    Attributes:
        colours: Histogram over lightness and the two colour axes, summing to 1.
    """

    colours: Float[np.ndarray, "bins"]

    def likeness(self, other: "Appearance") -> float:
        """Overlap of the two heads' colours, 0 to 1 (Bhattacharyya coefficient)."""
        return float(np.sqrt(self.colours * other.colours).sum())


def appearance_of(
    image: UInt8[np.ndarray, "height width 3"], points: Float[np.ndarray, "points 2"]
) -> Appearance:
    """Colours of the head whose landmarks are given (px)."""
    low, high = points.min(axis=0), points.max(axis=0)
    margin = _MARGIN * (high - low)
    x0, y0 = np.maximum(low - margin, 0).astype(int)
    x1, y1 = np.ceil(high + margin).astype(int)
    head = image[y0:y1, x0:x1]
    if head.size == 0:
        return Appearance(np.full(int(np.prod(_BINS)), 1 / np.prod(_BINS)))
    head = cv2.resize(head, (48, 48), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(head, cv2.COLOR_RGB2LAB)
    # Colour axes of faces fill a narrow band around grey: 96..192 of 256.
    counts = cv2.calcHist([lab], [0, 1, 2], None, _BINS, [0, 256, 96, 192, 96, 192]).ravel()
    return Appearance(counts / max(counts.sum(), 1.0))
