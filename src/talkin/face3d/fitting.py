"""Landmarks of one clip in, the 3D face out (section 3.1).

Closed-form pose, then joint Gauss-Newton over keyframes for the one geometry of the person, then
pose and expression of all frames in one chain that leans on time.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int
from pydantic import BaseModel, ConfigDict, Field

from talkin.errors import NoFaceError
from talkin.face3d.camera import euler_angles, rotation_matrix
from talkin.face3d.fitting_points import PointsToFit, points_to_fit
from talkin.face3d.fitting_solver import NoiseModel, Priors, solve_frames, solve_geometry
from talkin.face3d.fitting_start import HeadPose, scaled_orthography
from talkin.face3d.fitting_terms import Observations
from talkin.face3d.model import MorphableModel
from talkin.face3d.parameters import FaceParameters
from talkin.footage.landmarks import LandmarkTrack

_OUTER_EYE_CORNERS = (36, 45)
_FEWEST_POINTS = 12
_CUT_SHIFT = 0.6  # of the interocular distance, between neighbouring frames
_CUT_SCALE = 0.25
_PASSES_WITHOUT_KEYFRAMES = 3  # the noise is learned on all frames then


class FitConfig(BaseModel):
    """How landmarks become coefficients. Priors are inverse variances in standard deviations."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_keyframes: int = Field(
        default=40, ge=1, le=2000, description="Frames from which the geometry is solved"
    )
    geometry_steps: int = Field(default=7, ge=1, le=50, description="Joint Gauss-Newton steps")
    frame_steps: int = Field(default=3, ge=1, le=50, description="Steps over all frames")
    landmark_noise: float | None = Field(
        default=None,
        gt=0,
        description="Standard error of a landmark as a share of the interocular distance; "
        "learned from the clip's own residuals where not given",
    )
    geometry_prior: float = Field(
        default=0.25, ge=0, description="Weight of the geometry prior for each keyframe"
    )
    expression_prior: float = Field(
        default=1.0, gt=0, description="Weight of the expression prior in each frame"
    )
    expression_smoothness: float = Field(
        default=4.0, ge=0, description="Weight of the expression's change from frame to frame"
    )
    turn_change: float = Field(
        default=0.03, gt=0, description="Usual turn of the head between frames, rad"
    )
    jaw_weight: float = Field(
        default=0.4, gt=0, le=1, description="Weight of the 17 jaw points beside the others"
    )
    point_error_floor: float = Field(
        default=0.004,
        gt=0,
        description="A dense mesh's points weigh by the inverse square of their measured error "
        "(share of the interocular distance), errors below this counting as this",
    )
    lip_weight: float = Field(
        default=8.0,
        gt=0,
        description="Weight of a dense mesh's lip points beside its others (68 points: 1)",
    )
    largest_error: float = Field(
        default=0.08,
        gt=0,
        description="Fit error, as a share of the interocular distance, from which a frame is not "
        "to be trusted",
    )


def fit_clip(
    track: LandmarkTrack,
    model: MorphableModel,
    config: FitConfig | None = None,
    *,
    cuts: Sequence[int] = (),
    geometry: Float[np.ndarray, "g"] | None = None,
    clip: str = "the clip",
) -> FaceParameters:
    """Explain a clip's landmarks by one geometry and, per frame, pose and expression.

    Args:
        track: Landmarks in footage px.
        model: The morphable model.
        config: Steps and priors.
        cuts: Frames with which a new shot begins; nothing is smoothed across them. Jumps of the
            face are taken for cuts in any case.
        geometry: The person's geometry where it is known already, in standard deviations.
        clip: How to name the clip in messages.

    Returns:
        A row a frame, in footage px. Frames without landmarks are interpolated and not valid.

    Raises:
        NoFaceError: If no frame shows a face.
        FaceModelError: If the track's points have no vertices in the model.
    """
    config = config or FitConfig()
    fitted = points_to_fit(
        model, track.scheme, config.jaw_weight, config.lip_weight, config.point_error_floor
    )
    points = np.asarray(track.points, dtype=np.float64)[:, fitted.columns]
    present = np.asarray(np.isfinite(points).all(axis=2))
    usable = np.asarray(track.is_found) & (
        present.sum(1) >= min(_FEWEST_POINTS, len(fitted.columns))
    )
    frames = np.flatnonzero(usable)
    if not len(frames):
        raise NoFaceError(
            f"{clip}: no face was found in any of its {len(usable)} frames; use footage that shows "
            "the face, or another landmark source"
        )
    solver = _ClipSolver(
        np.where(present[..., None], points, 0.0), present * fitted.weights, fitted, model
    )
    if geometry is None:
        geometry = solver.geometry(frames, config)
    pose, expression = solver.frames(frames, geometry, config, cuts)
    error = solver.error_px(frames, geometry, pose, expression)
    limit = config.largest_error * _interocular_px(model, geometry, pose.scale)
    trusted = np.less_equal(error, limit)
    if trusted.any() and not trusted.all():
        # Frames that fit badly would drag their neighbours along: leave them out.
        frames = frames[trusted]
        pose, expression = solver.frames(frames, geometry, config, cuts)
    return _as_parameters(track, model, geometry, (frames, pose, expression), solver, config)


