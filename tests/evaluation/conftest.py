"""A clip whose sound spells out its expression, and a model that can read it."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from talkin.evaluation.metrics import mouth_opening
from talkin.face3d.gaussian_process import build_gaussian_process_model
from talkin.face3d.model import MorphableModel
from talkin.face3d.parameters import FaceParameters
from talkin.footage.mfcc import MfccConfig
from talkin.networks.audio_to_expression import AudioToExpressionConfig
from talkin.networks.identity_removal import IdentityRemovalConfig
from talkin.networks.renderer import RendererConfig
from talkin.networks.talking_face import RenderedWindow, TalkingFace
from talkin.networks.talking_face_config import TalkingFaceConfig
from talkin.samples.alignment import CropConfig, mask_box
from talkin.samples.dataset import PreparedClip

SIZE, FPS = 64, 25.0
CROP = CropConfig(size_px=SIZE)
BOX = mask_box(CROP)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def face_model() -> MorphableModel:
    return build_gaussian_process_model()


@dataclass
class ArrayCrops:
    """Crops held in memory."""

    pictures: np.ndarray

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.pictures)

    def window(self, t: int, n: int = 7) -> np.ndarray:
        return self.pictures[t - n + 1 : t + 1]


def grey_of(landmarks: np.ndarray) -> np.ndarray:
    """The grey level that stands for an opening in these pictures."""
    return np.clip(60 + 25 * mouth_opening(landmarks), 0, 255)


class ReadingFace(TalkingFace):
    """Hears the expression that the sound spells out, plus `mistake`, and paints greys."""

    mistake: float = 0.0

    def translate(self, id_removed: torch.Tensor) -> torch.Tensor:
        return id_removed[..., self.config.window.rows_before, :29] + self.mistake

    def render(self, frames, landmarks, noise=None, generator=None, fill=None) -> RenderedWindow:  # type: ignore[no-untyped-def]
        x0, y0, x1, y1 = BOX
        grey = torch.from_numpy(grey_of(landmarks.numpy())).float() / 127.5 - 1
        pasted = frames.clone()
        pasted[..., y0:y1, x0:x1] = grey[..., None, None, None]
        return RenderedWindow(raw=pasted, pasted=pasted)


def make_model(face_model: MorphableModel, kind: type[TalkingFace] = ReadingFace) -> TalkingFace:
    torch.manual_seed(0)
    config = TalkingFaceConfig(
        crop=CROP,
        mfcc=MfccConfig(n_mfcc=30),
        identity_removal=IdentityRemovalConfig(
            is_used=kind is not ReadingFace, hidden=8, n_components=2
        ),
        audio_to_expression=AudioToExpressionConfig(hidden=8, layers=1),
        renderer=RendererConfig(width=4, depth=3),
    )
    return kind(config, face_model).eval()


def make_clip(
    face_model: MorphableModel, seed: int = 0, n: int = 40, speaker: str = "anna", name: str = ""
) -> PreparedClip:
    rng = np.random.default_rng(seed)
    time_s = np.arange(n) / FPS
    waves = np.sin(2 * np.pi * time_s[:, None] * rng.uniform(0.5, 3, 29) + rng.uniform(0, 6, 29))
    parameters = FaceParameters(
        model_name=face_model.name,
        fps=FPS,
        time_s=time_s,
        geometry=np.zeros(199, np.float32),
        expression=waves.astype(np.float32),
        rotation=np.zeros((n, 3)),
        translation=np.tile([SIZE / 2, SIZE * 0.2], (n, 1)),
        scale=np.full(n, CROP.px_per_mm),
        landmarks=np.zeros((n, 68, 2)),
        reprojection_error_px=np.zeros(n),
        interocular_px=np.full(n, 27.0),
        is_valid=np.ones(n, bool),
    )
    mfcc = np.zeros((4 * n, 30), np.float32)
    mfcc[:, :29] = np.repeat(waves, 4, axis=0)
    mfcc[:, 29] = seed
    return PreparedClip(
        clip=name or f"{speaker}{seed}",
        speaker=speaker,
        parameters=parameters,
        mfcc=mfcc,
        crops=ArrayCrops(_pictures(parameters, face_model, rng)),
    )


def _pictures(
    parameters: FaceParameters, face_model: MorphableModel, rng: np.random.Generator
) -> np.ndarray:
    grey = rng.integers(60, 200, size=(8, 8, 1)) + np.array([12, 0, -12])  # video halves colours
    picture = np.kron(grey, np.ones((SIZE // 8, SIZE // 8, 1)))
    pictures = np.tile(picture, (len(parameters), 1, 1, 1)).astype(np.uint8)
    grey = grey_of(parameters.mouth_landmarks(face_model))
    x0, y0, x1, y1 = BOX
    pictures[:, y0:y1, x0:x1] = np.rint(grey)[:, None, None, None].astype(np.uint8)
    return pictures
