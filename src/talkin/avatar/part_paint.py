"""Paint for everything in the atlas that is not face skin: eyes, teeth, hair, cloth."""

import cv2
import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter

from talkin.avatar.speaker import Speaker

Atlas = Float[np.ndarray, "rows columns 4"]
Rectangle = tuple[float, float, float, float]
_FACE_COLUMNS = 1280
_TOOTH_WIDTHS = (9.5, 9.5, 7.0, 7.0, 7.8, 6.8, 8.6, 8.6, 6.8, 7.8, 7.0, 7.0, 9.5, 9.5)
_BITE_WIDTHS = (9.5, 9.5, 7.2, 7.2, 6.9, 6.0, 5.4, 5.4, 6.0, 6.9, 7.2, 7.2, 9.5, 9.5)
_EYE_RIM_DEG = 105.0


def paint_parts(
    atlas: Atlas,
    speaker: Speaker,
    rectangles: dict[str, Rectangle],
    patches: dict[str, Float[np.ndarray, "2 2"]],
    rng: np.random.Generator,
) -> None:
    """Paint eyes, mouth and the extra patches into the atlas.

    Args:
        atlas: Overwritten in place.
        speaker: Colours.
        rectangles: Parts of the face model in texture coordinates (v up).
        patches: Extra patches in texels (column, row), low and high corner.
        rng: Drives the patterns.
    """
    eye = _eye(speaker, 256, rng)
    painted = {
        "eyeball_l": eye,
        "eyeball_r": eye[:, ::-1],
        "teeth_upper": _teeth(_TOOTH_WIDTHS, rng),
        "teeth_lower": _teeth(_BITE_WIDTHS, rng),
        "tongue": _tongue(rng),
        "lip_roll": _flat(np.array(speaker.lips) * (0.78, 0.62, 0.62), 0.12, rng),
        "mouth_bag": _bag(),
        "lid_margin": _flat(np.array(speaker.skin) * (0.95, 0.72, 0.68), 0.10, rng),
    }
    rows = atlas.shape[0]
    for name, picture in painted.items():
        u0, v0, u1, v1 = rectangles[name]
        left, right = round(u0 * (_FACE_COLUMNS - 1)), round(u1 * (_FACE_COLUMNS - 1))
        top, bottom = round((1 - v1) * (rows - 1)), round((1 - v0) * (rows - 1))
        _place(atlas, picture, np.array([[left, top], [right, bottom]]))
    _place(atlas, _strands(speaker, rng, is_cut_out=False), patches["cap"])
    _place(atlas, _strands(speaker, rng, is_cut_out=True), patches["ribbon"])
    _place(atlas, _plain_skin(speaker, rng), patches["skin"])
    _place(atlas, _cloth(speaker, rng), patches["cloth"])


