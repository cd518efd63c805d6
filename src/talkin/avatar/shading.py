"""How a seen surface point looks: light, skin, hair.

Light. One soft key light with a baked shadow, plus everything else (sky, bounce, fill, rim) as
nine-term spherical harmonics a channel (Ramamoorthi and Hanrahan 2001), dimmed by the baked
ambient occlusion. Skin lets light wrap round the terminator, red furthest, which is what blood
does. Hair follows Kajiya and Kay (1989): it shines along the strand, not about a normal. All sums
are in linear light; `exposure` takes them to sRGB.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from talkin.avatar.rasteriser import Mesh, Visibility, inner, kernel

SKIN, CLOTH, EYE, HAIR = 0, 1, 2, 3


class Light(NamedTuple):
    """Light in camera axes (x right, y up, z to the viewer).

    Attributes:
        key_direction: Unit vector towards the key light.
        key_colour: Linear RGB of the key.
        ambient: Irradiance of all else by spherical harmonics, a column a channel.
        per_half: 1 over the length of key direction + view direction (Blinn's half vector).
    """

    key_direction: Float[np.ndarray, "3"]
    key_colour: Float[np.ndarray, "3"]
    ambient: Float[np.ndarray, "9 3"]
    per_half: np.float32


class Attributes(NamedTuple):
    """What is interpolated over a triangle.

    Attributes:
        normal: Unit normals in camera axes.
        tangent: Strand directions in camera axes (hair only).
        tint: Linear RGB that multiplies the texture, ambient occlusion, key visibility.
        kind: Per triangle: SKIN, CLOTH, EYE or HAIR.
    """

    normal: Float[np.ndarray, "vertices 3"]
    tangent: Float[np.ndarray, "vertices 3"]
    tint: Float[np.ndarray, "vertices 5"]
    kind: Int[np.ndarray, "triangles"]


def light_from(
    key_direction: Float[np.ndarray, "3"],
    key_colour: Float[np.ndarray, "3"],
    ambient: Float[np.ndarray, "9 3"],
) -> Light:
    """A light from its unit key direction, key colour and `irradiance_of` everything else."""
    key = np.asarray(key_direction, dtype=np.float32)
    half = key + np.array([0.0, 0.0, 1.0], dtype=np.float32)
    return Light(
        key,
        np.asarray(key_colour, dtype=np.float32),
        np.asarray(ambient, dtype=np.float32),
        np.float32(1.0 / np.linalg.norm(half)),
    )


def harmonics(directions: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 9"]:
    """The nine real spherical harmonics of order 0 to 2 at unit directions."""
    x, y, z = np.asarray(directions, dtype=np.float64).T
    return np.stack(
        [
            np.full_like(x, 0.282095),
            0.488603 * y,
            0.488603 * z,
            0.488603 * x,
            1.092548 * x * y,
            1.092548 * y * z,
            0.315392 * (3 * z * z - 1),
            1.092548 * x * z,
            0.546274 * (x * x - y * y),
        ],
        axis=1,
    )


def irradiance_of(
    directions: Float[np.ndarray, "n 3"], colours: Float[np.ndarray, "n 3"]
) -> Float[np.ndarray, "9 3"]:
    """Irradiance coefficients of distant lights: their radiance folded with the clamped cosine.

    The result is divided by pi, so a white surface facing one light of colour 1 shows about 1.
    """
    lobe = np.array([np.pi] + [2 * np.pi / 3] * 3 + [np.pi / 4] * 5)
    radiance = harmonics(directions).T @ np.asarray(colours, dtype=np.float64)
    return (radiance * lobe[:, None]).astype(np.float32)


@kernel
def shade(
    mesh: Mesh,
    visibility: Visibility,
    attributes: Attributes,
    light: Light,
    linear: np.ndarray,
    radiance: np.ndarray,
) -> None:
    """Light every seen sample.

    Args:
        mesh: Triangles, uv and texture.
        visibility: Result of `rasterise`.
        attributes: Per-vertex normals, tints and so on.
        light: The light.
        linear: `linear_table()`.
        radiance: (height, width, 4) float32, overwritten: linear RGB and coverage 0 or 1.
    """
    height, width = visibility.depth.shape
    weights = np.empty(3, dtype=np.float32)
    albedo = np.empty(4, dtype=np.float32)
    normal = np.empty(3, dtype=np.float32)
    for y in range(height):
        for x in range(width):
            number = visibility.triangle[y, x]
            radiance[y, x, 3] = 0.0 if number < 0 else 1.0
            if number < 0:
                radiance[y, x, :3] = 0.0
                continue
            weights[1] = visibility.second[y, x]
            weights[2] = visibility.third[y, x]
            weights[0] = 1.0 - weights[1] - weights[2]
            three = mesh.triangles
            corners = (three[number, 0], three[number, 1], three[number, 2])
            _look_up(mesh, corners, weights, linear, albedo)
            _mix_unit(attributes.normal, corners, weights, normal)
            if attributes.kind[number] == HAIR:
                _shade_hair(attributes, corners, weights, normal, light, albedo, radiance[y, x])
            else:
                if normal[2] < 0.0 and mesh.is_two_sided[number]:
                    normal[:] = -normal
                _shade_solid(
                    attributes, number, corners, weights, normal, light, albedo, radiance[y, x]
                )


@inner
def _look_up(
    mesh: Mesh,
    corners: tuple[int, int, int],
    weights: np.ndarray,
    linear: np.ndarray,
    albedo: np.ndarray,
) -> None:
    u, v = np.float32(0.0), np.float32(0.0)
    for k in range(3):
        u += weights[k] * mesh.uv[corners[k], 0]
        v += weights[k] * mesh.uv[corners[k], 1]
    rows, columns = mesh.texture.shape[:2]
    # The nearest texel is enough: sixteen samples are filtered into every pixel.
    column = min(max(int(u + np.float32(0.5)), 0), columns - 1)
    row = min(max(int(v + np.float32(0.5)), 0), rows - 1)
    for k in range(3):
        albedo[k] = linear[mesh.texture[row, column, k]]
    albedo[3] = mesh.texture[row, column, 3] * np.float32(1 / 255)


@inner
def _mix_unit(
    values: np.ndarray, corners: tuple[int, int, int], weights: np.ndarray, out: np.ndarray
) -> None:
    length = np.float32(1e-12)
    for k in range(3):
        out[k] = (
            weights[0] * values[corners[0], k]
            + weights[1] * values[corners[1], k]
            + weights[2] * values[corners[2], k]
        )
        length += out[k] * out[k]
    length = np.float32(1.0) / np.sqrt(length)
    for k in range(3):
        out[k] *= length


@inner
def _mix(values: np.ndarray, corners: tuple[int, int, int], weights: np.ndarray, k: int) -> float:
    return (
        weights[0] * values[corners[0], k]
        + weights[1] * values[corners[1], k]
        + weights[2] * values[corners[2], k]
    )


@inner
def _ambient(light: Light, n: np.ndarray, channel: int) -> float:
    a = light.ambient
    x, y, z = n[0], n[1], n[2]
    total = np.float32(0.282095) * a[0, channel]
    total += np.float32(0.488603) * (a[1, channel] * y + a[2, channel] * z + a[3, channel] * x)
    total += np.float32(1.092548) * (
        a[4, channel] * x * y + a[5, channel] * y * z + a[7, channel] * x * z
    )
    total += np.float32(0.315392) * a[6, channel] * (3 * z * z - 1)
    total += np.float32(0.546274) * a[8, channel] * (x * x - y * y)
    return max(total, np.float32(0.0))


@inner
def _shade_solid(  # noqa: PLR0913, PLR0917 - a kernel takes what it reads
    attributes: Attributes,
    number: int,
    corners: tuple[int, int, int],
    weights: np.ndarray,
    normal: np.ndarray,
    light: Light,
    albedo: np.ndarray,
    out: np.ndarray,
) -> None:
    kind = attributes.kind[number]
    key = light.key_direction
    facing = normal[0] * key[0] + normal[1] * key[1] + normal[2] * key[2]
    occlusion = _mix(attributes.tint, corners, weights, 3)
    shadow = _mix(attributes.tint, corners, weights, 4)
    # Blinn's half vector; the viewer looks along -z
    half = light.per_half
    shine = max((facing + normal[2]) * half, np.float32(0.0))
    shine4 = shine * shine * shine * shine
    shine16 = shine4 * shine4 * shine4 * shine4
    if kind == EYE:
        lobe = shine16 * shine16 * shine16 * shine16
        lobe *= lobe
    elif kind == SKIN:
        lobe = shine16 + np.float32(0.6) * shine16 * shine16 * shine16
    else:
        lobe = shine16 * shine16
    rim = np.float32(1.0) - max(normal[2], np.float32(0.0))
    gloss = albedo[3] * shadow * (lobe + np.float32(0.25) * rim * rim * rim * rim)
    for k in range(3):
        wrap = np.float32(0.0)
        if kind == SKIN:
            wrap = np.float32(0.28) if k == 0 else np.float32(0.11)
        direct = max((facing + wrap) / (np.float32(1.0) + wrap), np.float32(0.0)) * shadow
        received = direct * light.key_colour[k] + _ambient(light, normal, k) * occlusion
        tint = _mix(attributes.tint, corners, weights, k)
        out[k] = albedo[k] * tint * received + gloss * light.key_colour[k]


@inner
def _shade_hair(
    attributes: Attributes,
    corners: tuple[int, int, int],
    weights: np.ndarray,
    normal: np.ndarray,
    light: Light,
    albedo: np.ndarray,
    out: np.ndarray,
) -> None:
    strand = np.empty(3, dtype=np.float32)
    _mix_unit(attributes.tangent, corners, weights, strand)
    key = light.key_direction
    along = strand[0] * key[0] + strand[1] * key[1] + strand[2] * key[2]
    facing = normal[0] * key[0] + normal[1] * key[1] + normal[2] * key[2]
    lengthwise = (along + strand[2]) * light.per_half
    across = np.sqrt(max(np.float32(1.0) - lengthwise * lengthwise, np.float32(0.0)))
    lit = min(max(facing * np.float32(0.75) + np.float32(0.4), np.float32(0.0)), np.float32(1.0))
    diffuse = np.sqrt(max(np.float32(1.0) - along * along, np.float32(0.0))) * lit
    occlusion = _mix(attributes.tint, corners, weights, 3)
    shadow = _mix(attributes.tint, corners, weights, 4)
    across4 = across * across * across * across
    across16 = across4 * across4 * across4 * across4
    bright = min(albedo[0] * np.float32(6.0), np.float32(1.0))  # lighter strands shine more
    primary = across16 * across16 * across16 * across16 * lit * shadow * np.float32(0.05) * bright
    secondary = across16 * lit * shadow * np.float32(0.55) * bright
    for k in range(3):
        colour = albedo[k] * _mix(attributes.tint, corners, weights, k)
        received = diffuse * shadow * light.key_colour[k] + _ambient(light, normal, k) * occlusion
        received += secondary * light.key_colour[k]
        out[k] = colour * received + primary * light.key_colour[k]
