"""Neural Video Rendering Network: completes the masked mouths of seven frames (Table 7)."""

from typing import Self

import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn

from talkin.networks.blocks import DecoderBlock, block_channels, encode, make_encoder


class RendererConfig(BaseModel):
    """Size of the network; the defaults are Table 7's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int = Field(default=64, ge=1, description="Channels after the first block.")
    depth: int = Field(
        default=7, ge=2, le=9, description="Encoder blocks; the crop must divide by 2^depth."
    )
    is_full_face: bool = Field(
        default=False,
        description="B.3: frame and heatmap t are left out and the whole of frame t is generated.",
    )
    is_residual: bool = Field(
        default=False,
        description="The network's answer is added to the pictures that it was given instead of "
        "replacing them, and is 0 before training; not in the paper. For mask_fill: reference.",
    )

    @model_validator(mode="after")
    def _what_is_given_is_what_is_asked(self) -> Self:
        if self.is_residual and self.is_full_face:
            raise ValueError("is_residual needs the wanted frame, which is_full_face leaves out")
        return self


class Renderer(nn.Module):
    """U-Net of strided convolutions and pixel shuffles with skip connections.

    Pictures are in -1 .. 1, frames and heatmaps are laid in channels frame by frame: red, green,
    blue, heatmap. No normalisation layer: Table 7 has none.
    """

    def __init__(self, n_frames: int, config: RendererConfig) -> None:
        """Build the network for windows of `n_frames` frames."""
        super().__init__()
        self.n_inputs = n_frames - 1 if config.is_full_face else n_frames
        self.n_outputs = 1 if config.is_full_face else n_frames
        self.is_residual = config.is_residual
        channels = block_channels(config.width, config.depth)
        self.encoder = make_encoder(4 * self.n_inputs, channels)
        self.decoder = nn.ModuleList(self._decoder_blocks(channels))
        if config.is_residual:
            for parameter in self.decoder[-1].parameters():
                nn.init.zeros_(parameter)

    def forward(
        self,
        frames: Float[Tensor, "batch frames 3 size size"],
        heatmaps: Float[Tensor, "batch frames 1 size size"],
    ) -> Float[Tensor, "batch outputs 3 size size"]:
        """Complete the frames whose mouths the heatmaps draw.

        Where the answer is added to the given frames it can leave -1 .. 1 a little.
        """
        seen = torch.cat([frames, heatmaps], dim=2)[:, : self.n_inputs]
        batch, _, _, height, width = seen.shape
        maps = encode(self.encoder, self._laid_out(seen.flatten(1, 2)))
        decoded = self.decoder[0](maps.pop())
        for block in self.decoder[1:]:
            decoded = block(torch.cat([maps.pop(), decoded], dim=1))
        # Every loss walks over these pictures, which is slower the way channels last lays them.
        drawn = torch.tanh(decoded).contiguous().reshape(batch, self.n_outputs, 3, height, width)
        return drawn + frames if self.is_residual else drawn

    def _laid_out(self, pictures: Tensor) -> Tensor:
        # The memory order of the weights decides: channels last is faster on CPU and tensor cores.
        weight = next(self.encoder.parameters())
        if weight.is_contiguous(memory_format=torch.channels_last):
            return pictures.contiguous(memory_format=torch.channels_last)
        return pictures

    def _decoder_blocks(self, channels: list[int]) -> list[DecoderBlock]:
        n_out = [*channels[-2::-1], 3 * self.n_outputs]
        n_in = [channels[-1], *(2 * n for n in n_out[:-1])]
        last = len(n_out) - 1
        return [
            DecoderBlock(a, b, nn.Identity() if number == last else nn.ReLU())
            for number, (a, b) in enumerate(zip(n_in, n_out, strict=True))
        ]
