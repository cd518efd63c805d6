"""Gauss-Newton for the geometry that the keyframes of a person share."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.linalg import solve

from talkin.face3d.fitting_start import scaled_orthography
from talkin.face3d.fitting_terms import (
    N_POSE,
    FaceBasis,
    FrameEquations,
    Moments,
    Observations,
    by_axis,
    frame_equations,
)

LEAST_NOISE, MOST_NOISE = 0.0004, 0.03
_OUTLYING = 6.0  # times the median squared error
_SAME_NOISE = 0.03  # change of the learned share below which it counts as settled
_SETTLED = 0.01  # standard deviations of geometry


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
    flat = by_axis(basis.geometry)
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
        believe_expression(equations, expression, priors.expression)
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
            is_same_noise = noise.learn(equations.error, seen.weights)
            if is_same_noise and (change[:n_geometry] ** 2).mean() < _SETTLED**2:
                break
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
    ) -> bool:
        """Take the residual (px^2) over the degrees of freedom that a fit leaves.

        Returns:
            Whether the noise is the same as before, so that another step would bring nothing.
        """
        squared = error / self._interocular**2
        observed = 2 * weights.sum(1)
        # About twenty of a frame's 35 unknowns are determined by 68 points, the rest by priors.
        free = np.maximum(observed - 20, 0.25 * observed)
        usual = np.median(squared / free)
        self._trust = np.minimum(1.0, _OUTLYING * usual / np.maximum(squared / free, 1e-30))
        if not self._is_given:
            found = np.sqrt((self._trust * squared).sum() / (self._trust * free).sum())
            before, self.share = self.share, float(np.clip(found, self._least, MOST_NOISE))
            return abs(self.share - before) < _SAME_NOISE * before
        return True


def precision_of(
    noise_share: float, interocular_px: Float[np.ndarray, "n"]
) -> Float[np.ndarray, "n"]:
    """1 / variance of a landmark that strays by a share of the interocular distance."""
    return 1.0 / (noise_share * interocular_px) ** 2


def believe_expression(equations: FrameEquations, expression: np.ndarray, weight: float) -> None:
    """Add the prior of the expression, and a trace of one that holds undetermined poses."""
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
