"""Measure which model vertex each of the 468 MediaPipe points sees.

The net was trained on people, so its "mouth corner" need not be the model's. Many different
synthetic people are drawn in many poses, the net places its points, and every point takes the
vertex whose exact projection it is nearest to on the average. Where vertices lie several mm
apart, on the cheeks, that is coarse: so the way from the vertex to the point is measured as well,
and how far the point still strays. The result belongs to one version of the model; after a change
of the model run `python -m talkin.avatar.calibration`.
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
from talkin.face3d.camera import project, rotation_matrix
from talkin.face3d.gaussian_process import action_units, face_anatomy
from talkin.files import replace_when_whole
from talkin.footage.landmarks import IBUG68_IN_MEDIAPIPE468
from talkin.footage.mediapipe import MediapipeDetector

_OUTER_EYE_CORNERS = (36, 45)
_CLOSED_SHARE = 0.5
_INNER_LIP_PAIRS: tuple[tuple[int, int], ...] = ((191, 95), (80, 88), (81, 178), (82, 87), (13, 14))
_INNER_LIP_PAIRS += ((312, 317), (311, 402), (310, 318), (415, 324))
_SEEN_OF_CLOSED_LIPS_MM = 0.5
_HELD_SHARE = 0.02  # of what the poses say about a point, in favour of its vertex


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
        rotation: (pitch, yaw, roll) of the head, rad.
        scale: Pixels per mm.
    """

    detected: Float[np.ndarray, "pictures 468 2"]
    projected: Float[np.ndarray, "pictures vertices 2"]
    interocular_px: Float[np.ndarray, "pictures"]
    rotation: Float[np.ndarray, "pictures 3"]
    scale: Float[np.ndarray, "pictures"]


def collect_sightings(config: CalibrationConfig | None = None) -> Sightings:
    """Draw people and let the net place its points; pictures without a face are left out.

    Raises:
        FaceModelError: If the landmark nets are not there.
    """
    config = config or CalibrationConfig()
    detector = MediapipeDetector()
    rng = np.random.default_rng([config.seed, 3])
    detected, projected, interocular = [], [], []
    rotation, scale = [], []
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
            rotation.append(pose.rotation)
            scale.append(float(pose.scale))
    seen = (detected, projected, interocular, rotation, scale)
    return Sightings(*(np.array(values) for values in seen))


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


def way_to_points(
    sightings: Sightings, vertices: Int[np.ndarray, "468"]
) -> tuple[Float[np.ndarray, "468 3"], Float[np.ndarray, "468"]]:
    """The constant way from each vertex to its point, in the head's own axes.

    A least-squares problem of three unknowns a point over all poses; what no pose shows (depth,
    mostly) is held near zero.

    Args:
        sightings: Detected and true points.
        vertices: The vertex of each point.

    Returns:
        The ways, mm; and the root mean square distance that remains, as a share of the eye
        distance.
    """
    flip = np.array([1.0, -1.0])[:, None]
    camera = sightings.scale[:, None, None] * flip * rotation_matrix(sightings.rotation)[:, :2]
    away = sightings.detected - sightings.projected[:, vertices]
    precision = 1.0 / sightings.interocular_px**2
    system = np.einsum("f,fic,fid->cd", precision, camera, camera)
    pull = np.einsum("f,fic,fpi->pc", precision, camera, away)
    held = _HELD_SHARE * np.trace(system) / 3 * np.eye(3)
    ways = np.linalg.solve(system + held, pull.T).T
    rest = (away - np.einsum("fic,pc->fpi", camera, ways)) / sightings.interocular_px[:, None, None]
    return ways, np.sqrt((rest**2).sum(-1).mean(0))


def with_meeting_lips(
    vertices: Int[np.ndarray, "468"], ways: Float[np.ndarray, "468 3"]
) -> tuple[Int[np.ndarray, "468"], Float[np.ndarray, "468 3"]]:
    """Let the inner lips of the points meet exactly when those of the model do.

    On drawn faces the net sees closed lips two mm apart, on people 0.2 to 1 mm: the measured ways
    would push the lips of people through one another. So the two points of a pair get vertices of
    the line where the lips touch, and the same way up or down.
    """
    mean, curves = face_model().mean, face_anatomy().curves
    places = mean[vertices] + ways
    vertices, ways = vertices.copy(), ways.copy()
    pairs = np.array(_INNER_LIP_PAIRS)
    for side, curve in zip(pairs.T, ("inner_lip_upper", "inner_lip_lower"), strict=True):
        middle = places[pairs, 0].mean(1)
        vertices[side] = curves[curve][np.abs(mean[curves[curve], 0] - middle[:, None]).argmin(1)]
    ways[pairs] = places[pairs] - mean[vertices[pairs]]
    ways[pairs] = ways[pairs].mean(1, keepdims=True)
    ways[pairs[:, 0], 1] += _SEEN_OF_CLOSED_LIPS_MM / 2
    ways[pairs[:, 1], 1] -= _SEEN_OF_CLOSED_LIPS_MM / 2
    return vertices, ways


def landmark_residual(sightings: Sightings, vertices: Int[np.ndarray, "68"]) -> float:
    """Root mean square distance (share of the eye distance) of the 68 points to some vertices."""
    seen = sightings.detected[:, IBUG68_IN_MEDIAPIPE468]
    away = (seen - sightings.projected[:, vertices]) / sightings.interocular_px[:, None, None]
    return float(np.sqrt((away**2).sum(-1).mean()))


def write_calibration(
    vertices: Int[np.ndarray, "468"],
    ways: Float[np.ndarray, "468 3"],
    strays: Float[np.ndarray, "468"],
    path: Path,
) -> None:
    """Write what was measured with the model's key, where `gaussian_process` looks for it."""
    record = {
        "model": gaussian_process.MODEL_NAME,
        "vertices": [int(v) for v in vertices],
        "offset_mm": [[round(float(x), 3) for x in way] for way in ways],
        "error": [round(float(x), 5) for x in strays],
    }
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
    ways, strays = way_to_points(sightings, vertices)
    vertices, ways = with_meeting_lips(vertices, ways)
    write_calibration(vertices, ways, strays, goal)
    before = landmark_residual(sightings, face_model().landmarks68)
    after = landmark_residual(sightings, vertices[IBUG68_IN_MEDIAPIPE468])
    nearest, beside = (float(np.sqrt((away**2).mean())) for away in (distance, strays))
    return (
        f"{len(sightings.detected)} pictures: the 68 points lie {before:.2%} of the eye distance "
        f"from the model's landmarks, {after:.2%} from the measured vertices; all 468 points "
        f"{nearest:.2%}, and {beside:.2%} from the places beside the vertices; written to {goal}"
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
    if rng.random() < _CLOSED_SHARE:
        # Measured on open mouths alone, closed lips would be fitted through one another.
        amounts |= {"jaw_open": 0.0, "lips_close": 1.0, "lower_down": 0.0, "upper_up": 0.0}
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
