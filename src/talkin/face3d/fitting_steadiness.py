"""How steadily the head moves, measured on the clip itself.

A head has mass: its velocity hardly changes from one frame to the next, while landmarks tremble
from frame to frame. Fourth differences of the pose show the trembling, second differences over
several lags how much the velocity really changes. Where landmarks do not tremble nothing is
smoothed, however fast the head moves; where they do, a move faster than the trembling is let go.
"""

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import gaussian_filter1d

_LAGS = np.array([2, 4, 8])
_FOURTH = 70**0.5  # size of white noise's fourth difference
_MEDIAN = 0.6745  # median size of a Gaussian of variance 1
_FEWEST = 20  # differences from which a median is taken
_REACH = 2.0  # frames over which velocity is averaged
_LET_GO = 0.3  # times the trembling's variance: excess that halves the stiffness
_STIFFEST = 1e3  # times the information of one frame


def steadiness(
    jump: Float[np.ndarray, "frames-1 n"],
    links: Float[np.ndarray, "frames-1"],
    variance: Float[np.ndarray, "n"],
) -> Float[np.ndarray, "frames-1 n"]:
    """How stiffly each change of pose is to be held to the usual one about it (`usual_jump`).

    With white noise of variance v and a velocity that takes random steps of variance s, the second
    difference over a lag L has the variance 6 v + (2 L^3 + L) s / 3. Fitting wants stiffness
    relative to its own idea of a frame's error, which for a detector is many times the trembling,
    because its points err alike in neighbouring frames.

    Args:
        jump: Change of the unknowns from frame to frame, found without leaning on time.
        links: 1 between neighbours; anything else breaks a run.
        variance: Of one frame's unknowns as the fit believes it.

    Returns:
        Inverse variances; 0 where nothing trembles or the clip is too short to tell.
    """
    fourth = _usual_size(np.diff(jump, 3, axis=0), _is_run(links, 4))
    steps = [_usual_size(_second(jump, lag), _is_run(links, 2 * lag)) for lag in _LAGS]
    known = [step for step in steps if step is not None]
    if fourth is None or len(known) < len(_LAGS):
        return np.zeros_like(jump)
    noise = (fourth / _FOURTH) ** 2
    measured = np.maximum(np.square(known), 1e-30)
    grown = ((2 * _LAGS**3 + _LAGS) / 3)[:, None]
    # Each lag's variance is as uncertain as it is large.
    turning = (grown * (measured - 6 * noise) / measured**2).sum(0)
    turning /= (grown**2 / measured**2).sum(0)
    # Averaging velocity over r frames holds acceleration with r^2 / 2 of the stiffness.
    held = noise / np.maximum(turning, 1e-30) / (_REACH**2 / 2)
    held = np.where(turning > 0, np.minimum(held, _STIFFEST), _STIFFEST)
    held = np.where(noise > 1e-30, held, 0.0) / np.maximum(variance, 1e-30)
    return held * _is_trembling(jump, links, noise)


def usual_jump(
    jump: Float[np.ndarray, "frames-1 n"], links: Float[np.ndarray, "frames-1"]
) -> Float[np.ndarray, "frames-1 n"]:
    """The change that the mean velocity about each pair of frames would make; 0 across cuts."""
    usual = np.zeros_like(jump)
    starts = np.flatnonzero(np.diff(links > 0)) + 1
    for run in np.split(np.arange(len(links)), starts):
        if links[run[0]] > 0:
            velocity = jump[run] * links[run, None]
            usual[run] = _averaged(velocity) / links[run, None]
    return usual


def _averaged(values: Float[np.ndarray, "frames n"]) -> Float[np.ndarray, "frames n"]:
    inside = gaussian_filter1d(np.ones(len(values)), _REACH, mode="constant")
    return gaussian_filter1d(values, _REACH, axis=0, mode="constant") / inside[:, None]


def _is_trembling(
    jump: Float[np.ndarray, "frames-1 n"],
    links: Float[np.ndarray, "frames-1"],
    noise: Float[np.ndarray, "n"],
) -> Float[np.ndarray, "frames-1 n"]:
    """1 where velocity changes as trembling makes it, less where the head itself must move."""
    changed = (jump - usual_jump(jump, links)) ** 2 * links[:, None]
    excess = np.maximum(_averaged(changed) / np.maximum(2 * noise, 1e-30) - 1, 0.0)
    return 1 / (1 + (excess / _LET_GO) ** 2)


def _second(jump: Float[np.ndarray, "frames-1 n"], lag: int) -> Float[np.ndarray, "left n"]:
    path = np.concatenate([np.zeros((1, jump.shape[1])), np.cumsum(jump, axis=0)])
    return path[2 * lag :] - 2 * path[lag:-lag] + path[: -2 * lag]


def _is_run(links: Float[np.ndarray, "frames-1"], length: int) -> Bool[np.ndarray, "left"]:
    """Whether this link and the following ones, `length` in all, are between neighbours."""
    broken = np.concatenate([[0], np.cumsum(links != 1.0)])
    return broken[length:] == broken[:-length]


def _usual_size(
    differences: Float[np.ndarray, "left n"], is_run: Bool[np.ndarray, "left"]
) -> Float[np.ndarray, "n"] | None:
    """Standard deviation by the median: a burst of motion must not count as how a head moves."""
    if is_run.sum() < _FEWEST:
        return None
    size: np.ndarray = np.median(np.abs(differences[is_run]), axis=0) / _MEDIAN
    return size
