"""One clip's landmarks: keyframes for who is seen, then all frames block by block.

Frames are solved in blocks that overlap, because a frame hardly leans on one two seconds away:
the memory of a fit does not depend on the clip's length but for its result.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Bool, Float, Int

from talkin.face3d.fitting_chain import solve_frames
from talkin.face3d.fitting_config import FitConfig
from talkin.face3d.fitting_points import PointsToFit
from talkin.face3d.fitting_solver import NoiseModel, Priors, precision_of
from talkin.face3d.fitting_start import HeadPose, scaled_orthography
from talkin.face3d.fitting_terms import Observations
from talkin.face3d.model import MorphableModel

_OUTER_EYE_CORNERS = (36, 45)
_FEWEST_POINTS = 12
_CUT_SHIFT = 0.6  # of the interocular distance, between neighbouring frames
_CUT_SCALE = 0.25
_FARTHEST_MEAN = 7
_THIRD = 3
_THIRD_OF_NOISE = 0.6745 * 20**0.5  # median size of white noise's third difference
_SAME_PLACE = 0.1  # of the face's extent, between a keyframe and a frame averaged with it
_NOISE_PASSES, _NOISE_KEYFRAMES = 3, 20
_BLOCK, _OVERLAP = 750, 50


@dataclass(frozen=True, eq=False)
class SolvedFrames:
    """What was found for some frames.

    Attributes:
        frames: Their numbers.
        pose: Of each.
        expression: In standard deviations.
    """

    frames: Int[np.ndarray, "n"]
    pose: HeadPose
    expression: Float[np.ndarray, "n e"]


class PointsOfFrames(Protocol):
    """A clip's landmarks, px: an array, or what makes rows of one as they are asked for."""

    def __getitem__(self, frames: Int[np.ndarray, "n"], /) -> Float[np.ndarray, "n points 2"]:
        """The points of some frames."""


