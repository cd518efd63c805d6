"""The voice of another vocal tract, made by a matrix on the cepstra.

A cepstrum c describes a log spectrum s(w) = sum_k a_k c_k cos(k w), w in 0 .. pi on the mel axis,
with a_k the orthonormal factors of the DCT. Reading it at w' = w + stretch sin(w) moves the middle
of the axis and keeps its ends; analysing the moved spectrum again gives cepstra of a shorter
(stretch < 0) or longer tract. Both steps are linear: warp = analysis . moved synthesis.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

_BANDS = 64


def cepstral_warp(
    stretch: Float[Tensor, "batch"], n_coefficients: int
) -> Float[Tensor, "batch coefficients coefficients"]:
    """Matrices that move the log spectra behind cepstra along the frequency axis.

    Args:
        stretch: Largest movement in radians of a half turn; 0 gives the identity.
        n_coefficients: Cepstra kept; at most 64.
    """
    w = (torch.arange(_BANDS) + 0.5) * math.pi / _BANDS
    order = torch.arange(n_coefficients)
    factor = torch.where(order == 0, 1 / _BANDS, 2 / _BANDS).sqrt()
    analysis = torch.cos(order[:, None] * w) * factor[:, None]
    moved = w + stretch[:, None] * torch.sin(w)
    synthesis = torch.cos(moved[:, :, None] * order) * factor
    return analysis @ synthesis
