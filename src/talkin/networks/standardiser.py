"""Mean and deviation of a network's input or output, stored with its weights."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

_LEAST_STD = 1e-4  # what never varies in the training data is not blown up


class Standardiser(nn.Module):
    """Carries values to mean 0 and deviation 1 and back; the identity until `fit`."""

    mean: Tensor
    std: Tensor

    def __init__(self, n_values: int) -> None:
        """Hold `n_values` means and deviations."""
        super().__init__()
        self.register_buffer("mean", torch.zeros(n_values))
        self.register_buffer("std", torch.ones(n_values))

    @torch.no_grad()
    def fit(self, values: Float[Tensor, "rows values"]) -> None:
        """Take mean and deviation of training data."""
        self.mean.copy_(values.mean(0))
        self.std.copy_(values.std(0, correction=0).clamp_min(_LEAST_STD))

    def standardised(
        self, values: Float[Tensor, "*batch values"]
    ) -> Float[Tensor, "*batch values"]:
        """To mean 0 and deviation 1."""
        return (values - self.mean) / self.std

    def restored(self, values: Float[Tensor, "*batch values"]) -> Float[Tensor, "*batch values"]:
        """Back to the data's own units."""
        return values * self.std + self.mean
