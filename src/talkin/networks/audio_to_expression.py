"""Audio-to-Expression Translation Network: a second of sound to one frame's face (section C)."""

from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from talkin.networks.window_encoder import WindowEncoder


class AudioToExpressionConfig(BaseModel):
    """Size of the network; the paper gives none of these numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hidden: int = Field(default=256, ge=1, description="State size of the LSTM.")
    layers: int = Field(default=2, ge=1, le=4, description="Layers of the LSTM.")
    rows_per_step: int = Field(
        default=1, ge=1, description="MFCC rows that the LSTM reads in one step; more is faster."
    )


class AudioToExpression(nn.Module):
    """LSTM and fully connected layer from a window of MFCC to standardised outputs.

    The outputs are the expression coefficients, or, in the 2D ablation of Table 1a, the
    coordinates of the mouth landmarks: only the size of the last layer differs.
    """

    def __init__(self, n_mfcc: int, n_outputs: int, config: AudioToExpressionConfig) -> None:
        """Build the network for `n_mfcc` coefficients in and `n_outputs` numbers out."""
        super().__init__()
        self.encoder = WindowEncoder(n_mfcc, config.hidden, config.rows_per_step, config.layers)
        self.to_outputs = nn.Linear(config.hidden, n_outputs)

    def forward(
        self, mfcc: Float[Tensor, "windows rows coefficients"]
    ) -> Float[Tensor, "windows outputs"]:
        """Standardised outputs of the frame that each window belongs to."""
        return self.to_outputs(self.encoder(mfcc))
