"""One piece of a drawn person: vertices with everything that shading needs."""

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Bool, Float, Int

from talkin.avatar.rasteriser import kernel


@dataclass(frozen=True, eq=False)
class Surface:
    """A mesh in model axes (mm, x right, y up, z to the camera).

    Attributes:
        vertices: Positions of the resting person.
        triangles: Corner numbers, anticlockwise seen from outside.
        normal: Unit normals.
        tangent: Strand directions, zero where there is no hair.
        uv: Texture positions in texels of the speaker's atlas.
        tint: Linear RGB that multiplies the texture.
        kind: Per triangle, how it takes light (`shading.SKIN` and so on).
        is_two_sided: Per triangle, whether its back is seen.
        is_cut_out: Per triangle, whether texture alpha cuts it.
        follow: Share of the head's movement that a vertex makes; the rest is the torso's.
    """

    vertices: Float[np.ndarray, "n 3"]
    triangles: Int[np.ndarray, "m 3"]
    normal: Float[np.ndarray, "n 3"]
    tangent: Float[np.ndarray, "n 3"]
    uv: Float[np.ndarray, "n 2"]
    tint: Float[np.ndarray, "n 3"]
    kind: Int[np.ndarray, "m"]
    is_two_sided: Bool[np.ndarray, "m"]
    is_cut_out: Bool[np.ndarray, "m"]
    follow: Float[np.ndarray, "n"]

    def __len__(self) -> int:
        """Number of vertices."""
        return len(self.vertices)


def solid(
    vertices: Float[np.ndarray, "n 3"],
    triangles: Int[np.ndarray, "m 3"],
    uv: Float[np.ndarray, "n 2"],
    kind: int,
    follow: Float[np.ndarray, "n"] | float = 1.0,
) -> Surface:
    """A closed or open surface with smooth normals, no strands, seen from outside only."""
    count, faces = len(vertices), len(triangles)
    vertices = np.asarray(vertices, dtype=np.float32)
    triangles = np.asarray(triangles, dtype=np.int32)
    return Surface(
        vertices=vertices,
        triangles=triangles,
        normal=smooth_normals(vertices, triangles),
        tangent=np.zeros((count, 3), dtype=np.float32),
        uv=np.asarray(uv, dtype=np.float32),
        tint=np.ones((count, 3), dtype=np.float32),
        kind=np.full(faces, kind, dtype=np.int8),
        is_two_sided=np.zeros(faces, dtype=np.bool_),
        is_cut_out=np.zeros(faces, dtype=np.bool_),
        follow=np.broadcast_to(np.float32(follow), (count,)).astype(np.float32),
    )


def joined(surfaces: list[Surface]) -> Surface:
    """Put surfaces into one, in order; corner numbers move along."""
    starts = np.cumsum([0, *(len(surface) for surface in surfaces[:-1])])
    values = {
        field.name: np.concatenate([getattr(surface, field.name) for surface in surfaces])
        for field in fields(Surface)
        if field.name != "triangles"
    }
    triangles = [s.triangles + np.int32(n) for s, n in zip(surfaces, starts, strict=True)]
    return Surface(triangles=np.concatenate(triangles), **values)


@kernel
def smooth_normals(
    vertices: Float[np.ndarray, "n 3"], triangles: Int[np.ndarray, "m 3"]
) -> Float[np.ndarray, "n 3"]:
    """Unit vertex normals: the sum of the neighbouring triangles' area vectors, made unit."""
    normal = np.zeros((len(vertices), 3), dtype=np.float32)
    for number in range(len(triangles)):
        a, b, c = triangles[number]
        p = vertices[b] - vertices[a]
        q = vertices[c] - vertices[a]
        for k in range(3):
            i, j = (k + 1) % 3, (k + 2) % 3
            part = p[i] * q[j] - p[j] * q[i]
            normal[a, k] += part
            normal[b, k] += part
            normal[c, k] += part
    for n in range(len(normal)):
        length = np.sqrt(normal[n, 0] ** 2 + normal[n, 1] ** 2 + normal[n, 2] ** 2)
        normal[n] /= max(length, np.float32(1e-9))
    return normal


def grid_triangles(rows: int, columns: int, is_closed: bool = False) -> Int[np.ndarray, "m 3"]:
    """Triangles of a grid of vertices, row by row; `is_closed` joins the last column to the first.

    Anticlockwise seen from outside when columns run to the right and rows run down.
    """
    row, column = np.meshgrid(
        np.arange(rows - 1), np.arange(columns if is_closed else columns - 1), indexing="ij"
    )
    right = (column + 1) % columns
    a, b = row * columns + column, row * columns + right
    c, d = a + columns, b + columns
    return np.concatenate(
        [np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)]
    ).astype(np.int32)
