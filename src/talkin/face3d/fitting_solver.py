"""Gauss-Newton for one clip: shared geometry on keyframes, then every frame in one chain."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.linalg import solve, solveh_banded

from talkin.face3d.fitting_start import HeadPose, scaled_orthography, vector_from_rotation
from talkin.face3d.fitting_terms import (
    N_POSE,
    FaceBasis,
    FrameEquations,
    Moments,
    Observations,
    frame_equations,
)

LEAST_NOISE, MOST_NOISE = 0.0004, 0.03
_OUTLYING = 6.0  # times the median squared error


@dataclass(frozen=True)
class Priors:
    """Weights of what is believed beforehand, in inverse variances.

    Attributes:
        geometry: Of one standard deviation of geometry, per keyframe.
        mean_expression: Of one standard deviation of the person's mean expression, per keyframe.
        expression: Of one standard deviation of expression about that mean.
        expression_change: Of its change from frame to frame.
        pose_change: Of the change of (turn in rad, log scale, shift in interocular distances).
    """

    geometry: float
    mean_expression: float
    expression: float
    expression_change: float
    pose_change: tuple[float, float, float]


def solve_geometry(
    seen: Observations, basis: FaceBasis, priors: Priors, noise: "NoiseModel", steps: int
) -> Float[np.ndarray, "g"]:
    """The person's geometry, jointly with pose and expression of the keyframes.

    The 35 unknowns of each frame are eliminated (Schur complement), which leaves one system in
    the geometry. Its prior grows with the number of keyframes, because detectors err alike in
    neighbouring frames: with a constant prior, more frames drive geometry off to implausible faces.

    A face whose geometry is open and one that is open in every frame look alike. A prior on the
    mean of all frames' expressions settles it the same way for everybody. It would couple all
    frames, so its force u on each of them is solved for with the geometry:
    w / K |sum e|^2 = max_u 2 u . sum e - K / w |u|^2.
    """
    n_geometry, n_expression = basis.geometry.shape[2], basis.expression.shape[2]
    geometry, force = np.zeros(n_geometry), np.zeros(n_expression)
    expression = np.zeros((len(seen), n_expression))
    pose = scaled_orthography(seen.picture, seen.weights, basis.mean)
    moments = Moments(seen.weights)
    with_itself = moments.products(basis.expression, basis.expression)
    with_geometry = moments.products(basis.expression, basis.geometry)
    of_geometry = moments.products(basis.geometry, basis.geometry)
    flat = basis.geometry.reshape(-1, n_geometry)
    prior = priors.geometry * len(seen)
    give = len(seen) / priors.mean_expression
    of_force = slice(n_geometry, n_geometry + n_expression)
    for step in range(steps):
        neutral = basis.shaped(geometry)
        seen = noise.weighed(seen)
        equations = frame_equations(
            seen, neutral, basis.expression, pose, expression, (moments, with_itself),
            keep_forces=True,
        )  # fmt: skip
        _believe_expression(equations, expression, priors.expression)
        equations.gradient[:, N_POSE:] -= force
        gram = equations.camera_gram
        coupling = np.zeros((len(seen), N_POSE + n_expression, n_geometry + n_expression))
        coupling[:, :N_POSE, :n_geometry] = (
            equations.pose_force.reshape(-1, flat.shape[0]) @ flat
        ).reshape(len(seen), N_POSE, n_geometry)
        coupling[:, N_POSE:, :n_geometry] = moments.combined(gram, with_geometry).reshape(
            len(seen), n_expression, n_geometry
        )
        coupling[:, N_POSE:, of_force] = np.eye(n_expression)
        system = np.zeros((coupling.shape[2], coupling.shape[2]))
        system[:n_geometry, :n_geometry] = moments.summed(gram, of_geometry).reshape(
            n_geometry, n_geometry
        ) + prior * np.eye(n_geometry)
        system[of_force, of_force] = -give * np.eye(n_expression)
        pull = np.concatenate(
            [
                equations.pull.sum(0) @ flat - prior * geometry,
                give * force - expression.sum(0),
            ]
        )
        change, own_change = _eliminated(equations, coupling, system, pull)
        geometry, force = geometry + change[:n_geometry], force + change[of_force]
        pose = pose.stepped(own_change[:, :N_POSE])
        expression = expression + own_change[:, N_POSE:]
        if step % 2 == 1:
            noise.learn(equations.error, seen.weights)
    return geometry


class NoiseModel:
    """How far landmarks stray, as a share of the interocular distance: given, or learned.

    Frames that fit far worse than the clip's median count less, so that a few wrong detections
    spoil neither the noise nor the geometry.
    """

    def __init__(
        self,
        interocular_px: Float[np.ndarray, "frames"],
        given: float | None,
        start: float,
        least: float = LEAST_NOISE,
    ) -> None:
        """Begin with the given noise, or with `start` where it is to be learned."""
        self._interocular = interocular_px
        self._trust = np.ones(len(interocular_px))
        self._is_given, self._least = given is not None, least
        self.share = max(start, least) if given is None else given

    def weighed(self, seen: Observations) -> Observations:
        """The same landmarks with the precision that this noise means."""
        precision = self.precision(self._interocular) * self._trust
        return Observations(seen.picture, seen.weights, precision)

    def precision(self, interocular_px: Float[np.ndarray, "n"]) -> Float[np.ndarray, "n"]:
        """1 / variance of a landmark, per square px."""
        return precision_of(self.share, interocular_px)

    def learn(
        self, error: Float[np.ndarray, "frames"], weights: Float[np.ndarray, "frames points"]
    ) -> None:
        """Take the residual (px^2) over the degrees of freedom that a fit leaves."""
        squared = error / self._interocular**2
        observed = 2 * weights.sum(1)
        # About twenty of a frame's 35 unknowns are determined by 68 points, the rest by priors.
        free = np.maximum(observed - 20, 0.25 * observed)
        usual = np.median(squared / free)
        self._trust = np.minimum(1.0, _OUTLYING * usual / np.maximum(squared / free, 1e-30))
        if not self._is_given:
            found = np.sqrt((self._trust * squared).sum() / (self._trust * free).sum())
            self.share = float(np.clip(found, self._least, MOST_NOISE))


def precision_of(
    noise_share: float, interocular_px: Float[np.ndarray, "n"]
) -> Float[np.ndarray, "n"]:
    """1 / variance of a landmark that strays by a share of the interocular distance."""
    return 1.0 / (noise_share * interocular_px) ** 2


def solve_frames(
    seen: Observations,
    neutral: Float[np.ndarray, "points 3"],
    expression_basis: Float[np.ndarray, "points 3 e"],
    priors: Priors,
    links: Float[np.ndarray, "frames-1"],
    steps: int,
) -> tuple[HeadPose, Float[np.ndarray, "frames e"], Float[np.ndarray, "frames"]]:
    """Pose and expression of every frame, each leaning on its neighbours.

    Args:
        seen: Landmarks with their precision.
        neutral: The person's face without expression, mm.
        expression_basis: mm per standard deviation.
        priors: What is believed beforehand.
        links: How strongly each frame leans on the next: 1, less over a gap, 0 across a cut.
        steps: Gauss-Newton steps.

    Returns:
        Pose, expression, and the weighted squared residual before the last step, px^2.
    """
    expression = np.zeros((len(seen), expression_basis.shape[2]))
    pose = scaled_orthography(seen.picture, seen.weights, neutral)
    moments = Moments(seen.weights)
    products = moments.products(expression_basis, expression_basis)
    error = np.zeros(len(seen))
    for _ in range(steps):
        equations = frame_equations(
            seen, neutral, expression_basis, pose, expression, (moments, products)
        )
        _believe_expression(equations, expression, priors.expression)
        stiffness = _chain_stiffness(priors, pose, neutral, expression.shape[1])
        step = _solve_chain(equations, pose, expression, links[:, None] * stiffness)
        pose = pose.stepped(step[:, :N_POSE])
        expression = expression + step[:, N_POSE:]
        error = equations.error
    return pose, expression, error


def _believe_expression(equations: FrameEquations, expression: np.ndarray, weight: float) -> None:
    size = equations.own.shape[1]
    diagonal = np.arange(N_POSE, size)
    equations.own[:, diagonal, diagonal] += weight
    equations.gradient[:, N_POSE:] -= weight * expression
    turn = np.arange(N_POSE)
    equations.own[:, turn, turn] *= 1 + 1e-9
    # Points that all lie in one place say nothing about turn and size: leave those as they are.
    equations.own[:, turn[:4], turn[:4]] += 1e-3


def _eliminated(
    equations: FrameEquations, coupling: np.ndarray, system: np.ndarray, pull: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Solve for the shared unknowns, then for each frame's own."""
    n_geometry = coupling.shape[2]
    # With own = L L', all that is taken from the system is a square: half of it need be computed.
    inverse = np.linalg.inv(np.linalg.cholesky(equations.own))
    halved = inverse @ coupling
    towards = (inverse @ equations.gradient[..., None])[..., 0]
    flat = halved.reshape(-1, n_geometry)
    reduced = system - flat.T @ flat
    change = solve(reduced, pull - flat.T @ towards.ravel(), assume_a="sym", check_finite=False)
    own = np.swapaxes(inverse, 1, 2) @ (towards - halved @ change)[..., None]
    return change, own[..., 0]


