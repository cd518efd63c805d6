"""Pixel terms of Eq. 4; pictures in -1 .. 1."""

from jaxtyping import Float
from torch import Tensor

from talkin.samples.heatmaps import landmark_heatmap

_N_LIP_POINTS = 20
_LIP_WIDTH = 0.03  # of a bump about each lip point, share of the crop: teeth lie between them


def reconstruction_loss(
    generated: Float[Tensor, "*batch 3 height width"],
    true: Float[Tensor, "*batch 3 height width"],
    weights: Float[Tensor, "*batch 1 height width"] | None = None,
) -> Float[Tensor, ""]:
    """L_recon: mean absolute difference of the pixels.

    Args:
        generated: Pictures of the renderer.
        true: The footage.
        weights: How much each pixel counts; the mean is a weighted one, so equal differences
            everywhere give the same loss for any weights. None: all the same.
    """
    difference = (generated - true).abs()
    if weights is None:
        return difference.mean()
    return (difference * weights).sum() / (3 * weights.sum())


def edge_loss(
    generated: Float[Tensor, "*batch 3 height width"],
    true: Float[Tensor, "*batch 3 height width"],
    weights: Float[Tensor, "*batch 1 height width"] | None = None,
) -> Float[Tensor, ""]:
    """Mean absolute difference of the pictures' gradients, down plus across; not in the paper.

    L_recon alone settles for the blur between two places of an edge; the gradient of a blur is
    wrong on all of its width, so lips and teeth get their borders sooner.

    Args:
        generated: Pictures of the renderer.
        true: The footage.
        weights: As in `reconstruction_loss`.
    """
    difference = generated - true
    down = difference[..., 1:, :] - difference[..., :-1, :]
    across = difference[..., :, 1:] - difference[..., :, :-1]
    if weights is None:
        return down.abs().mean() + across.abs().mean()
    down, across = down.abs() * weights[..., 1:, :], across.abs() * weights[..., :, 1:]
    return (down.sum() + across.sum()) / (3 * weights.sum())


def pixel_weights(
    landmarks: Float[Tensor, "batch frames 39 2"],
    size_px: int,
    box: tuple[int, int, int, int],
    box_weight: float = 1.0,
    lip_weight: float = 1.0,
) -> Float[Tensor, "batch frames 1 size size"]:
    """What a pixel counts in L_recon: outside the mouth mask 1, inside more, about the lips most.

    Lips and teeth are a twentieth of the masked area; counted like the rest, they are learnt last.

    Args:
        landmarks: The true mouth landmarks, crop px, lips first.
        size_px: Side of the crop.
        box: The mouth mask (x0, y0, x1, y1).
        box_weight: How many times a pixel inside the mask counts.
        lip_weight: How many times a pixel about the lips counts.
    """
    weights = landmarks.new_ones((*landmarks.shape[:2], 1, size_px, size_px))
    x0, y0, x1, y1 = box
    weights[..., y0:y1, x0:x1] = box_weight
    if lip_weight > box_weight:
        lips = landmark_heatmap(landmarks[..., :_N_LIP_POINTS, :], size_px, _LIP_WIDTH * size_px)
        weights = weights + (lip_weight - box_weight) * lips.clamp(0, 1)
    return weights


def total_variation_loss(pictures: Float[Tensor, "*batch 3 height width"]) -> Float[Tensor, ""]:
    """L_tv: mean absolute difference of neighbours, down plus across; 0 for a plain picture."""
    down = (pictures[..., 1:, :] - pictures[..., :-1, :]).abs().mean()
    across = (pictures[..., :, 1:] - pictures[..., :, :-1]).abs().mean()
    return down + across
