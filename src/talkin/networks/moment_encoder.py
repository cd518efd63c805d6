"""Convolutions over the sound around one moment, at full resolution.

Lips close for 60 to 90 ms on p, b and m. An LSTM that reads a second, several rows a step, and
answers with its last state must carry that over the 200 ms that follow the frame; convolutions
whose answer keeps its place in time need not.
"""

from jaxtyping import Float
from torch import Tensor, nn

_KERNEL = 5
_STRIDES = (1, 2, 2)
_GROUPS = 8


class MomentEncoder(nn.Module):
    """Three convolutions over some rows of a window, then a fully connected layer.

    Normalised in groups of channels, not over the batch: so a window's answer does not depend on
    which others are learnt with it, or on how many processes share them.
    """

    def __init__(self, n_mfcc: int, hidden: int, channels: int, rows: slice) -> None:
        """Build the network; `rows` of each window are read, the others ignored."""
        super().__init__()
        self.rows = rows
        blocks: list[nn.Module] = []
        n_rows, n_in = rows.stop - rows.start, n_mfcc
        for stride in _STRIDES:
            blocks += [
                nn.Conv1d(n_in, channels, _KERNEL, stride, _KERNEL // 2),
                nn.GroupNorm(_GROUPS, channels),
                nn.ReLU(),
            ]
            n_in, n_rows = channels, -(-n_rows // stride)
        self.convolutions = nn.Sequential(*blocks)
        self.joined = nn.Sequential(nn.Flatten(), nn.Linear(channels * n_rows, hidden), nn.ReLU())

    def forward(
        self, mfcc: Float[Tensor, "windows rows coefficients"]
    ) -> Float[Tensor, "windows hidden"]:
        """What is said about the moment of each window."""
        return self.joined(self.convolutions(mfcc[:, self.rows].transpose(1, 2)))
