"""Which vertex of a foreign mean face matches a point of the embedded one."""

import numpy as np
from jaxtyping import Float, Int
from scipy.interpolate import RBFInterpolator
from scipy.spatial import cKDTree

from talkin.face3d.model import MorphableModel

_STIFFNESS_MM = 1.0


def complete_landmarks(
    mean: Float[np.ndarray, "v 3"],
    known: dict[int, int],
    embedded: MorphableModel,
    candidates: Int[np.ndarray, "n"],
) -> Int[np.ndarray, "68"]:
    """All 68 vertices from some: the others are where the warped embedded face has them.

    Args:
        mean: The foreign mean face, mm.
        known: iBUG point to foreign vertex; at least four, not all in a plane.
        embedded: The model whose 68 landmarks are all known.
        candidates: Foreign vertices that may be taken.
    """
    points = np.array(sorted(known))
    vertices = np.array([known[i] for i in points])
    source = embedded.mean[embedded.landmarks68].astype(np.float64)
    warped = warped_points(source, source[points], mean[vertices].astype(np.float64))
    found = candidates[cKDTree(mean[candidates]).query(warped)[1]]
    found[points] = vertices
    return found.astype(np.int64)


def transferred_points(
    mean: Float[np.ndarray, "v 3"],
    landmarks: Int[np.ndarray, "68"],
    embedded: MorphableModel,
    candidates: Int[np.ndarray, "n"],
) -> tuple[Int[np.ndarray, "8"], dict[str, np.ndarray]]:
    """The cheek points of `mouth39`, and what was measured of the 468 points, carried over.

    Returns:
        The eight vertices; and `mesh468` with, where the embedded model has them,
        `mesh468_offset` and `mesh468_error`.
    """
    source = embedded.mean[embedded.landmarks68].astype(np.float64)
    target = mean[landmarks].astype(np.float64)
    tree = cKDTree(mean[candidates])

    def carried(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        warped = warped_points(points.astype(np.float64), source, target)
        vertices = candidates[tree.query(warped)[1]].astype(np.int64)
        return vertices, warped - mean[vertices]

    mesh = np.full(468, -1)
    found: dict[str, np.ndarray] = {"mesh468": mesh}
    seen = np.flatnonzero(embedded.mesh468 >= 0)
    if len(seen) and embedded.mesh468_offset is not None:
        ways = np.zeros((468, 3), dtype=np.float32)
        points = embedded.mean[embedded.mesh468[seen]] + embedded.mesh468_offset[seen]
        vertices, beside = carried(points)
        mesh[seen], ways[seen] = vertices, beside
        found["mesh468_offset"] = ways
    elif len(seen):
        mesh[seen] = carried(embedded.mean[embedded.mesh468[seen]])[0]
    if embedded.mesh468_error is not None:
        found["mesh468_error"] = embedded.mesh468_error
    return carried(embedded.mean[embedded.mouth39[31:]])[0], found


def warped_points(
    points: Float[np.ndarray, "n 3"],
    source: Float[np.ndarray, "k 3"],
    target: Float[np.ndarray, "k 3"],
) -> Float[np.ndarray, "n 3"]:
    """Move points as source moves to target: the best similarity, then a smooth bending."""
    scale, rotation, shift = _similarity(source, target)
    moved, anchors = (scale * p @ rotation.T + shift for p in (points, source))
    bent = RBFInterpolator(
        anchors, target - anchors, kernel="linear", smoothing=_STIFFNESS_MM, degree=0
    )
    return moved + bent(moved)


def _similarity(source: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Scale, rotation and shift of the least squared distance (Umeyama 1991)."""
    middle, goal = source.mean(0), target.mean(0)
    left, strength, right = np.linalg.svd((target - goal).T @ (source - middle))
    handed = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    rotation = (left * handed) @ right
    scale = float((strength * handed).sum() / ((source - middle) ** 2).sum())
    return scale, rotation, goal - scale * rotation @ middle
