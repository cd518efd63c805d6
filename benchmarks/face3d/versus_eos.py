"""Fitting beside eos-py (the C++ library): same model, same landmarks, one thread.

Run: OMP_NUM_THREADS=1 python benchmarks/face3d/versus_eos.py [--frames 250]

eos-py is no dependency of the project; `pip install eos-py==1.5.0` brings it, into another
environment if you like (`--python PATH` names its interpreter). Both fit the 68 landmarks of
planted clips with the embedded model cut down to those 68 vertices, so that neither moves a mesh.
eos fits each picture on its own and reports shape anew each time; that is how it is used on video.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from fitting import INTEROCULAR_PX, as_track, plant

from talkin.face3d.fitting import fit_clip
from talkin.face3d.loading import load_face_model
from talkin.face3d.model import MorphableModel

_EOS_SIDE = """
import json, sys, time
import numpy as np
import eos
given = np.load(sys.argv[1])
def pca(mean, basis):
    flat = basis.reshape(-1, basis.shape[-1])
    norm = np.linalg.norm(flat, axis=0)
    return eos.morphablemodel.PcaModel(
        mean.reshape(-1, 1).astype(np.float32), (flat / norm).astype(np.float32),
        (norm**2)[:, None].astype(np.float32), [[0, 1, 2]])
shape = pca(given["mean"], given["geometry"])
moves = pca(np.zeros_like(given["mean"]), given["expression"])
model = eos.morphablemodel.MorphableModel(
    shape, moves, eos.morphablemodel.PcaModel(), {str(i): i for i in range(68)})
mapper = eos.core.LandmarkMapper()
clips = given["points"]
errors, lips, spent = [], [], 0.0
for clip in clips:
    own_lips = []
    for points in clip:
        marks = [eos.core.Landmark(str(i), p.astype(np.float32)) for i, p in enumerate(points)]
        start = time.process_time()
        mesh, rendering, alpha, beta = eos.fitting.fit_shape_and_pose(
            model, marks, mapper, 640, 640, num_iterations=int(given["iterations"]),
            lambda_identity=float(given["weight"]), lambda_expressions=float(given["weight"]))
        spent += time.process_time() - start
        camera = np.asarray(eos.fitting.get_3x4_affine_camera_matrix(rendering, 640, 640))
        placed = np.c_[np.asarray(mesh.vertices)[:, :3], np.ones(68)] @ camera.T
        errors.append(float(np.sqrt(((placed[:, :2] - points) ** 2).sum(1).mean())))
        own_lips.append(given["expression"][48:] @ np.asarray(beta))
    lips.append(own_lips)
np.save(sys.argv[2], np.array(lips))
print(json.dumps({"seconds": spent, "error_px": errors}))
"""


def lip_r2(found: np.ndarray, wanted: np.ndarray) -> float:
    """How much of the lips' motion (frames, 20, 3) is found."""
    moved, truth = found - found.mean(0), wanted - wanted.mean(0)
    return float(1 - ((moved - truth) ** 2).sum() / (truth**2).sum())


def main() -> None:
    """Print accuracy and frames a second of both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=250)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--python", default=sys.executable, help="an interpreter that has eos-py")
    options = parser.parse_args()
    asked = subprocess.run([options.python, "-c", "import eos"], capture_output=True, check=False)
    if asked.returncode:
        print(f"skipped: {options.python} has no eos-py (pip install eos-py==1.5.0)")
        return
    model = load_face_model()
    print("| fitted by | noise | RMSE % of the eye distance | lip R2 | frames/s |")
    print("| --- | --- | --- | --- | --- |")
    for noise in (0.0, 0.015):
        truths = [plant(model, options.frames, seed, (0, 0)) for seed in range(options.seeds)]
        points = np.stack([truth.picture(model, model.landmarks68) for truth in truths])
        stray = np.random.default_rng(9).normal(size=points.shape)
        points = points + stray * noise * INTEROCULAR_PX
        lips = model.expression_basis[model.landmarks68[48:]].astype(float)
        wanted = [np.einsum("vce,te->tvc", lips, truth.expression) for truth in truths]
        _ours(model, points, lips, wanted, noise)
        for weight in (30.0, 1.0):
            _theirs(model, points, options.python, weight, wanted, noise)


def _ours(
    model: MorphableModel, points: np.ndarray, lips: np.ndarray, wanted: list, noise: float
) -> None:
    fit_clip(as_track(points[0], "ibug68"), model)
    start = time.process_time()
    fits = [fit_clip(as_track(clip, "ibug68"), model) for clip in points]
    spent = time.process_time() - start
    error = np.mean([fit.reprojection_error_px.mean() for fit in fits]) / INTEROCULAR_PX
    found = [np.einsum("vce,te->tvc", lips, fit.expression) for fit in fits]
    score = np.mean([lip_r2(*pair) for pair in zip(found, wanted, strict=True)])
    rate = points.shape[0] * points.shape[1] / spent
    print(f"| talkin | {noise} | {100 * error:.2f} | {score:.3f} | {rate:.0f} |", flush=True)


def _theirs(
    model: MorphableModel,
    points: np.ndarray,
    python: str,
    weight: float,
    wanted: list,
    noise: float,
) -> None:
    chosen = model.landmarks68
    with tempfile.TemporaryDirectory() as folder:
        given, lips = Path(folder) / "given.npz", Path(folder) / "lips.npy"
        np.savez(
            given,
            mean=model.mean[chosen],
            geometry=model.geometry_basis[chosen],
            expression=model.expression_basis[chosen],
            points=points,
            iterations=5,
            weight=weight,
        )
        done = subprocess.run(
            [python, "-c", _EOS_SIDE, str(given), str(lips)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            print(f"eos failed: {done.stderr.strip().splitlines()[-1:]}")
            return
        result = json.loads(done.stdout)
        score = np.mean([lip_r2(*pair) for pair in zip(np.load(lips), wanted, strict=True)])
    rate = points.shape[0] * points.shape[1] / result["seconds"]
    error = 100 * np.mean(result["error_px"]) / INTEROCULAR_PX
    print(f"| eos-py, weight {weight:g} | {noise} | {error:.2f} | {score:.3f} | {rate:.0f} |")


if __name__ == "__main__":
    main()