class _ClipSolver:
    """The stages of one clip over the same landmarks."""

    def __init__(
        self,
        picture: Float[np.ndarray, "frames points 2"],
        weights: Float[np.ndarray, "frames points"],
        fitted: PointsToFit,
        model: MorphableModel,
    ) -> None:
        self.picture, self.weights, self.model = picture, weights, model
        self.basis, self.geometry_axes = fitted.basis, fitted.geometry_axes
        self.noise: NoiseModel | None = None

    def geometry(self, frames: Int[np.ndarray, "n"], config: FitConfig) -> Float[np.ndarray, "g"]:
        chosen = _keyframes(frames, self.weights, config.n_keyframes)
        start = scaled_orthography(self.picture[chosen], self.weights[chosen], self.basis.mean)
        interocular = _interocular_px(self.model, np.zeros(self.model.n_geometry), start.scale)
        self.noise = NoiseModel(interocular, config.landmark_noise, start=0.015)
        seen = self.noise.weighed(
            Observations(self.picture[chosen], self.weights[chosen], np.ones(len(chosen)))
        )
        seen_axes = replace(self.basis, geometry=self.basis.geometry @ self.geometry_axes)
        amounts = solve_geometry(
            seen, seen_axes, _priors(config), self.noise, config.geometry_steps
        )
        return self.geometry_axes @ amounts

    def frames(
        self,
        frames: Int[np.ndarray, "n"],
        geometry: Float[np.ndarray, "g"],
        config: FitConfig,
        cuts: Sequence[int],
    ) -> tuple[HeadPose, Float[np.ndarray, "n e"]]:
        neutral = self.basis.shaped(geometry)
        picture, weights = self.picture[frames], self.weights[frames]
        start = scaled_orthography(picture, weights, neutral)
        interocular = _interocular_px(self.model, geometry, start.scale)
        links = _links(frames, start, interocular, cuts)
        if self.noise is None:
            self.noise = NoiseModel(interocular, config.landmark_noise, start=0.01)
            passes = _PASSES_WITHOUT_KEYFRAMES
        else:
            passes = 1
        for _ in range(passes):
            seen = Observations(picture, weights, self.noise.precision(interocular))
            pose, expression, error = solve_frames(
                seen, neutral, self.basis.expression, _priors(config), links, config.frame_steps
            )
            if passes > 1:
                self.noise.learn(error, weights)
        return pose, expression

    def error_px(
        self,
        frames: Int[np.ndarray, "n"],
        geometry: Float[np.ndarray, "g"],
        pose: HeadPose,
        expression: Float[np.ndarray, "n e"],
    ) -> Float[np.ndarray, "n"]:
        """Root mean square distance of fitted to seen points; 0 where none was seen."""
        face = self.basis.shaped(geometry) + np.einsum(
            "kce,te->tkc", self.basis.expression, expression, optimize=True
        )
        fitted = face @ np.swapaxes(pose.camera(), 1, 2) + pose.translation[:, None]
        squared = ((fitted - self.picture[frames]) ** 2).sum(2)
        is_seen = self.weights[frames] > 0
        return np.sqrt((squared * is_seen).sum(1) / np.maximum(is_seen.sum(1), 1))


