"""The weak-perspective camera.

Axes. Model: millimetres, x to the right of the picture, y up, z towards the camera, the bridge of
the nose at y = 0. Picture: pixels, x right, y down.

Pose. `rotation` is (pitch, yaw, roll) in radians and R = Rz(roll) Ry(yaw) Rx(pitch), each turn
right-handed about its axis. A point X then lands on the picture at

    scale * (R X)_xy * (1, -1) + translation

(section 3.1: three rotations, two translations, one scale). Because roll is applied last, turning
the picture in its plane changes roll alone: that is why a pose can be carried into a face crop and
back exactly.
"""

from typing import TYPE_CHECKING, TypeVar

import numpy as np
from jaxtyping import Float

if TYPE_CHECKING:
    import torch  # not imported to fit: it would be most of a worker's start

Array = TypeVar("Array", np.ndarray, "torch.Tensor")


def rotation_matrix(rotation: Float[np.ndarray, "*batch 3"]) -> Float[np.ndarray, "*batch 3 3"]:
    """Turn (pitch, yaw, roll) in radians into R = Rz Ry Rx."""
    rotation = np.asarray(rotation)
    return np.stack(rotation_entries(np.cos(rotation), np.sin(rotation)), axis=-1).reshape(
        *rotation.shape[:-1], 3, 3
    )


def euler_angles(matrix: Float[np.ndarray, "*batch 3 3"]) -> Float[np.ndarray, "*batch 3"]:
    """Inverse of `rotation_matrix`: (pitch, yaw, roll) in radians, yaw within +-pi/2."""
    pitch = np.arctan2(matrix[..., 2, 1], matrix[..., 2, 2])
    yaw = np.arcsin(np.clip(-matrix[..., 2, 0], -1.0, 1.0))
    roll = np.arctan2(matrix[..., 1, 0], matrix[..., 0, 0])
    return np.stack([pitch, yaw, roll], axis=-1)


def project(
    points: Float[np.ndarray, "*batch points 3"],
    rotation: Float[np.ndarray, "*batch 3"],
    translation: Float[np.ndarray, "*batch 2"],
    scale: Float[np.ndarray, "*batch"],
) -> Float[np.ndarray, "*batch points 2"]:
    """Project model points to the picture.

    Args:
        points: Model points in mm.
        rotation: (pitch, yaw, roll) in radians.
        translation: Picture position of the model's origin, px.
        scale: Pixels per mm.

    Returns:
        Picture points in px, x right, y down.
    """
    turned = points @ np.swapaxes(rotation_matrix(rotation)[..., :2, :], -1, -2)
    flip = np.array([1.0, -1.0], dtype=turned.dtype)
    return (
        turned * flip * np.asarray(scale)[..., None, None] + np.asarray(translation)[..., None, :]
    )


def rotation_entries(cos: Array, sin: Array) -> list[Array]:
    """The nine entries of Rz(roll) Ry(yaw) Rx(pitch), row by row."""
    cx, cy, cz = cos[..., 0], cos[..., 1], cos[..., 2]
    sx, sy, sz = sin[..., 0], sin[..., 1], sin[..., 2]
    return [
        cz * cy,
        cz * sy * sx - sz * cx,
        cz * sy * cx + sz * sx,
        sz * cy,
        sz * sy * sx + cz * cx,
        sz * sy * cx - cz * sx,
        -sy,
        cy * sx,
        cy * cx,
    ]
