"""A model as another project lays it out, and its way into this project's layout."""

from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from talkin.errors import FaceModelError
from talkin.face3d.correspondence import complete_landmarks, transferred_points
from talkin.face3d.model import MorphableModel

_PLAUSIBLE_EYES_MM = (65.0, 130.0)
_NASION, _NOSE_TIP, _CHIN = 27, 30, 8
_FRONT_DEPTH_MM = 90.0


@dataclass(frozen=True, eq=False)
class ForeignModel:
    """What a reader found: millimetres, axes as in `camera`, one standard deviation a mode.

    Attributes:
        name: Name of the model, which its coefficients will carry.
        licence: Under which terms it comes, in a line.
        mean: Mean face, mm; its origin may be anywhere.
        geometry_basis: mm per standard deviation.
        expression_basis: The same for expression.
        triangles: In either sense of rotation.
        landmarks: Vertices of those iBUG points for which the model has known ones.
        is_skin: Vertices that landmarks may be taken from (no eyeballs, no inside of the mouth).
    """

    name: str
    licence: str
    mean: Float[np.ndarray, "v 3"]
    geometry_basis: Float[np.ndarray, "v 3 g"]
    expression_basis: Float[np.ndarray, "v 3 e"]
    triangles: Int[np.ndarray, "t 3"]
    landmarks: dict[int, int]
    is_skin: Bool[np.ndarray, "v"] | None = field(default=None)


def adopt(
    foreign: ForeignModel, embedded: MorphableModel, max_geometry: int, max_expression: int
) -> MorphableModel:
    """Bring a foreign model into the project's layout.

    Missing landmarks, the cheek points of `mouth39` and `mesh468` come from the embedded model,
    warped onto the foreign mean face by the landmarks that are known. The bridge of the nose
    comes to lie where the embedded model has it; shift, turn and change of size are taken out of
    the geometry modes, so that geometry cannot imitate the camera; the modes beyond the limits
    are dropped, weakest first.

    Raises:
        FaceModelError: If sizes, numbers, units or axes are not what the format promises.
    """
    _check_arrays(foreign)
    known = foreign.landmarks
    _check_axes(foreign.mean, known, foreign.name)
    skin = np.flatnonzero(
        np.ones(len(foreign.mean), bool) if foreign.is_skin is None else foreign.is_skin
    )
    landmarks = complete_landmarks(foreign.mean, known, embedded, skin)
    shift = embedded.mean[embedded.landmarks68[_NASION]] - foreign.mean[landmarks[_NASION]]
    mean = (foreign.mean + shift).astype(np.float64)
    cheeks, measured = transferred_points(mean, landmarks, embedded, skin)
    is_front = mean[:, 2] > mean[landmarks[_NOSE_TIP], 2] - _FRONT_DEPTH_MM
    geometry = _strongest(foreign.geometry_basis, max_geometry, keep_axes=True)
    return MorphableModel(
        name=foreign.name,
        mean=mean.astype(np.float32),
        geometry_basis=_without_pose(geometry, mean, is_front),
        expression_basis=_strongest(foreign.expression_basis, max_expression, keep_axes=False),
        triangles=_outward(foreign.triangles, mean, landmarks).astype(np.int32),
        landmarks68=landmarks,
        mouth39=np.concatenate([landmarks[48:68], landmarks[3:14], cheeks]),
        mesh468=measured["mesh468"],
        mesh468_offset=measured.get("mesh468_offset"),
        mesh468_error=measured.get("mesh468_error"),
        notes={"licence": foreign.licence},
    )


def without_unused_vertices(
    foreign: ForeignModel, is_wanted: Bool[np.ndarray, "v"]
) -> ForeignModel:
    """Keep some of the vertices and the triangles among them.

    Raises:
        FaceModelError: If sizes or numbers are not what the format promises.
    """
    _check_arrays(foreign)
    number = np.cumsum(is_wanted) - 1
    kept = is_wanted[foreign.triangles].all(1)
    return replace(
        foreign,
        mean=foreign.mean[is_wanted],
        geometry_basis=foreign.geometry_basis[is_wanted],
        expression_basis=foreign.expression_basis[is_wanted],
        triangles=number[foreign.triangles[kept]],
        landmarks={i: int(number[v]) for i, v in foreign.landmarks.items() if is_wanted[v]},
        is_skin=None if foreign.is_skin is None else foreign.is_skin[is_wanted],
    )


