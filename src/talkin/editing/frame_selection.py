"""Which footage frame each frame of new speech is shown on (appendix E, Algorithm 1)."""

import math

import numpy as np
from jaxtyping import Bool, Float, Int
from pydantic import BaseModel, ConfigDict, Field

from talkin.errors import FootageError


class SelectionConfig(BaseModel):
    """Weights of the selection; the paper refers to Audio2Obama for them and names no value."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    repeat_penalty: float = Field(
        default=2.0, ge=0, description="alpha_s: cost of showing a moving frame twice."
    )
    blink_weight: float = Field(
        default=1.0, ge=0, description="alpha_p: how much a blink counts as motion."
    )
    stillness_weight: float = Field(
        default=0.5, ge=0, description="Cost of a still head during speech, against motion's 1."
    )
    faceless_penalty: float = Field(
        default=100.0, ge=0, description="Cost of using a frame in which no face was found."
    )


def motion_mismatch(
    motion: Float[np.ndarray, "target_frames"], is_speaking: bool, config: SelectionConfig
) -> Float[np.ndarray, "target_frames"]:
    """G(i, .): motion is penalised in silence and stillness during speech."""
    if is_speaking:
        return config.stillness_weight * np.maximum(0.0, 1.0 - motion)
    return motion


def liveliness(
    motion: Float[np.ndarray, "target_frames"],
    is_blinking: Bool[np.ndarray, "target_frames"],
    config: SelectionConfig,
) -> Float[np.ndarray, "target_frames"]:
    """V(j) <- V(j) + alpha_p B(j), motion first scaled to 1 at the clip's lively moments."""
    lively = np.percentile(motion, 90) if len(motion) else 0.0
    scaled = np.minimum(motion / lively, 1.0) if lively > 0 else np.zeros_like(motion)
    return scaled + config.blink_weight * is_blinking


def select_frames(
    is_speaking: Bool[np.ndarray, "source_frames"],
    motion: Float[np.ndarray, "target_frames"],
    config: SelectionConfig,
    has_face: Bool[np.ndarray, "target_frames"] | None = None,
) -> Int[np.ndarray, "source_frames"]:
    """Choose a footage frame for each frame of sound (Algorithm 1).

    A state (i, j, r) shows footage frame j with sound frame i, r = 1 if j is shown a second time:

        F(i, j, 0) = min over r of F(i-1, j-1, r) + G(i, j)
        F(i, j, 1) = F(i-1, j, 0) + alpha_s V(j) + G(i, j)

    begun anywhere with F(0, j, 0) = V(j), and 0 for j = 0; every other state costs infinity. So
    the footage never runs backwards, skips nothing and shows each frame at most twice. Unlike in
    the printed table, frame 0 may be repeated too: footage of half the length must suffice.

    Only two rows of F are kept and one bit a state (which r led to F(i, j, 0)); 2 minutes over
    15 minutes take 0.3 s and 10 MB.

    Args:
        is_speaking: A(i) at the frame rate of the footage.
        motion: V(j) of `liveliness`.
        config: Weights.
        has_face: False at footage frames to be avoided.

    Returns:
        O(i), a footage frame number for each sound frame.

    Raises:
        FootageError: If the footage is shorter than half the sound.
    """
    n_source, n_target = len(is_speaking), len(motion)
    _require_enough_footage(n_source, n_target)
    if n_source == 0:
        return np.zeros(0, dtype=np.int64)
    motion = np.asarray(motion, dtype=np.float64)
    faceless = 0.0 if has_face is None else config.faceless_penalty * ~has_face
    mismatch = [motion_mismatch(motion, flag, config) + faceless for flag in (False, True)]
    first, repeated = motion + faceless, np.full(n_target, np.inf)
    first[0] -= motion[0]
    came_from_repeat = np.zeros((n_source, math.ceil(n_target / 8)), dtype=np.uint8)
    for i in range(1, n_source):
        cost = mismatch[int(is_speaking[i])]
        came_from_repeat[i] = np.packbits(repeated < first)
        best = np.minimum(first, repeated)
        repeated = first + config.repeat_penalty * motion + cost
        first = np.concatenate([[np.inf], best[:-1] + cost[1:]])
    return _track_back(came_from_repeat, first, repeated)


def _track_back(
    came_from_repeat: np.ndarray, first: np.ndarray, repeated: np.ndarray
) -> Int[np.ndarray, "source_frames"]:
    r, j = divmod(int(np.argmin(np.concatenate([first, repeated]))), len(first))
    selected = np.empty(len(came_from_repeat), dtype=np.int64)
    for i in range(len(selected) - 1, -1, -1):
        selected[i] = j
        if r:
            r = 0
        else:
            j -= 1
            r = (int(came_from_repeat[i, j >> 3]) >> (7 - (j & 7))) & 1
    return selected


def _require_enough_footage(n_source: int, n_target: int) -> None:
    if 2 * n_target < n_source:
        raise FootageError(
            f"the footage has {n_target} frames and the new speech needs {n_source}: even with "
            f"every frame shown twice it is too short by {n_source - 2 * n_target} frames. Use "
            "longer footage or a shorter speech, or keep the footage's own timing and let it play "
            "back and forth (--timing keep)"
        )


def play_back_and_forth(n_target: int, n_source: int) -> Int[np.ndarray, "source_frames"]:
    """Footage frames 0, 1, ..., last, ..., 1, 0, 1, ... for sound longer than the footage.

    The turning frames are shown once: a head that reverses rests for a frame anyway.
    """
    if n_target == 0:
        raise FootageError("the footage has no frames")
    period = max(1, 2 * (n_target - 1))
    phase = np.arange(n_source) % period
    return np.minimum(phase, period - phase) if n_target > 1 else np.zeros(n_source, dtype=int)
