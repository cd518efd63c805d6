"""The skin's triangle net: feature curves through the landmarks, filled in, mirrored.

Everything happens on the right half (u >= 0) of the chart and is mirrored, so that the net is
exactly symmetric.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.interpolate import CubicSpline
from scipy.spatial import Delaunay, cKDTree

from talkin.face3d.anatomy import NASOLABIAL, mean_landmarks, mirrored_landmarks
from talkin.face3d.surface import chart_of

CHART_RADIUS = 1.7
_FINE, _COARSE, _GROWTH = 0.0165, 0.11, 0.105

Chart = Float[np.ndarray, "points 2"]
Loop = Int[np.ndarray, "loop"]


@dataclass(frozen=True, eq=False)
class SkinNet:
    """The net in chart coordinates.

    Attributes:
        chart: Chart coordinates; the first 68 rows are the landmarks.
        triangles: Anticlockwise seen from outside.
        mirror: For each vertex the one on the other side.
        curves: Named vertex chains: `inner_lip_upper`, `inner_lip_lower`, `outer_lip_upper`,
            `outer_lip_lower` from the picture's left to its right (corners included in both),
            `eye_l`, `eye_r` closed loops over the upper lid first, starting at the corner on the
            picture's left.
        cheek: The eight nasolabial vertices of `mouth39`.
    """

    chart: Chart
    triangles: Int[np.ndarray, "triangles 3"]
    mirror: Int[np.ndarray, "points"]
    curves: dict[str, Loop]
    cheek: Int[np.ndarray, "8"]


def build_skin_net() -> SkinNet:
    """Lay the curves, fill between them, triangulate and mirror.

    Around mouth and eye lie concentric rings, joined ring by ring; Delaunay fills the rest. It
    alone would not keep the edges of a narrow opening.
    """
    landmarks = chart_of(mean_landmarks())
    curves = _half_curves(landmarks)
    lips, lids = _lip_rings(curves), _lid_rings(curves, landmarks)
    cheek = chart_of(np.array(NASOLABIAL, dtype=float))
    ringed = np.concatenate([*lips, *lids])
    free = np.concatenate([landmarks[landmarks[:, 0] >= 0], *curves.values(), cheek])
    outlines = [lips[0], lids[0]]
    fixed = _without_repeats(np.concatenate([ringed, free]))
    half = np.concatenate([fixed, _filling(fixed, landmarks, outlines)])
    n_lips = sum(map(len, lips))
    joined = [
        grid_triangles(len(lips), len(lips[0]), closed=False),
        grid_triangles(len(lids), len(lids[0]), closed=True) + n_lips,
    ]
    between = np.r_[: len(lips[0]), n_lips : n_lips + len(lids[0]), len(ringed) : len(half)]
    triangles = np.concatenate([*joined, between[_triangulate(half[between], outlines)]])
    return _mirrored_net(half, triangles, landmarks, curves, cheek)


def grid_triangles(rows: int, columns: int, closed: bool) -> Int[np.ndarray, "t 3"]:
    """Two triangles per cell of a grid of rows; closed rows join their last column to the first."""
    first = np.arange(columns if closed else columns - 1)
    second = (first + 1) % columns
    cells = [
        np.concatenate(
            [
                np.stack([k + first, k + columns + first, k + columns + second], 1),
                np.stack([k + first, k + columns + second, k + second], 1),
            ]
        )
        for k in range(0, (rows - 1) * columns, columns)
    ]
    return np.concatenate(cells)


def _lip_rings(curves: dict[str, Chart]) -> list[Chart]:
    """From the skin around the mouth inwards to the lips' inner edge, each top to bottom."""
    outer, inner = (
        np.concatenate([curves[f"{which}_lip_upper"], curves[f"{which}_lip_lower"][-2::-1]])
        for which in ("outer", "inner")
    )
    return [(1 - blend) * outer + blend * inner for blend in (-0.9, -0.4, 0, 0.25, 0.5, 0.75, 1)]


def _lid_rings(curves: dict[str, Chart], landmarks: Chart) -> list[Chart]:
    """From the orbit inwards to the edge of the lids."""
    centre = landmarks[42:48].mean(0)
    loop = np.concatenate([curves["eye_upper"], curves["eye_lower"][-2:0:-1]])
    # Scaling about the centre keeps the rings apart everywhere, the corners included.
    scales = ((1.62, 1.9), (1.42, 1.55), (1.26, 1.3), (1.12, 1.14), (1.0, 1.0))
    return [centre + (loop - centre) * scale for scale in scales]


