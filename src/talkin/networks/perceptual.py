"""Picture features for the perceptual loss (section 3.3.2, after Johnson et al. 2016).

`vgg19` reads published weights from a local file, in torchvision's naming (`features.0.weight`
...). `filters` is the substitute where no such file is at hand: a fixed bank of derivative
filters at several scales. It is chosen in the configuration by name, never silently: it compares
edges, ridges and their local energy, but knows nothing of objects, so its numbers and those of
VGG-19 cannot be compared.
"""

from pathlib import Path
from typing import Literal, Self

import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn
from torch.nn import functional

from talkin.errors import ConfigurationError
from talkin.networks.pretrained import read_weights

_VGG19 = (64, 64, "M", 128, 128, "M", *[256] * 4, "M", *[512] * 4, "M", *[512] * 4)
_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)


class PerceptualConfig(BaseModel):
    """Which features the perceptual loss compares."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    backbone: Literal["vgg19", "filters"] = Field(
        default="vgg19", description="vgg19 needs `weights`; filters needs nothing."
    )
    weights: Path | None = Field(
        default=None, description="VGG-19 weights, .safetensors or .pth, torchvision's naming."
    )
    sha256: str | None = Field(
        default=None,
        description="Checksum of `weights`, or its beginning. If not given, the one in a file "
        "name such as vgg19-dcbb9e9d.pth is checked.",
    )
    layers: tuple[str, ...] = Field(
        default=("relu1_2", "relu2_2", "relu3_4", "relu4_4", "relu5_4"),
        description="VGG-19 layers that are compared.",
    )
    scales: int = Field(default=4, ge=1, le=6, description="Octaves of the filter bank.")
    frames: int = Field(
        default=7,
        ge=1,
        description="Frames of each window that are compared, by turns; fewer is faster.",
    )
    is_mouth_only: bool = Field(
        default=False, description="Compare the mouth mask alone instead of whole pictures."
    )

    @model_validator(mode="after")
    def _knows_its_layers(self) -> Self:
        unknown = set(self.layers) - set(_layer_places())
        if unknown:
            raise ValueError(f"layers {sorted(unknown)} are none of VGG-19's: relu1_1 .. relu5_4")
        return self


class PerceptualFeatures(nn.Module):
    """A list of feature maps of pictures in -1 .. 1; frozen, gradients pass through."""

    def __init__(self, config: PerceptualConfig) -> None:
        """Build the chosen backbone.

        Raises:
            ConfigurationError: If VGG-19 is chosen and its weights are missing or not as named.
        """
        super().__init__()
        self.backbone = (
            _load_vgg19(config) if config.backbone == "vgg19" else FilterBank(config.scales)
        )
        self.eval().requires_grad_(False)

    def forward(
        self, pictures: Float[Tensor, "batch 3 height width"]
    ) -> list[Float[Tensor, "batch c h w"]]:
        """Feature maps, finest first."""
        return self.backbone(pictures)


class Vgg19(nn.Module):
    """The convolutions of VGG-19, answering with the maps of some of its layers."""

    mean: Tensor
    std: Tensor

    def __init__(self, layers: tuple[str, ...]) -> None:
        """Build it with untrained weights."""
        super().__init__()
        places = _layer_places()
        self.wanted = {places[name] for name in layers}
        modules: list[nn.Module] = []
        n_in = 3
        for item in _VGG19:
            if isinstance(item, int):
                modules += [nn.Conv2d(n_in, item, 3, padding=1), nn.ReLU()]
                n_in = item
            else:
                modules.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*modules[: max(self.wanted) + 1])
        self.register_buffer("mean", torch.tensor(_IMAGENET_MEAN)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(_IMAGENET_STD)[:, None, None], persistent=False)

    def forward(
        self, pictures: Float[Tensor, "batch 3 height width"]
    ) -> list[Float[Tensor, "batch c h w"]]:
        """Maps of the wanted layers; pictures in -1 .. 1."""
        current = ((pictures + 1) / 2 - self.mean) / self.std
        maps = []
        for place, layer in enumerate(self.features):
            current = layer(current)
            if place in self.wanted:
                maps.append(current)
        return maps


class FilterBank(nn.Module):
    """Derivatives of first and second order at octave scales, and their local energy.

    Per scale and colour: the two first and three second derivatives of the smoothed picture
    (these steer to any direction), and the root of the summed squares of each order, smoothed: how
    much edge and how much ridge there is, wherever exactly it lies. The energies reward texture
    such as teeth that pixel losses blur away. All filters are sums of shifted pictures, which on
    CPUs is many times faster than convolutions of a single channel.
    """

    def __init__(self, scales: int) -> None:
        """Remember the number of octaves; there is nothing to learn."""
        super().__init__()
        self.scales = scales

    def forward(
        self, pictures: Float[Tensor, "batch 3 height width"]
    ) -> list[Float[Tensor, "batch c h w"]]:
        """Responses and energies of every scale, finest first."""
        maps = []
        planes = pictures
        for scale in range(self.scales):
            if scale:
                planes = functional.avg_pool2d(planes, 2)
            if min(planes.shape[-2:]) < 4:
                break
            maps += _derivatives_and_energies(planes)
        return maps


def _derivatives_and_energies(planes: Tensor) -> list[Tensor]:
    smooth = _smoothed(planes)
    across, down = _slope(smooth, 3), _slope(smooth, 2)
    first = [across, down]
    second = [_bend(smooth, 3), _bend(smooth, 2), _slope(across, 2)]
    energies = [
        torch.sqrt(_smoothed(torch.stack(order).square().sum(0)) + 1e-6)
        for order in (first, second)
    ]
    return [torch.cat(first + second, dim=1), torch.cat(energies, dim=1)]


def _beside(planes: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """The picture moved by one pixel either way, its edge repeated."""
    n = planes.shape[axis]
    ahead = torch.cat([planes.narrow(axis, 1, n - 1), planes.narrow(axis, n - 1, 1)], axis)
    behind = torch.cat([planes.narrow(axis, 0, 1), planes.narrow(axis, 0, n - 1)], axis)
    return ahead, behind


def _slope(planes: Tensor, axis: int) -> Tensor:
    ahead, behind = _beside(planes, axis)
    return (ahead - behind) / 2


def _bend(planes: Tensor, axis: int) -> Tensor:
    ahead, behind = _beside(planes, axis)
    return ahead + behind - 2 * planes


def _smoothed(planes: Tensor) -> Tensor:
    """Binomial 1 2 1 along both axes: a Gaussian of deviation 0.7 px."""
    for axis in (2, 3):
        ahead, behind = _beside(planes, axis)
        planes = (ahead + behind) / 4 + planes / 2
    return planes


def _layer_places() -> dict[str, int]:
    """Place of each relu in torchvision's `features`: relu1_1 is 1, relu1_2 is 3, ..."""
    places: dict[str, int] = {}
    block, within, place = 1, 0, 0
    for item in _VGG19:
        if item == "M":
            block, within, place = block + 1, 0, place + 1
        else:
            within += 1
            places[f"relu{block}_{within}"] = place + 1
            place += 2
    return places


def _load_vgg19(config: PerceptualConfig) -> Vgg19:
    network = Vgg19(config.layers)
    wanted = set(network.state_dict())
    weights = read_weights(
        config.weights,
        config.sha256,
        key="perceptual.weights",
        way_out="give the file of VGG-19 weights, or set perceptual.backbone to `filters`",
    )
    missing = wanted - set(weights)
    fits = {key: value for key, value in weights.items() if key in wanted}
    wrong = [k for k, v in network.state_dict().items() if k in fits and fits[k].shape != v.shape]
    if missing or wrong:
        raise ConfigurationError(
            f"perceptual.weights: {config.weights} holds no VGG-19 in torchvision's naming "
            f"(missing or of another shape: {', '.join(sorted(missing) + wrong)[:200]})"
        )
    network.load_state_dict(fits)
    return network
