"""Basel Face Models: 2009 with the expression basis of 3DDFA, and 2017."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from talkin.errors import FaceModelError
from talkin.face3d.foreign_model import ForeignModel
from talkin.face3d.restricted_pickle import as_array, read_restricted

_LICENCE_2009 = "Basel Face Model 2009: University of Basel, research use, see its agreement"
_LICENCE_2017 = "Basel Face Model 2017: University of Basel, research use, see its agreement"
_MM_PER_UM = 1e-3
_N_WHITENED = 62  # 12 of the camera, 40 of shape, 10 of expression

# Published correspondences (share/ibug_to_bfm.txt of the eos library, Apache-2.0).
_LANDMARKS_2009 = {17: 38792, 19: 40087, 21: 40514, 22: 41091, 24: 41511, 26: 42825, 30: 8319}
_LANDMARKS_2009 |= {33: 8334, 36: 2088, 39: 5959, 42: 10603, 45: 14472, 48: 5006, 51: 8344}
_LANDMARKS_2009 |= {54: 11714, 57: 8374, 62: 8354, 66: 8366}

# The file's own named landmarks; "right" is the person's, so the picture's left.
_NAMES_2017 = {
    "center.chin.tip": 8,
    "center.nose.tip": 30,
    "right.eye.corner_outer": 36,
    "right.eye.corner_inner": 39,
    "left.eye.corner_inner": 42,
    "left.eye.corner_outer": 45,
    "right.lips.corner": 48,
    "center.lips.upper.outer": 51,
    "left.lips.corner": 54,
    "center.lips.lower.outer": 57,
    "center.lips.upper.inner": 62,
    "center.lips.lower.inner": 66,
}


def read_bfm2009(path: Path, expression: Path | None) -> ForeignModel:
    """Read BFM 2009 with an expression basis, in any of the layouts it is passed on in.

    Args:
        path: `01_MorphableModel.mat`; or a `.mat` with one struct `model` that has shape and
            expression together; or the folder of 3DDFA's `w_shp_sim.npy` and its companions.
        expression: `Model_Expression.mat` of 3DDFA (`w_exp`, `mu_exp`, `sigma_exp`) for
            `01_MorphableModel.mat`. A file with `trimIndex` (`model_info.mat` or
            `BFM_exp_idx.mat`) beside either says which vertices it has.

    Raises:
        FaceModelError: If something is missing, damaged or does not belong together.
    """
    if path.is_dir() or path.suffix == ".npy":
        return _simplified(path if path.is_dir() else path.parent)
    content = _read_mat(path)
    if "model" in content:
        return _struct(content["model"])
    _require(content, ("shapeMU", "shapePC", "shapeEV", "tl"), path)
    companion = expression or path.with_name("Model_Expression.mat")
    if not companion.exists():
        raise FaceModelError(
            f"{path} has no expressions: give 3DDFA's Model_Expression.mat with --expression"
        )
    moves = _read_mat(companion)
    _require(moves, ("w_exp", "sigma_exp"), companion)
    return _joined(content, moves, _companions(path, companion))


def read_bfm2017(path: Path) -> ForeignModel:
    """Read `model2017-1_bfm_nomouth.h5`, `model2017-1_face12_nomouth.h5` or one like them.

    Raises:
        FaceModelError: If it is damaged, something is missing, or h5py is not installed.
    """
    try:
        import h5py
    except ImportError as error:
        raise FaceModelError(f"{path} is an HDF5 file: pip install h5py to read it") from error
    try:
        with h5py.File(path, "r") as opened:
            shape, moves = opened["shape/model"], opened["expression/model"]
            mean = np.asarray(shape["mean"]) + np.asarray(moves["mean"])
            geometry = np.asarray(shape["pcaBasis"]) * np.sqrt(np.asarray(shape["pcaVariance"]))
            expression = np.asarray(moves["pcaBasis"]) * np.sqrt(np.asarray(moves["pcaVariance"]))
            triangles = np.asarray(opened["shape/representer/cells"]).astype(np.int64)
            named = json.loads(np.asarray(opened["metadata/landmarks/json"]).ravel()[0])
    except (OSError, KeyError, ValueError, TypeError, IndexError) as error:
        raise FaceModelError(f"{path} is no readable BFM 2017: {error}") from error
    vertices = mean.reshape(-1, 3).astype(np.float64)
    return ForeignModel(
        name="bfm-2017",
        licence=_LICENCE_2017,
        mean=vertices,
        geometry_basis=_modes(geometry),
        expression_basis=_modes(expression),
        triangles=triangles.T if triangles.shape[0] == 3 else triangles,
        landmarks=_named_landmarks(named, vertices),
    )


def _named_landmarks(named: list[dict[str, Any]], vertices: np.ndarray) -> dict[int, int]:
    found = {}
    for landmark in named:
        if (index := _NAMES_2017.get(str(landmark.get("id")))) is not None:
            away = np.linalg.norm(vertices - np.array(landmark["coordinates"], float), axis=1)
            found[index] = int(away.argmin())
    return found


def _joined(
    shape: dict[str, Any], moves: dict[str, Any], companions: list[dict[str, Any]]
) -> ForeignModel:
    """The shape model cut down to the vertices of the expression basis."""
    n_shape, n_moves = len(shape["shapeMU"]) // 3, len(moves["w_exp"]) // 3
    kept, landmarks = np.arange(n_shape), dict(_LANDMARKS_2009)
    if n_moves != n_shape:
        kept = _trimmed(companions, n_moves)
        number = {int(vertex): index for index, vertex in enumerate(kept)}
        landmarks = {i: number[v] for i, v in landmarks.items() if v in number}
    for companion in companions:
        if np.size(companion.get("keypoints", ())) == 68:
            landmarks = _listed(np.ravel(companion["keypoints"]) - 1)
    rows = (3 * kept[:, None] + np.arange(3)).ravel()
    mean = shape["shapeMU"].ravel()[rows] + np.ravel(moves.get("mu_exp", 0.0))
    renumbered = np.full(n_shape, -1)
    renumbered[kept] = np.arange(len(kept))
    triangles = renumbered[np.asarray(shape["tl"], dtype=np.int64) - 1]
    return _bfm2009(
        mean,
        shape["shapePC"][rows] * shape["shapeEV"].ravel(),
        moves["w_exp"] * np.ravel(moves["sigma_exp"]),
        triangles[(triangles >= 0).all(1)],
        landmarks,
    )


def _trimmed(companions: list[dict[str, Any]], count: int) -> np.ndarray:
    for companion in companions:
        if np.size(companion.get("trimIndex", ())) == count:
            return np.ravel(companion["trimIndex"]).astype(np.int64) - 1
    raise FaceModelError(
        f"the expression basis has {count} vertices, fewer than the shape: put the file with "
        "trimIndex (model_info.mat of 3DDFA, or BFM_exp_idx.mat) beside it"
    )


def _struct(model: Any) -> ForeignModel:
    content = {name: model[name][0, 0] for name in (model.dtype.names or ())}
    _require(content, ("shapeMU", "shapePC", "shapeEV", "expPC", "expEV", "tri"), "struct model")
    mean = content["shapeMU"].ravel() + np.ravel(content.get("expMU", 0.0))
    triangles = np.asarray(content["tri"], dtype=np.int64) - 1
    landmarks = dict(_LANDMARKS_2009)
    for key in ("kpt_ind", "keypoints"):
        if np.size(content.get(key, ())) == 68:
            landmarks = _listed(np.ravel(content[key]) - 1)
    return _bfm2009(
        mean,
        content["shapePC"] * content["shapeEV"].ravel(),
        content["expPC"] * content["expEV"].ravel(),
        triangles.T if triangles.shape[0] == 3 else triangles,
        landmarks,
    )


def _simplified(folder: Path) -> ForeignModel:
    """3DDFA's arrays: 40 shape and 10 expression modes, their spread from its whitening."""
    wanted = ("w_shp_sim", "w_exp_sim", "u_shp", "u_exp", "keypoints_sim")
    arrays = {}
    for name in wanted:
        path = folder / f"{name}.npy"
        if not path.exists():
            raise FaceModelError(f"{folder} is no folder of 3DDFA: {name}.npy is missing")
        arrays[name] = as_array(read_restricted(path), name).astype(np.float64)
    mesh = next((p for p in (folder / "tri.mat", folder / "visualize/tri.mat") if p.exists()), None)
    whitening = folder / "param_whitening.pkl"
    if mesh is None or not whitening.exists():
        raise FaceModelError(
            f"{folder} lacks tri.mat (triangles) or param_whitening.pkl (how much faces vary); "
            "both come with 3DDFA"
        )
    spread = as_array(read_restricted(whitening)["param_std"], "param_std").ravel()
    n_shape = arrays["w_shp_sim"].shape[1]
    if len(spread) != _N_WHITENED or 12 + n_shape > _N_WHITENED:
        raise FaceModelError(f"{whitening} does not hold the 62 parameters of 3DDFA")
    n_moves = arrays["w_exp_sim"].shape[1]
    triangles = np.asarray(_read_mat(mesh)["tri"], dtype=np.int64) - 1
    return _bfm2009(
        arrays["u_shp"].ravel() + arrays["u_exp"].ravel(),
        arrays["w_shp_sim"] * spread[12 : 12 + n_shape],
        arrays["w_exp_sim"] * spread[12 + n_shape :][:n_moves],
        triangles.T if triangles.shape[0] == 3 else triangles,
        _listed(arrays["keypoints_sim"].ravel()[::3] // 3),
    )


def _bfm2009(
    mean: np.ndarray,
    geometry: np.ndarray,
    expression: np.ndarray,
    triangles: np.ndarray,
    landmarks: dict[int, int],
) -> ForeignModel:
    return ForeignModel(
        name="bfm-2009",
        licence=_LICENCE_2009,
        mean=_MM_PER_UM * mean.reshape(-1, 3).astype(np.float64),
        geometry_basis=_MM_PER_UM * _modes(geometry),
        expression_basis=_MM_PER_UM * _modes(expression),
        triangles=triangles,
        landmarks=landmarks,
    )


def _modes(flat: np.ndarray) -> np.ndarray:
    return flat.astype(np.float32).reshape(-1, 3, flat.shape[1])


def _listed(vertices: np.ndarray) -> dict[int, int]:
    return {index: int(vertex) for index, vertex in enumerate(vertices)}


def _companions(*paths: Path) -> list[dict[str, Any]]:
    """Files beside the model that say which vertices and landmarks the expressions have."""
    names = ("model_info.mat", "Model_Shape.mat", "BFM_exp_idx.mat", "deep3d_BFM_exp_idx.mat")
    found = {path.with_name(name) for path in paths for name in names}
    own = [_read_mat(path) for path in paths[1:]]
    return own + [_read_mat(path) for path in sorted(found) if path.exists()]


def _read_mat(path: Path) -> dict[str, Any]:
    from scipy.io import loadmat

    try:
        content: dict[str, Any] = loadmat(path)
    except Exception as error:  # the parser raises whatever a damaged file leads it to
        raise FaceModelError(f"{path} cannot be read as a MATLAB file: {error}") from error
    return content


def _require(content: dict[str, Any], names: tuple[str, ...], where: Path | str) -> None:
    if missing := [name for name in names if name not in content]:
        raise FaceModelError(f"{where} has no {', '.join(missing)}: it is another kind of file")
