"""Eq. 2: no speaker shall be told from another."""

import torch
from jaxtyping import Float
from torch import Tensor


def speaker_confusion_loss(logits: Float[Tensor, "*batch speakers"]) -> Float[Tensor, ""]:
    """L_norm = -sum_c 1/N log p(c | x'): cross-entropy against the uniform distribution.

    Args:
        logits: The frozen classifier's answer to x'.

    Returns:
        Mean over the batch; its minimum is log N, reached where all speakers are equally likely.
    """
    return -torch.log_softmax(logits, dim=-1).mean()
