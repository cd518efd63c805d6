"""The parts of a person that the morphable model lacks: skull, ears, neck, shoulders.

Everything is built on the resting face of one speaker, so it fits whatever the geometry is.
"""

import numpy as np
from jaxtyping import Float
from scipy.interpolate import CubicSpline
from scipy.spatial import cKDTree

from talkin.avatar.shading import CLOTH, SKIN
from talkin.avatar.surface import Surface, grid_triangles, solid

CENTRE = np.array([0.0, -20.0, -80.0])
NECK_JOINT = np.array([0.0, -72.0, -88.0])
_SKULL_CENTRE = np.array([0.0, 0.0, -90.0])
_SKULL_AXES = np.array([77.0, 108.0, 98.0])
_ROWS, _COLUMNS = 97, 192


class HeadShape:
    """The head as a distance from its centre in every direction, closed behind by a skull.

    Where the face mesh ends, the ratio of its last vertices to an ellipsoid is carried on, so
    wide and narrow heads keep their width behind.
    """

    def __init__(self, skin: Float[np.ndarray, "n 3"]) -> None:
        """Take the resting skin vertices (mm) of one speaker."""
        away = skin - CENTRE
        distance = np.linalg.norm(away, axis=1)
        directions = away / distance[:, None]
        tree = cKDTree(directions)
        polar = np.linspace(0, np.pi, _ROWS)[:, None]
        turn = np.linspace(0, 2 * np.pi, _COLUMNS, endpoint=False)[None, :]
        grid = np.stack(
            [np.sin(polar) * np.cos(turn), np.sin(polar) * np.sin(turn), np.cos(polar) + 0 * turn],
            axis=-1,
        )
        near, which = tree.query(grid, k=6)
        weight = 1 / (near + 0.02) ** 2
        ratio = distance / _skull_distance(directions)
        mixed = (weight * ratio[which]).sum(-1) / weight.sum(-1)
        self._distance = mixed * _skull_distance(grid)

    def distance(self, directions: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n"]:
        """Distance in mm from `CENTRE` to the head's surface along unit directions."""
        row = np.arccos(np.clip(directions[..., 2], -1, 1)) / np.pi * (_ROWS - 1)
        column = np.arctan2(directions[..., 1], directions[..., 0]) / (2 * np.pi) * _COLUMNS
        column = np.mod(column, _COLUMNS)
        top = np.minimum(row.astype(int), _ROWS - 2)
        left = np.minimum(column.astype(int), _COLUMNS - 1)
        right = (left + 1) % _COLUMNS
        down, across = row - top, column - left
        d = self._distance
        upper = d[top, left] * (1 - across) + d[top, right] * across
        lower = d[top + 1, left] * (1 - across) + d[top + 1, right] * across
        return upper * (1 - down) + lower * down

    def surface(
        self, directions: Float[np.ndarray, "*n 3"], lift: Float[np.ndarray, "*n"] | float = 0.0
    ) -> Float[np.ndarray, "*n 3"]:
        """Points `lift` mm above the head along unit directions from its centre."""
        return CENTRE + directions * (self.distance(directions) + lift)[..., None]

    def height(self, points: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n"]:
        """How many mm points lie above the head's surface (negative inside)."""
        away = points - CENTRE
        length = np.linalg.norm(away, axis=-1)
        return length - self.distance(away / np.maximum(length, 1e-6)[..., None])

    def pushed_out(
        self, points: Float[np.ndarray, "*n 3"], lift: Float[np.ndarray, "*n"] | float
    ) -> Float[np.ndarray, "*n 3"]:
        """Points moved away from the centre until they are at least `lift` mm above the head."""
        away = points - CENTRE
        length = np.maximum(np.linalg.norm(away, axis=-1), 1e-6)
        unit = away / length[..., None]
        missing = np.maximum(self.distance(unit) + lift - length, 0)
        return points + unit * missing[..., None]


def _skull_distance(directions: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n"]:
    """Distance from `CENTRE` to the ellipsoid along unit directions (the quadratic's root)."""
    scaled = directions / _SKULL_AXES
    start = (CENTRE - _SKULL_CENTRE) / _SKULL_AXES
    a = (scaled**2).sum(-1)
    b = (scaled * start).sum(-1)
    return (-b + np.sqrt(b * b - a * ((start**2).sum() - 1))) / a


_EAR_OUTLINE = np.array(  # mm behind and above the ear canal
    [
        (-1, -4), (0, 8), (2, 19), (8, 28), (17, 32), (26, 28), (31, 18), (31, 5),
        (27, -8), (20, -19), (12, -28), (5, -29), (0, -22), (-1, -12),
    ],
    dtype=float,
)  # fmt: skip
_EAR_MIDDLE = np.array([12.0, 2.0])


def build_ear(head: HeadShape, side: int, size: float, uv: Float[np.ndarray, "2 2"]) -> Surface:
    """An outer ear: helix, antihelix, concha, tragus and lobe as a relief on an ear's outline.

    Args:
        head: The head that it grows on.
        side: +1 for the picture's right, -1 for its left.
        size: Factor on the ordinary height of 61 mm.
        uv: Texture corners (low, high) of a patch of skin, texels.
    """
    rings, turns = 15, 40
    closed = np.vstack([_EAR_OUTLINE, _EAR_OUTLINE[:1]])
    spline = CubicSpline(np.linspace(0, 1, len(closed)), closed, bc_type="periodic")
    outline = spline(np.linspace(0, 1, turns, endpoint=False)) - _EAR_MIDDLE
    share = np.concatenate([np.linspace(0, 1, rings - 3), [0.97, 0.8, 0.35]])
    flat = _EAR_MIDDLE + share[:, None, None] * outline
    relief = _ear_relief(np.minimum(share, 1.0)[:, None], outline)
    relief[-3] -= 3.0
    relief[-2] -= 7.0
    relief[-1] -= 16.0
    flare = np.radians(28.0)
    back = np.array([np.sin(flare) * side, 0.0, -np.cos(flare)])
    up = np.array([0.06 * side, 0.985, -0.16])
    out = np.array([np.cos(flare) * side, 0.0, np.sin(flare)])
    anchor_direction = np.array([float(side), 0.03, 0.0])
    anchor = head.surface(anchor_direction / np.linalg.norm(anchor_direction)) - out * 1.5
    local = size * np.concatenate([flat, relief[..., None]], axis=-1)
    points = anchor + local[..., :1] * back + local[..., 1:2] * up + local[..., 2:] * out
    triangles = grid_triangles(rings, turns, is_closed=True)
    triangles = triangles[:, ::-1] if side > 0 else triangles
    inside = np.clip(1.0 + relief / 11.0, 0.55, 1.0)  # blood shows where the ear is thin and deep
    texel = uv[0] + (uv[1] - uv[0]) * (0.5 + 0.4 * flat / 35.0).clip(0, 1)
    ear = solid(points.reshape(-1, 3), triangles, texel.reshape(-1, 2), SKIN)
    ear.is_two_sided[:] = True
    ear.tint[:] = np.stack([0.6 + 0.4 * inside, inside, inside], -1).reshape(-1, 3)
    return ear


def _ear_relief(
    share: Float[np.ndarray, "rings 1"], outline: Float[np.ndarray, "turns 2"]
) -> Float[np.ndarray, "rings turns"]:
    """Height in mm above the ear's plane, by ring (0 middle, 1 rim) and direction."""
    angle = np.arctan2(outline[:, 1], outline[:, 0])[None, :]  # 0 = backwards, pi/2 = up
    upper = np.clip(np.cos(angle - 0.9) * 0.8 + 0.55, 0, 1)
    lobe = np.exp(-(((angle + 1.75) / 0.5) ** 2))
    front = np.exp(-(((np.abs(angle) - np.pi) / 0.55) ** 2))

    def ridge(at: float, width: float) -> Float[np.ndarray, "rings 1"]:
        return np.exp(-(((share - at) / width) ** 2))

    relief = 4.5 * ridge(0.9, 0.09) * upper - 1.5 * ridge(0.75, 0.1) * upper
    relief = relief + 4.0 * ridge(0.56, 0.11) * (1 - front) * (1 - 0.6 * lobe)
    relief = relief - 7.0 * ridge(0.0, 0.42) + 5.0 * ridge(0.62, 0.2) * front
    return relief + 1.5 * lobe * ridge(0.8, 0.25)


def build_neck(radius_mm: float, uv: Float[np.ndarray, "2 2"]) -> Surface:
    """The neck from inside the head to inside the shirt; its upper end follows the head.

    Args:
        radius_mm: Half its width (about 48 for slight, 62 for strong people).
        uv: Texture corners (low, high) of a patch of skin, texels.
    """
    rows, columns = 26, 48
    height = np.linspace(-48, -215, rows)
    turn = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    flare = 1.0 + 0.9 * np.clip((-148 - height) / 55, 0, 1.5) ** 2
    flare = flare + 0.10 * np.clip((height + 110) / 60, 0, 1)
    lean = np.interp(height, [-215, -150, -60], [-118, -104, -92])
    side, front = np.cos(turn)[None, :], np.sin(turn)[None, :]
    # the two cords from behind the ears to the notch between the collar bones, and the throat
    descent = np.clip((-height - 90) / 80, 0, 1)[:, None]
    cord_at = 0.35 + 1.0 * descent
    bearing = np.arctan2(front, np.abs(side))
    bump = 2.6 * np.exp(-(((bearing - cord_at) / 0.16) ** 2)) * np.sin(np.pi * descent)
    throat = 3.0 * np.exp(-(((bearing - np.pi / 2) / 0.2) ** 2))
    throat = throat * np.exp(-(((height[:, None] + 138) / 12) ** 2))
    width = radius_mm * flare[:, None] + bump + throat
    x = width * side
    z = lean[:, None] + width * np.where(front > 0, 1.0, 0.9) * front
    y = np.broadcast_to(height[:, None], x.shape)
    points = np.stack([x, y, z], -1).reshape(-1, 3)
    texel = np.stack(np.meshgrid(np.abs(np.linspace(-1, 1, columns)), np.linspace(0, 1, rows)), -1)
    texel = uv[0] + (uv[1] - uv[0]) * texel.reshape(-1, 2)
    triangles = grid_triangles(rows, columns, is_closed=True)[:, ::-1]
    neck = solid(points, triangles, texel, SKIN, follow=neck_follow(points[:, 1]))
    neck.tint[:] *= np.array([0.98, 0.93, 0.9], dtype=np.float32)
    return neck


def neck_follow(height: Float[np.ndarray, "n"]) -> Float[np.ndarray, "n"]:
    """How far a point at this height (mm) goes with the head: 1 at the jaw, 0 at the collar."""
    share = np.clip((height + 172) / 76, 0, 1)
    return share * share * (3 - 2 * share)


def build_shoulders(
    neck_radius_mm: float, collar_drop_mm: float, uv: Float[np.ndarray, "2 2"]
) -> Surface:
    """A shirt: shoulders and chest, with a rolled collar that is lower in front.

    Args:
        neck_radius_mm: Half the neck's width.
        collar_drop_mm: How far the front of the collar hangs below its back.
        uv: Texture corners (low, high) of a patch of cloth, texels.
    """
    rows, columns = 22, 64
    level = np.linspace(0, 1, rows)[:, None]
    turn = np.linspace(0, 2 * np.pi, columns, endpoint=False)[None, :]
    side, front = np.cos(turn), np.sin(turn)
    half_width = (
        neck_radius_mm * 1.12 + 140 * np.sin(np.pi / 2 * np.clip(level * 1.75, 0, 1)) ** 1.1
    )
    half_depth = neck_radius_mm * 1.10 + 52 * np.sin(np.pi / 2 * np.clip(level * 1.5, 0, 1))
    slope = 66 * np.clip(level * 1.75, 0, 1) ** 1.3 + 200 * np.clip(level - 0.42, 0, 1)
    drop = collar_drop_mm * np.clip(front, 0, 1) ** 2 * (1 - level) ** 2
    y = -140 - slope - drop - 16 * np.clip(front, 0, 1) * (1 - level)
    squareness = 1 + 0.22 * (side * front) ** 2 * 4 * level
    x = half_width * side * squareness
    z = -112 + half_depth * front * squareness + 8 * level * front
    roll = level < 0.001
    points = np.stack([x, y + 0 * x, z], axis=-1)
    inner = points[:1] * np.array([0.93, 1.0, 1.0]) + np.array([0.0, -9.0, 0.0])
    inner[..., 2] = -112 + (inner[..., 2] + 112) * 0.93
    points = np.concatenate([inner, points])
    points[1][..., 1] += 3.0 * roll.any()
    texel = np.stack(
        np.meshgrid(np.abs(np.linspace(-1, 1, columns)), np.linspace(0, 1, rows + 1)), axis=-1
    )
    texel = uv[0] + (uv[1] - uv[0]) * texel.reshape(-1, 2)
    triangles = grid_triangles(rows + 1, columns, is_closed=True)[:, ::-1]
    shirt = solid(points.reshape(-1, 3), triangles, texel, CLOTH, follow=0.0)
    shirt.is_two_sided[:] = True
    return shirt
