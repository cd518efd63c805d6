"""An LSTM that reads a window of MFCC and answers with its last state."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class WindowEncoder(nn.Module):
    """LSTM over the rows of a window, several rows a step where speed asks for it."""

    def __init__(self, n_mfcc: int, hidden: int, rows_per_step: int = 1, layers: int = 1) -> None:
        """Build an LSTM of `layers` layers with state size `hidden`."""
        super().__init__()
        self.rows_per_step = rows_per_step
        self.lstm = nn.LSTM(n_mfcc * rows_per_step, hidden, layers, batch_first=True)

    def forward(
        self, mfcc: Float[Tensor, "windows rows coefficients"]
    ) -> Float[Tensor, "windows hidden"]:
        """State after the last row; the first rows are repeated where they do not fill a step."""
        missing = -mfcc.shape[1] % self.rows_per_step
        if missing:
            padded = functional.pad(mfcc.transpose(1, 2), (missing, 0), mode="replicate")
            mfcc = padded.transpose(1, 2)
        steps = mfcc.reshape(mfcc.shape[0], -1, self.rows_per_step * mfcc.shape[2])
        states, _ = self.lstm(steps)
        return states[:, -1]
