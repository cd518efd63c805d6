"""A face of 39 points, and clips of noise-like pictures in which sound decides the mouth."""

from dataclasses import dataclass

import numpy as np
import torch

from talkin.face3d.model import MorphableModel
from talkin.face3d.parameters import FaceParameters
from talkin.networks.talking_face_config import TalkingFaceConfig
from talkin.samples.dataset import PreparedClip, TalkingDataset
from talkin.training.config import TrainingConfig

N_GEOMETRY, N_EXPRESSION, N_MFCC, SIZE = 5, 4, 6, 16

torch.set_num_threads(1)


@dataclass(frozen=True, eq=False)
class ArrayCrops:
    pictures: np.ndarray

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.pictures)

    def window(self, t: int, n: int = 7) -> np.ndarray:
        return self.pictures[t - n + 1 : t + 1]


def toy_face_model() -> MorphableModel:
    rng = np.random.default_rng(7)
    n = 68
    return MorphableModel(
        name="toy",
        mean=rng.normal(0, 25, (n, 3)).astype(np.float32),
        geometry_basis=rng.normal(0, 2, (n, 3, N_GEOMETRY)).astype(np.float32),
        expression_basis=rng.normal(0, 6, (n, 3, N_EXPRESSION)).astype(np.float32),
        triangles=np.array([[0, 1, 2]]),
        landmarks68=np.arange(n),
        mouth39=np.arange(39),
        mesh468=np.full(468, -1),
    )


def toy_clip(seed: int, speaker: str, n: int = 20, size: int = SIZE) -> PreparedClip:
    """Expression is a fixed linear function of the sound at its moment."""
    rng = np.random.default_rng(seed)
    mfcc = rng.normal(size=(4 * n + 20, N_MFCC)).astype(np.float32)
    mfcc[:, -1] += 3.0 * len(speaker)
    to_expression = np.random.default_rng(0).normal(size=(N_MFCC, N_EXPRESSION))
    expression = mfcc[4 * np.arange(n)] @ to_expression
    parameters = FaceParameters(
        model_name="toy",
        fps=25.0,
        time_s=np.arange(n) / 25.0,
        geometry=rng.normal(size=N_GEOMETRY).astype(np.float32),
        expression=expression.astype(np.float32),
        rotation=rng.normal(0, 0.1, (n, 3)).astype(np.float32),
        translation=np.full((n, 2), size / 2, np.float32),
        scale=np.full(n, size / 220, np.float32),
        landmarks=np.zeros((n, 68, 2), np.float32),
        reprojection_error_px=np.zeros(n, np.float32),
        interocular_px=np.ones(n, np.float32),
        is_valid=np.ones(n, bool),
    )
    pictures = rng.integers(0, 256, (n, size, size, 3)).astype(np.uint8)
    return PreparedClip(f"clip{seed}", speaker, parameters, mfcc, ArrayCrops(pictures))


def toy_dataset(n_clips: int = 2, first_seed: int = 0) -> TalkingDataset:
    clips = [toy_clip(first_seed + i, "ab"[i % 2] * (i % 2 + 1)) for i in range(n_clips)]
    return TalkingDataset(clips, toy_face_model(), speakers=("a", "bb"))


def toy_config(**changes: object) -> TalkingFaceConfig:
    settings: dict[str, object] = {
        "crop": {"size_px": SIZE},
        "mfcc": {"n_mfcc": N_MFCC},
        "n_geometry": N_GEOMETRY,
        "n_expression": N_EXPRESSION,
        "heatmap_sigma": 0.08,
        "identity_removal": {"n_components": 2, "hidden": 4, "rows_per_step": 10},
        "audio_to_expression": {"hidden": 8, "layers": 1, "rows_per_step": 10},
        "renderer": {"width": 4, "depth": 2},
        **changes,
    }
    return TalkingFaceConfig.model_validate(settings)


def toy_training(**changes: object) -> TrainingConfig:
    settings: dict[str, object] = {
        "device": "cpu",
        "threads": 1,
        "speaker_classifier": {"steps": 4, "batch_size": 8, "network": {"width": 3}},
        "audio": {"steps": 4, "batch_size": 8, "time_jitter_rows": 2, "noise_std": 0.1},
        "renderer": {"steps": 4, "batch_size": 2},
        "joint": {"steps": 4, "batch_size": 2},
        "perceptual": {"backbone": "filters", "scales": 2},
        "discriminator": {"width": 4, "depth": 2},
        "checkpoint_every": 2,
        "validate_every": 100,
        **changes,
    }
    return TrainingConfig.model_validate(settings)
