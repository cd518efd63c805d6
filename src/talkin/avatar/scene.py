"""One speaker in front of one camera: light, background, and a picture for every pose."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from talkin.avatar.exposure import linear_table, resolve, tone_table
from talkin.avatar.head import NECK_JOINT
from talkin.avatar.motion import VIEWS
from talkin.avatar.occlusion import bake_key_shadow, bake_occlusion
from talkin.avatar.person import Person
from talkin.avatar.rasteriser import Mesh, empty_visibility, kernel, rasterise
from talkin.avatar.shading import HAIR, Attributes, shade
from talkin.avatar.studio import draw_light, paint_background
from talkin.avatar.surface import smooth_normals
from talkin.face3d.camera import rotation_matrix
from talkin.face3d.gaussian_process import face_anatomy

_SUPERSAMPLING = 2
_FRAMED_MM = 272.0
_HEAD_MIDDLE = np.array([0.0, -36.0, -45.0])
_NOISE_BANK = 8
# How much sky the parts inside the mouth see when it is wide open, and how far in the key reaches.
_INSIDE = {
    "teeth_upper": (0.75, 0.55),
    "teeth_lower": (0.60, 0.45),
    "tongue": (0.55, 0.35),
    "mouth_bag": (0.25, 0.05),
    "lip_roll": (0.60, 0.35),
}


@dataclass(frozen=True, eq=False)
class Pose:
    """Where the head is in one picture: the camera of `face3d.camera`.

    Attributes:
        rotation: (pitch, yaw, roll) in radians.
        translation: Picture position of the model's origin, px.
        scale: Pixels per mm.
    """

    rotation: Float[np.ndarray, "3"]
    translation: Float[np.ndarray, "2"]
    scale: float


def framed_poses(
    size_px: int,
    view: str,
    rotation: Float[np.ndarray, "frames 3"],
    translation_px: Float[np.ndarray, "frames 2"],
    scale_factor: Float[np.ndarray, "frames"],
) -> list[Pose]:
    """Put a moving head into the picture: it turns on its neck, not about the bridge of the nose.

    Args:
        size_px: Side of the square picture.
        view: Name of the view, which the torso faces.
        rotation: Head rotation, view included.
        translation_px: Sway in px of this picture.
        scale_factor: Factor on the ordinary scale.

    Returns:
        A pose a frame.
    """
    flip = np.array([1.0, -1.0])
    torso = rotation_matrix(np.array([*np.radians(VIEWS[view]), 0.0]))
    poses = []
    for turn, sway, factor in zip(rotation, translation_px, scale_factor, strict=True):
        scale = size_px / _FRAMED_MM * factor
        joint = (torso @ (NECK_JOINT - _HEAD_MIDDLE))[:2] * flip * scale
        centre = np.array([0.5, 0.475]) * size_px + sway
        offset = (rotation_matrix(turn) @ NECK_JOINT)[:2] * flip * scale
        poses.append(Pose(turn, centre + joint - offset, float(scale)))
    return poses


class Scene:
    """A person under one light, from one view, before one background."""

    def __init__(self, person: Person, view: str, size_px: int, noise: float) -> None:
        """Bake shadows and background.

        Args:
            person: Who is filmed.
            view: Name of the view, which the torso faces.
            size_px: Side of the square picture, px.
            noise: Standard deviation of the sensor noise in sRGB levels.
        """
        self.person, self.size_px = person, size_px
        self._torso = rotation_matrix(np.array([*np.radians(VIEWS[view]), 0.0])).astype(np.float32)
        self._light = draw_light(person.speaker.light)
        body = person.body
        self._mesh = Mesh(
            body.triangles, body.is_two_sided, body.is_cut_out, body.uv, person.texture
        )
        attributes = self._baked_attributes()
        seen = self._seldom_hidden()
        self._mesh = self._mesh._replace(
            triangles=body.triangles[seen],
            is_two_sided=body.is_two_sided[seen],
            is_cut_out=body.is_cut_out[seen],
        )
        self._attributes = attributes._replace(kind=body.kind[seen])
        rng = np.random.default_rng([person.speaker.seed, 11, list(VIEWS).index(view)])
        self._background = paint_background(person.speaker.wall, size_px, rng)
        shape = (_NOISE_BANK, size_px + 32, size_px + 32, 3)
        self._noise = np.clip(np.rint(rng.standard_normal(shape) * noise), -60, 60).astype(np.int8)
        side = size_px * _SUPERSAMPLING
        self._visibility = empty_visibility(side, side)
        self._radiance = np.empty((side, side, 4), dtype=np.float32)
        self._tables = linear_table(), tone_table()
        self._upper_lip, self._lower_lip = 62, 66

    def shown_triangles(self) -> Int[np.ndarray, "rows columns 3"]:
        """Corner vertices of what the last picture shows, at 2 x 2 samples a pixel; -1: nothing."""
        number = self._visibility.triangle
        return np.where(number[..., None] >= 0, self._mesh.triangles[number], -1)

    def draw(
        self, expression: Float[np.ndarray, "expression"], pose: Pose, noise_key: tuple[int, int]
    ) -> UInt8[np.ndarray, "size size 3"]:
        """One picture.

        Args:
            expression: Expression coefficients.
            pose: Where the head is.
            noise_key: Clip seed and frame number: the same frame always has the same noise.
        """
        person, attributes = self.person, self._attributes
        vertices = person.body.vertices.copy()
        normal = person.body.normal.copy()
        face = slice(0, person.n_face)
        vertices[face] += person.expression_basis @ expression.astype(np.float32)
        normal[face] = smooth_normals(
            vertices[face], person.body.triangles[: person.n_face_triangles]
        )
        points = self._placed(vertices, normal, pose)
        self._open_mouth(vertices)
        rasterise(points, self._mesh, self._visibility)
        linear, tone = self._tables
        shade(self._mesh, self._visibility, attributes, self._light, linear, self._radiance)
        picture = np.empty((self.size_px, self.size_px, 3), dtype=np.uint8)
        resolve(self._radiance, self._background, self._noise_of(noise_key), tone, picture)
        return picture

    def _placed(
        self, vertices: np.ndarray, normal: np.ndarray, pose: Pose
    ) -> Float[np.ndarray, "n 3"]:
        """Vertices in samples; normals and tangents go to the attributes in camera axes."""
        head = rotation_matrix(pose.rotation).astype(np.float32)
        body, attributes = self.person.body, self._attributes
        points = np.empty_like(vertices)
        # The torso hangs on the neck joint, so the neck bends instead of tearing.
        lag = (head @ NECK_JOINT - self._torso @ NECK_JOINT).astype(np.float32)
        turns = np.stack([head, self._torso])
        _skin(vertices, turns, lag, body.follow, points)
        _turn(normal, turns, body.follow, attributes.normal)
        _turn(body.tangent, turns, body.follow, attributes.tangent)
        points *= np.float32(pose.scale * _SUPERSAMPLING)
        points[:, 1] *= -1
        shift = _SUPERSAMPLING * pose.translation + (_SUPERSAMPLING - 1) / 2
        points[:, :2] += shift.astype(np.float32)
        return points

    def _open_mouth(self, vertices: np.ndarray) -> None:
        """Let light into the mouth as far as the lips part."""
        gap = float(vertices[self._upper_lip, 1] - vertices[self._lower_lip, 1])
        share = np.clip((gap - 1.0) / 11.0, 0.0, 1.0) ** 0.6
        for rows, baked in self._inside:
            self._attributes.tint[rows, 3:] = np.array(baked) * (0.30 + 0.70 * share)

    def _noise_of(self, key: tuple[int, int]) -> np.ndarray:
        rng = np.random.default_rng([12, *key])
        which, row, column = (int(rng.integers(n)) for n in (_NOISE_BANK, 32, 32))
        return self._noise[which, row : row + self.size_px, column : column + self.size_px]

    def _seldom_hidden(self) -> Bool[np.ndarray, "triangles"]:
        """Triangles worth drawing: all but the hair that no pose near this view shows."""
        body = self.person.body
        needed = body.kind != HAIR
        visibility = empty_visibility(640, 640)
        for pitch in (-0.14, 0.0, 0.14):
            for yaw in (-0.4, -0.2, 0.0, 0.2, 0.4):
                turn = rotation_matrix(np.array([pitch, yaw, 0.0])) @ self._torso
                points = (body.vertices - _HEAD_MIDDLE) @ turn.T * np.array([1.9, -1.9, 1.9]) + 320
                rasterise(points.astype(np.float32), self._mesh, visibility)
                needed[visibility.triangle[visibility.triangle >= 0]] = True
        return needed

    def _baked_attributes(self) -> Attributes:
        body = self.person.body
        anatomy = face_anatomy()
        self._inside = [(anatomy.vertices_of(name), baked) for name, baked in _INSIDE.items()]
        occlusion = bake_occlusion(body.vertices, body.normal, self._mesh)
        key = self._torso.T @ self._light.key_direction
        shadow = bake_key_shadow(key, body.vertices, self._mesh)
        is_hair = np.zeros(len(body), dtype=bool)
        is_hair[body.triangles[body.kind == HAIR]] = True
        occlusion = np.where(is_hair, 0.35 + 0.65 * occlusion, occlusion**0.9)
        shadow = np.where(is_hair, 0.4 + 0.6 * shadow, shadow)
        margin = anatomy.vertices_of("lid_margin")
        occlusion[margin], shadow[margin] = 0.55, 0.45
        tint = np.concatenate([body.tint, occlusion[:, None], shadow[:, None]], axis=1)
        return Attributes(
            np.zeros_like(body.vertices),
            np.zeros_like(body.vertices),
            np.ascontiguousarray(tint, dtype=np.float32),
            body.kind,
        )


@kernel
def _skin(
    vertices: np.ndarray, turns: np.ndarray, lag: np.ndarray, follow: np.ndarray, out: np.ndarray
) -> None:
    """Move each vertex with head and torso by its share."""
    for n in range(len(vertices)):
        for k in range(3):
            head, torso = np.float32(0.0), lag[k]
            for j in range(3):
                head += turns[0, k, j] * vertices[n, j]
                torso += turns[1, k, j] * vertices[n, j]
            out[n, k] = follow[n] * head + (np.float32(1.0) - follow[n]) * torso


@kernel
def _turn(vectors: np.ndarray, turns: np.ndarray, follow: np.ndarray, out: np.ndarray) -> None:
    """Turn directions with head and torso by their share (not made unit again)."""
    for n in range(len(vectors)):
        for k in range(3):
            total = np.float32(0.0)
            for j in range(3):
                turn = follow[n] * turns[0, k, j]
                turn += (np.float32(1.0) - follow[n]) * turns[1, k, j]
                total += turn * vectors[n, j]
            out[n, k] = total
