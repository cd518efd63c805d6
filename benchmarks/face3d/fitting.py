"""Fitting against planted truth: accuracy and speed, one table.

Run: OMP_NUM_THREADS=1 python benchmarks/face3d/fitting.py [--frames 250] [--seeds 3]
"""

import argparse
import time
from dataclasses import dataclass

import numpy as np

from talkin.face3d.camera import project, rotation_matrix
from talkin.face3d.fitting import FitConfig, fit_clip
from talkin.face3d.loading import load_face_model
from talkin.face3d.model import MorphableModel
from talkin.face3d.parameters import FaceParameters
from talkin.footage.landmarks import LandmarkTrack

PX_PER_MM = 2.0
INTEROCULAR_PX = 89 * PX_PER_MM


@dataclass(frozen=True, eq=False)
class Truth:
    """A planted clip."""

    geometry: np.ndarray
    expression: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray
    scale: np.ndarray

    def picture(self, model: MorphableModel, vertices: np.ndarray) -> np.ndarray:
        """Its landmarks, px."""
        points = model.points(vertices, self.geometry, self.expression)
        return project(points, self.rotation, self.translation, self.scale)


def wander(
    random: np.random.Generator, frames: int, deviations: list[float], reach: int
) -> np.ndarray:
    """Smooth random motion: Gaussian bells of `reach` frames."""
    bell = np.exp(-0.5 * (np.arange(-4 * reach, 4 * reach + 1) / reach) ** 2)
    bell /= np.sqrt((bell**2).sum())
    steps = random.normal(size=(frames + 8 * reach, len(deviations)))
    moved = np.stack([np.convolve(column, bell, "valid") for column in steps.T], axis=1)
    return moved * np.array(deviations)


def plant(model: MorphableModel, frames: int, seed: int, view: tuple[float, float]) -> Truth:
    """A speaker with moving head and face; `view` is (pitch, yaw) in degrees."""
    random = np.random.default_rng(seed)
    return Truth(
        geometry=random.normal(size=model.n_geometry),
        expression=wander(random, frames, [1.0] * model.n_expression, 2),
        rotation=wander(random, frames, [0.05, 0.14, 0.035], 10) + np.radians([*view, 0.0]),
        translation=wander(random, frames, [6.0, 6.0], 10) + 300.0,
        scale=PX_PER_MM * np.exp(wander(random, frames, [0.01], 15)[:, 0]),
    )


def as_track(points: np.ndarray, scheme: str) -> LandmarkTrack:
    """Landmarks as tracking would give them."""
    frames = len(points)
    return LandmarkTrack(
        points=points.astype(np.float32),
        scheme=scheme,
        is_found=np.ones(frames, dtype=bool),
        score=np.ones(frames, dtype=np.float32),
        time_s=np.arange(frames) / 25,
        fps=25.0,
        width=640,
        height=640,
    )


def scores(model: MorphableModel, truth: Truth, fitted: FaceParameters) -> dict[str, float]:
    """Errors against the truth, named as in the table."""
    relative = rotation_matrix(fitted.rotation) @ np.swapaxes(rotation_matrix(truth.rotation), 1, 2)
    cosine = (np.trace(relative, axis1=1, axis2=2) - 1) / 2
    lips = model.expression_basis[model.landmarks68[48:]].astype(float)

    def motion(expression: np.ndarray) -> np.ndarray:
        moved = np.einsum("vce,te->tvc", lips, expression)
        return moved - moved.mean(0)

    wanted, found = motion(truth.expression), motion(fitted.expression)
    aperture = [lip[:, 14, 1] - lip[:, 18, 1] for lip in (wanted, found)]
    front = np.flatnonzero(model.mean[:, 2] > -60)
    off = np.einsum("vcg,g->vc", model.geometry_basis[front], fitted.geometry - truth.geometry)
    norm = np.einsum("vcg,g->vc", model.geometry_basis[front], truth.geometry)
    error = fitted.reprojection_error_px / fitted.interocular_px
    return {
        "rotation deg": np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean(),
        "lip R2": 1 - ((found - wanted) ** 2).sum() / (wanted**2).sum(),
        "aperture r": np.corrcoef(*aperture)[0, 1],
        "RMSE % IOD": 100 * error.mean(),
        "geometry mm": np.sqrt((off**2).sum(1).mean()),
        "(mean face)": np.sqrt((norm**2).sum(1).mean()),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=250)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    model = load_face_model()
    dense = model.mesh468 if (model.mesh468 >= 0).all() else np.arange(468) * 4 + 68
    cases: list[tuple[str, float, tuple[float, float], bool, int]] = [
        ("exact", 0.0, (0, 0), False, options.frames),
        ("exact, yaw 60", 0.0, (0, 60), False, options.frames),
        ("exact, yaw -30", 0.0, (0, -30), False, options.frames),
        ("exact, pitch 30", 0.0, (30, 0), False, options.frames),
        ("1.5 % noise", 0.015, (0, 0), False, options.frames),
        ("1.5 % noise, yaw 60", 0.015, (0, 60), False, options.frames),
        ("1.5 % noise, 3000 frames", 0.015, (0, 0), False, 3000),
        ("1.5 % noise, 468 points", 0.015, (0, 0), True, options.frames),
        ("1.5 % noise, 468, 1500 frames", 0.015, (0, 0), True, 1500),
    ]
    print(
        "| case | rotation deg | lip R2 | aperture r | RMSE % | geometry mm | (mean face) | speed |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    from dataclasses import replace

    calibrated = replace(model, mesh468=dense, mesh468_offset=None)
    fit_clip(as_track(plant(model, 40, 0, (0, 0)).picture(model, np.arange(68)), "ibug68"), model)
    for name, noise, view, is_dense, frames in cases:
        used = calibrated if is_dense else model
        vertices = dense if is_dense else model.landmarks68
        scheme = "mediapipe468" if is_dense else "ibug68"
        rows, spent = [], 0.0
        for seed in range(options.seeds):
            truth = plant(model, frames, seed, view)
            picture = truth.picture(model, vertices)
            stray = np.random.default_rng(90 + seed).normal(size=picture.shape)
            track = as_track(picture + stray * noise * INTEROCULAR_PX, scheme)
            start = time.process_time()
            fitted = fit_clip(track, used, FitConfig())
            spent += time.process_time() - start
            rows.append(scores(model, truth, fitted))
        means = " | ".join(f"{np.mean([row[key] for row in rows]):.3f}" for key in rows[0])
        print(f"| {name} | {means} | {frames * options.seeds / spent:.0f} frames/s |", flush=True)


if __name__ == "__main__":
    main()
