"""What surrounds a speaker: light and background."""

import cv2
import numpy as np
from jaxtyping import Float

from talkin.avatar.shading import Light, irradiance_of, light_from


def draw_light(seed: int) -> Light:
    """A soft key from one side above, sky, bounce from below, and a rim from behind."""
    rng = np.random.default_rng([seed, 21])
    side = rng.choice([-1.0, 1.0])
    azimuth = side * np.radians(rng.uniform(18, 48))
    elevation = np.radians(rng.uniform(20, 42))
    key = np.array(
        [
            np.sin(azimuth) * np.cos(elevation),
            np.sin(elevation),
            np.cos(azimuth) * np.cos(elevation),
        ]
    )
    warmth = rng.uniform(-0.06, 0.08)
    warm = np.array([1 + warmth, 1.0, 1 - warmth])
    directions = [(0, 1, 0.2), (-side * 0.85, 0.1, 0.5), (0, -1, 0.3), (-side * 0.8, 0.35, -0.5)]
    directions += [(side * 0.8, 0.3, -0.6), (0, 0, 1)]
    strength = np.array([0.34, rng.uniform(0.12, 0.24), 0.10, rng.uniform(0.1, 0.4), 0.15, 0.16])
    colours = strength[:, None] * np.array([[0.95, 1.0, 1.08]] + [[1.0, 1.0, 1.0]] * 5)
    unit = np.array(directions) / np.linalg.norm(directions, axis=1, keepdims=True)
    return light_from(key, warm * rng.uniform(0.62, 0.78), irradiance_of(unit, colours / warm))


def paint_background(
    wall: tuple[float, float, float], size_px: int, rng: np.random.Generator
) -> Float[np.ndarray, "size size 3"]:
    """A room out of focus, in linear light: a lit wall, some furniture, a few lamps."""
    side = 256
    y, x = np.mgrid[:side, :side] / side
    tone = np.array(wall, dtype=np.float64) ** 2.2
    glow = np.exp(
        -(((x - rng.uniform(0.1, 0.9)) / 0.6) ** 2) - ((y - rng.uniform(0, 0.6)) / 0.6) ** 2
    )
    room = tone * (0.45 + 0.65 * glow)[..., None]
    for _ in range(int(rng.integers(3, 8))):
        left, top = rng.uniform(-0.1, 0.9), rng.uniform(0.0, 0.9)
        wide, high = rng.uniform(0.08, 0.4), rng.uniform(0.1, 0.7)
        inside = (x > left) & (x < left + wide) & (y > top) & (y < top + high)
        colour = (tone * rng.uniform(0.3, 1.5) * rng.uniform(0.7, 1.3, 3)).clip(0.01, 0.8)
        room = np.where(inside[..., None], 0.35 * room + 0.65 * colour, room)
    for _ in range(int(rng.integers(0, 4))):
        at, radius = rng.uniform(0, 1, 2) * (1, 0.6), rng.uniform(0.02, 0.05)
        inside = np.hypot(x - at[0], y - at[1]) < radius
        room = np.where(inside[..., None], room + 0.5 * rng.uniform(0.5, 1.0, 3), room)
    blur = float(rng.uniform(5, 10))
    soft = cv2.GaussianBlur(room, (0, 0), blur, borderType=cv2.BORDER_REFLECT)
    vignette = 1 - 0.35 * ((x - 0.5) ** 2 + (y - 0.5) ** 2) / 0.5
    picture = cv2.resize(
        soft * vignette[..., None], (size_px, size_px), interpolation=cv2.INTER_CUBIC
    )
    return np.ascontiguousarray(np.clip(picture, 0.0, 2.0), dtype=np.float32)
