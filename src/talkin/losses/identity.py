"""Eq. 2: no speaker shall be told from another; and what a judge that learns along descends."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional


def speaker_confusion_loss(logits: Float[Tensor, "*batch speakers"]) -> Float[Tensor, ""]:
    """L_norm = -sum_c 1/N log p(c | x'): cross-entropy against the uniform distribution.

    Args:
        logits: The frozen classifier's answer to x'.

    Returns:
        Mean over the batch; its minimum is log N, reached where all speakers are equally likely.
    """
    return -torch.log_softmax(logits, dim=-1).mean()


def judges_loss(
    logits: Float[Tensor, "*judges windows speakers"], speaker: Int[Tensor, "windows"]
) -> Float[Tensor, ""]:
    """Cross-entropy of who speaks: the mean over windows, summed over judges."""
    answers = logits.reshape(-1, *logits.shape[-2:])
    return torch.stack([functional.cross_entropy(one, speaker) for one in answers]).sum()
