"""Eq. 3: expression and mouth shape that the sound shall give."""

from jaxtyping import Float
from torch import Tensor


def expression_loss(
    predicted: Float[Tensor, "*batch expression"], true: Float[Tensor, "*batch expression"]
) -> Float[Tensor, ""]:
    """L_exp = ||e_hat - e||^2 of a frame, mean over frames; in squared standard deviations."""
    return (predicted - true).square().sum(-1).mean()


def mouth_shape_loss(
    predicted: Float[Tensor, "*batch points 2"], true: Float[Tensor, "*batch points 2"]
) -> Float[Tensor, ""]:
    """L_shape = ||l_hat - l||^2 of a frame, mean over frames; in squared crop px."""
    return (predicted - true).square().sum((-2, -1)).mean()
