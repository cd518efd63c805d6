"""The work of the Wav2Lip generator (Prajwal et al. 2020) with random weights, to compare speeds.

Written from the layer table that its authors published: a face encoder on 6 channels of 96 px (the
masked face and a reference), an audio encoder on an 80 x 16 mel spectrogram, and a decoder with
skip connections; convolution, batch norm, ReLU, where marked with a residual.
"""

import torch
from torch import Tensor, nn


# fmt: off
class Convolution(nn.Module):
    """Convolution or its transpose, batch norm, ReLU; with the input added where sizes allow."""

    def __init__(self, n_in: int, n_out: int, *shape: object, is_residual: bool = False,
                 grows: bool = False) -> None:
        """Build one layer; `shape` is kernel, stride, padding (and output padding)."""
        super().__init__()
        make = nn.ConvTranspose2d if grows else nn.Conv2d
        layer = make(n_in, n_out, *shape)
        self.block, self.residual = nn.Sequential(layer, nn.BatchNorm2d(n_out)), is_residual

    def forward(self, x: Tensor) -> Tensor:
        """Apply it."""
        out = self.block(x)
        return torch.relu(out + x if self.residual else out)


def _same(n: int, times: int) -> list[nn.Module]:
    return [Convolution(n, n, 3, 1, 1, is_residual=True) for _ in range(times)]


class Wav2LipGenerator(nn.Module):
    """96 x 96 px faces from a mel window and a reference."""

    def __init__(self) -> None:
        """Build all layers."""
        super().__init__()
        self.face = nn.ModuleList([
            nn.Sequential(Convolution(6, 16, 7, 1, 3)),
            nn.Sequential(Convolution(16, 32, 3, 2, 1), *_same(32, 2)),
            nn.Sequential(Convolution(32, 64, 3, 2, 1), *_same(64, 3)),
            nn.Sequential(Convolution(64, 128, 3, 2, 1), *_same(128, 2)),
            nn.Sequential(Convolution(128, 256, 3, 2, 1), *_same(256, 2)),
            nn.Sequential(Convolution(256, 512, 3, 2, 1), *_same(512, 1)),
            nn.Sequential(Convolution(512, 512, 3, 1, 0), Convolution(512, 512, 1, 1, 0)),
        ])
        self.sound = nn.Sequential(
            Convolution(1, 32, 3, 1, 1), *_same(32, 2),
            Convolution(32, 64, 3, (3, 1), 1), *_same(64, 2),
            Convolution(64, 128, 3, 3, 1), *_same(128, 2),
            Convolution(128, 256, 3, (3, 2), 1), *_same(256, 1),
            Convolution(256, 512, 3, 1, 0), Convolution(512, 512, 1, 1, 0),
        )
        def up(n_in: int, n_out: int, times: int) -> nn.Sequential:
            grow = Convolution(n_in, n_out, 3, 2, 1, 1, grows=True)
            return nn.Sequential(grow, *_same(n_out, times))
        self.decoder = nn.ModuleList([
            nn.Sequential(Convolution(512, 512, 1, 1, 0)),
            nn.Sequential(Convolution(1024, 512, 3, 1, 0, grows=True), *_same(512, 1)),
            up(1024, 512, 2), up(768, 384, 2), up(512, 256, 2), up(320, 128, 2), up(160, 64, 2),
        ])
        self.output = nn.Sequential(Convolution(80, 32, 3, 1, 1), nn.Conv2d(32, 3, 1), nn.Sigmoid())

    def forward(self, mel: Tensor, faces: Tensor) -> Tensor:
        """(batch, 1, 80, 16) and (batch, 6, 96, 96) to (batch, 3, 96, 96)."""
        maps, x = [], faces
        for block in self.face:
            x = block(x)
            maps.append(x)
        x = self.sound(mel)
        for block in self.decoder:
            x = torch.cat([block(x), maps.pop()], dim=1)
        return self.output(x)
