"""An edit whose networks are tiny and whose face is told, so that all but the networks is real."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from talkin.editing.edit_clip import EditConfig, edit_clip
from talkin.editing.report import EditReport
from talkin.face3d.camera import project
from talkin.face3d.loading import load_face_model
from talkin.footage.audio import Audio, write_wav
from talkin.footage.detection import FaceRegion, Landmarks
from talkin.footage.video import VideoWriter
from talkin.networks.talking_face import TalkingFace
from talkin.networks.talking_face_config import TalkingFaceConfig

FPS = 25.0


class ToldFace:
    """A detector that sees the mean face, nodding a little, in the middle of every picture."""

    scheme = "ibug68"
    min_score = 0.5

    def __init__(self, model: Any, width: int, height: int) -> None:
        """Place the face of a model in pictures of a size."""
        expression = np.zeros((1, model.n_expression))
        self._points = model.points(model.landmarks68, np.zeros(model.n_geometry), expression)
        self._middle, self._scale, self._calls = (width / 2, height / 2), height / 400, 0

    def find_faces(self, image: np.ndarray, thorough: bool = False) -> list[FaceRegion]:
        """The one face."""
        return [FaceRegion(*self._middle, 250 * self._scale, 0.0, 1.0)]

    def place_points(self, image: np.ndarray, region: FaceRegion) -> Landmarks:
        """Its points."""
        self._calls += 1
        turn = np.array([[0.03 * np.sin(self._calls / 9), 0.05 * np.sin(self._calls / 14), 0.0]])
        where = np.array([self._middle])
        points = project(self._points, turn, where, np.array([self._scale]))[0]
        return Landmarks(points, 1.0, region)


def write_footage(path: Path, minutes: float, width: int, height: int) -> Path:
    """Drifting texture."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(60, 200, (height // 8 + 1, width // 8 + 1, 3)).astype(np.uint8)
    picture = np.kron(coarse, np.ones((8, 8, 1), np.uint8))[:height, :width]
    with VideoWriter(path, width, height, FPS) as writer:
        for t in range(round(minutes * 60 * FPS)):
            writer.write(np.roll(picture, t, axis=1))
    return path


def write_speech(path: Path, minutes: float) -> Path:
    """A tone that comes and goes."""
    t = np.arange(round(minutes * 60 * 16_000)) / 16_000
    write_wav(path, Audio((0.2 * np.sin(900 * t) * (np.sin(3 * t) > -0.3)).astype("f4"), 16_000))
    return path


def edit(video: Path, audio: Path, output: Path, width: int, height: int) -> EditReport:
    """Edit with tiny networks."""
    face_model = load_face_model()
    settings = {
        "crop": {"size_px": 64},
        "n_geometry": face_model.n_geometry,
        "n_expression": face_model.n_expression,
        "identity_removal": {"n_components": 2, "hidden": 8},
        "audio_to_expression": {"hidden": 16, "layers": 1},
        "renderer": {"width": 4, "depth": 2},
    }
    torch.manual_seed(0)
    networks = TalkingFace(TalkingFaceConfig.model_validate(settings), face_model).eval()
    detector = ToldFace(face_model, width, height)
    return edit_clip(video, audio, output, networks, face_model, detector, EditConfig())