def _chain_stiffness(
    priors: Priors, pose: HeadPose, neutral: np.ndarray, n_expression: int
) -> Float[np.ndarray, "frames-1 n"]:
    """Inverse variances of the change between neighbours, per unknown."""
    turn, size, shift = priors.pose_change
    width_px = np.linalg.norm(neutral.max(0) - neutral.min(0)) * pose.scale
    per_px = shift / np.minimum(width_px[1:], width_px[:-1]) ** 2
    count = len(pose.scale) - 1
    stiffness = np.empty((count, N_POSE + n_expression))
    stiffness[:, :3] = turn
    stiffness[:, 3] = size
    stiffness[:, 4:6] = per_px[:, None]
    stiffness[:, 6:] = priors.expression_change
    return stiffness


def _solve_chain(
    equations: FrameEquations,
    pose: HeadPose,
    expression: np.ndarray,
    stiffness: Float[np.ndarray, "frames-1 n"],
) -> Float[np.ndarray, "frames n"]:
    """One Gauss-Newton step of all frames.

    Neighbours couple only equal unknowns, so the system is banded with the width of one frame and
    LAPACK eliminates it block by block.
    """
    frames, size = equations.gradient.shape
    gradient = equations.gradient
    diagonal = np.arange(size)
    if len(stiffness):
        jump = np.concatenate(
            [
                vector_from_rotation(pose.rotation[1:] @ np.swapaxes(pose.rotation[:-1], 1, 2)),
                np.diff(np.log(pose.scale))[:, None],
                np.diff(pose.translation, axis=0),
                np.diff(expression, axis=0),
            ],
            axis=1,
        )
        gradient[1:] -= stiffness * jump
        gradient[:-1] += stiffness * jump
        equations.own[1:, diagonal, diagonal] += stiffness
        equations.own[:-1, diagonal, diagonal] += stiffness
    band = np.zeros((size + 1, frames, size))
    for offset in range(size):
        band[offset, :, : size - offset] = equations.own[
            :, diagonal[offset:], diagonal[: size - offset]
        ]
    band[size, :-1] = -stiffness
    step = solveh_banded(
        band.reshape(size + 1, frames * size), gradient.ravel(), lower=True,
        overwrite_ab=True, check_finite=False,
    )  # fmt: skip
    return step.reshape(frames, size)
