"""Fine marks on skin: brows, stubble, wrinkles. All positions are mm on the average face."""

import cv2
import numpy as np
from jaxtyping import Float
from scipy.interpolate import CubicSpline
from scipy.spatial import cKDTree

Map = Float[np.ndarray, "rows columns"]
Positions = Float[np.ndarray, "rows columns 3"]


def polyline_distance(
    position: Positions, line: Float[np.ndarray, "n 3"], reach: float = 8.0
) -> Map:
    """Distance (mm) of each texel from a curve; `reach` where it is further away."""
    knots = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    count = max(int(knots[-1] / 0.2), 2)
    at = np.linspace(0, knots[-1], count)
    dense = np.stack([np.interp(at, knots, line[:, k]) for k in range(3)], axis=1)
    low, high = dense.min(0) - reach, dense.max(0) + reach
    near = ((position > low) & (position < high)).all(-1)
    distance = np.full(position.shape[:2], reach, dtype=np.float32)
    distance[near] = np.minimum(cKDTree(dense).query(position[near])[0], reach)
    return distance


def brow_strokes(
    position: Positions, mean: Float[np.ndarray, "v 3"], weight: float, rng: np.random.Generator
) -> Map:
    """Both brows hair by hair: 0 bare skin, 1 hair.

    Args:
        position: Face point of each texel.
        mean: Average vertices; 17..26 are the brow landmarks.
        weight: Thickness against the average.
        rng: Drives the hairs.
    """
    canvas = np.zeros(position.shape[:2], dtype=np.uint8)
    is_front = position[..., 2] > -45
    rows, columns = np.nonzero(is_front)
    tree = cKDTree(position[rows, columns, :2])
    for landmarks, side in ((range(22, 27), 1.0), (range(21, 16, -1), -1.0)):
        curve = CubicSpline(np.linspace(0, 1, 5), mean[list(landmarks), :2])
        along = rng.beta(1.1, 1.25, 420)
        middle = curve(along)
        thick = weight * 3.1 * np.interp(along, [0, 0.12, 0.5, 0.8, 1], [0.75, 1.05, 1, 0.7, 0.2])
        across = rng.uniform(-1, 1, len(along))
        root = middle + np.stack([0 * across, across * thick - 0.6], axis=1)
        lean = np.interp(along, [0, 0.25, 0.6, 1.0], [1.25, 0.75, 0.25, -0.35]) - 0.35 * across
        lean = lean + rng.normal(0, 0.15, len(along))
        length = rng.uniform(3.0, 5.2, len(along)) * np.interp(along, [0, 1], [1.0, 0.8])
        tip = root + length[:, None] * np.stack([side * np.cos(lean), np.sin(lean)], axis=1)
        ends = [tree.query(points)[1] for points in (root, tip)]
        for start, end in zip(*ends, strict=True):
            a, b = (int(columns[start]), int(rows[start])), (int(columns[end]), int(rows[end]))
            layer = int(rng.integers(110, 235))
            cv2.line(canvas, a, b, layer, 1, cv2.LINE_AA)
    return cv2.GaussianBlur(canvas, (0, 0), 0.8).astype(np.float32) / 255 * 1.15


def stubble_dots(position: Positions, rng: np.random.Generator) -> tuple[Map, Map]:
    """Beard shadow: single hairs (0..1) and where a beard grows (0..1)."""
    x, y, z = np.moveaxis(position, -1, 0)
    across = np.abs(x)
    edge = np.interp(across, [0, 24, 36, 50, 60, 68], [-50, -53, -60, -68, -50, -15])
    grows = np.clip((edge - y) / 7, 0, 1) * np.clip((z + 82) / 12, 0, 1)
    bare = np.exp(-(((across - 16) / 9) ** 2) - ((y + 90) / 4.5) ** 2) * 0.5
    # Under the jaw it fades before the neck begins, whose skin is painted plain.
    forward = (z + 80) / np.sqrt(x**2 + (y + 20) ** 2 + (z + 80) ** 2 + 1e-6)
    below = np.clip((-50 - y) / 20, 0, 1)
    grows = grows * (1 - bare) * (1 - below * (1 - np.clip((forward - 0.28) / 0.25, 0, 1)))
    dots = cv2.GaussianBlur(rng.standard_normal(x.shape, dtype=np.float32), (0, 0), 0.7)
    dots = np.clip(dots / dots.std() - 0.2, 0, 1.5) / 1.5
    return dots, cv2.GaussianBlur(grows.astype(np.float32), (0, 0), 3.0)


def wrinkles(position: Positions) -> Map:
    """Lines of age: fold from nose to mouth, forehead, outer eye corners, under the eyes."""
    total = np.zeros(position.shape[:2], dtype=np.float32)
    for side in (-1.0, 1.0):
        mirror = np.array([side, 1.0, 1.0])
        fold = np.array([(17, -41, 9), (24, -51, 6.5), (29.5, -62, 2), (33, -74, -3)]) * mirror
        total += 0.26 * _soft_line(position, fold, 2.0)
        bag = np.array([(19, -15, 0), (27, -19, 0.5), (37, -18, -1.5)]) * mirror
        total += 0.22 * _soft_line(position, bag, 1.2)
        for rise in (-4.0, 0.0, 4.0):
            crow = np.array([(48, -5 + 0.3 * rise, -13), (56, -5 + 1.3 * rise, -22)]) * mirror
            total += 0.20 * _soft_line(position, crow, 0.8)
    for height in (38.0, 48.0, 57.0):
        across = np.linspace(-42, 42, 15)
        line = np.stack([across, height - 4 * np.cos(across / 14), 9 - (across / 18) ** 2], axis=1)
        total += 0.20 * _soft_line(position, line, 1.0) * np.exp(-((position[..., 0] / 34) ** 4))
    return total


def _soft_line(position: Positions, line: np.ndarray, width: float) -> Map:
    return np.exp(-((polyline_distance(position, line) / width) ** 2)) * 1.0
