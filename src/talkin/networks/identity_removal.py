"""Audio ID-Removing Network: carries every voice to one "global speaker" (section 3.2.1, Eq. 1)."""

import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from talkin.networks.window_encoder import WindowEncoder


class IdentityRemovalConfig(BaseModel):
    """Size of the network; the paper gives none of these numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    is_used: bool = Field(default=True, description="False: the paper's ablation without it.")
    n_components: int = Field(default=16, ge=1, description="k, the number of basis matrices.")
    hidden: int = Field(default=128, ge=1, description="State size of the LSTM.")
    rows_per_step: int = Field(
        default=1, ge=1, description="MFCC rows that the LSTM reads in one step; more is faster."
    )
    correction_channels: int = Field(
        default=0,
        ge=0,
        multiple_of=8,
        description="Beyond the paper: convolutions of so many channels correct what Eq. 1 leaves, "
        "each row by the 50 ms before and after it. One matrix for all rows cannot carry every "
        "sound of a voice to another's. 0: Eq. 1 alone.",
    )


class IdentityRemover(nn.Module):
    """x' = W [x; 1] with W = [I | 0] + sum_j lambda_j W_j, one W for all rows of a window.

    An LSTM and a fully connected layer infer the weights lambda from the window; the matrices
    W_j are parameters. The last layer starts at zero, so at first x' = x and what learns from x'
    begins with the sound as it is; the W_j start at random, because were they zero too, no
    gradient would reach either factor of the product.
    """

    def __init__(self, n_mfcc: int, config: IdentityRemovalConfig) -> None:
        """Build the network for MFCC of `n_mfcc` coefficients."""
        super().__init__()
        self.encoder = WindowEncoder(n_mfcc, config.hidden, config.rows_per_step)
        self.to_weights = nn.Linear(config.hidden, config.n_components)
        nn.init.zeros_(self.to_weights.weight)
        nn.init.zeros_(self.to_weights.bias)
        scale = (n_mfcc * config.n_components) ** -0.5
        self.basis = nn.Parameter(torch.randn(config.n_components, n_mfcc, n_mfcc + 1) * scale)
        self.correction = (
            RowCorrection(n_mfcc, config.correction_channels)
            if config.correction_channels
            else nn.Identity()
        )

    def forward(
        self, mfcc: Float[Tensor, "windows rows coefficients"]
    ) -> Float[Tensor, "windows rows coefficients"]:
        """Take the speaker's identity out of normalised MFCC windows."""
        change = torch.einsum("bk,kij->bij", self.basis_weights(mfcc), self.basis)
        linear, shift = change[..., :-1], change[..., -1]
        transformed = mfcc + mfcc @ linear.transpose(1, 2) + shift.unsqueeze(1)
        return self.correction(transformed)

    def basis_weights(
        self, mfcc: Float[Tensor, "windows rows coefficients"]
    ) -> Float[Tensor, "windows components"]:
        """The speaker-dependent weights lambda_j of each window."""
        return self.to_weights(self.encoder(mfcc))


class RowCorrection(nn.Module):
    """Adds to each row what three convolutions about it say; nothing at first."""

    def __init__(self, n_mfcc: int, channels: int) -> None:
        """Build the network; `channels` must divide by eight."""
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(n_mfcc, channels, 5, padding=2),
            nn.GroupNorm(8, channels),
            nn.ReLU(),
            nn.Conv1d(channels, channels, 3, padding=1),
            nn.ReLU(),
        )
        self.to_rows = nn.Conv1d(channels, n_mfcc, 5, padding=2)
        for parameter in self.to_rows.parameters():
            nn.init.zeros_(parameter)

    def forward(
        self, mfcc: Float[Tensor, "windows rows coefficients"]
    ) -> Float[Tensor, "windows rows coefficients"]:
        """The corrected rows."""
        return mfcc + self.to_rows(self.layers(mfcc.transpose(1, 2))).transpose(1, 2)