def _place(atlas: Atlas, picture: Atlas, corners: Float[np.ndarray, "2 2"]) -> None:
    """Put a picture into the atlas with a margin of 3 texels, so that look-ups never bleed."""
    (left, top), (right, bottom) = corners.astype(int)
    size = (right - left + 7, bottom - top + 7)
    resized = cv2.resize(picture.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    row, column = max(top - 3, 0), max(left - 3, 0)
    room = atlas[row : bottom + 4, column : right + 4]
    room[:] = resized[: room.shape[0], : room.shape[1]]


def _eye(speaker: Speaker, size: int, rng: np.random.Generator) -> Atlas:
    """A disc by angle from the optical axis: pupil, iris with fibres, limbus, sclera."""
    x, y = np.meshgrid(*[np.linspace(-1, 1, 2 * size)] * 2)
    degrees = np.hypot(x, y) * _EYE_RIM_DEG
    turn = np.arctan2(y, x)
    fibres = sum(
        np.cos(k * turn + rng.uniform(0, 6.3)) * rng.normal(0, 1) / np.sqrt(8)
        for k in range(9, 60, 3)
    )
    iris = np.array(speaker.eyes)[None, None] * (1 + 0.13 * np.asarray(fibres))[..., None]
    share = np.clip((degrees - 11) / 19, 0, 1)[..., None]
    iris = iris * (0.75 + 0.85 * share * (1 - share) * 2)
    iris = iris * (1 - 0.65 * np.exp(-(((degrees - 30) / 2.6) ** 2)))[..., None]
    white = np.array([0.87, 0.84, 0.81]) * (1 - 0.0022 * np.clip(degrees - 30, 0, 60))[..., None]
    pink = np.clip((degrees - 42) / 40, 0, 1)[..., None] * (0.4 + 0.6 * np.abs(x))[..., None]
    white = white * (1 - pink * np.array([0.05, 0.30, 0.28]))
    blend = np.clip((degrees - 29.5) / 3.0, 0, 1)[..., None]
    colour = iris * (1 - blend) + white * blend
    pupil = np.clip((12.0 - degrees) / 2.0, 0, 1)[..., None]
    colour = colour * (1 - pupil) + 0.015 * pupil
    gloss = np.where(degrees < 34, 0.85, 0.35)
    return np.concatenate([colour, gloss[..., None]], axis=-1)


def _teeth(widths: tuple[float, ...], rng: np.random.Generator) -> Atlas:
    """Gum above, single teeth below (row 0 is the back of the edge, as v points up)."""
    rows, columns = 128, 512
    level = np.linspace(1, 0, rows)[:, None]  # v: 0 gum, 0.9 edge, 1 back
    border = np.concatenate([[0.0], np.cumsum(widths)])
    border = border / border[-1] * columns
    column = np.arange(columns)[None, :]
    index = np.clip(np.searchsorted(border, column[0], side="right") - 1, 0, len(widths) - 1)
    place = (column[0] - border[index]) / (border[index + 1] - border[index])
    side = np.abs(2 * place - 1)[None, :]
    tone = 1 + 0.03 * rng.standard_normal(len(widths))[index][None, :]
    ivory = np.array([0.90, 0.87, 0.79]) * (tone * (1 - 0.13 * side**3))[..., None]
    ivory = ivory * (0.90 + 0.10 * np.clip(level / 0.6, 0, 1))[..., None]
    gap = np.clip((side - 0.90) / 0.08, 0, 1)
    ivory = ivory * (1 - 0.50 * gap)[..., None]
    neckline = 0.34 - 0.10 * (1 - side**2)
    gum = np.clip((neckline - level) / 0.035, 0, 1)[..., None]
    pink = np.array([0.66, 0.36, 0.36]) * (1 - 0.25 * side)[..., None]
    colour = ivory * (1 - gum) + pink * gum
    gloss = np.full((rows, columns), 0.16)
    return np.concatenate([colour, gloss[..., None]], axis=-1)


def _tongue(rng: np.random.Generator) -> Atlas:
    rows = columns = 128
    rough = gaussian_filter(rng.standard_normal((rows, columns)), 1.2)
    across = np.linspace(-1, 1, columns)[None, :]
    groove = 1 - 0.22 * np.exp(-((across / 0.08) ** 2))
    shade = (1 + 0.06 * rough / rough.std()) * groove
    colour = np.array([0.68, 0.36, 0.36]) * shade[..., None]
    return np.concatenate([colour, np.full((rows, columns, 1), 0.10)], axis=-1)


def _bag() -> Atlas:
    rows, columns = 64, 64
    level = np.linspace(1, 0, rows)[:, None, None]
    colour = np.array([0.42, 0.17, 0.16]) * (0.18 + 0.82 * level**1.5)
    colour = np.broadcast_to(colour, (rows, columns, 3))
    return np.concatenate([colour, np.zeros((rows, columns, 1))], axis=-1)


def _flat(tone: Float[np.ndarray, "3"], gloss: float, rng: np.random.Generator) -> Atlas:
    noise = gaussian_filter(rng.standard_normal((64, 64)), 1.5)
    colour = tone * (1 + 0.03 * noise / noise.std())[..., None]
    return np.concatenate([colour, np.full((64, 64, 1), gloss)], axis=-1)


def _strands(speaker: Speaker, rng: np.random.Generator, is_cut_out: bool) -> Atlas:
    """Lengthwise streaks; cut out, four lanes side by side, each fraying towards its end."""
    size = 256
    streaks = gaussian_filter(rng.standard_normal((size, size)), (44, 1.7), mode="wrap")
    streaks = streaks / streaks.std()
    fine = gaussian_filter(rng.standard_normal((size, size)), (50, 0.7), mode="wrap")
    shade = np.clip(1 + 0.26 * streaks + 0.10 * fine / fine.std(), 0.35, 1.8)
    colour = np.array(speaker.hair) * shade[..., None]
    alpha = np.ones((size, size))
    if is_cut_out:
        lane = np.mod(np.linspace(0, 4, size, endpoint=False), 1)[None, :]
        along = np.linspace(0, 1, size)[:, None]
        edge = np.abs(2 * lane - 1)
        fullness = 1.35 - 0.95 * edge**2 - 0.85 * along**2.5
        alpha = (fullness + 0.42 * streaks > 0.42).astype(float)
    return np.concatenate([colour, alpha[..., None]], axis=-1)


def _plain_skin(speaker: Speaker, rng: np.random.Generator) -> Atlas:
    shape = (256, 256)
    colour = np.broadcast_to(np.array(speaker.skin), (*shape, 3)).copy()
    for texels, strength in ((1.0, 0.02), (6.0, 0.02), (30.0, 0.03)):
        noise = gaussian_filter(rng.standard_normal(shape), texels, mode="wrap")
        colour *= 1 + strength * (noise / noise.std())[..., None] * np.array([0.7, 1.0, 1.1])
    return np.concatenate([colour, np.full((*shape, 1), 0.04)], axis=-1)


def _cloth(speaker: Speaker, rng: np.random.Generator) -> Atlas:
    size = 256
    row, column = np.mgrid[:size, :size]
    weave = 0.035 * np.sin(row * 1.9) * np.sin(column * 1.9)
    folds = gaussian_filter(rng.standard_normal((size, size)), (26, 12), mode="wrap")
    colour = np.array(speaker.shirt) * (1 + weave + 0.10 * folds / folds.std())[..., None]
    if speaker.seed % 3 == 0:
        stripe = (np.mod(row, 26) < 9)[..., None]
        colour = np.where(stripe, colour * 0.62 + 0.12, colour)
    return np.concatenate([colour, np.full((size, size, 1), 0.015)], axis=-1)
