"""Who is seen: one geometry for all clips of a person."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from talkin.errors import FaceModelError, NoFaceError
from talkin.face3d.fitting_clip import ClipSolver, interocular_px, priors_of
from talkin.face3d.fitting_config import FitConfig
from talkin.face3d.fitting_solver import NoiseModel, solve_geometry
from talkin.face3d.fitting_start import scaled_orthography
from talkin.face3d.fitting_terms import Observations
from talkin.face3d.fitting_track import solver_of
from talkin.face3d.model import MorphableModel
from talkin.footage.landmarks import LandmarkTrack

_FIRST_NOISE = 0.015


def fit_geometry(
    tracks: Iterable[LandmarkTrack],
    model: MorphableModel,
    config: FitConfig | None = None,
    *,
    n_tracks: int,
    name: str = "the person",
) -> Float[np.ndarray, "g"]:
    """Find the geometry that the clips of a person share, jointly from keyframes of all of them.

    Args:
        tracks: Landmarks of the person's clips, in an order that does not change; read one by one.
        model: The morphable model.
        config: Steps and priors.
        n_tracks: How many clips there are: each gives as many keyframes.
        name: How to call the person in messages.

    Raises:
        NoFaceError: If no frame of any clip shows a face.
        FaceModelError: If the points have no vertices in the model, or their layouts differ.
    """
    config = config or FitConfig()
    share = max(1, -(-config.n_person_keyframes // max(1, n_tracks)))
    parts, schemes, solver = [], set(), None
    for track in tracks:
        schemes.add(track.scheme)
        solver = solver_of(track, model, config, track.cuts)
        frames = solver.usable_frames(np.asarray(track.is_found))
        if len(frames):
            parts.append(solver.keyframes(frames, share))
    if len(schemes) > 1:
        raise FaceModelError(
            f"{name}: the clips' landmarks have different layouts ({', '.join(sorted(schemes))}); "
            "take them from one source, or set the sharing of geometry off"
        )
    if solver is None or not parts:
        raise NoFaceError(f"{name}: no face was found in any frame of {n_tracks} clips")
    return geometry_of(solver, parts)


def geometry_of(
    solver: ClipSolver, keyframes: list[tuple[np.ndarray, np.ndarray]]
) -> Float[np.ndarray, "g"]:
    """Solve for the geometry of the person of some keyframes, in standard deviations.

    Args:
        solver: Of one of the clips from which the keyframes are: gives model and settings.
        keyframes: Points and weights.
    """
    model, config, fitted = solver.model, solver.config, solver.fitted
    picture, weights = (np.concatenate(column) for column in zip(*keyframes, strict=True))
    axes, basis = fitted.geometry_axes, fitted.basis
    start = scaled_orthography(picture, weights, basis.mean)
    interocular = interocular_px(model, np.zeros(model.n_geometry), start.scale)
    noise = NoiseModel(interocular, config.landmark_noise, _FIRST_NOISE, solver.least_noise)
    seen = noise.weighed(Observations(picture, weights, np.ones(len(picture))))
    seen_axes = replace(basis, geometry=basis.geometry @ axes)
    found = solve_geometry(seen, seen_axes, priors_of(config), noise, config.geometry_steps)
    return axes @ found
