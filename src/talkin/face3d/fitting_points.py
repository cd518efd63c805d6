"""Where the landmarks of each layout lie on the model, and how much each of them says."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

from talkin.errors import FaceModelError
from talkin.face3d.fitting_terms import FaceBasis
from talkin.face3d.model import MorphableModel
from talkin.footage.landmarks import IBUG68_IN_MEDIAPIPE468

_LIP_REACH_MM = 4.0
_LEAST_SEEN_MM = 0.01


@dataclass(frozen=True, eq=False)
class PointsToFit:
    """The points of one layout on one model.

    Attributes:
        basis: The model at the points.
        columns: Their numbers in the track.
        weights: How much each says beside a point of weight 1.
        geometry_axes: Orthonormal directions of the geometry that move the points at all. The
            prior is round, so along all other directions the best geometry is the mean, and
            solving among these alone loses nothing.
    """

    basis: FaceBasis
    columns: Int[np.ndarray, "k"]
    weights: Float[np.ndarray, "k"]
    geometry_axes: Float[np.ndarray, "g seen"]


@lru_cache(maxsize=4)
def points_to_fit(
    model: MorphableModel, scheme: str, jaw_weight: float, lip_weight: float, error_floor: float
) -> PointsToFit:
    """The points of a landmark layout; kept for the next clip, because models do not change.

    Args:
        model: The morphable model.
        scheme: Layout of the track, "ibug68" or "mediapipe468".
        jaw_weight: Weight of the jaw's points among 68.
        lip_weight: Weight of a dense mesh's lip points.
        error_floor: Measured errors below this share of the interocular distance count as this.

    Raises:
        FaceModelError: If the layout is unknown.
    """
    if scheme == "mediapipe468" and (model.mesh468 >= 0).any():
        columns = np.flatnonzero(model.mesh468 >= 0)
        basis = _basis_at(model, model.mesh468[columns])
        if model.mesh468_offset is not None:
            basis = replace(basis, mean=basis.mean + model.mesh468_offset[columns])
        weights = _dense_weights(model, basis.mean, columns, lip_weight, error_floor)
    else:
        columns = _columns68(model, scheme)
        basis = _basis_at(model, model.landmarks68)
        weights = np.where(np.arange(68) < 17, jaw_weight, 1.0)
    return PointsToFit(basis, columns, weights, _moving_axes(basis.geometry))


def _columns68(model: MorphableModel, scheme: str) -> Int[np.ndarray, "68"]:
    if scheme == "ibug68":
        return np.arange(68)
    if scheme == "mediapipe468":
        return IBUG68_IN_MEDIAPIPE468
    raise FaceModelError(
        f"landmarks of the layout {scheme!r} have no counterpart in face model {model.name}; use "
        "ibug68 or mediapipe468"
    )


def _basis_at(model: MorphableModel, vertices: Int[np.ndarray, "k"]) -> FaceBasis:
    arrays = (model.mean, model.geometry_basis, model.expression_basis)
    return FaceBasis(*(array[vertices].astype(np.float64) for array in arrays))


def _dense_weights(
    model: MorphableModel,
    places: Float[np.ndarray, "k 3"],
    columns: Int[np.ndarray, "k"],
    lip_weight: float,
    error_floor: float,
) -> Float[np.ndarray, "k"]:
    """Much for points that were measured to be reliable, and for those on the lips.

    Neighbouring points of a dense mesh err together: all of them say as much as 68. The lips
    would be drowned by cheeks and forehead, though they are what the fit is for.
    """
    weights = np.ones(len(columns))
    if model.mesh468_error is not None:
        weights = np.maximum(model.mesh468_error[columns].astype(np.float64), error_floor) ** -2
    weights *= 68 / weights.sum()
    lips = model.mean[model.landmarks68[48:]]
    away = np.linalg.norm(places[:, None] - lips[None], axis=2).min(1)
    return np.where(away < _LIP_REACH_MM, lip_weight, 1.0) * weights


def _moving_axes(geometry: Float[np.ndarray, "k 3 g"]) -> Float[np.ndarray, "g seen"]:
    """Directions along which one standard deviation moves the points noticeably."""
    flat = geometry.reshape(-1, geometry.shape[2])
    energy, axes = np.linalg.eigh(flat.T @ flat)
    return axes[:, energy > len(geometry) * _LEAST_SEEN_MM**2]
