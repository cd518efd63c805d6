"""Which vertex of the embedded model is what, and where its texture lies."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from talkin.face3d.anatomy import EYE_CENTRE, EYE_RADIUS_MM
from talkin.face3d.inner_parts import PART_NAMES, Part
from talkin.face3d.topology import CHART_RADIUS, SkinNet, inside_polygon

_SKIN_SHARE = 0.8
_WARP = 0.35
_ATLAS = {
    "eyeball_l": (0.81, 0.81, 0.99, 0.99),
    "eyeball_r": (0.81, 0.62, 0.99, 0.80),
    "teeth_upper": (0.81, 0.51, 0.99, 0.61),
    "teeth_lower": (0.81, 0.40, 0.99, 0.50),
    "tongue": (0.81, 0.25, 0.99, 0.39),
    "lip_roll": (0.81, 0.17, 0.99, 0.24),
    "mouth_bag": (0.81, 0.09, 0.99, 0.16),
    "lid_margin": (0.81, 0.01, 0.99, 0.08),
}


@dataclass(frozen=True, eq=False)
class FaceAnatomy:
    """The embedded model's vertices by part, place and name.

    Attributes:
        chart: Stereographic chart coordinates of the skin (see `surface`); NaN for other parts.
        uv: Texture coordinates 0..1, u to the right, v up. Skin and lips fill u < 0.8 by
            `chart_to_uv`; every other part has its rectangle in `atlas`.
        part: Number of each vertex' part in `part_names`; `lips` is the red of the lips.
        part_names: Names of the parts.
        triangle_part: Number of each triangle's part.
        atlas: Texture rectangle (u0, v0, u1, v1) of each part but skin and lips. Eyeballs: a
            disc, centre = optical axis, rim = 105 degrees from it. Teeth: u along the arch from
            the picture's left, v from the gum (0) over the biting edge (0.9) to the back (1).
            Tongue: v from root to tip. Lip roll, bag, lid margin: v falls with depth.
        curves: Named vertex chains of the skin (see `topology.SkinNet`).
        mirror: Each skin vertex' twin on the other side; other vertices name themselves.
        eye_centres: Centres of the mean eyeballs (picture's left, right), mm.
        eye_radius_mm: Their radius.
    """

    chart: Float[np.ndarray, "v 2"]
    uv: Float[np.ndarray, "v 2"]
    part: Int[np.ndarray, "v"]
    part_names: tuple[str, ...]
    triangle_part: Int[np.ndarray, "t"]
    atlas: dict[str, tuple[float, float, float, float]]
    curves: dict[str, Int[np.ndarray, "loop"]]
    mirror: Int[np.ndarray, "v"]
    eye_centres: Float[np.ndarray, "2 3"]
    eye_radius_mm: float

    def vertices_of(self, *names: str) -> Int[np.ndarray, "n"]:
        """Numbers of the vertices that belong to the named parts."""
        wanted = [self.part_names.index(name) for name in names]
        return np.flatnonzero(np.isin(self.part, wanted))

    def triangles_of(self, *names: str) -> Int[np.ndarray, "n"]:
        """Numbers of the triangles that belong to the named parts."""
        wanted = [self.part_names.index(name) for name in names]
        return np.flatnonzero(np.isin(self.triangle_part, wanted))


def chart_to_uv(chart: Float[np.ndarray, "*n 2"]) -> Float[np.ndarray, "*n 2"]:
    """Skin texture position of chart coordinates; the middle of the face gets most texels."""
    radius = np.linalg.norm(chart, axis=-1, keepdims=True)
    warped = np.log1p(radius / _WARP) / np.log1p(CHART_RADIUS / _WARP)
    disc = chart / np.maximum(radius, 1e-12) * warped
    return (disc * 0.5 + 0.5) * np.array([_SKIN_SHARE, 1.0])


def uv_to_chart(uv: Float[np.ndarray, "*n 2"]) -> Float[np.ndarray, "*n 2"]:
    """Inverse of `chart_to_uv`, for painting textures texel by texel."""
    disc = (uv / np.array([_SKIN_SHARE, 1.0]) - 0.5) / 0.5
    warped = np.linalg.norm(disc, axis=-1, keepdims=True)
    radius = np.expm1(warped * np.log1p(CHART_RADIUS / _WARP)) * _WARP
    return disc / np.maximum(warped, 1e-12) * radius


def describe_anatomy(
    net: SkinNet, parts: list[Part], skin_triangles: int, part_of_triangle: list[str]
) -> FaceAnatomy:
    """Collect parts, texture and curves of the finished mesh.

    Args:
        net: The skin, whose vertices come first.
        parts: The parts in the order in which their vertices follow.
        skin_triangles: How many triangles the skin has.
        part_of_triangle: Part name of every further triangle.
    """
    loop = [net.curves["outer_lip_upper"], net.curves["outer_lip_lower"][-2:0:-1]]
    outline = np.concatenate(loop)
    is_lip = inside_polygon(net.chart, net.chart[outline])
    is_lip[outline] = True
    number = {name: index for index, name in enumerate(PART_NAMES)}
    skin_part = np.where(is_lip, number["lips"], number["skin"])
    triangle_is_lip = is_lip[net.triangles].all(1)
    n_inner = sum(len(part.points) for part in parts)
    return FaceAnatomy(
        chart=np.concatenate([net.chart, np.full((n_inner, 2), np.nan)]),
        uv=np.concatenate([chart_to_uv(net.chart), *[_in_atlas(part) for part in parts]]),
        part=np.concatenate(
            [skin_part, *[np.full(len(part.points), number[part.name]) for part in parts]]
        ).astype(np.int8),
        part_names=PART_NAMES,
        triangle_part=np.concatenate(
            [
                np.where(triangle_is_lip, number["lips"], number["skin"])[:skin_triangles],
                [number[name] for name in part_of_triangle],
            ]
        ).astype(np.int8),
        atlas=dict(_ATLAS),
        curves=net.curves,
        mirror=np.concatenate([net.mirror, len(net.mirror) + np.arange(n_inner)]),
        eye_centres=np.array(EYE_CENTRE) * np.array([[-1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]),
        eye_radius_mm=EYE_RADIUS_MM,
    )


def _in_atlas(part: Part) -> np.ndarray:
    u0, v0, u1, v1 = _ATLAS[part.name]
    return np.array([u0, v0]) + part.local_uv * np.array([u1 - u0, v1 - v0])
