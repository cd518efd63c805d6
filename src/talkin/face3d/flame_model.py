"""FLAME (Li et al. 2017), out of its pickle, as a linear model.

FLAME opens the mouth by turning the jaw, not by its expression modes. A turn is no linear mode,
but a small one nearly is: three jaw modes (open, sideways yaw, roll) hold the derivative of the
skinned face by the jaw's turn, pose corrections included.
"""

from pathlib import Path
from typing import Any

import numpy as np

from talkin.errors import FaceModelError
from talkin.face3d.foreign_model import ForeignModel
from talkin.face3d.restricted_pickle import as_array, read_restricted

_LICENCE = "FLAME: Max Planck Society, see the terms of its download (research or CC-BY-4.0)"
_N_SHAPE = 300
_JAW_JOINT = 2
_JAW_STANDARD_DEVIATIONS = (0.12, 0.03, 0.02)  # rad, about x, y, z
_FIRST_EYE_VERTEX = 3931
_N_VERTICES = 5023
_EMBEDDINGS = (
    "landmark_embedding.npy",
    "flame_static_embedding_68.pkl",
    "flame_static_embedding.pkl",
)
_KEYS = (("full_lmk_faces_idx", "full_lmk_bary_coords"), ("lmk_face_idx", "lmk_b_coords"))


def read_flame(path: Path, landmarks: Path | None) -> ForeignModel:
    """Read `generic_model.pkl` (or the male, female or 2023 one) and a landmark embedding.

    Args:
        path: FLAME's pickle.
        landmarks: The landmark embedding that comes with FLAME's fitting code (68 or the inner 51
            points on triangles); by default it is looked for beside `path`.

    Raises:
        FaceModelError: If either is missing, damaged, or asks for more than arrays.
    """
    content = read_restricted(path)
    if not isinstance(content, dict):
        raise FaceModelError(f"{path} holds no dictionary of arrays: it is no FLAME model")
    try:
        mean = as_array(content["v_template"], "v_template").astype(np.float64)
        shapes = as_array(content["shapedirs"], "shapedirs").astype(np.float64)
        triangles = as_array(content["f"], "f").astype(np.int64)
        jaw = _jaw_modes(content, mean)
    except KeyError as error:
        raise FaceModelError(f"{path} is no FLAME model: it has no {error}") from error
    n_shape = _N_SHAPE if shapes.shape[2] > _N_SHAPE else shapes.shape[2] * 3 // 4
    is_skin = np.ones(len(mean), dtype=bool)
    if len(mean) == _N_VERTICES:
        is_skin[_FIRST_EYE_VERTEX:] = False
    return ForeignModel(
        name="flame",
        licence=_LICENCE,
        mean=1000 * mean,
        geometry_basis=1000 * shapes[:, :, :n_shape],
        expression_basis=1000 * np.concatenate([jaw, shapes[:, :, n_shape:]], axis=2),
        triangles=triangles,
        landmarks=_embedded_landmarks(landmarks or _beside(path), triangles),
        is_skin=is_skin,
    )


def _jaw_modes(content: dict[str, Any], mean: np.ndarray) -> np.ndarray:
    """Derivative of the face by the jaw's turn, times its standard deviations."""
    weights = as_array(content["weights"], "weights")[:, _JAW_JOINT]
    corrections = as_array(content["posedirs"], "posedirs").astype(np.float64)
    joint = _jaw_joint(content["J_regressor"], mean, weights)
    modes = []
    for axis, deviation in enumerate(_JAW_STANDARD_DEVIATIONS):
        turn = np.cross(np.eye(3)[axis], np.eye(3)).T  # derivative of the rotation matrix
        first = 9 * (_JAW_JOINT - 1)
        corrected = corrections[:, :, first : first + 9] @ turn.ravel()
        modes.append(deviation * (weights[:, None] * ((mean - joint) @ turn.T) + corrected))
    return np.stack(modes, axis=2)


def _jaw_joint(regressor: Any, mean: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Where the jaw turns: by the regressor, which may be a sparse matrix that was held inert."""
    if isinstance(regressor, np.ndarray):
        return np.asarray(regressor[_JAW_JOINT] @ mean)
    from scipy.sparse import csc_matrix, csr_matrix

    state = getattr(regressor, "state", {})
    try:
        parts = tuple(as_array(state[key], key) for key in ("data", "indices", "indptr"))
        shape = tuple(int(n) for n in state.get("_shape") or state["shape"])
        n_columns = len(parts[2]) - 1
        made = csr_matrix if n_columns == shape[0] else csc_matrix
        return np.asarray(made(parts, shape=shape).toarray()[_JAW_JOINT] @ mean)
    except (KeyError, TypeError, ValueError) as error:
        raise FaceModelError("FLAME's J_regressor cannot be read") from error


def _beside(path: Path) -> Path:
    for name in _EMBEDDINGS:
        if path.with_name(name).exists():
            return path.with_name(name)
    raise FaceModelError(
        f"{path.name} says nothing about landmarks: give the landmark embedding that comes with "
        f"FLAME's code ({' or '.join(_EMBEDDINGS)}) with --landmarks, or put it beside the model"
    )


def _embedded_landmarks(path: Path, triangles: np.ndarray) -> dict[int, int]:
    """Vertex of each landmark: the nearest corner of its triangle."""
    content = _read_embedding(path)
    for faces_key, weights_key in _KEYS:
        if faces_key in content:
            faces = as_array(content[faces_key], faces_key).ravel().astype(np.int64)
            weights = as_array(content[weights_key], weights_key).reshape(-1, 3)
            break
    else:
        raise FaceModelError(f"{path} holds no landmark embedding ({_KEYS[0][0]} is missing)")
    if len(faces) not in (51, 68) or len(weights) != len(faces) or faces.max() >= len(triangles):
        raise FaceModelError(f"{path} does not embed 51 or 68 landmarks in this model's triangles")
    vertices = triangles[faces, weights.argmax(1)]
    first = 68 - len(faces)
    return {first + index: int(vertex) for index, vertex in enumerate(vertices)}


def _read_embedding(path: Path) -> dict[str, Any]:
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as opened:
            return {key: opened[key] for key in opened.files}
    content = read_restricted(path)
    if not isinstance(content, dict):
        raise FaceModelError(f"{path} holds no landmark embedding")
    return content
