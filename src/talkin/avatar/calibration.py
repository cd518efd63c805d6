"""Measure which model vertex each of the 468 MediaPipe points sees.

The net was trained on people, so its "mouth corner" need not be the model's. Many different
synthetic people are drawn in many poses, the net places its points, and every point takes the
vertex whose exact projection it is nearest to on the average. The result belongs to one version
of the model; after a change of the model run `python -m talkin.avatar.calibration`.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int
from pydantic import BaseModel, ConfigDict, Field

from talkin.avatar.person import build_person, face_model
from talkin.avatar.scene import Pose, Scene, framed_poses
from talkin.avatar.speaker import draw_speakers
from talkin.face3d import gaussian_process
from talkin.face3d.camera import project
from talkin.face3d.gaussian_process import action_units, face_anatomy
from talkin.files import replace_when_whole
from talkin.footage.landmarks import IBUG68_IN_MEDIAPIPE468
from talkin.footage.mediapipe import MediapipeDetector

_OUTER_EYE_CORNERS = (36, 45)


class CalibrationConfig(BaseModel):
    """How many pictures of how many people."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=468, description="another seed draws other people")
    n_speakers: int = Field(default=24, ge=1, description="people")
    n_pictures: int = Field(default=5, ge=1, description="pictures of each")
    size_px: int = Field(default=320, ge=64, description="side of the pictures")
    yaw_deg: float = Field(
        default=22.0, ge=0, description="standard deviation of the head's turn aside"
    )
    pitch_deg: float = Field(default=9.0, ge=0, description="of its nodding")
    roll_deg: float = Field(default=5.0, ge=0, description="of its leaning")


@dataclass(frozen=True, eq=False)
class Sightings:
    """What the net and the renderer say about the same pictures.

    Attributes:
        detected: Points of the net, px.
        projected: All model vertices, px.
        interocular_px: Distance of the outer eye corners.
    """

    detected: Float[np.ndarray, "pictures 468 2"]
    projected: Float[np.ndarray, "pictures vertices 2"]
    interocular_px: Float[np.ndarray, "pictures"]


def collect_sightings(config: CalibrationConfig | None = None) -> Sightings:
    """Draw people and let the net place its points; pictures without a face are left out.

    Raises:
        FaceModelError: If the landmark nets are not there.
    """
    config = config or CalibrationConfig()
    detector = MediapipeDetector()
    rng = np.random.default_rng([config.seed, 3])
    detected, projected, interocular = [], [], []
    for speaker in draw_speakers(config.seed, config.n_speakers):
        scene = Scene(build_person(speaker), "front", config.size_px, 1.5)
        for number in range(config.n_pictures):
            expression, pose = _random_face(rng), _random_pose(rng, config)
            picture = scene.draw(expression, pose, (speaker.seed, number))
            points = _placed(detector, picture)
            if points is None:
                continue
            model = face_model()
            vertices = model.vertices(scene.person.geometry, expression)
            truth = project(vertices, pose.rotation, pose.translation, np.asarray(pose.scale))
            detected.append(points)
            projected.append(truth)
            left, right = (truth[model.landmarks68[corner]] for corner in _OUTER_EYE_CORNERS)
            # Seen from the side the eyes are close together: measure them as from the front.
            interocular.append(np.linalg.norm(left - right) / np.cos(pose.rotation[1]))
    return Sightings(np.array(detected), np.array(projected), np.array(interocular))


def nearest_vertices(
    sightings: Sightings, candidates: Int[np.ndarray, "candidates"]
) -> tuple[Int[np.ndarray, "468"], Float[np.ndarray, "468"]]:
    """For each of the 468 points the vertex with the least mean squared distance.

    Args:
        sightings: Detected and true points.
        candidates: Vertices that may be taken.

    Returns:
        The vertices, and their root mean square distances as a share of the eye distance.
    """
    unit = sightings.interocular_px[:, None, None]
    seen = sightings.detected / unit
    true = sightings.projected[:, candidates] / unit
    count = len(seen)
    cross = np.einsum("fvc,fpc->vp", true, seen, optimize=True)
    squared = (true**2).sum((0, 2))[:, None] - 2 * cross + (seen**2).sum((0, 2))[None, :]
    best = squared.argmin(0)
    least = squared[best, np.arange(squared.shape[1])] / count
    return candidates[best], np.sqrt(np.maximum(least, 0))


