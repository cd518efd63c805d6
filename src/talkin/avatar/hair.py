"""Hair as ribbons: a dark cap on the scalp and many thin strips combed over it.

A ribbon carries a texture of several strands whose gaps are cut out, so the outline is frayed as
that of real hair. Strands grow step by step: each follows its comb direction, falls with gravity
and is pushed out of the head, and long ones are kept off the face.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from talkin.avatar.head import CENTRE, HeadShape, neck_follow
from talkin.avatar.shading import HAIR
from talkin.avatar.speaker import HairStyle
from talkin.avatar.surface import Surface, grid_triangles, solid

Points = Float[np.ndarray, "*n 3"]


@dataclass(frozen=True)
class Cut:
    """What makes one hair style.

    Attributes:
        n_ribbons: Strips in all.
        length_mm: Their length on top and at the sides.
        width_mm: Width of a strip at its middle.
        lift_mm: How far the hair stands off the scalp.
        gravity: How soon it falls, per step.
        curl_mm: Radius of curls.
        part_x_mm: Where the parting lies.
        comb: Direction at the forehead, before it is laid on the scalp; x is away from the
            parting.
        n_steps: Pieces of a strip.
    """

    n_ribbons: int
    length_mm: tuple[float, float]
    width_mm: float
    lift_mm: float
    gravity: float
    curl_mm: float
    part_x_mm: float
    comb: tuple[float, float, float]
    n_steps: int = 6


_CUTS: dict[HairStyle, Cut] = {
    "crop": Cut(1500, (24, 11), 6.5, 4.0, 0.05, 0.3, 15, (0.5, 0.0, 0.5), 4),
    "parted": Cut(1200, (66, 22), 8.0, 7.0, 0.15, 0.5, 24, (1.0, 0.0, 0.15), 7),
    "back": Cut(1100, (80, 60), 8.0, 7.0, 0.10, 0.5, 0, (0.12, 0.2, -1.0), 7),
    "curly": Cut(1700, (46, 34), 6.0, 13.0, 0.03, 4.5, 0, (0.5, 0.6, -0.1), 8),
    "bob": Cut(800, (185, 135), 11.0, 9.0, 0.35, 1.0, 10, (1.0, 0.0, -0.15), 12),
    "long": Cut(800, (290, 235), 11.0, 9.0, 0.35, 2.2, 5, (1.0, 0.0, -0.2), 12),
}

_HAIRLINE = np.array(  # (z, y) in mm seen from the side: forehead, temple, sideburn, ear, nape
    [
        (60, 72), (-14, 71), (-26, 62), (-37, 47), (-46, 30), (-58, 14), (-62, -14), (-71, -15),
        (-76, 8), (-92, 14), (-108, 4), (-114, -34), (-122, -74), (-200, -84), (-260, 60),
        (-100, 200), (60, 150),
    ],
    dtype=float,
)  # fmt: skip


def inside_hairline(points: Points, style: HairStyle) -> Float[np.ndarray, "*n"]:
    """Signed distance (mm) into the hairy part of the head, negative on bare skin."""
    line = _HAIRLINE.copy()
    if style == "bald":
        line[1:5] += np.array([(-70, 10), (-66, 22), (-50, 0), (-30, -18)])
    flat = np.stack([points[..., 2], points[..., 1]], -1).reshape(-1, 2)
    start, end = line, np.roll(line, -1, axis=0)
    edge = end - start
    share = ((flat[:, None] - start) * edge).sum(-1) / (edge**2).sum(-1)
    nearest = start + share.clip(0, 1)[..., None] * edge
    distance = np.linalg.norm(flat[:, None] - nearest, axis=-1).min(1)
    crosses = (start[:, 1] > flat[:, None, 1]) != (end[:, 1] > flat[:, None, 1])
    rise = np.where(edge[:, 1] == 0, 1e-9, edge[:, 1])
    at = edge[:, 0] * (flat[:, None, 1] - start[:, 1]) / rise + start[:, 0]
    is_inside = (crosses & (flat[:, None, 0] < at)).sum(1) % 2 == 1
    depth = np.where(is_inside, distance, -distance).reshape(points.shape[:-1])
    nape = 50 - np.abs(points[..., 0]) + 2 * np.maximum(points[..., 1] + 42, 0)
    return np.where(points[..., 2] < -85, np.minimum(depth, nape), depth)


def build_hair(
    head: HeadShape, style: HairStyle, seed: int, patches: Float[np.ndarray, "2 2 2"]
) -> list[Surface]:
    """Cap and ribbons of one style; nothing but a painted fringe for the bald.

    Args:
        head: The head to grow on.
        style: The cut.
        seed: Drives the strands.
        patches: Texture corners (low, high) of the cap's and of the ribbons' strand patterns.
    """
    rng = np.random.default_rng([seed, 5])
    if style == "bald":
        return []
    cut = _CUTS[style]
    return [_cap(head, style, cut, patches[0]), _ribbons(head, style, cut, rng, patches[1])]


def _comb(points: Points, normal: Points, cut: Cut) -> Points:
    """Unit comb directions laid on the scalp: as the cut says in front, downwards further back."""
    away = np.tanh((points[..., :1] - cut.part_x_mm) / 6.0)
    front = np.array(cut.comb) * np.concatenate([away, np.ones_like(away), np.ones_like(away)], -1)
    down = np.concatenate([0.25 * away, -np.ones_like(away), -0.35 * np.ones_like(away)], -1)
    share = np.clip((60 - points[..., 1:2]) / 45, 0, 1)
    back = np.clip((-95 - points[..., 2:3]) / 40, 0, 1)
    share = np.maximum(share, back)
    return _laid(front * (1 - share) + down * share, normal)


def _laid(direction: Points, normal: Points) -> Points:
    flat = direction - (direction * normal).sum(-1, keepdims=True) * normal
    return flat / np.maximum(np.linalg.norm(flat, axis=-1, keepdims=True), 1e-6)


def _cap(head: HeadShape, style: HairStyle, cut: Cut, patch: Float[np.ndarray, "2 2"]) -> Surface:
    """A closed undercoat a little above the scalp; it ends some millimetres behind the hairline."""
    rows, columns = 40, 72
    polar = np.linspace(0.02, 2.35, rows)[:, None]
    turn = np.linspace(0, 2 * np.pi, columns, endpoint=False)[None, :]
    crown = np.array([0.0, 0.74, -0.67])
    side = np.array([1.0, 0.0, 0.0])
    front = np.cross(side, crown)
    unit = (
        np.cos(polar)[..., None] * crown
        + (np.sin(polar) * np.cos(turn))[..., None] * side
        + (np.sin(polar) * np.sin(turn))[..., None] * front
    )
    scalp = head.surface(unit)
    depth = inside_hairline(scalp, style) - 3.0
    lift = np.clip(depth / 14, 0, 1) ** 0.6 * cut.lift_mm * 0.45 + np.where(depth < 0, -1.5, 0.4)
    points = head.surface(unit, lift)
    triangles = grid_triangles(rows, columns, is_closed=True)
    outward = unit.reshape(-1, 3)
    corners = points.reshape(-1, 3)[triangles]
    facing = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    if (facing * outward[triangles[:, 0]]).sum() < 0:
        triangles = triangles[:, ::-1]
    is_hairy = (depth.reshape(-1)[triangles] > -4).all(1)
    across = np.abs(np.mod(turn / (2 * np.pi) * 10, 2) - 1)
    texel = np.stack(np.broadcast_arrays(across, polar / 2.4), -1)
    texel = patch[0] + (patch[1] - patch[0]) * texel.reshape(-1, 2)
    cap = solid(
        points.reshape(-1, 3),
        triangles[is_hairy],
        texel,
        HAIR,
        follow=neck_follow(points.reshape(-1, 3)[:, 1]),
    )
    cap.tangent[:] = _comb(scalp, unit, cut).reshape(-1, 3)
    cap.tint[:] = 0.75
    return cap


def _roots(
    head: HeadShape, style: HairStyle, count: int, rng: np.random.Generator
) -> Float[np.ndarray, "ribbons 3"]:
    """Unit directions of roots: even over the scalp, denser along the hairline in front."""
    unit = rng.standard_normal((count * 14, 3))
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    scalp = head.surface(unit)
    depth = inside_hairline(scalp, style) + rng.normal(0, 2.0, len(unit))
    edge = np.exp(-((depth / 10) ** 2)) * (scalp[:, 2] > -85)
    wanted = (depth > 0.5) & (rng.random(len(unit)) < 0.45 + edge)
    return unit[wanted][:count]


def _ribbons(
    head: HeadShape,
    style: HairStyle,
    cut: Cut,
    rng: np.random.Generator,
    patch: Float[np.ndarray, "2 2"],
) -> Surface:
    unit = _roots(head, style, cut.n_ribbons, rng)
    path, outward = _grow(head, unit, cut, rng)
    count, steps = path.shape[:2]
    tangent = np.gradient(path, axis=1)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=-1, keepdims=True), 1e-6)
    across = np.cross(tangent, outward)
    across /= np.maximum(np.linalg.norm(across, axis=-1, keepdims=True), 1e-6)
    share = np.linspace(0, 1, steps)
    width = cut.width_mm * rng.uniform(0.6, 1.3, (count, 1)) * (1 - 0.45 * share**2)
    half = 0.5 * width[..., None] * across
    points = np.stack([path - half, path + half], axis=2).reshape(-1, 3)
    strip = grid_triangles(steps, 2)
    triangles = (np.arange(count)[:, None, None] * (2 * steps) + strip).reshape(-1, 3)
    lane = rng.integers(0, 4, (count, 1, 1))
    u = (lane + np.array([0.04, 0.96])[None, None, :]) / 4
    texel = np.stack(np.broadcast_arrays(u, share[None, :, None]), -1)
    texel = patch[0] + (patch[1] - patch[0]) * texel.reshape(-1, 2)
    ribbons = solid(points, triangles, texel, HAIR, follow=neck_follow(points[:, 1]))
    ribbons.normal[:] = np.repeat(outward.reshape(-1, 3), 2, axis=0)
    ribbons.tangent[:] = np.repeat(tangent.reshape(-1, 3), 2, axis=0)
    tone = rng.normal(1.0, 0.16, (count, 1)).clip(0.6, 1.5) * (0.82 + 0.25 * share)
    ribbons.tint[:] = np.repeat(tone.reshape(-1, 1), 2, axis=0)
    ribbons.is_two_sided[:] = True
    ribbons.is_cut_out[:] = True
    return ribbons


def _grow(
    head: HeadShape, unit: Float[np.ndarray, "ribbons 3"], cut: Cut, rng: np.random.Generator
) -> tuple[Float[np.ndarray, "ribbons steps 3"], Float[np.ndarray, "ribbons steps 3"]]:
    """Paths of the strands and the outward directions along them."""
    count = len(unit)
    at = head.surface(unit, 0.3)
    top = np.clip((at[:, 1] - 5) / 60, 0, 1)
    length = cut.length_mm[1] + (cut.length_mm[0] - cut.length_mm[1]) * top
    step = (length * rng.uniform(0.75, 1.1, count) / cut.n_steps)[:, None]
    heading = _comb(at, unit, cut) + 0.12 * unit + rng.normal(0, 0.12, (count, 3))
    rank = rng.random(count)  # which strand lies above which
    phase = rng.uniform(0, 2 * np.pi, count)
    path, outward = [at], [unit]
    for number in range(1, cut.n_steps + 1):
        share = number / cut.n_steps
        heading = heading + np.array([0.0, -cut.gravity, -0.25 * cut.gravity])
        normal = _unit(at - CENTRE)
        heading = _unit(0.5 * heading + 0.5 * _comb(at, normal, cut) + 0.04 * normal)
        at = at + heading * step
        swell = cut.lift_mm * np.sin(np.pi * min(0.15 + 0.62 * share, 1.0))
        at = head.pushed_out(at, 0.8 + swell * (0.35 + 0.65 * rank))
        at = _held_down(head, at, 3.0 + cut.lift_mm * (0.6 + 1.0 * rank))
        at = _off_the_face(_off_the_neck(at, rank), rank)
        path.append(at)
        outward.append(_unit(at - CENTRE - np.array([0, 1.0, 0]) * np.minimum(at[:, 1:2] + 20, 0)))
    paths, outwards = np.stack(path, 1), np.stack(outward, 1)
    wave = phase[:, None] + np.linspace(0, 1, paths.shape[1]) * length[:, None] / 4.2
    grown = np.linspace(0.15, 1, paths.shape[1])
    curl = cut.curl_mm * grown * np.stack([np.sin(wave), np.cos(wave), np.sin(wave + 1)], 0)
    paths = paths + np.moveaxis(curl, 0, -1)
    return paths, outwards


def _held_down(head: HeadShape, points: Points, most: Float[np.ndarray, "n"]) -> Points:
    """Keep strands from standing further off the head than `most` mm; below the jaw they hang."""
    away = points - CENTRE
    height = head.height(points)
    excess = np.maximum(height - most, 0) * np.clip((points[:, 1] + 75) / 30, 0, 1)
    return points - _unit(away) * excess[:, None]


def _unit(vectors: Points) -> Points:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-6)


def _off_the_neck(points: Points, rank: np.ndarray) -> Points:
    """Keep strands outside an upright cylinder round the neck and on top of the shoulders."""
    axis = np.array([0.0, -102.0])
    flat = points[:, [0, 2]] - axis
    radius = np.maximum(np.linalg.norm(flat, axis=1), 1e-6)
    wanted = 58 + 10 * rank + 0.9 * np.clip(-165 - points[:, 1], 0, 90)
    is_low = points[:, 1] < -60
    factor = np.where(is_low & (radius < wanted), wanted / radius, 1.0)[:, None]
    moved = points.copy()
    moved[:, [0, 2]] = axis + flat * factor
    return moved


def _off_the_face(points: Points, rank: np.ndarray) -> Points:
    """Move strands below the forehead behind a curtain line beside the face."""
    low = np.clip((62 - points[:, 1]) / 30, 0, 1)
    curtain = -34 - 16 * low - 8 * rank
    moved = points.copy()
    too_far = (low > 0) & (points[:, 2] > curtain) & (np.abs(points[:, 0]) > 5)
    moved[:, 2] = np.where(too_far, points[:, 2] + low * (curtain - points[:, 2]), points[:, 2])
    return moved
