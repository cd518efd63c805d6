"""A toy face: a flat grid of landmarks whose one expression drops the jaw."""

import numpy as np
import pytest

from talkin.face3d.model import MorphableModel
from talkin.face3d.parameters import FaceParameters

LIPS = 20
JAW = 11


def mouth_points_mm() -> np.ndarray:
    """39 points of a plausible mouth region, mm."""
    around = np.pi - np.linspace(0, 2 * np.pi, 12, endpoint=False)
    outer = np.stack([26 * np.cos(around), -75 + 10 * np.sin(around), 5 + 0 * around], axis=1)
    inside = np.pi - np.linspace(0, 2 * np.pi, 8, endpoint=False)
    inner = np.stack([20 * np.cos(inside), -75 + 1 * np.sin(inside), 5 + 0 * inside], axis=1)
    sweep = np.linspace(-np.pi * 0.95, -np.pi * 0.05, 11)
    jaw = np.stack([60 * np.cos(sweep), -65 + 52 * np.sin(sweep), -20 + 0 * sweep], axis=1)
    down = np.linspace(0, 1, 4)
    cheek = np.stack([-20 - 12 * down, -48 - 24 * down, 5 + 0 * down], axis=1)
    return np.concatenate([outer, inner, jaw, cheek, cheek * [-1, 1, 1]])


@pytest.fixture(scope="session")
def toy_model() -> MorphableModel:
    mouth = mouth_points_mm()
    rng = np.random.default_rng(0)
    others = rng.uniform([-60, -40, -20], [60, 40, 20], (68, 3))
    others[30] = (0, -36, 30)
    others[48:68] = mouth[:20]
    others[3:14] = mouth[20:31]
    mean = np.concatenate([others, mouth]).astype(np.float32)
    opening = np.zeros_like(mean)
    lower = mean[:, 1] < -75.01
    opening[lower, 1] = -8.0
    geometry = rng.normal(0, 0.5, (*mean.shape, 3)).astype(np.float32)
    return MorphableModel(
        name="toy",
        mean=mean,
        geometry_basis=geometry,
        expression_basis=opening[..., None],
        triangles=np.zeros((1, 3), np.int64),
        landmarks68=np.arange(68),
        mouth39=np.arange(68, 107),
        mesh468=np.full(468, -1),
    )


@pytest.fixture(scope="session")
def toy_parameters():
    """Makes still, frontal parameters of the toy face; any field may be given."""
    return make_parameters


def make_parameters(frames: int = 20, scale: float = 0.6, **changed: np.ndarray) -> FaceParameters:
    constant = {
        "time_s": np.arange(frames) / 25,
        "geometry": np.zeros(3, np.float32),
        "expression": np.zeros((frames, 1), np.float32),
        "rotation": np.zeros((frames, 3), np.float32),
        "translation": np.tile(np.float32([80.0, 50.0]), (frames, 1)),
        "scale": np.full(frames, scale, np.float32),
        "landmarks": np.zeros((frames, 68, 2), np.float32),
        "reprojection_error_px": np.zeros(frames, np.float32),
        "interocular_px": np.full(frames, 50, np.float32),
        "is_valid": np.ones(frames, bool),
    }
    return FaceParameters(model_name="toy", fps=25.0, **(constant | changed))


@pytest.fixture(scope="session")
def textured_frame():
    """Makes frames with smooth shading and fine texture."""
    return make_frame


def make_frame(seed: int = 0, height: int = 144, width: int = 160) -> np.ndarray:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    smooth = 120 + 60 * np.sin(x / 23) + 40 * np.cos(y / 17)
    noisy = smooth[..., None] + rng.normal(0, 6, (height, width, 3)) + [20, 0, -20]
    return np.clip(noisy, 0, 255).astype(np.uint8)
