"""Which triangle is seen at each picture point: a z-buffer in one thread.

Points are in picture units, x right, y down, integer coordinates at pixel centres (as OpenCV has
them), z growing towards the viewer. Triangles that are anticlockwise seen from outside turn their
front to the viewer; the back is skipped unless a triangle is two-sided. Hair ribbons are cut out
by the alpha of their texture while depth is decided, so that the gaps show what lies behind.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8
from numba import njit

_EMPTY = -1
NOTHING = np.float32(-1e30)
"""Depth where nothing is (finite, so that the kernels may assume finite arithmetic)."""

kernel = njit(cache=True, fastmath=True, error_model="numpy")
"""How the renderer's outer loops are compiled; one thread, so that frames repeat to the bit."""

inner = njit(cache=True, fastmath=True, error_model="numpy", forceinline=True)
"""The same for what they do per triangle or sample: a call would cost more than its work."""

_ALPHA_CUT = 128


class Visibility(NamedTuple):
    """What the z-buffer decided: one entry a sample.

    Attributes:
        depth: z of the seen point, `NOTHING` where nothing is.
        triangle: Number of the seen triangle, -1 where nothing is.
        second: Barycentric weight of the triangle's second corner.
        third: Barycentric weight of its third corner.
    """

    depth: Float[np.ndarray, "height width"]
    triangle: Int[np.ndarray, "height width"]
    second: Float[np.ndarray, "height width"]
    third: Float[np.ndarray, "height width"]


class Mesh(NamedTuple):
    """Triangles as the kernels want them: plain arrays without objects.

    Attributes:
        triangles: Corner numbers.
        is_two_sided: Whether a triangle's back is seen too.
        is_cut_out: Whether texture alpha cuts a triangle.
        uv: Texture position of each vertex in texels.
        texture: sRGB and alpha (cut-out triangles) or gloss (all others).
    """

    triangles: Int[np.ndarray, "triangles 3"]
    is_two_sided: Bool[np.ndarray, "triangles"]
    is_cut_out: Bool[np.ndarray, "triangles"]
    uv: Float[np.ndarray, "vertices 2"]
    texture: UInt8[np.ndarray, "rows columns 4"]


def plain_mesh(triangles: Int[np.ndarray, "triangles 3"], n_vertices: int) -> Mesh:
    """A mesh without texture or cut-outs: enough to ask what is seen."""
    count = len(triangles)
    return Mesh(
        np.ascontiguousarray(triangles, dtype=np.int32),
        np.zeros(count, dtype=np.bool_),
        np.zeros(count, dtype=np.bool_),
        np.zeros((n_vertices, 2), dtype=np.float32),
        np.zeros((1, 1, 4), dtype=np.uint8),
    )


def empty_visibility(height: int, width: int) -> Visibility:
    """Buffers for `rasterise`, which clears them itself; use them again for every frame."""
    return Visibility(
        np.empty((height, width), dtype=np.float32),
        np.empty((height, width), dtype=np.int32),
        np.empty((height, width), dtype=np.float32),
        np.empty((height, width), dtype=np.float32),
    )


@kernel
def rasterise(points: Float[np.ndarray, "vertices 3"], mesh: Mesh, visibility: Visibility) -> None:
    """Decide for every sample which triangle is nearest.

    Args:
        points: Float32 vertex positions in samples (x right, y down, z to the viewer).
        mesh: The triangles.
        visibility: Buffers, overwritten.
    """
    visibility.depth[:] = NOTHING
    visibility.triangle[:] = _EMPTY
    for number in range(len(mesh.triangles)):
        _fill(points, mesh, visibility, number)
    _weigh(points, mesh, visibility)


@inner
def _weigh(points: np.ndarray, mesh: Mesh, visibility: Visibility) -> None:
    """Barycentric weights, once for every sample that shows something."""
    height, width = visibility.depth.shape
    corner = mesh.triangles
    for y in range(height):
        for x in range(width):
            number = visibility.triangle[y, x]
            if number < 0:
                visibility.second[y, x] = 0.0
                visibility.third[y, x] = 0.0
                continue
            a, b, c = corner[number, 0], corner[number, 1], corner[number, 2]
            ax, ay = points[a, 0], points[a, 1]
            bx, by = points[b, 0] - ax, points[b, 1] - ay
            cx, cy = points[c, 0] - ax, points[c, 1] - ay
            share = np.float32(1.0) / (bx * cy - cx * by)
            across, down = np.float32(x) - ax, np.float32(y) - ay
            visibility.second[y, x] = (across * cy - cx * down) * share
            visibility.third[y, x] = (bx * down - across * by) * share


@inner
def _fill(points: np.ndarray, mesh: Mesh, visibility: Visibility, number: int) -> None:
    corner = mesh.triangles
    a, b, c = corner[number, 0], corner[number, 1], corner[number, 2]
    ax, ay = points[a, 0], points[a, 1]
    bx, by = points[b, 0] - ax, points[b, 1] - ay
    cx, cy = points[c, 0] - ax, points[c, 1] - ay
    area = bx * cy - cx * by  # y is down: negative where the front is seen
    zero = np.float32(0.0)
    if area == zero or (area > zero and not mesh.is_two_sided[number]):
        return
    height, width = visibility.depth.shape
    left = max(0, int(np.ceil(ax + min(zero, bx, cx))))
    right = min(width - 1, int(np.floor(ax + max(zero, bx, cx))))
    top = max(0, int(np.ceil(ay + min(zero, by, cy))))
    bottom = min(height - 1, int(np.floor(ay + max(zero, by, cy))))
    share = np.float32(1.0) / area
    z = points[a, 2]
    zb, zc = points[b, 2] - z, points[c, 2] - z
    is_cut_out = mesh.is_cut_out[number]
    for y in range(top, bottom + 1):
        at2, at3 = -cx * (np.float32(y) - ay), bx * (np.float32(y) - ay)
        for x in range(left, right + 1):
            across = np.float32(x) - ax
            second = (at2 + across * cy) * share
            third = (at3 - across * by) * share
            if second >= zero and third >= zero and second + third <= np.float32(1.0):
                depth = z + second * zb + third * zc
                if depth > visibility.depth[y, x] and (
                    not is_cut_out or _is_solid(mesh, number, second, third)
                ):
                    visibility.depth[y, x] = depth
                    visibility.triangle[y, x] = number


@inner
def _is_solid(mesh: Mesh, number: int, second: float, third: float) -> bool:
    corner = mesh.triangles
    a, b, c = corner[number, 0], corner[number, 1], corner[number, 2]
    first = 1.0 - second - third
    u = first * mesh.uv[a, 0] + second * mesh.uv[b, 0] + third * mesh.uv[c, 0]
    v = first * mesh.uv[a, 1] + second * mesh.uv[b, 1] + third * mesh.uv[c, 1]
    rows, columns = mesh.texture.shape[:2]
    column = min(max(int(u + 0.5), 0), columns - 1)
    row = min(max(int(v + 0.5), 0), rows - 1)
    return mesh.texture[row, column, 3] >= _ALPHA_CUT