def _half_curves(landmarks: Chart) -> dict[str, Chart]:
    return {
        "outer_lip_upper": _chain(landmarks, [48, 49, 50, 51, 52, 53, 54], [3, 5, 5], middle=51),
        "outer_lip_lower": _chain(landmarks, [48, 59, 58, 57, 56, 55, 54], [4, 4, 5], middle=57),
        "inner_lip_upper": _inner_lip(landmarks, [62, 63, 64], [66, 65, 64]),
        "inner_lip_lower": _inner_lip(landmarks, [66, 65, 64], [62, 63, 64]),
        "eye_upper": _chain(landmarks, [42, 43, 44, 45], [5, 4, 5]),
        "eye_lower": _chain(landmarks, [42, 47, 46, 45], [5, 4, 5]),
        "brow": _chain(landmarks, [22, 23, 24, 25, 26], [3, 3, 3, 3]),
        "jaw": _chain(landmarks, [8, 9, 10, 11, 12, 13, 14, 15, 16], [2] * 8),
        "bridge": _chain(landmarks, [27, 28, 29, 30], [3, 3, 4]),
        "nose_base": _chain(landmarks, [33, 34, 35], [3, 3]),
    }


def _chain(landmarks: Chart, indices: list[int], counts: list[int], middle: int = -1) -> Chart:
    """Sample a spline through landmarks; with `middle`, only its half from the midline on."""
    points = landmarks[indices]
    knots = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    spline = CubicSpline(knots, points, bc_type="natural")
    first = indices.index(middle) if middle >= 0 else 0
    samples = [
        spline(np.linspace(knots[first + k], knots[first + k + 1], count, endpoint=False))
        for k, count in enumerate(counts)
    ]
    chain = np.concatenate([*samples, points[-1:]])
    if middle >= 0 or indices[0] in (8, 27, 33):
        chain[0, 0] = 0.0
    if indices[0] == 27:
        chain[:, 0] = 0.0
    return chain


def _inner_lip(landmarks: Chart, own: list[int], other: list[int]) -> Chart:
    """From the midline to the corner: the mouth line plus half a lens-shaped gap.

    A spline of its own through each lip would let the two cross just before the corner.
    """
    middle, side, corner = (
        (landmarks[a] + landmarks[b]) / 2 for a, b in zip(own, other, strict=True)
    )
    half = (landmarks[own] - landmarks[other]) / 2
    start = side[0] / corner[0]
    towards = np.linspace(0, 1, 9)
    # Half evenly spaced, half like a circle's arc: the lens turns sharply at the corner.
    arc = np.sin(np.arcsin(start) + towards * (np.pi / 2 - np.arcsin(start)))
    outer_part = (start + (1 - start) * towards + arc) / 2
    u = corner[0] * np.concatenate([np.linspace(0, start, 5, endpoint=False), outer_part])
    heights = [corner[1], side[1], middle[1], side[1], corner[1]]
    line = CubicSpline([-corner[0], -side[0], 0.0, side[0], corner[0]], heights)(u)
    lens = np.sqrt(1 - (u / corner[0]) ** 2)
    at_side = np.sqrt(1 - (side[0] / corner[0]) ** 2)
    gap = np.interp(u, [0.0, side[0]], [half[0, 1], half[1, 1] / at_side]) * lens
    return np.stack([u, line + gap], axis=1)


def _without_repeats(points: Chart) -> Chart:
    """Drop points within a hair of an earlier one; earlier ones (the landmarks) win."""
    pairs = cKDTree(points).query_pairs(2e-4, output_type="ndarray")
    keep = np.ones(len(points), dtype=bool)
    keep[pairs.max(1)] = False
    return points[keep & (points[:, 0] >= 0)]


def _spacing(points: Chart, detailed: cKDTree) -> np.ndarray:
    return np.clip(_FINE + _GROWTH * (detailed.query(points)[0] - 0.02), _FINE, _COARSE)


def _filling(fixed: Chart, landmarks: Chart, holes: list[Chart]) -> Chart:
    """Greedy Poisson discs that grow with the distance from eyes, nose and mouth."""
    detailed = cKDTree(landmarks[17:][landmarks[17:, 0] >= -0.05])
    random = np.random.default_rng(20)
    candidates = random.uniform((0.0, -CHART_RADIUS), (CHART_RADIUS, CHART_RADIUS), (26000, 2))
    # The face fills a small part of the chart: half of the darts go there.
    candidates[::2] = candidates[::2] * 0.45 + np.array([0.0, -0.12])
    rim = np.linspace(-np.pi / 2, np.pi / 2, 34)
    border = np.stack([np.cos(rim), np.sin(rim)], 1) * CHART_RADIUS
    border[[0, -1], 0] = 0.0
    midline = _midline(fixed, detailed)
    taken = list(np.concatenate([fixed, border, midline]))
    inside = np.linalg.norm(candidates, axis=1) < CHART_RADIUS - 0.06
    for hole in holes:
        inside &= ~inside_polygon(candidates, hole)
    candidates = candidates[inside]
    radii = _spacing(candidates, detailed)
    allowed = (candidates[:, 0] > radii * 0.55) & (
        cKDTree(np.array(taken)).query(candidates)[0] > radii * 0.8
    )
    chosen = _greedy_discs(candidates[allowed], radii[allowed])
    return np.concatenate([border, midline, chosen])


