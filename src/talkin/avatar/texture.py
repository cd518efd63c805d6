"""The texture atlas of one speaker: what goes where, and the paint for skin.

Paint is laid on by position on the average face in mm, not by texture coordinates: each texel
knows which point of the face it colours. The atlas is that of `face_anatomy`, continued to the
right by patches for hair, cloth and plain skin.
"""

from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from talkin.avatar.hair import inside_hairline
from talkin.avatar.part_paint import paint_parts
from talkin.avatar.rasteriser import empty_visibility, plain_mesh, rasterise
from talkin.avatar.skin_marks import brow_strokes, polyline_distance, stubble_dots, wrinkles
from talkin.avatar.speaker import Speaker
from talkin.face3d.face_anatomy import FaceAnatomy
from talkin.face3d.gaussian_process import face_anatomy
from talkin.face3d.model import MorphableModel

ROWS, FACE_COLUMNS, COLUMNS = 1024, 1280, 1536
PATCHES = {  # low and high corner in texels (column, row)
    "cap": np.array([[1284.0, 4.0], [1531.0, 251.0]]),
    "ribbon": np.array([[1284.0, 260.0], [1531.0, 507.0]]),
    "skin": np.array([[1284.0, 516.0], [1531.0, 763.0]]),
    "cloth": np.array([[1284.0, 772.0], [1531.0, 1019.0]]),
}


