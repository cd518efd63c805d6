"""A track made ready to be fitted: its points chosen, the detector's habits undone."""

from collections.abc import Sequence
from itertools import pairwise

from talkin.face3d.detector_habits import shipped_habits
from talkin.face3d.fitting_clip import ClipSolver, PointsOfFrames, blocks
from talkin.face3d.fitting_config import FitConfig
from talkin.face3d.fitting_points import points_to_fit
from talkin.face3d.fitting_solver import LEAST_NOISE
from talkin.face3d.model import MorphableModel
from talkin.footage.landmarks import LandmarkTrack


def solver_of(
    track: LandmarkTrack, model: MorphableModel, config: FitConfig, cuts: Sequence[int]
) -> ClipSolver:
    """The solver of a clip.

    Args:
        track: Its landmarks.
        model: The morphable model.
        config: Steps and priors.
        cuts: Frames with which a new shot begins.

    Raises:
        FaceModelError: If the track's points have no vertices in the model.
    """
    fitted = points_to_fit(
        model, track.scheme, config.jaw_weight, config.lip_weight, config.point_error_floor
    )
    is_dense = len(fitted.columns) > len(model.landmarks68)
    least_noise = config.dense_noise if is_dense and config.landmark_noise is None else LEAST_NOISE
    return ClipSolver(_corrected(track, config, cuts), fitted, model, config, least_noise)


def _corrected(track: LandmarkTrack, config: FitConfig, cuts: Sequence[int]) -> PointsOfFrames:
    """The track's points with the embedded nets' habits undone, where they are those nets'."""
    if track.scheme != "mediapipe468" or config.detector_habits == "off":
        return track.points
    edges = [0, *(cut for cut in cuts if 0 < cut < len(track)), len(track)]
    shots = [slice(first, last) for first, last in pairwise(edges)]
    if config.detector_habits == "people":
        # Half a minute is enough to average over, and the head may turn in a longer one.
        shots = [
            slice(shot.start + part.start, shot.start + part.stop)
            for shot in shots
            for part in blocks(shot.stop - shot.start)
        ]
        return shipped_habits().undone_for_people(track.points, shots)
    return shipped_habits().corrected(track.points, config.detector_habits, shots)
