"""L_total = L_norm + L_trans + L_render with coefficients (section 3.3.2)."""

from collections.abc import Mapping

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor


class LossWeights(BaseModel):
    """Coefficient of every term; 0 = reported, but not optimised.

    The paper gives no coefficients. These bring the terms' gradients to like size on standardised
    inputs at 384 px.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    speaker_confusion: float = Field(default=0.5, ge=0, description="L_norm, Eq. 2.")
    expression: float = Field(default=1.0, ge=0, description="L_exp, Eq. 3.")
    mouth_shape: float = Field(
        default=1.0,
        ge=0,
        description="L_shape, Eq. 3, with pixels counted at a crop of 100 px: squared pixels times "
        "(100 / size)^2, so that a weight means the same at every size.",
    )
    lip_closure: float = Field(
        default=0.0, ge=0, description="Lips that do not meet where the true ones do; beyond Eq. 3."
    )
    reconstruction: float = Field(default=10.0, ge=0, description="L_recon, Eq. 4.")
    edges: float = Field(
        default=0.0, ge=0, description="Differences of the pictures' gradients; beyond Eq. 4."
    )
    adversarial: float = Field(default=0.1, ge=0, description="L_adv, Eq. 4.")
    gradient_penalty: float = Field(default=0.1, ge=0, description="L_gp, Eq. 4.")
    perceptual: float = Field(default=1.0, ge=0, description="L_vgg, Eq. 4.")
    total_variation: float = Field(default=0.01, ge=0, description="L_tv, Eq. 4.")


def weighted_sum(terms: Mapping[str, Tensor], weights: LossWeights) -> Tensor:
    """The value to descend: terms by the names of their weights.

    Terms of weight 0 take no part at all, so not even a NaN of theirs can reach the networks.

    Raises:
        ValueError: If all weights are 0, which leaves nothing to learn.
    """
    optimised = [
        weight * term for name, term in terms.items() if (weight := getattr(weights, name)) > 0
    ]
    if not optimised:
        raise ValueError(f"all of the loss weights {', '.join(terms)} are 0: nothing to learn")
    return torch.stack(optimised).sum()
