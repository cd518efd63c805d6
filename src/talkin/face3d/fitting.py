"""Landmarks of one clip in, the 3D face out (section 3.1).

Closed-form pose, then joint Gauss-Newton over keyframes for the one geometry of the person, then
pose and expression of all frames in one chain that leans on time.
"""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float, Int

from talkin.errors import FaceModelError, NoFaceError
from talkin.face3d.camera import euler_angles, rotation_matrix
from talkin.face3d.fitting_clip import ClipSolver, SolvedFrames
from talkin.face3d.fitting_config import FitConfig
from talkin.face3d.fitting_person import geometry_of
from talkin.face3d.fitting_start import HeadPose
from talkin.face3d.fitting_track import solver_of
from talkin.face3d.model import MorphableModel
from talkin.face3d.parameters import FaceParameters
from talkin.footage.landmarks import LandmarkTrack

__all__ = ["FitConfig", "fit_clip"]

_FOR_REASONS = 3


def fit_clip(
    track: LandmarkTrack,
    model: MorphableModel,
    config: FitConfig | None = None,
    *,
    cuts: Sequence[int] = (),
    geometry: Float[np.ndarray, "g"] | None = None,
    clip: str = "the clip",
    progress: Callable[[int], None] | None = None,
) -> FaceParameters:
    """Explain a clip's landmarks by one geometry and, per frame, pose and expression.

    Args:
        track: Landmarks in footage px. Nothing is smoothed across its `cuts`.
        model: The morphable model.
        config: Steps and priors.
        cuts: Further frames with which a new shot begins. Jumps of the face are taken for cuts in
            any case.
        geometry: The person's geometry, where it is known from other clips (`fit_geometry`), in
            standard deviations.
        clip: How to name the clip in messages.
        progress: Called with the number of frames done.

    Returns:
        A row a frame, in footage px. Frames without landmarks are interpolated and not valid.
        `landmarks` are the points as they were found; `reprojection_error_px` is measured to
        them after the detector's habits are undone.

    Raises:
        NoFaceError: If no frame shows a face.
        FaceModelError: If the track's points have no vertices in the model, or the geometry is
            another's.
    """
    config = config or FitConfig()
    all_cuts = tuple(sorted({*track.cuts, *cuts}))
    solver = solver_of(track, model, config, all_cuts)
    frames = solver.usable_frames(np.asarray(track.is_found))
    if not len(frames):
        raise NoFaceError(_why_no_face(track, clip))
    if geometry is None:
        geometry = geometry_of(solver, [solver.keyframes(frames, config.n_keyframes)])
    if geometry.shape != (model.n_geometry,):
        raise FaceModelError(
            f"{clip}: {geometry.shape} numbers of a geometry were given, but {model.name} has "
            f"{model.n_geometry}"
        )
    solver.use(geometry)
    tell = progress or (lambda done: None)
    solved = solver.solve(frames, all_cuts, tell)
    error = solver.error_px(solved)
    trusted = np.less_equal(error, config.largest_error * solver.interocular_px(solved.pose.scale))
    if trusted.any() and not trusted.all():
        # Frames that fit badly would drag their neighbours along: leave them out.
        solved = solver.solve(frames[trusted], all_cuts, tell)
    return _as_parameters(track, solved, solver)


def _why_no_face(track: LandmarkTrack, clip: str) -> str:
    reasons = "; ".join(track.notes[:_FOR_REASONS])
    told = f" ({reasons})" if reasons else ""
    return (
        f"{clip}: no face was found in any of its {len(track)} frames{told}; use footage that "
        "shows the face larger, lit and unhidden, or another landmark source"
    )


def _as_parameters(
    track: LandmarkTrack, solved: SolvedFrames, solver: ClipSolver
) -> FaceParameters:
    """Spread the solved frames over all frames and judge each."""
    frames, pose, n_frames = solved.frames, solved.pose, len(track.points)
    rotation = _spread(np.unwrap(euler_angles(pose.rotation), axis=0), frames, n_frames)
    scale = np.exp(_spread(np.log(pose.scale)[:, None], frames, n_frames))[:, 0]
    translation = _spread(pose.translation, frames, n_frames)
    expressions = _spread(solved.expression, frames, n_frames)
    every = SolvedFrames(
        np.arange(n_frames), HeadPose(rotation_matrix(rotation), scale, translation), expressions
    )
    error, interocular = solver.error_px(every), solver.interocular_px(scale)
    is_valid = np.zeros(n_frames, dtype=bool)
    is_valid[frames] = error[frames] <= solver.config.largest_error * interocular[frames]
    return FaceParameters(
        model_name=solver.model.name,
        fps=float(track.fps),
        time_s=np.asarray(track.time_s, dtype=np.float64),
        geometry=solver.geometry.astype(np.float32),
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
