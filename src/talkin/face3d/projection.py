"""Coefficients to mouth landmarks inside the training graph (section 3.1)."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from talkin.face3d.camera import rotation_entries
from talkin.face3d.model import MorphableModel


class MouthProjector(nn.Module):
    """The morphable model cut down to its 39 mouth points, differentiable in every argument.

    Equal to `FaceParameters.mouth_landmarks`. The buffers follow the module to its device and are
    kept out of its weights file: the face model has a file of its own.
    """

    mean: Tensor
    geometry_basis: Tensor
    expression_basis: Tensor

    def __init__(self, model: MorphableModel) -> None:
        """Copy the mouth rows of the model's mean and bases."""
        super().__init__()
        for name in ("mean", "geometry_basis", "expression_basis"):
            rows = np.ascontiguousarray(getattr(model, name)[model.mouth39], dtype=np.float32)
            self.register_buffer(name, torch.from_numpy(rows), persistent=False)

    def forward(
        self,
        geometry: Float[Tensor, "batch geometry"],
        expression: Float[Tensor, "batch frames expression"],
        pose: Float[Tensor, "batch frames 6"],
    ) -> Float[Tensor, "batch frames 39 2"]:
        """Project the mouth points.

        Args:
            geometry: Standard deviations, one set per clip.
            expression: Standard deviations.
            pose: (pitch, yaw, roll, x, y, scale): rad, px, px per mm.

        Returns:
            Picture points in px, x right, y down.
        """
        shaped = torch.einsum("vcg,bg->bvc", self.geometry_basis, geometry)
        moved = torch.einsum("vce,bte->btvc", self.expression_basis, expression)
        points = self.mean + shaped[:, None] + moved
        turn = rotation_matrix_torch(pose[..., :3])[..., :2, :]
        turned = torch.einsum("btij,btvj->btvi", turn, points)
        # Picture y points down.
        upright = torch.stack([turned[..., 0], -turned[..., 1]], dim=-1)
        return upright * pose[..., 5, None, None] + pose[..., None, 3:5]


def rotation_matrix_torch(
    rotation: Float[Tensor, "*batch 3"],
) -> Float[Tensor, "*batch 3 3"]:
    """Differentiable twin of `camera.rotation_matrix`."""
    entries = rotation_entries(torch.cos(rotation), torch.sin(rotation))
    return torch.stack(entries, dim=-1).reshape(*rotation.shape[:-1], 3, 3)