def _check_arrays(foreign: ForeignModel) -> None:
    count = len(foreign.mean)
    shapes = (foreign.geometry_basis.shape[:2], foreign.expression_basis.shape[:2])
    if any(shape != (count, 3) for shape in shapes):
        raise FaceModelError(
            f"{foreign.name}: mean, geometry and expression have {count}, {shapes[0][0]} and "
            f"{shapes[1][0]} vertices; they belong to different meshes"
        )
    for what in ("mean", "geometry_basis", "expression_basis"):
        if not np.isfinite(getattr(foreign, what)).all():
            raise FaceModelError(f"{foreign.name}: {what} holds numbers that are not finite")
    corners = foreign.triangles
    if not len(corners) or corners.min() < 0 or corners.max() >= count:
        raise FaceModelError(f"{foreign.name}: its triangles name vertices that do not exist")
    if any(not 0 <= vertex < count for vertex in foreign.landmarks.values()):
        raise FaceModelError(f"{foreign.name}: its landmarks name vertices that do not exist")


def _check_axes(mean: np.ndarray, known: dict[int, int], name: str) -> None:
    if not {36, 45, _NOSE_TIP} <= set(known) or len(known) < 8:
        raise FaceModelError(
            f"{name}: landmarks of the eye corners, the nose tip and five more points are needed; "
            "name a file of landmarks"
        )
    left, right, nose = (mean[known[i]] for i in (36, 45, _NOSE_TIP))
    width = float(np.linalg.norm(right - left))
    if not _PLAUSIBLE_EYES_MM[0] < width < _PLAUSIBLE_EYES_MM[1]:
        raise FaceModelError(
            f"{name}: the outer eye corners would lie {width:.3g} mm apart, which no face has; "
            "the units or the landmarks are not those of the format"
        )
    eyes = (left + right) / 2
    if not (right[0] > left[0] and eyes[1] > nose[1] and nose[2] > eyes[2]):
        raise FaceModelError(
            f"{name}: the mean face does not look along z with y up; the axes or the landmarks "
            "are not those of the format"
        )


def _strongest(basis: np.ndarray, count: int, *, keep_axes: bool) -> np.ndarray:
    """The strongest directions of the modes; the prior is round, so turning them loses nothing."""
    modes = basis.shape[2]
    if keep_axes or modes <= 1:
        order = np.sort(np.argsort(-(basis.astype(np.float64) ** 2).sum((0, 1)))[:count])
        return np.ascontiguousarray(basis[:, :, order], dtype=np.float32)
    flat = basis.reshape(-1, modes).astype(np.float64)
    energy, mixing = np.linalg.eigh(flat.T @ flat)
    real = energy > 1e-9 * energy.max()
    strongest = mixing[:, ::-1][:, real[::-1]][:, :count]
    turned = flat @ strongest
    signs = np.sign(turned[np.abs(turned).argmax(0), np.arange(turned.shape[1])])
    return (turned * signs).reshape(*basis.shape[:2], -1).astype(np.float32)


def _without_pose(
    basis: np.ndarray, mean: np.ndarray, is_front: Bool[np.ndarray, "v"]
) -> np.ndarray:
    """Take out of each mode the shift, turn and growth that explain it best on the face's front."""
    centred = mean - mean[is_front].mean(0)
    x, y, z = centred.T
    zero, one = np.zeros_like(x), np.ones_like(x)
    moves = np.stack(
        [
            np.stack(columns, axis=1)
            for columns in (
                (one, zero, zero),
                (zero, one, zero),
                (zero, zero, one),
                (zero, -z, y),
                (z, zero, -x),
                (-y, x, zero),
                (x, y, z),
            )
        ],
        axis=2,
    )
    front = moves[is_front].reshape(-1, 7)
    amounts = np.linalg.lstsq(front, basis[is_front].reshape(-1, basis.shape[2]), rcond=None)[0]
    return (basis - moves @ amounts).astype(np.float32)


def _outward(triangles: np.ndarray, mean: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Turn all triangles round if those at the nose look into the head."""
    corners = mean[triangles]
    near = np.linalg.norm(corners.mean(1) - mean[landmarks[_NOSE_TIP]], axis=1) < 40
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return triangles[:, ::-1] if normals[near, 2].sum() < 0 else triangles
