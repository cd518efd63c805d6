"""The mean face as one smooth surface: a distance from the middle of the head for each direction.

A direction is addressed by its stereographic chart coordinates (u, v) = (d_x, d_y) / (1 + d_z),
in which the face is flat, unfolded and free of seams: the natural place to draw feature curves,
to triangulate and to paint.
"""

import numpy as np
from jaxtyping import Float
from scipy.interpolate import RBFInterpolator

from talkin.face3d.anatomy import SURFACE_POINTS, mean_landmarks, mirrored

_CENTRE = np.array([0.0, -20.0, -80.0])
_SKULL_CENTRE = np.array([0.0, 0.0, -90.0])
_SKULL_AXES = np.array([77.0, 108.0, 98.0])


def chart_of(points: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, "points 2"]:
    """Chart coordinates of positions in mm."""
    directions = _unit(points - _CENTRE)
    return directions[:, :2] / (1 + directions[:, 2:])


def directions_of(chart: Float[np.ndarray, "points 2"]) -> Float[np.ndarray, "points 3"]:
    """Inverse of the stereographic chart."""
    squared = (chart**2).sum(1, keepdims=True)
    return np.concatenate([2 * chart, 1 - squared], axis=1) / (1 + squared)


class MeanSurface:
    """Skull ellipsoid plus a cubic radial-basis correction through the hand-set face points."""

    def __init__(self) -> None:
        """Fit the correction to the points of `anatomy`."""
        hand_set = np.array([p for part in SURFACE_POINTS.values() for p in part], dtype=float)
        # The inner lips' landmarks lie 1.7 mm apart and would ripple the surface: one line
        # stands for both.
        landmarks = mean_landmarks()[:60]
        points = np.concatenate([landmarks, mirrored(hand_set), _back_of_head()])
        directions = _unit(points - _CENTRE)
        residual = np.linalg.norm(points - _CENTRE, axis=1) - _skull_radius(directions)
        self._correction = RBFInterpolator(
            directions, residual, kernel="cubic", degree=1, smoothing=1e-6
        )

    def at(self, chart: Float[np.ndarray, "points 2"]) -> Float[np.ndarray, "points 3"]:
        """Positions in mm of chart coordinates, exactly mirror-symmetric."""
        directions = directions_of(chart)
        folded = np.concatenate([np.abs(directions[:, :1]), directions[:, 1:]], axis=1)
        radius = _skull_radius(folded) + self._correction(folded)
        return _CENTRE + radius[:, None] * directions


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _skull_radius(directions: np.ndarray) -> np.ndarray:
    """Distance along rays from `_CENTRE` to the skull ellipsoid."""
    start = (_CENTRE - _SKULL_CENTRE) / _SKULL_AXES
    along = directions / _SKULL_AXES
    a = (along**2).sum(1)
    b = along @ start
    return (-b + np.sqrt(b**2 - a * ((start**2).sum() - 1))) / a


def _back_of_head() -> np.ndarray:
    """Sunflower samples of the skull where no face point says otherwise."""
    count = 220
    height = 1 - (np.arange(count) + 0.5) * 2 / count
    turn = np.arange(count) * np.pi * (3 - np.sqrt(5))
    ring = np.sqrt(1 - height**2)
    directions = np.stack([ring * np.cos(turn), ring * np.sin(turn), height], axis=1)
    kept = directions[(directions[:, 2] < -0.25) & (directions[:, 1] > -0.7)]
    kept = np.concatenate([kept, kept * np.array([-1.0, 1.0, 1.0])])
    return _CENTRE + _skull_radius(kept)[:, None] * kept
