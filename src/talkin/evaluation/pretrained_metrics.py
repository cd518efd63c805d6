"""Metrics that need other people's trained networks: LPIPS, FID, identity, LSE-C and LSE-D.

Nothing is fetched. Each network is read from a local file (safetensors, or torch's weights-only
reader) whose SHA-256 is checked; without the file its metric is left out, and asking for it says
which file is wanted.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from pydantic import BaseModel, ConfigDict, Field
from scipy.linalg import sqrtm
from torch import Tensor, nn
from torch.nn import functional

from talkin.errors import ConfigurationError
from talkin.networks.pretrained import read_weights

Frames = UInt8[np.ndarray, "frames height width 3"]
_AT_ONCE = 16


class WeightsConfig(BaseModel):
    """A local file with a published network."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path | None = Field(default=None, description="safetensors or .pth; none: not measured.")
    sha256: str | None = Field(default=None, description="Its checksum, or how it begins.")


class Lpips(nn.Module):
    """Learned perceptual distance (Zhang et al. 2018, version 0.1, AlexNet).

    The features of five layers, each divided by its length over channels; squared differences,
    weighted by channel, averaged over the picture and summed over layers.
    """

    _KEYS = (0, 3, 6, 8, 10)
    _CHANNELS = (64, 192, 384, 256, 256)

    def __init__(self) -> None:
        """Lay out the layers, untrained."""
        super().__init__()
        sizes = [(3, 64, 11, 4, 2), (64, 192, 5, 1, 2), (192, 384, 3, 1, 1)]
        sizes += [(384, 256, 3, 1, 1), (256, 256, 3, 1, 1)]
        self.convolutions = nn.ModuleList(nn.Conv2d(i, o, k, s, p) for i, o, k, s, p in sizes)
        self.weights = nn.ParameterList(nn.Parameter(torch.ones(n)) for n in self._CHANNELS)
        self.register_buffer("shift", torch.tensor([-0.030, -0.088, -0.188])[:, None, None])
        self.register_buffer("scale", torch.tensor([0.458, 0.448, 0.450])[:, None, None])

    @classmethod
    def load(cls, backbone: WeightsConfig, heads: WeightsConfig) -> "Lpips":
        """Read AlexNet (torchvision's keys) and the weights of the layers (lpips' own keys).

        Raises:
            ConfigurationError: Naming the file that is missing or is another one.
        """
        alexnet = read_weights(
            backbone.path,
            backbone.sha256,
            "lpips backbone",
            "give torchvision's alexnet-owt-7be5be79.pth, fetched by you",
        )
        linear = read_weights(
            heads.path, heads.sha256, "lpips heads", "give lpips' weights/v0.1/alex.pth"
        )
        net = cls()
        state = {}
        try:
            for layer, key in enumerate(cls._KEYS):
                for kind in ("weight", "bias"):
                    state[f"convolutions.{layer}.{kind}"] = alexnet[f"features.{key}.{kind}"]
                state[f"weights.{layer}"] = linear[f"lin{layer}.model.1.weight"].flatten()
            net.load_state_dict(state | dict(net.named_buffers()))
        except (KeyError, RuntimeError) as error:
            raise ConfigurationError(
                f"{backbone.path} and {heads.path} are not AlexNet and LPIPS heads: {error}"
            ) from error
        return net.eval()

    def forward(
        self, a: Float[Tensor, "n 3 height width"], b: Float[Tensor, "n 3 height width"]
    ) -> Float[Tensor, "n"]:
        """Distance of pictures in -1 to 1; 0 for the same."""
        total = torch.zeros(len(a), device=a.device)
        pairs = zip(self._features(a), self._features(b), self.weights, strict=True)
        for of_a, of_b, weight in pairs:
            apart = (_unit_length(of_a) - _unit_length(of_b)).square()
            total = total + (apart * weight[:, None, None]).sum(dim=1).mean(dim=(1, 2))
        return total

    def _features(self, pictures: Tensor) -> list[Tensor]:
        found, x = [], (pictures - self.get_buffer("shift")) / self.get_buffer("scale")
        for layer, convolution in enumerate(self.convolutions):
            if layer in (1, 2):
                x = functional.max_pool2d(x, 3, 2)
            x = functional.relu(convolution(x))
            found.append(x)
        return found


@torch.inference_mode()
def lpips(generated: Frames, true: Frames, net: Lpips) -> float:
    """Mean LPIPS over frames.

    Raises:
        ValueError: If the shapes differ.
    """
    if generated.shape != true.shape:
        raise ValueError(f"shapes differ: {generated.shape} and {true.shape}")
    values = [
        net(_unit(generated[i : i + _AT_ONCE]), _unit(true[i : i + _AT_ONCE]))
        for i in range(0, len(true), _AT_ONCE)
    ]
    return float(torch.cat(values).mean())


def frechet_distance(
    a: Float[np.ndarray, "n features"], b: Float[np.ndarray, "m features"]
) -> float:
    """Distance of two clouds of features taken for normal distributions (Heusel et al. 2017).

    With the pool3 features of the published Inception network this is FID. It is biased by the
    number of pictures: compare equal numbers only.

    Raises:
        ValueError: If a cloud has fewer than two points.
    """
    if min(len(a), len(b)) < 2:
        raise ValueError("a Frechet distance needs at least two pictures on each side")
    apart = float(np.square(a.mean(axis=0) - b.mean(axis=0)).sum())
    spreads = [np.atleast_2d(np.cov(cloud, rowvar=False)) for cloud in (a, b)]
    root = np.real(sqrtm(spreads[0] @ spreads[1]))
    return apart + float(np.trace(spreads[0] + spreads[1] - 2 * root))


Embedder = Callable[[Frames], Float[np.ndarray, "frames features"]]
"""Pictures to feature vectors: what identity and FID need of a network."""


def identity_preservation(generated: Frames, true: Frames, embed: Embedder) -> float:
    """Mean cosine of the face embeddings of each generated frame and the true one: 1 is the same.

    Known as CSIM; the figure belongs to its embedder, so say which.

    Raises:
        ValueError: If the shapes differ.
    """
    if generated.shape != true.shape:
        raise ValueError(f"shapes differ: {generated.shape} and {true.shape}")
    a, b = (_rows_of_length_one(embed(frames)) for frames in (generated, true))
    return float((a * b).sum(axis=1).mean())


def _unit(frames: Frames) -> Tensor:
    pictures = torch.from_numpy(np.ascontiguousarray(frames)).movedim(-1, 1)
    return pictures.float() / 127.5 - 1


def _unit_length(features: Tensor) -> Tensor:
    return features / (features.square().sum(dim=1, keepdim=True).sqrt() + 1e-10)


def _rows_of_length_one(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
