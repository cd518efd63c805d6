"""Small files in the layouts of other projects, made from the embedded model."""

import json
import pickle
import sys
import types
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from talkin.face3d.model import MorphableModel


@dataclass(frozen=True, eq=False)
class Small:
    """A model with few modes and what an import of it must find."""

    mean: np.ndarray
    geometry: np.ndarray
    expression: np.ndarray
    triangles: np.ndarray
    landmarks: np.ndarray

    @classmethod
    def cut(
        cls, model: MorphableModel, shift: tuple[float, float, float] = (3, -40, 12)
    ) -> "Small":
        return cls(
            mean=model.mean.astype(float) + np.array(shift),
            geometry=model.geometry_basis[:, :, :6].astype(float),
            expression=model.expression_basis[:, :, :5].astype(float),
            triangles=model.triangles.astype(int),
            landmarks=model.landmarks68.copy(),
        )


def flat(values: np.ndarray) -> np.ndarray:
    return values.reshape(-1, values.shape[2]) if values.ndim == 3 else values.reshape(-1, 1)


def write_bfm2009(folder: Path, small: Small, n_trimmed: int = 0) -> tuple[Path, Path]:
    """01_MorphableModel.mat and Model_Expression.mat, um; the last vertices without expression."""
    from scipy.io import savemat

    spread = np.linspace(3000, 500, small.geometry.shape[2])
    kept = len(small.mean) - n_trimmed
    shape, moves = folder / "01_MorphableModel.mat", folder / "Model_Expression.mat"
    savemat(
        shape,
        {
            "shapeMU": 1000 * flat(small.mean),
            "shapePC": 1000 * flat(small.geometry) / spread,
            "shapeEV": spread[:, None],
            "tl": small.triangles[:, ::-1] + 1,
        },
    )
    deviation = np.linspace(2, 0.3, small.expression.shape[2])
    savemat(
        moves,
        {
            "mu_exp": np.zeros((3 * kept, 1)),
            "w_exp": 1000 * flat(small.expression[:kept]) / deviation,
            "sigma_exp": deviation[:, None],
        },
    )
    savemat(
        folder / "model_info.mat",
        {"trimIndex": np.arange(kept)[:, None] + 1, "keypoints": small.landmarks[None] + 1},
    )
    return shape, moves


def write_3ddfa_arrays(folder: Path, small: Small) -> Path:
    from scipy.io import savemat

    n_shape, n_moves = small.geometry.shape[2], small.expression.shape[2]
    spread = np.ones(62)
    spread[12 : 12 + n_shape], spread[12 + n_shape : 12 + n_shape + n_moves] = 2e4, 0.7
    np.save(folder / "w_shp_sim.npy", 1000 * flat(small.geometry) / 2e4)
    np.save(folder / "w_exp_sim.npy", 1000 * flat(small.expression) / 0.7)
    np.save(folder / "u_shp.npy", 1000 * flat(small.mean) - 7)
    np.save(folder / "u_exp.npy", np.full((small.mean.size, 1), 7.0))
    np.save(folder / "keypoints_sim.npy", (3 * small.landmarks[:, None] + np.arange(3)).reshape(-1))
    savemat(folder / "tri.mat", {"tri": small.triangles.T + 1})
    whitening = {"param_mean": np.zeros(62), "param_std": spread}
    (folder / "param_whitening.pkl").write_bytes(pickle.dumps(whitening, protocol=2))
    return folder


