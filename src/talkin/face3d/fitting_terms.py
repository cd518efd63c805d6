"""The normal equations of fitting, frame by frame.

The model is linear, so with A the 2x3 camera of a frame, Q = A'A and B_n the basis rows of point n,

    J'J = sum_n w_n B_n' A'A B_n = sum_ab Q_ab M_ab,    M_ab = sum_n w_n B_na' B_nb.

The M_ab depend on the point weights alone: they are computed once for each pattern of missing
points, and only the six pose columns are built point by point.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from talkin.face3d.fitting_start import HeadPose

N_POSE = 6
_PAIRS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
_CHUNK_POINTS = 20_000  # frames x points at a time: stays in the cache, bounds the memory


@dataclass(frozen=True, eq=False)
class Observations:
    """Landmarks of some frames and what they weigh.

    Attributes:
        picture: px; 0 where missing.
        weights: Relative weight of each point, 0 where missing; rows repeat in few patterns.
        precision: 1 / variance of a point of weight 1, per square px.
    """

    picture: Float[np.ndarray, "frames points 2"]
    weights: Float[np.ndarray, "frames points"]
    precision: Float[np.ndarray, "frames"]

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.picture)

    def __getitem__(self, frames: np.ndarray | slice) -> "Observations":
        """Some of the frames."""
        return Observations(self.picture[frames], self.weights[frames], self.precision[frames])


@dataclass(frozen=True, eq=False)
class FaceBasis:
    """The model's rows at the landmarks, float64.

    Attributes:
        mean: mm.
        geometry: mm per standard deviation.
        expression: mm per standard deviation.
    """

    mean: Float[np.ndarray, "points 3"]
    geometry: Float[np.ndarray, "points 3 g"]
    expression: Float[np.ndarray, "points 3 e"]

    def shaped(self, geometry: Float[np.ndarray, "g"]) -> Float[np.ndarray, "points 3"]:
        """The neutral face of some geometry, mm."""
        return self.mean + self.geometry @ geometry


@dataclass(eq=False)
class FrameEquations:
    """Second derivatives and gradients of the landmark cost at the current state.

    Attributes:
        own: Pose (6) and expression blocks of each frame.
        gradient: Downhill direction of the same.
        error: Weighted squared residual of each frame, px^2.
        pose_force: Pose columns carried to the model's space, for their products with geometry;
            ordered as by `by_axis`, as is
        pull: Residuals carried to the model's space.
        camera_gram: Q_ab of each frame in the order of `_PAIRS`, times precision.
    """

    own: Float[np.ndarray, "frames n n"]
    gradient: Float[np.ndarray, "frames n"]
    error: Float[np.ndarray, "frames"]
    pose_force: Float[np.ndarray, "frames 6 points3"]
    pull: Float[np.ndarray, "frames points3"]
    camera_gram: Float[np.ndarray, "frames 6"]


class Moments:
    """The M_ab of two bases for every pattern of weights among some frames."""

    def __init__(self, weights: Float[np.ndarray, "frames points"]) -> None:
        """Find the patterns."""
        if (weights == weights[:1]).all():
            self.patterns, self.of_frame = weights[:1], np.zeros(len(weights), dtype=np.int64)
        else:
            self.patterns, inverse = np.unique(weights, axis=0, return_inverse=True)
            self.of_frame = inverse.ravel()

    def products(
        self, first: Float[np.ndarray, "points 3 m"], second: Float[np.ndarray, "points 3 n"]
    ) -> Float[np.ndarray, "patterns 6 mn"]:
        """M_ab (+ M_ba off the diagonal) flattened, in the order of `_PAIRS`."""
        found = np.empty((len(self.patterns), 6, first.shape[2] * second.shape[2]))
        for index, pattern in enumerate(self.patterns):
            weighted = first * pattern[:, None, None]
            for slot, (a, b) in enumerate(_PAIRS):
                product = weighted[:, a].T @ second[:, b]
                if a != b:
                    product = product + weighted[:, b].T @ second[:, a]
                found[index, slot] = product.ravel()
        return found

    def combined(
        self, gram: Float[np.ndarray, "frames 6"], products: Float[np.ndarray, "patterns 6 mn"]
    ) -> Float[np.ndarray, "frames mn"]:
        """Sum over ab of Q_ab M_ab for every frame."""
        if len(self.patterns) == 1:
            return gram @ products[0]
        found = np.empty((len(gram), products.shape[2]))
        for index in range(len(self.patterns)):
            rows = self.of_frame == index
            found[rows] = gram[rows] @ products[index]
        return found

    def summed(
        self, gram: Float[np.ndarray, "frames 6"], products: Float[np.ndarray, "patterns 6 mn"]
    ) -> Float[np.ndarray, "mn"]:
        """The same summed over the frames."""
        total = np.zeros((len(self.patterns), 6))
        np.add.at(total, self.of_frame, gram)
        return total.ravel() @ products.reshape(-1, products.shape[2])


def frame_equations(
    seen: Observations,
    neutral: Float[np.ndarray, "points 3"],
    expression_basis: Float[np.ndarray, "points 3 e"],
    pose: HeadPose,
    expression: Float[np.ndarray, "frames e"],
    moments: tuple[Moments, Float[np.ndarray, "patterns 6 ee"]],
    *,
    keep_forces: bool = False,
) -> FrameEquations:
    """Linearise the projection about the current pose and expression of every frame.

    Args:
        seen: The landmarks.
        neutral: The person's face without expression, mm.
        expression_basis: mm per standard deviation.
        pose: Current pose.
        expression: Current expression.
        moments: Patterns of `seen` and their products of the expression basis with itself.
        keep_forces: Whether `pose_force` and `pull` are wanted (for the shared geometry).
    """
    frames, points = seen.weights.shape
    n_expression = expression_basis.shape[2]
    size = N_POSE + n_expression
    flat_basis = by_axis(expression_basis)
    camera = pose.camera()
    gram = np.stack(
        [(camera[:, :, a] * camera[:, :, b]).sum(1) for a, b in _PAIRS], axis=1
    ) * seen.precision[:, None]  # fmt: skip
    result = FrameEquations(
        own=np.empty((frames, size, size)),
        gradient=np.empty((frames, size)),
        error=np.empty(frames),
        pose_force=np.empty((frames if keep_forces else 0, N_POSE, 3 * points)),
        pull=np.empty((frames if keep_forces else 0, 3 * points)),
        camera_gram=gram,
    )
    known, products = moments
    result.own[:, N_POSE:, N_POSE:] = known.combined(gram, products).reshape(
        frames, n_expression, n_expression
    )
    step = max(1, _CHUNK_POINTS // points)
    for first in range(0, frames, step):
        rows = slice(first, first + step)
        face = neutral.T + (expression[rows] @ flat_basis.T).reshape(-1, 3, points)
        columns, residual = _pose_columns(seen[rows], pose[rows], face)
        weighted = columns * _row_weights(seen[rows])[:, None]
        result.own[rows, :N_POSE, :N_POSE] = weighted @ np.swapaxes(columns, 1, 2)
        result.gradient[rows, :N_POSE] = np.einsum("tpn,tn->tp", weighted, residual)
        pulled = residual * _row_weights(seen[rows])
        result.error[rows] = (pulled * residual).sum(1) / seen.precision[rows]
        force = _carried(weighted, camera[rows])
        pull = _carried(pulled[:, None], camera[rows])[:, 0]
        crossed = (force.reshape(-1, 3 * points) @ flat_basis).reshape(-1, N_POSE, n_expression)
        result.own[rows, :N_POSE, N_POSE:] = crossed
        result.own[rows, N_POSE:, :N_POSE] = np.swapaxes(crossed, 1, 2)
        result.gradient[rows, N_POSE:] = pull @ flat_basis
        if keep_forces:
            result.pose_force[rows], result.pull[rows] = force, pull
    return result


def _row_weights(seen: Observations) -> Float[np.ndarray, "frames points2"]:
    weights = seen.weights * seen.precision[:, None]
    return np.concatenate([weights, weights], axis=1)


def by_axis(basis: Float[np.ndarray, "points 3 n"]) -> Float[np.ndarray, "points3 n"]:
    """All x, then all y, then all z: runs of memory that are worked on at once."""
    return np.ascontiguousarray(basis.transpose(1, 0, 2)).reshape(-1, basis.shape[2])


def _pose_columns(
    seen: Observations, pose: HeadPose, face: Float[np.ndarray, "frames 3 points"]
) -> tuple[Float[np.ndarray, "frames 6 points2"], Float[np.ndarray, "frames points2"]]:
    """Derivatives of all x, then all y, by turn, log scale and shift; and the residual."""
    frames, _, points = face.shape
    turned = (pose.rotation * pose.scale[:, None, None]) @ face
    x, y, z = turned[:, 0], turned[:, 1], turned[:, 2]
    columns = np.zeros((frames, N_POSE, 2, points))
    columns[:, 0, 1] = z
    columns[:, 1, 0] = z
    columns[:, 2, 0] = -y
    columns[:, 2, 1] = -x
    columns[:, 3, 0] = x
    columns[:, 3, 1] = -y
    columns[:, 4, 0] = 1.0
    columns[:, 5, 1] = 1.0
    shown_x = seen.picture[..., 0] - x - pose.translation[:, :1]
    shown_y = seen.picture[..., 1] + y - pose.translation[:, 1:]
    return columns.reshape(frames, N_POSE, 2 * points), np.concatenate([shown_x, shown_y], axis=1)


def _carried(
    rows: Float[np.ndarray, "frames m points2"], camera: Float[np.ndarray, "frames 2 3"]
) -> Float[np.ndarray, "frames m points3"]:
    """Multiply picture-space rows by the camera: what they say about model points."""
    frames, count, doubled = rows.shape
    points = doubled // 2
    split = rows.reshape(frames, count, 2, points)
    carried = np.empty((frames, count, 3, points))
    for axis in range(3):
        carried[:, :, axis] = (
            split[:, :, 0] * camera[:, None, None, 0, axis]
            + split[:, :, 1] * camera[:, None, None, 1, axis]
        )
    return carried.reshape(frames, count, 3 * points)
