"""Judges that learn along with identity removal, so that hiding from them means hiding (Eq. 2).

Small, for each of them learns at every step. What a judge cannot see is not hidden: means and
deviations over a window are what a linear probe looks at; convolutions hear how each sound is
made, by which a convolutional probe still names a voice whose means are all alike.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

_KERNEL = 5
_STRIDES = (1, 2, 2)


class StatisticsJudge(nn.Module):
    """Who is speaking, from mean and deviation of each coefficient over a window.

    What a linear probe would look at; it is small enough to learn along with identity removal.
    """

    def __init__(self, n_mfcc: int, n_speakers: int, hidden: int = 64) -> None:
        """Build the network for `n_speakers` voices."""
        super().__init__()
        self.layers = nn.Sequential(
            nn.BatchNorm1d(2 * n_mfcc),
            nn.Linear(2 * n_mfcc, hidden),
            nn.ReLU(),
            nn.Linear(hidden, n_speakers),
        )

    def forward(
        self, mfcc: Float[Tensor, "windows rows coefficients"]
    ) -> Float[Tensor, "windows speakers"]:
        """Logits of the speakers."""
        return self.layers(torch.cat([mfcc.mean(dim=1), mfcc.std(dim=1)], dim=1))


class WindowJudge(nn.Module):
    """Who is speaking, from all rows of a window: three convolutions, averaged over time."""

    def __init__(self, n_mfcc: int, n_speakers: int, channels: int, hidden: int = 64) -> None:
        """Build the network for `n_speakers` voices."""
        super().__init__()
        blocks: list[nn.Module] = []
        n_in = n_mfcc
        for stride in _STRIDES:
            blocks += [
                nn.Conv1d(n_in, channels, _KERNEL, stride, _KERNEL // 2),
                nn.BatchNorm1d(channels),
                nn.ReLU(),
            ]
            n_in = channels
        self.convolutions = nn.Sequential(*blocks)
        self.layers = nn.Sequential(
            nn.Linear(2 * channels, hidden), nn.ReLU(), nn.Linear(hidden, n_speakers)
        )

    def forward(
        self, mfcc: Float[Tensor, "windows rows coefficients"]
    ) -> Float[Tensor, "windows speakers"]:
        """Logits of the speakers."""
        over_time = self.convolutions(mfcc.transpose(1, 2))
        return self.layers(torch.cat([over_time.mean(dim=2), over_time.std(dim=2)], dim=1))


class JudgePanel(nn.Module):
    """Several judges of the same windows, none of whom shall be able to tell."""

    def __init__(self, *judges: nn.Module) -> None:
        """Seat the judges."""
        super().__init__()
        self.judges = nn.ModuleList(judges)

    def forward(
        self, mfcc: Float[Tensor, "windows rows coefficients"]
    ) -> Float[Tensor, "judges windows speakers"]:
        """Logits of each judge."""
        return torch.stack([judge(mfcc) for judge in self.judges])
