"""The adversarial terms of Eq. 4: LSGAN (Mao et al.) and gradient penalty (Gulrajani et al.)."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor


def generator_loss(fake_scores: Float[Tensor, "*batch"]) -> Float[Tensor, ""]:
    """LSGAN's generator term: generated frames shall score 1."""
    return (fake_scores - 1).square().mean() / 2


def discriminator_loss(
    real_scores: Float[Tensor, "*batch"], fake_scores: Float[Tensor, "*batch"]
) -> Float[Tensor, ""]:
    """LSGAN's discriminator term: footage shall score 1, generated frames 0."""
    return ((real_scores - 1).square().mean() + fake_scores.square().mean()) / 2


def gradient_penalty(
    discriminator: Callable[[Tensor], Tensor],
    real: Float[Tensor, "batch *picture"],
    fake: Float[Tensor, "batch *picture"],
    mix: Float[Tensor, "batch"],
) -> Float[Tensor, ""]:
    """L_gp = mean (||grad D(x_hat)|| - 1)^2 at x_hat = mix real + (1 - mix) fake.

    Args:
        discriminator: Its scores of a window are summed before the gradient is taken.
        real: Windows of footage.
        fake: Generated windows; detached here.
        mix: Uniform in 0 .. 1, one a window.
    """
    shares = mix.reshape(-1, *[1] * (real.dim() - 1))
    between = (shares * real + (1 - shares) * fake.detach()).requires_grad_(True)
    (slope,) = torch.autograd.grad(discriminator(between).sum(), between, create_graph=True)
    return (slope.flatten(1).norm(dim=1) - 1).square().mean()
