"""Holding a resting mouth still without slowing a speaking one (appendix G, Algorithm 2)."""

from typing import Literal

import numpy as np
from jaxtyping import Bool, Float
from pydantic import BaseModel, ConfigDict, Field

# Left, top, right and bottom of the outer lip in the 39-point layout (iBUG 48, 51, 54, 57).
_OUTERMOST_LIP = [0, 3, 6, 9]


class SmoothingConfig(BaseModel):
    """How landmarks are smoothed before they are rendered."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Literal["none", "paper", "zero_lag"] = Field(
        default="zero_lag", description="Algorithm 2 of the paper, or a filter without lag."
    )
    still_threshold_px: float = Field(
        default=1.5, ge=0, description="d_th: a mouth centre that moves further is let through, px."
    )
    strength_per_px: float = Field(
        default=1.0, ge=0, description="s: how fast the hold weakens with motion, 1/px."
    )
    noise_px: float = Field(
        default=0.35,
        gt=0,
        description="Size of the jitter that `zero_lag` removes, px; more takes the lips' own "
        "motion too.",
    )
    reach_s: float = Field(
        default=0.08, gt=0, description="How far `zero_lag` looks back and ahead, s."
    )

    def reach_in_frames(self, fps: float) -> int:
        """How far off a frame may be that `zero_lag` still counts: twice the reach."""
        return round(2 * self.reach_s * fps)


def mouth_centre(landmarks: Float[np.ndarray, "*batch 39 2"]) -> Float[np.ndarray, "*batch 2"]:
    """Mean of the four outermost points of the lips (appendix F), px."""
    return landmarks[..., _OUTERMOST_LIP, :].mean(axis=-2)


def smooth_mouth(
    landmarks: Float[np.ndarray, "frames 39 2"],
    config: SmoothingConfig,
    starts_anew: Bool[np.ndarray, "frames"] | None = None,
) -> Float[np.ndarray, "frames 39 2"]:
    """Hold resting lips still and let speaking lips through (Algorithm 2).

    Args:
        landmarks: Mouth-region points of one clip, in pixels of a 384 px crop.
        config: Stillness threshold and holding strength.
        starts_anew: True at frames before which the footage is cut.

    Returns:
        Points of the same shape; frame 0 and every fast frame are unchanged.
    """
    smoothed = np.array(landmarks, dtype=np.float64)
    for t in range(1, len(smoothed)):
        if starts_anew is not None and starts_anew[t]:
            continue
        # The algorithm leaves open whether l(t-1) is raw or smoothed. The smoothed one is taken:
        # with the raw one slow jitter would still show.
        moved_px = np.linalg.norm(mouth_centre(smoothed[t]) - mouth_centre(smoothed[t - 1]))
        if moved_px <= config.still_threshold_px:
            hold = np.exp(-config.strength_per_px * moved_px)
            smoothed[t] = hold * smoothed[t - 1] + (1 - hold) * smoothed[t]
    return smoothed.astype(landmarks.dtype)


def smooth_without_lag(
    values: Float[np.ndarray, "frames *shape"],
    landmarks: Float[np.ndarray, "frames 39 2"],
    fps: float,
    config: SmoothingConfig,
) -> Float[np.ndarray, "frames *shape"]:
    """Average each frame with the frames around it that show nearly the same mouth.

    A bilateral filter in time: neighbours count by their distance in time and by how far the whole
    mouth differs (root mean square over the points) against the size of the jitter. It looks ahead
    as far as back, so nothing lags, and an opening mouth finds no like neighbours and stays as it
    is. Algorithm 2 holds a mouth that opens about its own centre; this does not.

    Args:
        values: What is smoothed, such as expressions, or the landmarks themselves.
        landmarks: Mouth-region points that say how alike frames are, px of a 384 px crop. For a
            moving head give those of one fixed pose, so that the mouth stays tied to its head.
        fps: Frames per second.
        config: Size of the jitter and reach in time.

    Returns:
        Smoothed values.
    """
    total = np.array(values, dtype=np.float64)
    weight = np.ones((len(total),) + (1,) * (total.ndim - 1))
    reach = min(config.reach_in_frames(fps), max(len(total) - 1, 0))
    for step in range(1, reach + 1):
        apart_px = np.sqrt(np.mean(np.sum((landmarks[step:] - landmarks[:-step]) ** 2, -1), -1))
        # Two jittered copies of one mouth differ by sqrt(2) times the jitter of each.
        alike = np.exp(-0.25 * (apart_px / (2 * config.noise_px)) ** 2)
        near = alike * np.exp(-0.5 * (step / (config.reach_s * fps)) ** 2)
        near = near.reshape(-1, *weight.shape[1:])
        total[step:] += near * values[:-step]
        total[:-step] += near * values[step:]
        weight[step:] += near
        weight[:-step] += near
    return (total / weight).astype(values.dtype)
