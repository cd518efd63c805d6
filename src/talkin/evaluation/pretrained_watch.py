"""The figures of pretrained networks for `talkin score`, of those whose files were given."""

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from talkin.errors import ConfigurationError
from talkin.evaluation.onnx_embedder import EmbedderConfig, OnnxEmbedder
from talkin.evaluation.pretrained_metrics import (
    Frames,
    Lpips,
    WeightsConfig,
    frechet_distance,
    identity_preservation,
    lpips,
)
from talkin.evaluation.syncnet import SyncNet, lse
from talkin.footage.audio import Audio


class InceptionConfig(EmbedderConfig):
    """Inception's pictures are larger."""

    size_px: int = Field(default=299, ge=8, description="Side of the square picture it wants.")


class PretrainedConfig(BaseModel):
    """Local files of published networks; what is not given is not measured."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lpips_backbone: WeightsConfig = Field(WeightsConfig(), description="AlexNet of torchvision.")
    lpips_heads: WeightsConfig = Field(WeightsConfig(), description="lpips' v0.1 weights of it.")
    syncnet: WeightsConfig = Field(WeightsConfig(), description="syncnet_v2.model.")
    identity: EmbedderConfig = Field(EmbedderConfig(), description="A face embedder.")
    inception: InceptionConfig = Field(
        InceptionConfig(), description="Inception up to pool3, for FID."
    )


class PretrainedWatch:
    """Measures pairs of clips; keeps the features that FID wants of all of them."""

    def __init__(self, config: PretrainedConfig) -> None:
        """Read the networks whose files were given.

        Raises:
            ConfigurationError: If a file is missing, damaged or another network.
        """
        given = config.lpips_backbone.path, config.lpips_heads.path
        self._lpips = None
        if any(given):
            self._lpips = Lpips.load(config.lpips_backbone, config.lpips_heads)
        self._syncnet = SyncNet.load(config.syncnet) if config.syncnet.path else None
        self._identity = OnnxEmbedder(config.identity) if config.identity.path else None
        self._inception = OnnxEmbedder(config.inception) if config.inception.path else None
        self._features: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
        self.names = {
            "lpips": f"AlexNet {given[0]}, heads {given[1]}" if self._lpips else "",
            "identity": self._identity.name if self._identity else "",
            "FID": self._inception.name if self._inception else "",
            "LSE": str(config.syncnet.path or ""),
        }

    def __call__(
        self, real: Frames, fake: Frames, sounds: Sequence[Audio]
    ) -> dict[str, dict[str, float]]:
        """Figures of one pair."""
        found: dict[str, dict[str, float]] = {"real": {}, "fake": {}}
        if self._lpips:
            found["fake"]["lpips"] = lpips(fake, real, self._lpips)
        if self._identity:
            found["fake"]["identity"] = identity_preservation(fake, real, self._identity)
        if self._inception:
            for kept, frames in zip(self._features, (real, fake), strict=True):
                kept.append(self._inception(frames))
        if self._syncnet and sounds:
            for system, frames, sound in (("real", real, sounds[0]), ("fake", fake, sounds[-1])):
                distance, confidence = lse(frames, sound, self._syncnet)
                found[system] |= {"lse_d": distance, "lse_c": confidence}
        return found

    def frechet(self) -> float | None:
        """FID of all clips together; None where no Inception was given."""
        if not self._features[0]:
            return None
        real, fake = (np.concatenate(kept) for kept in self._features)
        if len(real) < 2:
            raise ConfigurationError("FID needs at least two frames")
        return frechet_distance(fake, real)