def _midline(fixed: Chart, detailed: cKDTree) -> Chart:
    """Points on u = 0, so that the mirrored halves share them."""
    present = fixed[fixed[:, 0] == 0, 1]
    lip_gap = (chart_of(mean_landmarks()[[66, 62]])[:, 1]).tolist()
    chosen: list[float] = []
    height = -CHART_RADIUS
    while height < CHART_RADIUS:
        step = float(_spacing(np.array([[0.0, height]]), detailed)[0])
        height += step
        free = np.abs(present - height).min() > 0.6 * step
        if free and height < CHART_RADIUS - 0.5 * step and not lip_gap[0] < height < lip_gap[1]:
            chosen.append(height)
    return np.stack([np.zeros(len(chosen)), chosen], axis=1)


def _greedy_discs(candidates: Chart, radii: np.ndarray) -> Chart:
    kept = np.ones(len(candidates), dtype=bool)
    tree = cKDTree(candidates)
    for index, neighbours in enumerate(tree.query_ball_point(candidates, radii)):
        if kept[index]:
            later = np.array(neighbours)
            kept[later[later > index]] = False
    return candidates[kept]


def _triangulate(half: Chart, holes: list[Chart]) -> Int[np.ndarray, "triangles 3"]:
    triangles = Delaunay(half).simplices
    corners = half[triangles]
    centroid = corners.mean(1)
    edge1, edge2 = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = edge1[:, 0] * edge2[:, 1] - edge1[:, 1] * edge2[:, 0]
    keep = np.abs(area) > 1e-7
    for hole in holes:
        keep &= ~inside_polygon(centroid, hole)
    triangles = triangles[keep]
    clockwise = area[keep] < 0
    triangles[clockwise] = triangles[clockwise][:, ::-1]
    return triangles


def inside_polygon(points: Chart, polygon: Chart) -> np.ndarray:
    """Which chart points lie inside a closed polygon (even-odd rule)."""
    x0, y0 = polygon.T
    x1, y1 = np.roll(polygon, -1, axis=0).T
    x, y = points[:, :1], points[:, 1:]
    crosses = (y0 > y) != (y1 > y)
    rise = np.where(y1 == y0, 1.0, y1 - y0)
    return (crosses & (x < (x1 - x0) * (y - y0) / rise + x0)).sum(1) % 2 == 1


def _mirrored_net(
    half: Chart, triangles: np.ndarray, landmarks: Chart, curves: dict[str, Chart], cheek: Chart
) -> SkinNet:
    """Number the whole net: the 68 landmarks, then the right half's rest, then its mirror."""
    tree = cKDTree(half)
    right = np.full(len(half), -1)
    on_right = np.flatnonzero(landmarks[:, 0] >= 0)
    right[tree.query(landmarks[on_right])[1]] = on_right
    others = np.flatnonzero(right < 0)
    right[others] = 68 + np.arange(len(others))
    left = right.copy()
    swap = mirrored_landmarks()
    is_landmark = right < 68
    left[is_landmark] = swap[right[is_landmark]]
    away = others[half[others, 0] > 0]
    left[away] = 68 + len(others) + np.arange(len(away))
    n_vertices = 68 + len(others) + len(away)
    chart = np.zeros((n_vertices, 2))
    chart[left] = half * np.array([-1.0, 1.0])
    chart[right] = half
    mirror = np.zeros(n_vertices, dtype=np.int64)
    mirror[left], mirror[right] = right, left
    whole = np.concatenate([right[triangles], left[triangles][:, ::-1]])
    return SkinNet(
        chart=chart,
        triangles=whole,
        mirror=mirror,
        curves=_named_curves(curves, tree, left, right),
        cheek=np.concatenate([left[tree.query(cheek)[1]], right[tree.query(cheek)[1]]]),
    )


def _named_curves(
    curves: dict[str, Chart], tree: cKDTree, left: np.ndarray, right: np.ndarray
) -> dict[str, Loop]:
    named: dict[str, Loop] = {}
    for name in ("inner_lip_upper", "inner_lip_lower", "outer_lip_upper", "outer_lip_lower"):
        found = tree.query(curves[name])[1]
        named[name] = np.concatenate([left[found][:0:-1], right[found]])
    found = tree.query(np.concatenate([curves["eye_upper"], curves["eye_lower"][-2:0:-1]]))[1]
    named["eye_r"] = right[found]
    # Mirrored, the loop would start at the inner corner: turn it to begin at the picture's left.
    n_upper = len(curves["eye_upper"])
    upper, lower = left[found[:n_upper]][::-1], left[found[n_upper:]][::-1]
    named["eye_l"] = np.concatenate([upper, lower])
    return named
