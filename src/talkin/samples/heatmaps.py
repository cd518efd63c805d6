"""Landmarks as a picture that gradients pass through (section 3.3.1, after Jakab et al.)."""

import torch
from jaxtyping import Float
from torch import Tensor

_FLOOR = 1e-8  # keeps the root differentiable where no landmark is near


def landmark_heatmap(
    points: Float[Tensor, "*batch points 2"], size: int, sigma: float
) -> Float[Tensor, "*batch 1 size size"]:
    """Draw a Gaussian bump of height 1 about every landmark into one grey picture.

    Bumps g_i are joined as sqrt(sum g_i^2): where a landmark stands alone that is its bump, where
    several meet it is smooth, unlike their maximum. As g^2 is a product of one factor a
    coordinate, the sum is a single product of (size x points) matrices and no (points, size, size)
    stack is ever held.

    Args:
        points: Crop px, x right, y down, (0, 0) the middle of the first pixel. Points outside of
            the picture are allowed and fade out.
        size: Side of the picture, px.
        sigma: Width of a bump (standard deviation), px.

    Returns:
        Values from 0 to 1, above 1 (at most sqrt(points)) where bumps overlap.
    """
    grid = torch.arange(size, device=points.device, dtype=points.dtype)
    squared_bump = torch.exp(-(((points.unsqueeze(-1) - grid) / sigma) ** 2))
    across, down = squared_bump[..., 0, :], squared_bump[..., 1, :]
    with torch.autocast(points.device.type, enabled=False):  # half precision blurs the places
        squared = down.transpose(-1, -2) @ across
    return (torch.sqrt(squared + _FLOOR) - _FLOOR**0.5).unsqueeze(-3)