class ClipSolver:
    """One clip's landmarks, and the stages of its fit."""

    def __init__(
        self,
        points: PointsOfFrames,
        fitted: PointsToFit,
        model: MorphableModel,
        config: FitConfig,
        least_noise: float,
    ) -> None:
        """Take the track's points in px, NaN where missing."""
        self._points = points
        self.fitted, self.model, self.config, self.least_noise = fitted, model, config, least_noise
        self.use(np.zeros(model.n_geometry))

    def usable_frames(self, is_found: Bool[np.ndarray, "frames"]) -> Int[np.ndarray, "n"]:
        """Frames with enough points to say where the head is."""
        fewest = min(_FEWEST_POINTS, len(self.fitted.columns))
        usable = np.array(is_found, dtype=bool)
        for rows in blocks(len(usable)):
            usable[rows] &= (self._seen(np.arange(len(usable))[rows])[1] > 0).sum(1) >= fewest
        return np.flatnonzero(usable)

    def keyframes(
        self, frames: Int[np.ndarray, "n"], count: int
    ) -> tuple[Float[np.ndarray, "k points 2"], Float[np.ndarray, "k points"]]:
        """Points and weights of frames spread evenly among those that miss fewest points.

        Where points tremble, each is the mean of the frames about it. A face that moves evenly is
        seen in the mean as it is in the middle, while trembling left in would be read as turns of
        the head to and fro, in which the face is flatter than it is.
        """
        chosen = self._keyframes(frames, count)
        picture, weights = self._seen(chosen)
        reach = self._reach(frames, picture, weights)
        if not reach:
            return picture, weights
        about = frames[np.isin(frames, (chosen[:, None] + np.arange(-reach, reach + 1)).ravel())]
        all_near, all_weights = self._seen(about)
        first, last = np.searchsorted(about, [chosen - reach, chosen + reach + 1])
        index = first[:, None] + np.arange(2 * reach + 1)
        is_near = index < last[:, None]
        index = np.minimum(index, len(about) - 1)
        picture = _means_of_alike(picture, weights, all_near[index], all_weights[index], is_near)
        return picture, weights

    def _reach(
        self,
        frames: Int[np.ndarray, "n"],
        picture: Float[np.ndarray, "k points 2"],
        weights: Float[np.ndarray, "k points"],
    ) -> int:
        """Over how many frames on each side to average: as few as leave a still keyframe."""
        steps = []
        for rows in blocks(len(frames)):
            near, present = self._seen(frames[rows])
            third = np.diff(near, 3, axis=0)  # smooth motion hardly has any
            is_run = (frames[rows][3:] - frames[rows][:-3] == _THIRD)[:, None]
            for late in range(_THIRD + 1):
                is_run = is_run & (present[late : late + len(third)] > 0)
            steps.append(np.median(np.abs(third[is_run])) if is_run.any() else 0.0)
        start = scaled_orthography(picture, weights, self.fitted.basis.mean)
        size = interocular_px(self.model, np.zeros(self.model.n_geometry), start.scale)
        trembling = np.median(steps) / _THIRD_OF_NOISE / max(float(np.median(size)), 1e-9)
        wanted = ((trembling / self.config.keyframe_noise) ** 2 - 1) / 2
        return int(np.clip(round(wanted), 0, _FARTHEST_MEAN))

    def use(self, geometry: Float[np.ndarray, "g"]) -> None:
        """Fit the face of this geometry, in standard deviations."""
        self.geometry = geometry
        self._noise_share: float | None = None
        self._neutral = self.fitted.basis.shaped(geometry)

    def solve(
        self, frames: Int[np.ndarray, "n"], cuts: tuple[int, ...], tell: Callable[[int], None]
    ) -> SolvedFrames:
        """Pose and expression of the given frames of the geometry in use."""
        noise_share = self._noise_share or self._learned_noise(frames)
        self._noise_share = noise_share
        parts = []
        for kept in blocks(len(frames)):
            first, last = max(0, kept.start - _OVERLAP), min(len(frames), kept.stop + _OVERLAP)
            pose, expression = self._solved(frames[first:last], noise_share, cuts)
            inner = slice(kept.start - first, kept.stop - first)
            parts.append((pose[inner], expression[inner]))
            tell(kept.stop)
        return SolvedFrames(
            frames,
            HeadPose(
                np.concatenate([pose.rotation for pose, _ in parts]),
                np.concatenate([pose.scale for pose, _ in parts]),
                np.concatenate([pose.translation for pose, _ in parts]),
            ),
            np.concatenate([expression for _, expression in parts]),
        )

    def error_px(self, solved: SolvedFrames) -> Float[np.ndarray, "n"]:
        """Root mean square distance of fitted to seen points; 0 where none was seen."""
        error = np.empty(len(solved.frames))
        for rows in blocks(len(error)):
            picture, weights = self._seen(solved.frames[rows])
            pose = solved.pose[rows]
            face = self._neutral + np.einsum(
                "kce,te->tkc", self.fitted.basis.expression, solved.expression[rows], optimize=True
            )
            fitted = face @ np.swapaxes(pose.camera(), 1, 2) + pose.translation[:, None]
            squared = ((fitted - picture) ** 2).sum(2) * (weights > 0)
            error[rows] = np.sqrt(squared.sum(1) / np.maximum((weights > 0).sum(1), 1))
        return error

    def interocular_px(self, scale: Float[np.ndarray, "n"]) -> Float[np.ndarray, "n"]:
        """Of the geometry in use; see the function of that name."""
        return interocular_px(self.model, self.geometry, scale)

    def _seen(self, frames: Int[np.ndarray, "n"]) -> tuple[np.ndarray, np.ndarray]:
        """Points of some frames, 0 where missing, and their weights."""
        points = self._points[frames][:, self.fitted.columns].astype(np.float64)
        present = np.asarray(np.isfinite(points).all(axis=2))
        return np.where(present[..., None], points, 0.0), present * self.fitted.weights

    def _keyframes(self, frames: Int[np.ndarray, "n"], count: int) -> Int[np.ndarray, "k"]:
        seen = np.concatenate(
            [(self._seen(frames[rows])[1] > 0).sum(1) for rows in blocks(len(frames))]
        )
        complete = frames[seen == seen.max()]
        pool = complete if len(complete) >= min(count, len(frames) // 2 + 1) else frames
        spread = np.linspace(0, len(pool) - 1, min(count, len(pool))).round().astype(int)
        return pool[np.unique(spread)]

    def _learned_noise(self, frames: Int[np.ndarray, "n"]) -> float:
        """On keyframes, each by itself: where the geometry was given, nothing is known yet."""
        count = min(self.config.n_keyframes, _NOISE_KEYFRAMES)
        picture, weights = self._seen(self._keyframes(frames, count))
        start = scaled_orthography(picture, weights, self._neutral)
        interocular = self.interocular_px(start.scale)
        noise = NoiseModel(interocular, self.config.landmark_noise, 0.01, self.least_noise)
        for _ in range(_NOISE_PASSES):
            seen = Observations(picture, weights, noise.precision(interocular))
            _, _, error = solve_frames(
                seen, self._neutral, self.fitted.basis.expression, priors_of(self.config),
                start, np.zeros(len(picture) - 1), self.config.frame_steps,
            )  # fmt: skip
            if noise.learn(error, weights):
                break
        return noise.share

    def _solved(
        self, frames: Int[np.ndarray, "n"], noise_share: float, cuts: tuple[int, ...]
    ) -> tuple[HeadPose, Float[np.ndarray, "n e"]]:
        picture, weights = self._seen(frames)
        start = scaled_orthography(picture, weights, self._neutral)
        interocular = self.interocular_px(start.scale)
        links = _links(frames, start, interocular, cuts)
        seen = Observations(picture, weights, precision_of(noise_share, interocular))
        pose, expression, _ = solve_frames(
            seen, self._neutral, self.fitted.basis.expression, priors_of(self.config), start, links,
            self.config.frame_steps,
        )  # fmt: skip
        return pose, expression


def _means_of_alike(
    picture: Float[np.ndarray, "k points 2"],
    weights: Float[np.ndarray, "k points"],
    near: Float[np.ndarray, "k n points 2"],
    near_weights: Float[np.ndarray, "k n points"],
    is_near: Bool[np.ndarray, "k n"],
) -> Float[np.ndarray, "k points 2"]:
    """Means over those near frames that show the same points in nearly the same place."""
    x, y = (np.where(weights > 0, picture[..., axis], np.nan) for axis in (0, 1))
    extent = np.maximum(*(np.nanmax(of, axis=1) - np.nanmin(of, axis=1) for of in (x, y)))
    moved = np.linalg.norm(near - picture[:, None], axis=3).mean(2)
    is_alike = is_near & (moved <= _SAME_PLACE * extent[:, None])
    is_alike &= (near_weights == weights[:, None]).all(2)
    share = is_alike / is_alike.sum(1, keepdims=True)
    means: np.ndarray = np.einsum("kn,knpc->kpc", share, near)
    return means


def blocks(n_frames: int) -> Iterator[slice]:
    """Runs of frames that are worked on at a time."""
    for first in range(0, n_frames, _BLOCK):
        yield slice(first, min(first + _BLOCK, n_frames))


def interocular_px(
    model: MorphableModel, geometry: Float[np.ndarray, "g"], scale: Float[np.ndarray, "n"]
) -> Float[np.ndarray, "n"]:
    """Distance of the outer eye corners in space, times scale: turning the head keeps it."""
    corners = model.points(
        model.landmarks68[list(_OUTER_EYE_CORNERS)], geometry, np.zeros(model.n_expression)
    )
    return scale * float(np.linalg.norm(corners[1] - corners[0]))


def priors_of(config: FitConfig) -> Priors:
    """What the configuration has believed beforehand."""
    turn = config.turn_change**-2
    # Size and place have always been as free as turns of 0.03 rad make them.
    return Priors(
        geometry=config.geometry_prior,
        mean_expression=config.mean_expression_prior,
        expression=config.expression_prior,
        expression_change=config.expression_smoothness,
        pose_change=(turn, 9 / 0.03**2, 4 / 0.03**2),
    )


def _links(
    frames: Int[np.ndarray, "n"],
    pose: HeadPose,
    interocular: Float[np.ndarray, "n"],
    cuts: tuple[int, ...],
) -> Float[np.ndarray, "n-1"]:
    """1 between neighbours, 1 / gap over missing frames, 0 across cuts and jumps."""
    gap = np.diff(frames)
    links = 1.0 / gap
    for cut in cuts:
        links[(frames[:-1] < cut) & (frames[1:] >= cut)] = 0.0
    shift = np.linalg.norm(np.diff(pose.translation, axis=0), axis=1)
    jumped = shift > _CUT_SHIFT * np.sqrt(gap) * np.minimum(interocular[1:], interocular[:-1])
    jumped |= np.abs(np.diff(np.log(pose.scale))) > _CUT_SCALE * np.sqrt(gap)
    links[jumped] = 0.0
    return links