def write_bfm2017(path: Path, small: Small) -> Path:
    h5py = pytest.importorskip("h5py")

    names = {
        "center.chin.tip": 8,
        "center.nose.tip": 30,
        "right.eye.corner_outer": 36,
        "right.eye.corner_inner": 39,
        "left.eye.corner_inner": 42,
        "left.eye.corner_outer": 45,
        "right.lips.corner": 48,
        "left.lips.corner": 54,
        "center.lips.upper.outer": 51,
        "center.lips.lower.outer": 57,
    }
    landmarks = [
        {"id": name, "coordinates": small.mean[small.landmarks[i]].tolist()}
        for name, i in names.items()
    ]
    with h5py.File(path, "w") as opened:
        opened["shape/model/mean"] = small.mean.ravel() - 1
        opened["shape/model/pcaBasis"] = flat(small.geometry) / 1.5
        opened["shape/model/pcaVariance"] = np.full(small.geometry.shape[2], 1.5**2)
        opened["shape/representer/cells"] = small.triangles.T
        opened["expression/model/mean"] = np.ones(small.mean.size)
        opened["expression/model/pcaBasis"] = flat(small.expression) / 2
        opened["expression/model/pcaVariance"] = np.full(small.expression.shape[2], 4.0)
        opened["metadata/landmarks/json"] = np.array([json.dumps(landmarks)], dtype="S")
    return path


def write_flame(folder: Path, small: Small, *, in_chumpy: bool = True) -> Path:
    """generic_model.pkl as Python 2 wrote it, chumpy objects included, and its embedding."""
    from scipy.sparse import csc_matrix

    n = len(small.mean)
    shapes = np.concatenate([small.geometry, np.zeros((n, 3, 300 - 6)), small.expression], axis=2)
    weights = np.zeros((n, 5))
    is_jaw = small.mean[:, 1] < small.mean[small.landmarks[62], 1]
    weights[np.arange(n), np.where(is_jaw, 2, 1)] = 1
    regressor = np.zeros((5, n))
    regressor[2, small.landmarks[[0, 16]]] = 0.5
    ch = types.ModuleType("chumpy.ch")

    class Ch:
        def __init__(self, x):
            self.x = x

    Ch.__module__, Ch.__qualname__ = "chumpy.ch", "Ch"
    ch.Ch = Ch
    held = Ch if in_chumpy else lambda x: x
    content = {
        "v_template": held(small.mean / 1000),
        "shapedirs": held(shapes / 1000),
        "posedirs": np.zeros((n, 3, 36)),
        "weights": weights,
        "J_regressor": csc_matrix(regressor),
        "f": small.triangles.astype(np.uint32),
        "kintree_table": np.zeros((2, 5), dtype=np.uint32),
    }
    modules = {"chumpy": types.ModuleType("chumpy"), "chumpy.ch": ch}
    sys.modules.update(modules)
    try:
        (folder / "generic_model.pkl").write_bytes(pickle.dumps(content, protocol=2))
    finally:
        for name in modules:
            del sys.modules[name]
    faces = np.array([np.flatnonzero((small.triangles == v).any(1))[0] for v in small.landmarks])
    corner = (small.triangles[faces] == small.landmarks[:, None]).astype(float)
    embedding = {
        "full_lmk_faces_idx": faces[None],
        "full_lmk_bary_coords": (corner * 0.8 + 0.2 / 3)[None],
    }
    np.save(folder / "landmark_embedding.npy", np.array(embedding, dtype=object), allow_pickle=True)
    return folder / "generic_model.pkl"


def write_ict(path: Path, small: Small) -> Path:
    def packed(modes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        cm = np.moveaxis(modes, 2, 0) / 10
        scale = np.abs(cm).max((1, 2)) / 32000
        return np.round(cm / scale[:, None, None]).astype(np.int16), scale

    identity, identity_scale = packed(small.geometry)
    expression, expression_scale = packed(small.expression[:, :, :3])
    quads = np.concatenate([small.triangles, np.full((len(small.triangles), 1), -1)], axis=1)
    np.savez(
        path,
        neutral=(small.mean / 10).astype(np.float32),
        identity_q=identity,
        identity_scale=identity_scale,
        expression_q=expression,
        expression_scale=expression_scale,
        expression_names=np.array(["jawOpen", "mouthSmile_L", "mouthSmile_R"]),
        faces=quads.astype(np.int32),
        landmarks68=small.landmarks.astype(np.int32),
    )
    return path
