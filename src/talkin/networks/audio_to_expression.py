"""Audio-to-Expression Translation Network: a second of sound to one frame's face (section C)."""

from typing import Literal

from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from talkin.networks.moment_encoder import MomentEncoder
from talkin.networks.window_encoder import WindowEncoder
from talkin.samples.windows import MFCC_ROWS_PER_S, WindowConfig


class AudioToExpressionConfig(BaseModel):
    """Size of the network; the paper gives none of these numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoder: Literal["lstm", "convolution"] = Field(
        default="lstm",
        description="What reads a window. lstm: the paper's; convolution: some tenths of a second "
        "around the frame at full resolution, which hears closures (beyond the paper).",
    )
    hidden: int = Field(default=256, ge=1, description="Values before the last layer.")
    layers: int = Field(default=2, ge=1, le=4, description="Layers of the LSTM.")
    rows_per_step: int = Field(
        default=1, ge=1, description="MFCC rows that the LSTM reads in one step; more is faster."
    )
    channels: int = Field(
        default=64, ge=8, multiple_of=8, description="Channels of the convolutions."
    )
    reach_s: float = Field(
        default=0.32, gt=0, description="Sound before and after the frame that they read, s."
    )


class AudioToExpression(nn.Module):
    """An encoder of windows and a fully connected layer, from MFCC to standardised outputs.

    The outputs are the expression coefficients, or, in the 2D ablation of Table 1a, the
    coordinates of the mouth landmarks: only the size of the last layer differs.
    """

    def __init__(
        self,
        n_mfcc: int,
        n_outputs: int,
        config: AudioToExpressionConfig,
        window: WindowConfig | None = None,
    ) -> None:
        """Build the network for `n_mfcc` coefficients in and `n_outputs` numbers out.

        Args:
            n_mfcc: Coefficients a row.
            n_outputs: What is predicted.
            config: Its size.
            window: Where in a window the frame stands; the paper's if None.
        """
        super().__init__()
        self.encoder = _encoder(n_mfcc, config, window or WindowConfig())
        self.to_outputs = nn.Linear(config.hidden, n_outputs)

    def forward(
        self, mfcc: Float[Tensor, "windows rows coefficients"]
    ) -> Float[Tensor, "windows outputs"]:
        """Standardised outputs of the frame that each window belongs to."""
        return self.to_outputs(self.encoder(mfcc))


def _encoder(n_mfcc: int, config: AudioToExpressionConfig, window: WindowConfig) -> nn.Module:
    if config.encoder == "lstm":
        return WindowEncoder(n_mfcc, config.hidden, config.rows_per_step, config.layers)
    reach = round(config.reach_s * MFCC_ROWS_PER_S)
    first = max(window.rows_before - reach, 0)
    last = min(window.rows_before + reach + 1, window.n_rows)
    return MomentEncoder(n_mfcc, config.hidden, config.channels, slice(first, last))
