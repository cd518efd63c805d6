"""The z-buffer agrees with asking every triangle at every sample."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from talkin.avatar.rasteriser import NOTHING, empty_visibility, plain_mesh, rasterise

SIZE = 24


def brute_force(points: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nearest front-facing depth at each sample, and how near each sample is to any edge."""
    depth = np.full((SIZE, SIZE), -np.inf)
    margin = np.full((SIZE, SIZE), np.inf)
    y, x = np.mgrid[:SIZE, :SIZE]
    for a, b, c in points[triangles].astype(float):
        matrix = np.array([[b[0] - a[0], c[0] - a[0]], [b[1] - a[1], c[1] - a[1]]])
        area = np.linalg.det(matrix)
        if area >= 0:
            continue
        weights = np.linalg.inv(matrix) @ np.stack([x.ravel() - a[0], y.ravel() - a[1]])
        second, third = weights.reshape(2, SIZE, SIZE)
        least = np.minimum(np.minimum(second, third), 1 - second - third)
        margin = np.minimum(margin, np.abs(least))
        here = a[2] + second * (b[2] - a[2]) + third * (c[2] - a[2])
        depth = np.where((least >= 0) & (here > depth), here, depth)
    return depth, margin


def drawn(points: np.ndarray, triangles: np.ndarray):
    seen = empty_visibility(SIZE, SIZE)
    rasterise(points.astype(np.float32), plain_mesh(triangles, len(points)), seen)
    return seen


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 12))
def test_the_nearest_triangle_wins_at_every_sample_away_from_edges(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.uniform((-6, -6, -50), (SIZE + 6, SIZE + 6, 50), (3 * count, 3))
    triangles = np.arange(3 * count).reshape(-1, 3)
    depth, margin = brute_force(points, triangles)
    seen = drawn(points, triangles)
    sure = margin > 1e-3
    assert ((seen.triangle >= 0) == np.isfinite(depth))[sure].all()
    found = sure & np.isfinite(depth)
    np.testing.assert_allclose(seen.depth[found], depth[found], atol=2e-2)


def test_two_triangles_that_share_an_edge_leave_no_crack_between_them() -> None:
    corners = np.array([(2.3, 1.7, 0), (20.1, 3.2, 0), (1.4, 21.9, 0), (21.6, 20.8, 0)])
    seen = drawn(corners, np.array([(0, 2, 1), (1, 2, 3)]))
    inside = seen.triangle[6:18, 6:18]
    assert (inside >= 0).all()
    assert set(np.unique(inside)) == {0, 1}


def test_a_triangle_seen_from_behind_is_not_drawn_unless_two_sided() -> None:
    points = np.array([(2, 2, 0), (20, 2, 0), (2, 20, 0)], dtype=np.float32)
    behind = plain_mesh(np.array([(0, 1, 2)]), 3)
    seen = empty_visibility(SIZE, SIZE)
    rasterise(points, behind, seen)
    assert (seen.depth == NOTHING).all()
    behind.is_two_sided[:] = True
    rasterise(points, behind, seen)
    assert (seen.triangle == 0).sum() > 100


def test_the_weights_give_back_the_sample_that_they_were_found_at() -> None:
    points = np.array([(1, 2, 3), (4, 21, 9), (22, 5, -6)], dtype=np.float32)
    seen = drawn(points, np.array([(0, 1, 2)]))
    y, x = np.nonzero(seen.triangle == 0)
    second, third = seen.second[y, x], seen.third[y, x]
    weights = np.stack([1 - second - third, second, third], axis=1)
    np.testing.assert_allclose((weights @ points)[:, :2], np.stack([x, y], axis=1), atol=1e-3)


def test_transparent_texels_show_what_lies_behind() -> None:
    points = np.array(
        [(0, 0, 5), (0, 30, 5), (30, 0, 5), (0, 0, 1), (0, 30, 1), (30, 0, 1)], dtype=np.float32
    )
    texture = np.zeros((1, 2, 4), dtype=np.uint8)
    texture[0, 1, 3] = 255
    mesh = plain_mesh(np.array([(0, 1, 2), (3, 4, 5)]), 6)._replace(
        texture=texture, uv=np.array([(0, 0), (0, 0), (2, 0)] * 2, dtype=np.float32)
    )
    mesh.is_cut_out[0] = True
    seen = empty_visibility(SIZE, SIZE)
    rasterise(points, mesh, seen)
    assert seen.triangle[2, 2] == 1
    assert seen.triangle[2, 12] == 0
