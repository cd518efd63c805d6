"""The judge of the adversarial loss: real or generated, a score a frame (Table 8)."""

from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from talkin.networks.blocks import block_channels, encode, make_encoder


class DiscriminatorConfig(BaseModel):
    """Size of the network; the defaults are Table 8's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int = Field(default=64, ge=1, description="Channels after the first block.")
    depth: int = Field(default=7, ge=2, le=9, description="Encoder blocks.")


class Discriminator(nn.Module):
    """The renderer's encoder on 3 x 7 channels, average pooling and FC 512 -> 7."""

    def __init__(self, n_frames: int, config: DiscriminatorConfig) -> None:
        """Build the network for windows of `n_frames` frames."""
        super().__init__()
        channels = block_channels(config.width, config.depth)
        self.encoder = make_encoder(3 * n_frames, channels)
        self.to_scores = nn.Linear(channels[-1], n_frames)

    def forward(
        self, frames: Float[Tensor, "batch frames 3 size size"]
    ) -> Float[Tensor, "batch frames"]:
        """Score of each frame: 1 real, 0 generated (LSGAN)."""
        last = encode(self.encoder, frames.flatten(1, 2))[-1]
        return self.to_scores(last.mean(dim=(2, 3)))