def _priors(config: FitConfig) -> Priors:
    turn = config.turn_change**-2
    return Priors(
        geometry=config.geometry_prior,
        expression=config.expression_prior,
        expression_change=config.expression_smoothness,
        pose_change=(turn, 9 * turn, 4 * turn),
    )


def _keyframes(
    frames: Int[np.ndarray, "n"], weights: Float[np.ndarray, "frames points"], count: int
) -> Int[np.ndarray, "k"]:
    """Evenly spread among the frames that miss fewest points."""
    seen = (weights[frames] > 0).sum(1)
    complete = frames[seen == seen.max()]
    pool = complete if len(complete) >= min(count, len(frames) // 2 + 1) else frames
    return pool[np.unique(np.linspace(0, len(pool) - 1, min(count, len(pool))).round().astype(int))]


def _links(
    frames: Int[np.ndarray, "n"],
    pose: HeadPose,
    interocular_px: Float[np.ndarray, "n"],
    cuts: Sequence[int],
) -> Float[np.ndarray, "n-1"]:
    """1 between neighbours, 1 / gap over missing frames, 0 across cuts and jumps."""
    links = 1.0 / np.diff(frames)
    for cut in cuts:
        links[(frames[:-1] < cut) & (frames[1:] >= cut)] = 0.0
    gap = np.diff(frames)
    shift = np.linalg.norm(np.diff(pose.translation, axis=0), axis=1)
    jumped = shift > _CUT_SHIFT * np.sqrt(gap) * np.minimum(interocular_px[1:], interocular_px[:-1])
    jumped |= np.abs(np.diff(np.log(pose.scale))) > _CUT_SCALE * np.sqrt(gap)
    links[jumped] = 0.0
    return links


def _interocular_px(
    model: MorphableModel, geometry: Float[np.ndarray, "g"], scale: Float[np.ndarray, "n"]
) -> Float[np.ndarray, "n"]:
    """Distance of the outer eye corners in space, times scale: turning the head keeps it."""
    corners = model.points(
        model.landmarks68[list(_OUTER_EYE_CORNERS)], geometry, np.zeros(model.n_expression)
    )
    return scale * float(np.linalg.norm(corners[1] - corners[0]))


def _as_parameters(
    track: LandmarkTrack,
    model: MorphableModel,
    geometry: Float[np.ndarray, "g"],
    solved: tuple[Int[np.ndarray, "n"], HeadPose, Float[np.ndarray, "n e"]],
    solver: _ClipSolver,
    config: FitConfig,
) -> FaceParameters:
    """Spread the solved frames over all frames and judge each."""
    frames, pose, expression = solved
    n_frames = len(track.points)
    rotation = _spread(np.unwrap(euler_angles(pose.rotation), axis=0), frames, n_frames)
    scale = np.exp(_spread(np.log(pose.scale)[:, None], frames, n_frames))[:, 0]
    translation = _spread(pose.translation, frames, n_frames)
    every = HeadPose(rotation_matrix(rotation), scale, translation)
    expressions = _spread(expression, frames, n_frames)
    error = solver.error_px(np.arange(n_frames), geometry, every, expressions)
    interocular = _interocular_px(model, geometry, scale)
    is_valid = np.zeros(n_frames, dtype=bool)
    is_valid[frames] = error[frames] <= config.largest_error * interocular[frames]
    return FaceParameters(
        model_name=model.name,
        fps=float(track.fps),
        time_s=np.asarray(track.time_s, dtype=np.float64),
        geometry=geometry.astype(np.float32),
        expression=expressions.astype(np.float32),
        rotation=rotation.astype(np.float32),
        translation=translation.astype(np.float32),
        scale=scale.astype(np.float32),
        landmarks=np.asarray(track.subset68()).astype(np.float32),
        reprojection_error_px=error.astype(np.float32),
        interocular_px=interocular.astype(np.float32),
        is_valid=is_valid,
    )


def _spread(
    values: Float[np.ndarray, "n m"], frames: Int[np.ndarray, "n"], n_frames: int
) -> Float[np.ndarray, "frames m"]:
    """Interpolate between the solved frames; hold the first and the last."""
    every = np.arange(n_frames)
    return np.stack([np.interp(every, frames, column) for column in values.T], axis=1)
