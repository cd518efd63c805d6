"""Who is speaking: the frozen judge of identity removal (Eq. 2).

After VGGVox's VGG-M (Nagrani et al. 2017), on MFCC maps of one second instead of spectrograms of
three: its five convolutions, then fc6 across what is left of the coefficients, an average over
time, fc7 and fc8. Strides along the coefficients are smaller, since there are few of them.
"""

from typing import Literal

from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn


class SpeakerClassifierConfig(BaseModel):
    """Size of the network."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int = Field(
        default=96, ge=2, description="Channels of conv1; VGG-M has 96, the others follow."
    )
    layout: Literal["compact", "vggvox"] = Field(
        default="compact",
        description="vggvox: as many channels in conv3 as the published VGGVox has, so that its "
        "weights fit; compact: as many as in the layers around it.",
    )


class SpeakerClassifier(nn.Module):
    """VGG-M on a (rows, coefficients) map of normalised MFCC."""

    def __init__(self, n_mfcc: int, n_speakers: int, config: SpeakerClassifierConfig) -> None:
        """Build the network for `n_speakers` voices."""
        super().__init__()
        self.config = config
        self.n_mfcc = n_mfcc
        narrow, wide = config.width, config.width * 8 // 3
        third = 4 * narrow if config.layout == "vggvox" else wide
        self.features = nn.Sequential(
            *_convolution(1, narrow, 7, stride=(2, 1)),
            nn.MaxPool2d(3, stride=(2, 1), padding=1),
            *_convolution(narrow, wide, 5, stride=(2, 2)),
            nn.MaxPool2d(3, stride=(1, 2), padding=1),
            *_convolution(wide, third, 3),
            *_convolution(third, wide, 3),
            *_convolution(wide, wide, 3),
        )
        n_left = self._coefficients_left(n_mfcc)
        self.fc6 = nn.Sequential(
            nn.Conv2d(wide, 4 * wide, (1, n_left)), nn.BatchNorm2d(4 * wide), nn.ReLU()
        )
        self.fc7 = nn.Sequential(nn.Linear(4 * wide, 4 * narrow), nn.ReLU())
        self.fc8 = nn.Linear(4 * narrow, n_speakers)

    @property
    def n_speakers(self) -> int:
        """Number of voices it tells apart."""
        return self.fc8.out_features

    def forward(
        self, mfcc: Float[Tensor, "windows rows coefficients"]
    ) -> Float[Tensor, "windows speakers"]:
        """Logits of the speakers."""
        over_time = self.fc6(self.features(mfcc.unsqueeze(1)))
        return self.fc8(self.fc7(over_time.mean(dim=(2, 3))))

    def _coefficients_left(self, n_mfcc: int) -> int:
        for layer in self.features:
            if isinstance(layer, nn.Conv2d | nn.MaxPool2d):
                kernel, stride, padding = (
                    _along_coefficients(value)
                    for value in (layer.kernel_size, layer.stride, layer.padding)
                )
                n_mfcc = (n_mfcc + 2 * padding - kernel) // stride + 1
        return n_mfcc


def freeze(network: SpeakerClassifier) -> SpeakerClassifier:
    """Stop a judge from learning or counting statistics, while gradients pass through it."""
    network.eval()
    network.requires_grad_(False)
    return network


def _convolution(
    n_in: int, n_out: int, kernel: int, stride: tuple[int, int] = (1, 1)
) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(n_in, n_out, kernel, stride=stride, padding=kernel // 2, bias=False)
    return convolution, nn.BatchNorm2d(n_out), nn.ReLU()


def _along_coefficients(value: object) -> int:
    return int(value[1]) if isinstance(value, tuple) else int(value)  # type: ignore[call-overload]