def noise_map(
    rng: np.random.Generator, shape: tuple[int, ...], texels: float
) -> Float[np.ndarray, "rows columns"]:
    """Smooth noise of standard deviation 1 whose spots are about `texels` wide."""
    coarse = max(int(texels / 1.5), 1)
    small = rng.standard_normal((shape[0] // coarse + 2, shape[1] // coarse + 2), dtype=np.float32)
    small = cv2.GaussianBlur(small, (0, 0), texels / coarse)
    size = (small.shape[1] * coarse, small.shape[0] * coarse)
    noise = cv2.resize(small, size, interpolation=cv2.INTER_LINEAR)[: shape[0], : shape[1]]
    return noise / noise.std()


def texels_of(uv: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
    """Texture coordinates of `face_anatomy` (v up) to texels (column, row from the top)."""
    return np.stack([uv[:, 0] * (FACE_COLUMNS - 1), (1 - uv[:, 1]) * (ROWS - 1)], axis=1)


@dataclass(frozen=True, eq=False)
class SkinMap:
    """Which point of the average face each texel of the skin colours.

    Attributes:
        is_skin: Whether a texel lies on skin or lips.
        position: mm; far away where `is_skin` is False.
        lip: 1 on the red of the lips, 0 beside it, soft at the border.
        kept: Distances from curves that every speaker's paint needs.
    """

    is_skin: Bool[np.ndarray, "rows columns"]
    position: Float[np.ndarray, "rows columns 3"]
    lip: Float[np.ndarray, "rows columns"]
    kept: dict[str, Float[np.ndarray, "rows columns"]] = field(default_factory=dict)

    @cached_property
    def wrinkles(self) -> Float[np.ndarray, "rows columns"]:
        """Lines of age, the same for everyone."""
        return wrinkles(self.position)

    @cached_property
    def hollows(self) -> Float[np.ndarray, "rows columns"]:
        """Where light seldom reaches: sockets, wings of the nose, lip corners, nostrils."""
        return _hollows(self)

    @cached_property
    def flush(self) -> Float[np.ndarray, "rows columns"]:
        """Where blood shows: cheeks, nose, chin, lids."""
        cheeks = self.blob((43, -34, -3), (13, 13)) + 0.7 * self.blob((0, -37, 30), (11, 9))
        chin = 0.4 * self.blob((0, -104, 14), (16, 10))
        return cheeks + chin + 0.35 * self.blob((30, -6, 0), (17, 9))

    def distance(self, name: str, line: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "r c"]:
        """Distance (mm) from a curve of the average face, remembered by name."""
        if name not in self.kept:
            self.kept[name] = polyline_distance(self.position, line)
        return self.kept[name]

    def blob(
        self, at: tuple[float, float, float], size: tuple[float, float]
    ) -> Float[np.ndarray, "rows columns"]:
        """A soft spot on both sides of the face: 1 in its middle, Gaussian in x and y (mm)."""
        x, y, z = np.moveaxis(self.position, -1, 0)
        flat = ((np.abs(x) - at[0]) / size[0]) ** 2 + ((y - at[1]) / size[1]) ** 2
        return np.exp(-0.5 * (flat + ((z - at[2]) / (2.5 * max(size))) ** 2))


_SKIN_MAPS: dict[str, SkinMap] = {}


def skin_map(model: MorphableModel) -> SkinMap:
    """Bake the average skin into the atlas; the last model's map is kept."""
    kept = _SKIN_MAPS.get(model.name)
    if kept is None:
        kept = _SKIN_MAPS[model.name] = _bake_skin_map(model)
    return kept


def _bake_skin_map(model: MorphableModel) -> SkinMap:
    anatomy, mean = face_anatomy(), model.mean
    triangles = model.triangles[anatomy.triangles_of("skin", "lips")].astype(np.int32)
    texels = texels_of(anatomy.uv)
    seen = empty_visibility(ROWS, int(FACE_COLUMNS * 0.8))
    points = np.column_stack([texels, np.zeros(len(texels))]).astype(np.float32)
    mesh = plain_mesh(triangles, len(points))
    mesh.is_two_sided[:] = True
    rasterise(points, mesh, seen)
    is_skin = seen.triangle >= 0
    corners = triangles[np.maximum(seen.triangle, 0)]
    weight = np.stack([1 - seen.second - seen.third, seen.second, seen.third], -1)
    position = np.einsum("rck,rckd->rcd", weight, mean[corners])
    position = _filled(position, is_skin)
    is_lip = (anatomy.part == anatomy.part_names.index("lips")).astype(np.float32)
    lip = np.einsum("rck,rck->rc", weight, is_lip[corners]) * is_skin
    return SkinMap(is_skin, position.astype(np.float32), _soft_lip(anatomy, mean, position, lip))


def _filled(position: np.ndarray, is_skin: np.ndarray) -> np.ndarray:
    """Carry positions a little over the border and into eyes and mouth, so no seam shows."""
    nearest = cv2.distanceTransformWithLabels(
        (~is_skin).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )[1]
    lookup = np.zeros(nearest.max() + 1, dtype=np.int64)
    lookup[nearest[is_skin]] = np.flatnonzero(is_skin)
    return position.reshape(-1, 3)[lookup[nearest]]


def _soft_lip(
    anatomy: FaceAnatomy, mean: np.ndarray, position: np.ndarray, lip: np.ndarray
) -> np.ndarray:
    """A lip border at the true curve, 1 mm soft, instead of one that follows triangles."""
    outline = np.concatenate(
        [anatomy.curves["outer_lip_upper"], anatomy.curves["outer_lip_lower"][-2:0:-1]]
    )
    loop = np.concatenate([outline, outline[:1]])
    near = lip + (polyline_distance(position, mean[loop]) < 3)
    inside = cv2.GaussianBlur((lip > 0.999).astype(np.float32), (0, 0), 2.0)
    return np.where(near > 0, inside, 0.0).astype(np.float32)


def paint_atlas(speaker: Speaker, model: MorphableModel) -> UInt8[np.ndarray, "1024 1536 4"]:
    """Paint one speaker's atlas: sRGB, and gloss or cut-out alpha as the fourth channel."""
    rng = np.random.default_rng([speaker.seed, 2])
    skin = skin_map(model)
    atlas = np.zeros((ROWS, COLUMNS, 4), dtype=np.float32)
    columns = skin.is_skin.shape[1]
    atlas[:, :columns] = _paint_skin(speaker, skin, model.mean, rng)
    paint_parts(atlas, speaker, face_anatomy().atlas, PATCHES, rng)
    return (np.clip(atlas, 0, 1) * 255 + 0.5).astype(np.uint8)


def _paint_skin(
    speaker: Speaker, skin: SkinMap, mean: np.ndarray, rng: np.random.Generator
) -> Float[np.ndarray, "rows columns 4"]:
    shape = skin.is_skin.shape
    tone = np.array(speaker.skin, dtype=np.float32)
    colour = np.broadcast_to(tone, (*shape, 3)).copy()
    for texels, strength in ((1.0, 0.022), (2.5, 0.018), (9.0, 0.016), (40.0, 0.02)):
        noise = noise_map(rng, shape, texels)
        colour *= 1 + strength * noise[..., None] * np.array([0.75, 1.0, 1.1], dtype=np.float32)
    flush = (skin.flush * (0.8 + 0.35 * noise_map(rng, shape, 14.0))).clip(0, 1.4) * speaker.redness
    colour *= 1 - flush[..., None] * np.array([0.02, 0.17, 0.15])
    colour *= 1 - skin.hollows[..., None] * np.array([0.75, 0.9, 0.95])
    colour *= 1 - speaker.age * skin.wrinkles[..., None] * np.array([0.8, 1, 1.0])
    if speaker.freckles > 0:
        freckles = (noise_map(rng, shape, 1.6) > 2.0) * (
            skin.blob((30, -28, 3), (26, 14)) + skin.blob((0, -20, 20), (10, 16))
        )
        colour *= 1 - speaker.freckles * freckles[..., None] * np.array([0.25, 0.4, 0.5])
    gloss = 0.05 + 0.05 * (skin.blob((0, -25, 22), (8, 22)) + skin.blob((0, 50, 10), (40, 18)))
    _paint_beard(colour, speaker, skin, rng)
    _paint_scalp(colour, speaker, skin, rng)
    _paint_lips(colour, gloss, speaker, skin, mean, rng)
    _paint_eyes_region(colour, speaker, skin, mean, rng)
    return np.concatenate([colour, gloss[..., None]], axis=-1)


def _hollows(skin: SkinMap) -> np.ndarray:
    """Where light seldom reaches: sockets, wings of the nose, lip corners, nostrils."""
    dark = 0.14 * skin.blob((20, 1, -2), (6, 7)) + 0.10 * skin.blob((31, 4, 0), (15, 4.5))
    dark += 0.09 * skin.blob((26, -15.5, 0), (12, 3.5))
    dark += 0.22 * skin.blob((15.8, -42, 11.0), (1.7, 5.0))
    dark += 0.20 * skin.blob((27.5, -75.3, -1.5), (2.6, 2.6))
    dark += 0.16 * skin.blob((0, -92.5, 10.5), (15, 2.6))
    dark += 0.07 * skin.blob((0, -57, 17), (2.2, 7))
    nostril = skin.blob((6.6, -44.6, 21.5), (2.9, 1.35))
    return np.maximum(dark, 0.86 * np.clip(nostril * 1.5, 0, 1))


def _paint_beard(
    colour: np.ndarray, speaker: Speaker, skin: SkinMap, rng: np.random.Generator
) -> None:
    if speaker.stubble <= 0:
        return
    dots, shade = stubble_dots(skin.position, rng)
    shade = shade * (1 - skin.lip)
    hair = np.array(speaker.hair, dtype=np.float32) * 0.7
    cover = (shade * (0.30 + 0.45 * dots) * speaker.stubble)[..., None]
    colour[:] = colour * (1 - cover) + hair * cover


def _paint_scalp(
    colour: np.ndarray, speaker: Speaker, skin: SkinMap, rng: np.random.Generator
) -> None:
    """Hair roots on the skin, so that the hairline is soft and never shows bare scalp."""
    depth = inside_hairline(skin.position[::6, ::6], speaker.hair_style)
    depth = cv2.resize(depth.astype(np.float32), skin.is_skin.shape[::-1])
    depth = depth + 2.2 * noise_map(rng, depth.shape, 1.6)
    amount = np.clip((depth + 1.0) / 6.0, 0, 1)
    amount *= 0.10 if speaker.hair_style == "bald" else 0.93
    hair = np.array(speaker.hair, dtype=np.float32) * 0.75
    colour[:] = colour * (1 - amount[..., None]) + hair * amount[..., None]


def _paint_lips(
    colour: np.ndarray,
    gloss: np.ndarray,
    speaker: Speaker,
    skin: SkinMap,
    mean: np.ndarray,
    rng: np.random.Generator,
) -> None:
    curves = face_anatomy().curves
    lip = skin.lip
    wrinkled = cv2.resize(noise_map(rng, (lip.shape[0] // 9, lip.shape[1]), 1.1), lip.shape[::-1])
    red = np.array(speaker.lips, dtype=np.float32) * (1 + 0.07 * wrinkled[..., None])
    inner = np.minimum(
        skin.distance("inner_upper", mean[curves["inner_lip_upper"]]),
        skin.distance("inner_lower", mean[curves["inner_lip_lower"]]),
    )
    red *= 1 - 0.38 * np.exp(-((inner / 1.6) ** 2))[..., None] * np.array([0.8, 1, 1])
    amount = (0.92 * lip)[..., None]
    colour[:] = colour * (1 - amount) + red * amount
    fullness = skin.blob((0, -81, 18), (9, 2.6))
    gloss[:] = gloss * (1 - lip) + lip * (0.07 + 0.12 * fullness)


def _paint_eyes_region(
    colour: np.ndarray,
    speaker: Speaker,
    skin: SkinMap,
    mean: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Lash lines, the crease of the upper lid, and brows."""
    curves = face_anatomy().curves
    hair = np.array(speaker.hair, dtype=np.float32)
    lash = np.minimum(0.35 * hair, 0.16)
    for name, side in (("eye_l", -1.0), ("eye_r", 1.0)):
        loop = curves[name]
        half = len(loop) // 2
        upper, lower = mean[loop[: half + 1]], mean[np.r_[loop[half:], loop[:1]]]
        line = 0.95 * np.exp(-((skin.distance(f"{name}_upper", upper) / 0.95) ** 2))
        below = 0.38 * np.exp(-((skin.distance(f"{name}_lower", lower) / 0.7) ** 2))
        crease = upper * np.array([1.0, 1.0, 1.0]) + np.array([0.35 * side, 4.1, 0.8])
        crease[:, 1] += 0.9 * np.sin(np.linspace(0, np.pi, len(crease)))
        fold = 0.30 * np.exp(-((skin.distance(f"{name}_crease", crease) / 0.8) ** 2))
        colour *= 1 - fold[..., None] * np.array([0.75, 0.95, 1.0])
        cover = np.maximum(line, below)[..., None]
        colour[:] = colour * (1 - cover) + lash * cover
    strokes = brow_strokes(skin.position, mean, speaker.brow_weight, rng)[..., None]
    brow = hair * 0.72 + 0.02
    colour[:] = colour * (1 - 0.88 * strokes) + brow * 0.88 * strokes
