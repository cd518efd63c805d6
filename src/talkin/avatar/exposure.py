"""From linear samples to an sRGB picture: filter, background, tone curve, sensor noise."""

import numpy as np
from jaxtyping import Float, UInt8

from talkin.avatar.rasteriser import kernel

_TONE_STEPS = 16384
_TONE_TOP = 4.0


def tone_table() -> UInt8[np.ndarray, "16384"]:
    """Linear light in [0, 4) to sRGB, with a shoulder that keeps highlights from clipping."""
    light = (np.arange(_TONE_STEPS) + 0.5) / _TONE_STEPS * _TONE_TOP
    knee = 0.72
    over = np.maximum(light - knee, 0.0)
    light = np.where(light > knee, knee + (1 - knee) * (1 - np.exp(-over / (1 - knee))), light)
    srgb = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.clip(srgb * 255 + 0.5, 0, 255).astype(np.uint8)


def linear_table() -> Float[np.ndarray, "256"]:
    """SRGB bytes to linear light."""
    srgb = np.arange(256) / 255
    light = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    return light.astype(np.float32)


@kernel
def resolve(
    radiance: np.ndarray,
    background: np.ndarray,
    noise: np.ndarray,
    tone: np.ndarray,
    picture: np.ndarray,
) -> None:
    """Samples to pixels: filter two samples a pixel each way, lay over the background, add noise.

    The filter is the separable (1 3 3 1)/8: a little softer than a box, as a lens is.

    Args:
        radiance: (2 height, 2 width, 4) linear RGB and coverage.
        background: (height, width, 3) linear RGB.
        noise: (height, width, 3) int8 sensor noise in sRGB levels.
        tone: `tone_table()`.
        picture: (height, width, 3) uint8, overwritten.
    """
    height, width = background.shape[:2]
    tap = np.array([0.125, 0.375, 0.375, 0.125], dtype=np.float32)
    total = np.empty(4, dtype=np.float32)
    step = np.float32(_TONE_STEPS / _TONE_TOP)
    for y in range(height):
        for x in range(width):
            total[:] = 0.0
            for j in range(4):
                row = min(max(2 * y - 1 + j, 0), 2 * height - 1)
                for i in range(4):
                    column = min(max(2 * x - 1 + i, 0), 2 * width - 1)
                    weight = tap[j] * tap[i]
                    for k in range(4):
                        total[k] += weight * radiance[row, column, k]
            for k in range(3):
                light = total[k] + (np.float32(1.0) - total[3]) * background[y, x, k]
                level = int(tone[min(int(light * step), _TONE_STEPS - 1)]) + int(noise[y, x, k])
                picture[y, x, k] = min(max(level, 0), 255)
