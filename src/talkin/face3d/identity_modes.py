"""Geometry modes of the embedded model: a Gaussian process over the mean face.

Faces vary smoothly at several sizes at once and almost alike on both sides, so the covariance of
two vertices' displacement is a sum of squared-exponential kernels whose mirror-symmetric part
counts fully and whose antisymmetric part counts little. Its leading eigenfunctions are the modes.
"""

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.linalg import eigh

_KERNELS_MM = ((4.2, 85.0), (2.3, 36.0), (1.2, 17.0), (0.5, 8.0))
"""(amplitude, reach): head shape, features' place, features' form, detail."""

_ASYMMETRY = 0.18
_AXIS_WEIGHT = (1.0, 1.0, 0.85)
_EIGENPAIRS = 110


def geometry_modes(
    mean: Float[np.ndarray, "v 3"],
    mirror: Int[np.ndarray, "v"],
    is_front: Bool[np.ndarray, "v"],
    count: int,
) -> Float[np.ndarray, "v 3 modes"]:
    """Modes in mm per standard deviation, strongest first, orthogonal to pose.

    Args:
        mean: Mean positions.
        mirror: Each vertex' twin on the other side.
        is_front: Vertices on which a mode must contain no shift, turn or change of size, so that
            geometry cannot imitate the camera.
        count: Number of modes to keep.
    """
    candidates = _candidates(mean, mirror)
    candidates = _without_pose(candidates, mean, is_front)
    flat = candidates.reshape(-1, candidates.shape[-1])
    energy, mixing = eigh(flat.T @ flat)
    strongest = mixing[:, np.argsort(energy)[::-1][:count]]
    return with_fixed_signs((flat @ strongest).reshape(len(mean), 3, count))


def with_fixed_signs(modes: Float[np.ndarray, "v 3 modes"]) -> Float[np.ndarray, "v 3 modes"]:
    """Turn each mode so that its largest entry is positive: solvers leave the sign to chance."""
    flat = modes.reshape(-1, modes.shape[-1])
    # Rounding makes twins on both sides tie in the same way on every machine.
    largest = np.argmax(np.round(np.abs(flat), 6), axis=0)
    return modes * np.where(flat[largest, np.arange(flat.shape[1])] < 0, -1.0, 1.0)


def _candidates(mean: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """Even and odd eigenfunctions of the kernel, put on each axis."""
    even, odd = _eigenfunctions(mean, mirror)
    blocks = []
    for axis, weight in enumerate(_AXIS_WEIGHT):
        # A symmetric face moves oddly in x and evenly in y and z.
        symmetric, asymmetric = (odd, even) if axis == 0 else (even, odd)
        for functions, strength in ((symmetric, 1.0), (asymmetric, _ASYMMETRY)):
            block = np.zeros((len(mean), 3, functions.shape[1]))
            block[:, axis] = weight * strength * functions
            blocks.append(block)
    return np.concatenate(blocks, axis=2)


def _eigenfunctions(mean: np.ndarray, mirror: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenfunctions (times root eigenvalue) of (k(x, y) +- k(x, My)) / 2 by folding the face."""
    own = np.arange(len(mean))
    half = own[own <= mirror]
    kernel = _kernel(mean[half], mean[half])
    crossed = _kernel(mean[half], mean[mirror[half]])
    count = np.where(half == mirror[half], 1.0, np.sqrt(2.0))  # a pair stands for two vertices
    found = []
    for sign in (1.0, -1.0):
        folded = (kernel + sign * crossed) / 2 * count[:, None] * count[None, :]
        values, vectors = eigh(folded, subset_by_index=[len(half) - _EIGENPAIRS, len(half) - 1])
        functions = vectors * np.sqrt(np.maximum(values, 0.0)) / count[:, None]
        whole = np.zeros((len(mean), _EIGENPAIRS))
        whole[mirror[half]] = sign * functions
        whole[half] = functions
        if sign < 0:
            whole[half[half == mirror[half]]] = 0.0
        found.append(whole)
    return found[0], found[1]


def _kernel(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    squared = (first**2).sum(1)[:, None] + (second**2).sum(1)[None, :] - 2 * first @ second.T
    return sum(a**2 * np.exp(-squared / (2 * s**2)) for a, s in _KERNELS_MM)


def _without_pose(modes: np.ndarray, mean: np.ndarray, is_front: np.ndarray) -> np.ndarray:
    """Subtract from each mode its best shift, turn and change of size over the front."""
    pose = pose_fields(mean)
    fitted = np.linalg.lstsq(
        pose[is_front].reshape(-1, 7), modes[is_front].reshape(-1, modes.shape[2]), rcond=None
    )[0]
    return modes - pose @ fitted


def pose_fields(mean: Float[np.ndarray, "v 3"]) -> Float[np.ndarray, "v 3 7"]:
    """Displacements of three shifts, three small turns and one change of size."""
    shifts = np.broadcast_to(np.eye(3), (len(mean), 3, 3))
    centred = mean - mean.mean(0)
    turns = np.stack([np.cross(axis, centred) for axis in np.eye(3)], axis=2)
    return np.concatenate([shifts, turns / 50, centred[:, :, None] / 50], axis=2)
