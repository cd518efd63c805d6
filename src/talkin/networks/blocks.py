"""The two blocks of which Tables 7 and 8 are made."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn


class EncoderBlock(nn.Sequential):
    """EncBlock: convolution 4 x 4, stride 2, padding 1, then its activation; halves the size."""

    def __init__(self, n_in: int, n_out: int, activation: nn.Module) -> None:
        """Build a block from `n_in` to `n_out` channels."""
        convolution = nn.Conv2d(n_in, n_out, kernel_size=4, stride=2, padding=1)
        nn.init.kaiming_normal_(convolution.weight, a=0.2)
        nn.init.zeros_(_bias(convolution))
        super().__init__(convolution, activation)


class DecoderBlock(nn.Sequential):
    """DecBlock: convolution 3 x 3 to 4 x `n_out` channels, then pixel shuffle; doubles the size.

    Table 7 prints a 4 x 4 convolution of stride 2 before the shuffle. That would keep the
    resolution, against the table's own Resolution column; this block fits the column and the 75
    million parameters of Table 3.
    """

    def __init__(self, n_in: int, n_out: int, activation: nn.Module) -> None:
        """Build a block from `n_in` to `n_out` channels."""
        convolution = nn.Conv2d(n_in, 4 * n_out, kernel_size=3, padding=1)
        nn.init.kaiming_normal_(convolution.weight)
        with torch.no_grad():  # one sub-pixel for all four: no checkerboard at the start
            convolution.weight.copy_(convolution.weight[::4].repeat_interleave(4, dim=0))
        nn.init.zeros_(_bias(convolution))
        super().__init__(convolution, nn.PixelShuffle(2), activation)


def make_encoder(n_in: int, channels: Sequence[int]) -> nn.ModuleList:
    """E1 .. E7 of Tables 7 and 8: LeakyReLU(0.2), but ReLU in the last two blocks."""
    n_leaky = max(1, len(channels) - 2)
    blocks = []
    for number, n_out in enumerate(channels):
        activation = nn.LeakyReLU(0.2) if number < n_leaky else nn.ReLU()
        blocks.append(EncoderBlock(n_in, n_out, activation))
        n_in = n_out
    return nn.ModuleList(blocks)


def block_channels(width: int, depth: int) -> list[int]:
    """Channels after each encoder block: doubling from `width`, at most 8 x `width`.

    Width 64 and depth 7 give the paper's 64, 128, 256, 512, 512, 512, 512.
    """
    return [width * min(8, 2**level) for level in range(depth)]


def encode(
    blocks: nn.ModuleList, pictures: Float[Tensor, "batch channels height width"]
) -> list[Float[Tensor, "batch c h w"]]:
    """Feature maps after every block, largest first."""
    maps = []
    for block in blocks:
        pictures = block(pictures)
        maps.append(pictures)
    return maps


def lay_channels_last(network: nn.Module) -> None:
    """Store convolutions channels last, which is faster on CPUs and tensor cores."""
    for parameter in network.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)


def _bias(convolution: nn.Conv2d) -> Tensor:
    assert convolution.bias is not None
    return convolution.bias
