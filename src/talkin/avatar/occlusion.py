"""Baked shadows: how much sky, and how much of the key light, reaches each vertex.

Seen from many directions by the z-buffer, a vertex is lit from those in which nothing hides it.
This gives shadows under chin, nose, brows and hair at no cost per frame; they are baked for the
resting face, which is close enough for speech.
"""

import numpy as np
from jaxtyping import Float

from talkin.avatar.rasteriser import Mesh, empty_visibility, rasterise

_SIZE = 256
_BIAS_MM = 2.0


def sphere_directions(count: int) -> Float[np.ndarray, "count 3"]:
    """Unit directions evenly over the sphere (a sunflower spiral)."""
    height = 1 - (np.arange(count) + 0.5) * 2 / count
    turn = np.arange(count) * np.pi * (3 - np.sqrt(5))
    ring = np.sqrt(1 - height**2)
    return np.stack([ring * np.cos(turn), height, ring * np.sin(turn)], axis=1)


def cone_directions(
    axis: Float[np.ndarray, "3"], half_angle: float, count: int
) -> Float[np.ndarray, "count 3"]:
    """Unit directions evenly within a cone of `half_angle` radians: a lamp with a size."""
    share = (np.arange(count) + 0.5) / count
    spread = np.sqrt(share) * np.tan(half_angle)
    turn = np.arange(count) * np.pi * (3 - np.sqrt(5))
    side = np.cross(axis, [0.0, 0.0, 1.0] if abs(axis[2]) < 0.9 else [1.0, 0.0, 0.0])
    side = side / np.linalg.norm(side)
    other = np.cross(axis, side)
    directions = axis + (spread * np.cos(turn))[:, None] * side
    directions = directions + (spread * np.sin(turn))[:, None] * other
    return directions / np.linalg.norm(directions, axis=1, keepdims=True)


def visible_from(
    direction: Float[np.ndarray, "3"], vertices: Float[np.ndarray, "n 3"], mesh: Mesh
) -> Float[np.ndarray, "n"]:
    """1 where a vertex is seen from far away in a direction, 0 where something hides it."""
    side = np.cross([0.0, 1.0, 0.0] if abs(direction[1]) < 0.95 else [1.0, 0.0, 0.0], direction)
    side = side / np.linalg.norm(side)
    frame = np.stack([side, -np.cross(direction, side), direction])
    seen_from = vertices @ frame.T
    low, high = seen_from[:, :2].min(0), seen_from[:, :2].max(0)
    per_mm = (_SIZE - 1) / (high - low).max()
    points = np.column_stack([(seen_from[:, :2] - low) * per_mm, seen_from[:, 2]])
    visibility = empty_visibility(_SIZE, _SIZE)
    rasterise(points.astype(np.float32), mesh, visibility)
    column = np.clip(np.rint(points[:, 0]).astype(int), 0, _SIZE - 1)
    row = np.clip(np.rint(points[:, 1]).astype(int), 0, _SIZE - 1)
    # A slanted surface hides itself within one cell; leave it that much room.
    return (points[:, 2] > visibility.depth[row, column] - _BIAS_MM - 1.2 / per_mm).astype(float)


def bake_occlusion(
    vertices: Float[np.ndarray, "n 3"], normal: Float[np.ndarray, "n 3"], mesh: Mesh
) -> Float[np.ndarray, "n"]:
    """Share of the cosine-weighted sky that each vertex sees, 0..1."""
    seen, possible = np.zeros(len(vertices)), np.full(len(vertices), 1e-6)
    for direction in sphere_directions(72):
        facing = np.maximum(normal @ direction, 0)
        possible += facing
        seen += facing * visible_from(direction, vertices, mesh)
    return seen / possible


def bake_key_shadow(
    key: Float[np.ndarray, "3"], vertices: Float[np.ndarray, "n 3"], mesh: Mesh
) -> Float[np.ndarray, "n"]:
    """Share of a soft lamp in direction `key` that each vertex sees, 0..1."""
    directions = cone_directions(key, np.radians(14.0), 20)
    return np.mean([visible_from(d, vertices, mesh) for d in directions], axis=0)
