"""Pose and expression of every frame, all frames in one chain that leans on time."""

import numpy as np
from jaxtyping import Float
from scipy.linalg import solveh_banded

from talkin.face3d.fitting_solver import Priors, believe_expression
from talkin.face3d.fitting_start import HeadPose, vector_from_rotation
from talkin.face3d.fitting_steadiness import steadiness, usual_jump
from talkin.face3d.fitting_terms import (
    N_POSE,
    FrameEquations,
    Moments,
    Observations,
    frame_equations,
)

_FOR_VARIANCE = 12  # frames


def solve_frames(
    seen: Observations,
    neutral: Float[np.ndarray, "points 3"],
    expression_basis: Float[np.ndarray, "points 3 e"],
    priors: Priors,
    start: HeadPose,
    links: Float[np.ndarray, "frames-1"],
    steps: int,
) -> tuple[HeadPose, Float[np.ndarray, "frames e"], Float[np.ndarray, "frames"]]:
    """Pose and expression of every frame, each leaning on its neighbours.

    Args:
        seen: Landmarks with their precision.
        neutral: The person's face without expression, mm.
        expression_basis: mm per standard deviation.
        priors: What is believed beforehand.
        start: Poses to begin with.
        links: How strongly each frame leans on the next: 1, less over a gap, 0 across a cut.
        steps: Gauss-Newton steps.

    Returns:
        Pose, expression, and the weighted squared residual before the last step, px^2.
    """
    expression = np.zeros((len(seen), expression_basis.shape[2]))
    pose = start
    moments = Moments(seen.weights)
    products = moments.products(expression_basis, expression_basis)
    error = np.zeros(len(seen))
    held = np.zeros((len(links), N_POSE))
    for index in range(steps):
        equations = frame_equations(
            seen, neutral, expression_basis, pose, expression, (moments, products)
        )
        believe_expression(equations, expression, priors.expression)
        stiffness = _chain_stiffness(priors, pose, neutral, expression.shape[1])
        if index == 0 and steps > 1:
            stiffness[:, :N_POSE] = 0.0  # so that the trembling can be seen
        jump = _jump(pose, expression)
        turn = jump[:, :N_POSE]
        if index == 1 and links.any():
            held = steadiness(turn, links, _pose_variance(equations))
        pull = stiffness * jump
        if held.any():
            pull[:, :N_POSE] += held * (turn - usual_jump(turn, links))
            stiffness[:, :N_POSE] += held
        step = _solve_chain(equations, links[:, None] * pull, links[:, None] * stiffness)
        pose = pose.stepped(step[:, :N_POSE])
        expression = expression + step[:, N_POSE:]
        error = equations.error
    return pose, expression, error


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


def _jump(pose: HeadPose, expression: np.ndarray) -> Float[np.ndarray, "frames-1 n"]:
    return np.concatenate(
        [
            vector_from_rotation(pose.rotation[1:] @ np.swapaxes(pose.rotation[:-1], 1, 2)),
            np.diff(np.log(pose.scale))[:, None],
            np.diff(pose.translation, axis=0),
            np.diff(expression, axis=0),
        ],
        axis=1,
    )


def _pose_variance(equations: FrameEquations) -> Float[np.ndarray, "6"]:
    """How uncertain the pose of a usual frame is, its expression being unknown as well."""
    some = np.linspace(0, len(equations.own) - 1, _FOR_VARIANCE).round().astype(int)
    variance = np.diagonal(np.linalg.inv(equations.own[some]), axis1=1, axis2=2)
    usual: np.ndarray = np.median(variance[:, :N_POSE], axis=0)
    return usual


def _solve_chain(
    equations: FrameEquations,
    pull: Float[np.ndarray, "frames-1 n"],
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
        gradient[1:] -= pull
        gradient[:-1] += pull
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
