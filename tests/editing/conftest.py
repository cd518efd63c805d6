"""A toy face: a flat grid of landmarks whose one expression drops the jaw."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from talkin.editing.edit_clip import EditConfig, edit_clip
from talkin.face3d.camera import project
from talkin.face3d.model import MorphableModel
from talkin.face3d.parameters import FaceParameters
from talkin.footage.audio import Audio, write_wav
from talkin.footage.detection import FaceRegion, Landmarks
from talkin.footage.video import VideoWriter
from talkin.samples.alignment import CropConfig

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


FACE_HEIGHT_MM = 157.0
SHAPE = (120, 160)


@dataclass(frozen=True)
class Disc:
    """A face of the toy scene: a pinkish disc at some place, so high, so bright."""

    x: float = 80.0
    y: float = 60.0
    height: float = 60.0
    level: float = 1.0


def scene_picture(discs: list[Disc], number: int = 0, floor: int = 90) -> np.ndarray:
    """Grey stripes that drift, and discs: red beyond green by 64 levels and more."""
    columns = np.arange(SHAPE[1]) + number
    picture = np.repeat((floor + 20 * np.sin(columns / 9.0))[None, :, None], SHAPE[0], axis=0)
    picture = np.repeat(picture, 3, axis=2).clip(0, 255).astype(np.uint8)
    for disc in discs:
        colour = (np.array([200, 110, 120]) * disc.level).clip(0, 255)
        if disc.level > 1.2:
            colour = np.array([255, 235, 255])
        centre = (round(disc.x * 16), round(disc.y * 16))
        radius = round(disc.height / 2 * 16)
        cv2.circle(picture, centre, radius, colour.tolist(), -1, cv2.LINE_AA, shift=4)
    return picture


class DiscDetector:
    """Takes discs for faces and places the toy face's 68 points on them."""

    scheme = "ibug68"
    min_score = 0.5

    def __init__(self, model: MorphableModel) -> None:  # noqa: D107
        self._points_mm = model.points(model.landmarks68, np.zeros(3), np.zeros((1, 1)))

    def find_faces(self, image, thorough=False):
        reddish = image[..., 0].astype(int) - image[..., 1] > 10
        count, _, boxes, centres = cv2.connectedComponentsWithStats(reddish.astype(np.uint8))
        order = sorted(range(1, count), key=lambda k: -boxes[k, cv2.CC_STAT_AREA])
        return [
            FaceRegion(*centres[k], 1.5 * float(boxes[k, cv2.CC_STAT_HEIGHT]), 0.0, 1.0)
            for k in order
            if boxes[k, cv2.CC_STAT_AREA] >= 30
        ]

    def place_points(self, image, region):
        near = [
            face
            for face in self.find_faces(image)
            if np.hypot(face.x - region.x, face.y - region.y) < region.size / 2
        ]
        if not near:
            return Landmarks(np.zeros((68, 2)), 0.0, region)
        face = near[0]
        scale = face.size / 1.5 / FACE_HEIGHT_MM
        middle = np.array([[face.x, face.y - 38.5 * scale]])
        points = project(self._points_mm, np.zeros((1, 3)), middle, np.array([scale]))[0]
        return Landmarks(points, 1.0, face)


@pytest.fixture
def scene(tmp_path, toy_model, monkeypatch):
    """Footage of discs, speech that moves them, and an edit that paints mouths blue."""
    detector = DiscDetector(toy_model)

    def video(faces_of_frame, n_frames=15, name="target.mp4", fps=25.0, floor_of_frame=None):
        with VideoWriter(tmp_path / name, SHAPE[1], SHAPE[0], fps) as writer:
            for t in range(n_frames):
                floor = 90 if floor_of_frame is None else floor_of_frame(t)
                writer.write(scene_picture(faces_of_frame(t), t, floor))
        return tmp_path / name

    def speech(seconds=0.6, rate=16_000, name="speech.wav", loudness=0.2):
        tone = loudness * np.sin(np.arange(round(seconds * rate)) * 0.1)
        write_wav(tmp_path / name, Audio(tone.astype(np.float32), rate))
        return tmp_path / name

    def blue(crops, landmarks):
        return np.broadcast_to(np.float32([0, 0, 255]), crops.shape).copy()

    def edit(video_path: Path, audio: Path, output: Path | None = None, **options: object):
        # Poisson blending would take an even blue for an offset and remove it.
        config = {"painting": {"compositing": {"poisson": False}}} | options.pop("config", {})
        painting = {"mouth": {"source": "network"}} | config["painting"]
        options["config"] = EditConfig.model_validate(config | {"painting": painting})
        return edit_clip(
            video_path,
            audio,
            output or tmp_path / "out" / "edited.mp4",
            model,
            toy_model,
            detector,
            **options,
        )

    monkeypatch.setattr("talkin.editing.mouth_source.engine_of", lambda *_: blue)
    monkeypatch.setattr(
        "talkin.editing.driving.expression_of_speech",
        lambda sound, times, model: (1 + np.sin(20 * times))[:, None].astype(np.float32),
    )
    config = SimpleNamespace(
        crop=CropConfig(size_px=64),
        mfcc=SimpleNamespace(sample_rate=16000),
        frames=7,
        mask_fill="noise",
        renderer=SimpleNamespace(is_full_face=False),
    )
    model = SimpleNamespace(config=config, face_model=toy_model, version=lambda: "toy")
    output = tmp_path / "out" / "edited.mp4"
    return SimpleNamespace(
        video=video, speech=speech, edit=edit, disc=Disc, output=output, detector=detector
    )
