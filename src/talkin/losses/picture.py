"""Pixel terms of Eq. 4; pictures in -1 .. 1."""

from jaxtyping import Float
from torch import Tensor


def reconstruction_loss(
    generated: Float[Tensor, "*batch 3 height width"],
    true: Float[Tensor, "*batch 3 height width"],
    box: tuple[int, int, int, int] | None = None,
    box_weight: float = 1.0,
) -> Float[Tensor, ""]:
    """L_recon: mean absolute difference of the pixels.

    Args:
        generated: Pictures of the renderer.
        true: The footage.
        box: The mouth mask (x0, y0, x1, y1).
        box_weight: How many times a pixel inside the box counts; the mean is a weighted one, so
            equal differences everywhere give the same loss for any weight.
    """
    difference = (generated - true).abs()
    if box is None or box_weight == 1.0:
        return difference.mean()
    x0, y0, x1, y1 = box
    inside = difference[..., y0:y1, x0:x1]
    extra = box_weight - 1.0
    total = difference.sum() + extra * inside.sum()
    return total / (difference.numel() + extra * inside.numel())


def total_variation_loss(pictures: Float[Tensor, "*batch 3 height width"]) -> Float[Tensor, ""]:
    """L_tv: mean absolute difference of neighbours, down plus across; 0 for a plain picture."""
    down = (pictures[..., 1:, :] - pictures[..., :-1, :]).abs().mean()
    across = (pictures[..., :, 1:] - pictures[..., :, :-1]).abs().mean()
    return down + across
