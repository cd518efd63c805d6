"""CPBD: how much of a picture's edges looks sharp to a person, without a reference.

Narvekar and Karam, "A no-reference image blur metric based on the cumulative probability of blur
detection (CPBD)", IEEE TIP 2011. An edge of width w px is seen as blurred with probability

    P(w) = 1 - exp(-(w / w_jnb)^3.6),   w_jnb = 5 px in blocks of contrast <= 50, else 3 px,

and CPBD is the share of edge pixels with P <= 63 %, those no wider than w_jnb. Talking-face papers
report it (Vougioukas et al. 2018). The width is measured along the row through vertical edges, as
the reference implementation of the metric does: from the edge out to the local extrema.
"""

import cv2
import numpy as np
from jaxtyping import Bool, Int, UInt8
from skimage.feature import canny

_BLOCK = 64
_EDGE_SHARE = 0.002
_LOW_CONTRAST = 50
_WIDTH_LOW, _WIDTH_HIGH = 5.0, 3.0


def cpbd(frames: UInt8[np.ndarray, "frames height width 3"]) -> float:
    """Mean CPBD of the frames that have an edge: 1 sharp, 0 blurred; NaN where none has one."""
    lumas = (cv2.cvtColor(np.ascontiguousarray(f), cv2.COLOR_RGB2GRAY) for f in frames)
    values = [frame_cpbd(luma) for luma in lumas]
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def frame_cpbd(luma: UInt8[np.ndarray, "height width"]) -> float:
    """CPBD of one grey picture; NaN where it has no edge.

    Pictures smaller than a block are one block.
    """
    edges = canny(luma.astype(np.float64) / 255, sigma=1.0)
    widths = edge_widths(luma, _vertical(luma))
    sharp = total = 0
    for block in _blocks(luma.shape):
        is_edge = edges[block]
        if is_edge.mean() <= _EDGE_SHARE:
            continue
        contrast = int(luma[block].max()) - int(luma[block].min())
        just_noticeable = _WIDTH_LOW if contrast <= _LOW_CONTRAST else _WIDTH_HIGH
        measured = widths[block][is_edge & (widths[block] > 0)]
        sharp += int((measured <= just_noticeable).sum())
        total += len(measured)
    return sharp / total if total else float("nan")


def edge_widths(
    luma: UInt8[np.ndarray, "height width"], is_vertical: Bool[np.ndarray, "height width"]
) -> Int[np.ndarray, "height width"]:
    """Width of the ramp through each vertical edge pixel, px; 0 elsewhere.

    The ramp reaches from the last pixel before grey levels stop falling on one side to the last
    before they stop rising on the other.
    """
    step = np.diff(luma.astype(np.int32), axis=1)
    rising, falling = _run_lengths(step > 0), _run_lengths(step < 0)
    widths = np.zeros(luma.shape, dtype=np.int64)
    for before, after in (rising, falling):
        # step k lies between pixels k and k + 1: to the left of pixel x is k = x - 1
        left = np.pad(before, ((0, 0), (1, 0)))
        right = np.pad(after, ((0, 0), (0, 1)))
        widths = np.maximum(widths, left + right)
    return np.where(is_vertical, widths, 0)


def _run_lengths(
    flags: Bool[np.ndarray, "height steps"],
) -> tuple[Int[np.ndarray, "height steps"], Int[np.ndarray, "height steps"]]:
    """Of each step, how many flagged ones in a row end with it, and begin with it."""
    before = np.zeros(flags.shape, dtype=np.int64)
    after = np.zeros(flags.shape, dtype=np.int64)
    n = flags.shape[1]
    for k in range(n):
        before[:, k] = np.where(flags[:, k], (before[:, k - 1] if k else 0) + 1, 0)
        j = n - 1 - k
        after[:, j] = np.where(flags[:, j], (after[:, j + 1] if k else 0) + 1, 0)
    return before, after


def _vertical(luma: UInt8[np.ndarray, "height width"]) -> Bool[np.ndarray, "height width"]:
    """Where the grey levels change more along the row than down the column."""
    across = cv2.Sobel(luma, cv2.CV_64F, 1, 0)
    down = cv2.Sobel(luma, cv2.CV_64F, 0, 1)
    return (np.abs(across) > np.abs(down)) & (across != 0)


def _blocks(shape: tuple[int, ...]) -> list[tuple[slice, slice]]:
    height, width = shape[:2]
    tall, wide = min(_BLOCK, height), min(_BLOCK, width)
    return [
        (slice(y, y + tall), slice(x, x + wide))
        for y in range(0, height - tall + 1, tall)
        for x in range(0, width - wide + 1, wide)
    ]
