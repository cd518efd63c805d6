"""Clips of noise, for timing a step where nothing was prepared."""

from dataclasses import dataclass

import numpy as np

from talkin.face3d.model import MorphableModel
from talkin.face3d.parameters import FaceParameters
from talkin.networks.talking_face_config import TalkingFaceConfig
from talkin.samples.dataset import PreparedClip


@dataclass(frozen=True, eq=False)
class NoiseCrops:
    """Crops that were never taken."""

    pictures: np.ndarray

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.pictures)

    def window(self, t: int, n: int = 7) -> np.ndarray:
        """Frames t - n + 1 .. t."""
        return self.pictures[t - n + 1 : t + 1]


def noise_clip(seed: int, shape: TalkingFaceConfig, model: MorphableModel) -> PreparedClip:
    """Two seconds of random face and sound."""
    rng, n, size = np.random.default_rng(seed), 50, shape.crop.size_px
    face = FaceParameters(
        model_name=model.name,
        fps=25.0,
        time_s=np.arange(n) / 25.0,
        geometry=rng.normal(size=model.n_geometry).astype(np.float32),
        expression=rng.normal(size=(n, model.n_expression)).astype(np.float32),
        rotation=rng.normal(0, 0.05, (n, 3)).astype(np.float32),
        translation=np.full((n, 2), size / 2, np.float32),
        scale=np.full(n, shape.crop.px_per_mm, np.float32),
        landmarks=np.zeros((n, 68, 2), np.float32),
        reprojection_error_px=np.zeros(n, np.float32),
        interocular_px=np.full(n, size / 3, np.float32),
        is_valid=np.ones(n, bool),
    )
    sound = rng.normal(size=(4 * n + 20, shape.mfcc.n_columns)).astype(np.float32)
    pictures = rng.integers(0, 256, (n, size, size, 3)).astype(np.uint8)
    return PreparedClip(f"noise{seed}", f"s{seed % 2}", face, sound, NoiseCrops(pictures))
