"""The head's pose in closed form: where the Gauss-Newton steps of `fitting` begin."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, eq=False)
class HeadPose:
    """Weak-perspective pose of many frames, with rotation matrices instead of angles.

    Attributes:
        rotation: Rotation matrices.
        scale: Pixels per mm.
        translation: Picture position of the model's origin, px.
    """

    rotation: Float[np.ndarray, "frames 3 3"]
    scale: Float[np.ndarray, "frames"]
    translation: Float[np.ndarray, "frames 2"]

    def __getitem__(self, frames: np.ndarray | slice) -> "HeadPose":
        """Some of the frames."""
        return HeadPose(self.rotation[frames], self.scale[frames], self.translation[frames])

    def camera(self) -> Float[np.ndarray, "frames 2 3"]:
        """Linear part of the projection: px per mm, picture y down."""
        flip = np.array([1.0, -1.0])[:, None]
        return self.scale[:, None, None] * flip * self.rotation[:, :2]

    def stepped(self, step: Float[np.ndarray, "frames 6"]) -> "HeadPose":
        """Turn by a small rotation vector, multiply the scale, shift."""
        return HeadPose(
            rotation_from_vector(step[:, :3]) @ self.rotation,
            self.scale * np.exp(np.clip(step[:, 3], -0.5, 0.5)),
            self.translation + step[:, 4:],
        )


def scaled_orthography(
    picture: Float[np.ndarray, "frames points 2"],
    weights: Float[np.ndarray, "frames points"],
    face: Float[np.ndarray, "points 3"],
) -> HeadPose:
    """Best affine camera per frame, then the nearest scaled rotation.

    Args:
        picture: Landmarks in px; anything finite where the weight is 0.
        weights: Importance of each landmark, 0 where it is missing.
        face: Model points in mm.
    """
    total = weights.sum(1)
    share = weights / total[:, None]
    picture_mean = np.einsum("tk,tkc->tc", share, picture)
    face_mean = share @ face
    centred_face = face[None] - face_mean[:, None]
    centred_picture = picture - picture_mean[:, None]
    weighted = centred_face * share[..., None]
    spread = np.swapaxes(weighted, 1, 2) @ centred_face
    crossed = np.swapaxes(weighted, 1, 2) @ centred_picture
    affine = np.swapaxes(np.linalg.solve(spread + 1e-6 * np.eye(3), crossed), 1, 2)
    affine[:, 1] *= -1
    left, strength, right = np.linalg.svd(affine, full_matrices=False)
    top = left @ right
    rotation = np.concatenate([top, np.cross(top[:, 0], top[:, 1])[:, None]], axis=1)
    pose = HeadPose(rotation, np.maximum(strength.mean(1), 1e-6), picture_mean)
    offset = np.einsum("tij,tj->ti", pose.camera(), face_mean)
    return HeadPose(rotation, pose.scale, picture_mean - offset)


def rotation_from_vector(vector: Float[np.ndarray, "frames 3"]) -> Float[np.ndarray, "frames 3 3"]:
    """Rodrigues' formula."""
    angle = np.linalg.norm(vector, axis=1)[:, None, None]
    cross = _cross_matrix(vector)
    small = angle < 1e-8
    safe = np.where(small, 1.0, angle)
    first = np.where(small, 1.0, np.sin(safe) / safe)
    second = np.where(small, 0.5, (1 - np.cos(safe)) / safe**2)
    return np.eye(3) + first * cross + second * (cross @ cross)


def vector_from_rotation(matrix: Float[np.ndarray, "frames 3 3"]) -> Float[np.ndarray, "frames 3"]:
    """Inverse of `rotation_from_vector` for turns below pi / 2 (larger ones are shortened)."""
    skew = np.stack(
        [
            matrix[:, 2, 1] - matrix[:, 1, 2],
            matrix[:, 0, 2] - matrix[:, 2, 0],
            matrix[:, 1, 0] - matrix[:, 0, 1],
        ],
        axis=1,
    )
    sine = np.linalg.norm(skew, axis=1, keepdims=True) / 2
    safe = np.maximum(sine, 1e-12)
    return skew / 2 * np.where(sine < 1e-7, 1.0, np.arcsin(np.minimum(safe, 1.0)) / safe)


def _cross_matrix(vector: np.ndarray) -> np.ndarray:
    x, y, z = vector.T
    zero = np.zeros_like(x)
    return np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=1).reshape(-1, 3, 3)