def landmark_residual(sightings: Sightings, vertices: Int[np.ndarray, "68"]) -> float:
    """Root mean square distance (share of the eye distance) of the 68 points to some vertices."""
    seen = sightings.detected[:, IBUG68_IN_MEDIAPIPE468]
    away = (seen - sightings.projected[:, vertices]) / sightings.interocular_px[:, None, None]
    return float(np.sqrt((away**2).sum(-1).mean()))


def write_calibration(vertices: Int[np.ndarray, "468"], path: Path) -> None:
    """Write the 468 vertices with the model's key, where `gaussian_process` looks for them."""
    record = {"model": gaussian_process.MODEL_NAME, "vertices": [int(v) for v in vertices]}
    with replace_when_whole(path) as part:
        part.write_text(json.dumps(record) + "\n", encoding="utf-8")


def calibrate(config: CalibrationConfig | None = None, path: Path | None = None) -> str:
    """Measure, write, and say in a line how well it went.

    Args:
        config: How many pictures.
        path: Where to write; by default beside the embedded model.
    """
    goal = path or Path(gaussian_process.__file__).with_name("mesh468.json")
    sightings = collect_sightings(config)
    vertices, distance = nearest_vertices(sightings, face_anatomy().vertices_of("skin", "lips"))
    write_calibration(vertices, goal)
    before = landmark_residual(sightings, face_model().landmarks68)
    after = landmark_residual(sightings, vertices[IBUG68_IN_MEDIAPIPE468])
    return (
        f"{len(sightings.detected)} pictures: the 68 points lie {before:.2%} of the eye distance "
        f"from the model's landmarks, {after:.2%} from the measured vertices; all 468 points "
        f"{float(np.sqrt((distance**2).mean())):.2%}; written to {goal}"
    )


def _placed(detector: MediapipeDetector, picture: np.ndarray) -> Float[np.ndarray, "468 2"] | None:
    """The net's points after one refinement, as tracking gives them; None without a face."""
    found = detector.find_faces(picture)
    if not found:
        return None
    first = detector.place_points(picture, found[0])
    second = detector.place_points(picture, first.region)
    return second.points if second.score >= detector.min_score else None


def _random_face(rng: np.random.Generator) -> Float[np.ndarray, "expression"]:
    units = action_units()
    amounts = {
        "jaw_open": rng.beta(1, 2),
        "pucker": rng.choice([0.0, 0.7]) * rng.random(),
        "lips_close": rng.random(),
        "smile": rng.choice([0.0, 0.6]) * rng.random(),
        "lower_down": 0.5 * rng.random(),
        "upper_up": 0.4 * rng.random(),
        "brow_inner_up": 0.5 * rng.random(),
        "blink": 0.25 * rng.random(),
    }
    amounts["lips_close"] *= 1 - amounts["jaw_open"]
    total = sum((amount * units[name] for name, amount in amounts.items()), start=np.zeros(1))
    return np.asarray(total, dtype=np.float32)


def _random_pose(rng: np.random.Generator, config: CalibrationConfig) -> Pose:
    spread = np.radians([config.pitch_deg, config.yaw_deg, config.roll_deg])
    rotation = np.clip(rng.standard_normal(3), -1.8, 1.8) * spread
    sway = rng.normal(0, 0.01 * config.size_px, (1, 2))
    factor = rng.uniform(0.85, 1.05, 1)
    return framed_poses(config.size_px, "front", rotation[None], sway, factor)[0]


if __name__ == "__main__":
    print(calibrate())  # noqa: T201
