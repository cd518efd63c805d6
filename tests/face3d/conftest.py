from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from talkin.face3d.camera import project
from talkin.face3d.gaussian_process import build_gaussian_process_model
from talkin.face3d.model import MorphableModel
from talkin.footage.landmarks import LandmarkTrack


@dataclass(frozen=True, eq=False)
class Planted:
    """A clip whose truth is known."""

    geometry: np.ndarray
    expression: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray
    scale: np.ndarray

    def landmarks(self, model: MorphableModel) -> np.ndarray:
        points = model.points(model.landmarks68, self.geometry, self.expression)
        return project(points, self.rotation, self.translation, self.scale)


@pytest.fixture(scope="session")
def model() -> MorphableModel:
    return build_gaussian_process_model()


def wander(random: np.random.Generator, frames: int, deviations: list[float]) -> np.ndarray:
    """Smooth random motion with the given standard deviations."""
    bell = np.exp(-0.5 * (np.arange(-12, 13) / 4) ** 2)
    bell /= np.sqrt((bell**2).sum())
    steps = random.normal(size=(frames + 24, len(deviations)))
    moved = [np.convolve(column, bell, "valid") for column in steps.T]
    return np.stack(moved, axis=1) * np.array(deviations)


@pytest.fixture(scope="session")
def plant(model: MorphableModel) -> Callable[..., Planted]:
    def planted(frames: int, seed: int = 0, view: tuple[float, float] = (0.0, 0.0)) -> Planted:
        random = np.random.default_rng(seed)
        return Planted(
            geometry=random.normal(size=model.n_geometry),
            expression=wander(random, frames, [1.0] * model.n_expression),
            rotation=wander(random, frames, [0.05, 0.14, 0.035]) + np.array([*view, 0.0]),
            translation=wander(random, frames, [6.0, 6.0]) + np.array([320.0, 240.0]),
            scale=2.0 * np.exp(wander(random, frames, [0.01])[:, 0]),
        )

    return planted


@pytest.fixture(scope="session")
def as_track() -> Callable[..., LandmarkTrack]:
    def track(points: np.ndarray, scheme: str = "ibug68") -> LandmarkTrack:
        return LandmarkTrack(
            points=points.astype(np.float32),
            scheme=scheme,
            is_found=np.isfinite(points).any((1, 2)),
            score=np.ones(len(points), dtype=np.float32),
            time_s=np.arange(len(points)) / 25.0,
            fps=25.0,
            width=640,
            height=480,
        )

    return track
