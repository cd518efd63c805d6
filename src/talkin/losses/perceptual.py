"""L_vgg of Eq. 4: pictures shall agree in their features at several scales."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor


def perceptual_loss(
    features: Callable[[Tensor], list[Tensor]],
    generated: Float[Tensor, "batch 3 height width"],
    true: Float[Tensor, "batch 3 height width"],
) -> Float[Tensor, ""]:
    """Mean absolute difference of every feature map, summed over the maps.

    Args:
        features: Such as `networks.perceptual.PerceptualFeatures`.
        generated: Pictures of the renderer, -1 .. 1.
        true: The footage; no gradient flows to it.
    """
    with torch.no_grad():
        wanted = features(true)
    terms = [
        (a.float() - b.float()).abs().mean()
        for a, b in zip(features(generated), wanted, strict=True)
    ]
    return torch.stack(terms).sum()
