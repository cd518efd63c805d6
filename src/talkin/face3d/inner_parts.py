"""What lies behind the skin: eyeballs, lid margins, the insides of the lips, teeth, tongue, dark.

A part has no shape coefficients of its own: it follows the skin it belongs to. Each part vertex
names the skin vertices whose mean displacement it takes over, for geometry and, times a weight,
for expression; what sits on the lower jaw also turns with it.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from talkin.face3d.anatomy import EYE_CENTRE, EYE_RADIUS_MM
from talkin.face3d.topology import grid_triangles

PART_NAMES = (
    "skin",
    "lips",
    "eyeball_l",
    "eyeball_r",
    "lid_margin",
    "lip_roll",
    "mouth_bag",
    "teeth_upper",
    "teeth_lower",
    "tongue",
)

_EYE_RINGS, _EYE_SPOKES, _EYE_OPENING = 11, 24, np.deg2rad(105)
_ARC = np.deg2rad(78)


@dataclass(frozen=True, eq=False)
class Part:
    """Some vertices behind the skin.

    Attributes:
        name: One of `PART_NAMES`.
        points: Mean positions, mm.
        local_uv: Texture position inside the part's own atlas rectangle, 0..1.
        triangles: Anticlockwise seen from where the camera sees them; numbers of this part's
            vertices, or -1 - k for the k-th vertex of `rim`.
        rim: Numbers of skin vertices that the part's triangles join.
        leaders: Skin vertices that every vertex follows (their mean), or one row per vertex.
        expression_weight: How much of the leaders' expression is taken over.
        jaw_weight: How much the vertex turns with the lower jaw.
    """

    name: str
    points: Float[np.ndarray, "n 3"]
    local_uv: Float[np.ndarray, "n 2"]
    triangles: Int[np.ndarray, "t 3"]
    leaders: Int[np.ndarray, "n leaders"]
    expression_weight: Float[np.ndarray, "n"]
    jaw_weight: Float[np.ndarray, "n"]
    rim: Int[np.ndarray, "rim"]


def build_parts(skin: Float[np.ndarray, "v 3"], curves: dict[str, np.ndarray]) -> list[Part]:
    """Grow all parts from the mean skin and its named curves."""
    upper, lower = curves["inner_lip_upper"], curves["inner_lip_lower"]
    lips = np.concatenate([upper, lower[-2:0:-1]])
    return [
        _eyeball("eyeball_l", -1.0, curves["eye_l"]),
        _eyeball("eyeball_r", 1.0, curves["eye_r"]),
        *_lid_margin(skin, curves["eye_l"], -1.0),
        *_lid_margin(skin, curves["eye_r"], 1.0),
        _lip_roll(skin, lips, len(upper)),
        _mouth_bag(skin, lips, len(upper)),
        _teeth("teeth_upper", (-61.5, -66.0, -70.5, -74.9), (24.5, 8.6), skin, lips, 0.0),
        _teeth("teeth_lower", (-88.0, -84.0, -80.0, -76.0), (23.5, 6.6), skin, lips, 1.0),
        _tongue(skin, lips),
    ]


def _eye_centre(side: float) -> np.ndarray:
    return np.array(EYE_CENTRE) * np.array([side, 1.0, 1.0])


def _eyeball(name: str, side: float, loop: np.ndarray) -> Part:
    """A globe open at the back; its texture is a disc round the optical axis."""
    polar = np.linspace(0, _EYE_OPENING, _EYE_RINGS + 1)[1:]
    turn = np.arange(_EYE_SPOKES) * 2 * np.pi / _EYE_SPOKES
    theta, phi = (grid.ravel() for grid in np.meshgrid(polar, turn, indexing="ij"))
    theta, phi = np.r_[0.0, theta], np.r_[0.0, phi]
    unit = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], 1)
    disc = np.stack([theta * np.cos(phi), theta * np.sin(phi)], 1) / (2 * _EYE_OPENING) + 0.5
    spokes = np.arange(_EYE_SPOKES)
    cap = np.stack([0 * spokes, 1 + spokes, 1 + (spokes + 1) % _EYE_SPOKES], 1)
    sides = grid_triangles(_EYE_RINGS, _EYE_SPOKES, closed=True) + 1
    return _part(
        name,
        _eye_centre(side) + EYE_RADIUS_MM * unit,
        disc,
        np.concatenate([cap, sides]),
        np.tile(loop, (len(unit), 1)),
    )


def _lid_margin(skin: np.ndarray, loop: np.ndarray, side: float) -> list[Part]:
    """Two rings: the lid's edge, which moves with the lid, and its root inside the eyeball.

    The root ends inside the globe, so no expression or geometry can open a crack at the corners.
    """
    centre = _eye_centre(side)
    contour = skin[loop]
    away = contour - centre
    inward = away / np.linalg.norm(away, axis=1, keepdims=True)
    root = centre + inward * EYE_RADIUS_MM * 0.9
    edge = contour + 0.45 * (root - contour) + np.array([0.0, 0.0, -0.3])
    count = len(loop)
    along = np.arange(count) / count
    parts = np.concatenate([edge, root])
    uv = np.concatenate([np.stack([along, 0 * along + 0.5], 1), np.stack([along, 0 * along], 1)])
    joined = grid_triangles(2, count, closed=True)
    rim = grid_triangles(
        2, count, closed=True
    )  # from the skin's contour (row 0) to the edge (row 1)
    rim = np.where(rim < count, -1 - rim, rim - count)
    leaders = np.tile(loop, (2 * count, 1))
    leaders[:count] = loop[:, None]
    return [
        _part(
            "lid_margin",
            parts,
            uv,
            np.concatenate([joined, rim]),
            leaders,
            expression_weight=np.r_[np.full(count, 0.9), np.zeros(count)],
            rim=loop,
        )
    ]


def _lip_roll(skin: np.ndarray, lips: np.ndarray, n_upper: int) -> Part:
    """The wet inside of the lips: the lip line carried back and away from the opening."""
    count = len(lips)
    outward = _away_from_line(count, n_upper)
    rings = [
        skin[lips] + _shift(0 * outward, 0.9 * outward, -1.8 + 0 * outward),
        skin[lips] + _shift(0 * outward, 3.4 * outward, -4.6 + 0 * outward),
    ]
    along = np.arange(count) / count
    joined = grid_triangles(2, count, closed=True)
    rim = np.where(joined < count, -1 - joined, joined - count)
    return _part(
        "lip_roll",
        np.concatenate(rings),
        np.concatenate([np.stack([along, 0 * along + level], 1) for level in (0.5, 0.0)]),
        np.concatenate([joined, rim]),
        np.tile(lips, 2)[:, None],
        expression_weight=np.r_[np.ones(count), np.full(count, 0.95)],
        rim=lips,
    )


def _mouth_bag(skin: np.ndarray, lips: np.ndarray, n_upper: int) -> Part:
    """A dark sack behind the lips, its floor on the lower jaw."""
    count = len(lips)
    outward = _away_from_line(count, n_upper)
    base = skin[lips] + _shift(0 * outward, 3.4 * outward, -4.6 + 0 * outward)
    floor = np.clip(-outward, 0, 1)
    depth = (0.0, -9.0, -34.0)
    reach = (0.0, 7.0, 8.0)
    rings = [base + _shift(0.06 * k * base[:, 0], reach[k] * outward, depth[k]) for k in range(3)]
    end = np.concatenate(rings)[-count:].mean(0) + np.array([0.0, 0.0, -12.0])
    spokes = np.arange(count)
    cap = np.stack(
        [2 * count + spokes, 2 * count + (spokes + 1) % count, 0 * spokes + 3 * count], 1
    )
    points = np.concatenate([*rings, end[None]])
    along = np.arange(count) / count
    uv = np.concatenate([np.stack([along, 0 * along + level], 1) for level in (1.0, 0.6, 0.2)])
    leaders = _nearest_across(points, skin, lips)
    leaders[:count] = lips[:, None]
    return _part(
        "mouth_bag",
        points,
        np.concatenate([uv, [[0.5, 0.0]]]),
        np.concatenate([grid_triangles(3, count, closed=True), cap[:, ::-1]]),
        leaders,
        expression_weight=np.r_[np.full(count, 0.95), np.zeros(2 * count + 1)],
        jaw_weight=np.r_[np.zeros(count), floor, 0.8 * floor, 0.3],
    )


def _teeth(
    name: str,
    heights: tuple[float, ...],
    arch: tuple[float, float],
    skin: np.ndarray,
    lips: np.ndarray,
    jaw: float,
) -> Part:
    """A row of teeth as one arched band: gum, front faces, biting edge, back."""
    half_width, front = arch
    columns = 33
    turn = np.linspace(-_ARC, _ARC, columns)
    inner = 0.86
    edge, gum = heights[-1], heights[1]
    rows = [(1.0, height) for height in heights] + [(0.94, edge), (inner, gum)]
    rings = []
    for shrink, height in rows:
        x = half_width * shrink * np.sin(turn)
        z = front - (1 - shrink) * 30 - 26 * (1 - np.cos(turn))
        rings.append(np.stack([x, np.full(columns, height), z], 1))
    across = np.linspace(0, 1, columns)
    levels = (0.0, 0.3, 0.6, 0.9, 0.95, 1.0)
    triangles = grid_triangles(len(rows), columns, closed=False)
    if jaw == 0.0:
        triangles = triangles[:, ::-1]
    points = np.concatenate(rings)
    return _part(
        name,
        points,
        np.concatenate([np.stack([across, 0 * across + level], 1) for level in levels]),
        triangles[:, ::-1],
        _nearest_across(points, skin, lips),
        expression_weight=np.zeros(len(points)),
        jaw_weight=np.full(len(points), jaw),
    )


def _tongue(skin: np.ndarray, lips: np.ndarray) -> Part:
    """The upper half of a flat ellipsoid lying in the lower arch."""
    rows, columns = 9, 13
    along = np.linspace(0, 1, rows)
    around = np.linspace(-np.pi / 2, np.pi / 2, columns)
    points, uv = [], []
    for t in along:
        width = 17.0 * np.sqrt(1 - (0.1 + 0.9 * t) ** 4 * 0.98)
        z = -30 + 31.5 * t
        top = -73.0 - 5.5 * t**3
        points.append(
            np.stack(
                [width * np.sin(around), top - 7.0 * (1 - np.cos(around)) ** 1.5, 0 * around + z], 1
            )
        )
        uv.append(np.stack([np.linspace(0, 1, columns), np.full(columns, t)], 1))
    count = rows * columns
    return _part(
        "tongue",
        np.concatenate(points),
        np.concatenate(uv),
        grid_triangles(rows, columns, closed=False),
        _nearest_across(np.concatenate(points), skin, lips),
        expression_weight=np.zeros(count),
        jaw_weight=np.linspace(0.75, 1.0, rows).repeat(columns),
    )


def _nearest_across(points: np.ndarray, skin: np.ndarray, lips: np.ndarray) -> np.ndarray:
    """For each point the lip vertices nearest in x, so that a wide mouth gets wide teeth."""
    away = np.abs(points[:, None, 0] - skin[lips][None, :, 0])
    return lips[np.argsort(away, axis=1, kind="stable")[:, : 2 * len(lips) // 5]]


def _away_from_line(count: int, n_upper: int) -> np.ndarray:
    """+1 along the upper lip, -1 along the lower, 0 at the two corners, eased in between."""
    upper = np.sin(np.linspace(0, np.pi, n_upper)) ** 0.5
    lower = np.sin(np.linspace(0, np.pi, count - n_upper + 2))[1:-1] ** 0.5
    return np.concatenate([np.nan_to_num(upper), -lower])


def _shift(x: np.ndarray, y: np.ndarray, z: np.ndarray | float) -> np.ndarray:
    return np.stack(np.broadcast_arrays(x, y, z), axis=1)


def _part(  # noqa: PLR0913 - one keyword a field
    name: str,
    points: np.ndarray,
    uv: np.ndarray,
    triangles: np.ndarray,
    leaders: np.ndarray,
    *,
    expression_weight: np.ndarray | None = None,
    jaw_weight: np.ndarray | None = None,
    rim: np.ndarray | None = None,
) -> Part:
    none = np.zeros(len(points))
    return Part(
        name=name,
        points=points,
        local_uv=uv,
        triangles=triangles,
        leaders=leaders,
        expression_weight=none if expression_weight is None else expression_weight,
        jaw_weight=none if jaw_weight is None else jaw_weight,
        rim=np.zeros(0, dtype=np.int64) if rim is None else rim,
    )
