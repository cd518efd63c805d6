"""What draws the mouth, and which moments of the footage lend theirs to which output frame.

In numbers alone, before a picture is decoded.
"""

from collections.abc import Iterable
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int
from pydantic import BaseModel, ConfigDict, Field

from talkin.editing.inlay import InlayConfig
from talkin.samples.lent_mouths import mouth_distance, mouth_features

_FRAMES_AT_ONCE = 2000


class LendingConfig(BaseModel):
    """How the footage's mouths are chosen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    entries: int = Field(
        default=200,
        ge=1,
        le=30_000,
        description="Moments of the footage that stand for election; bounds time and memory.",
    )
    largest_crop_px: int = Field(
        default=512,
        ge=16,
        le=2048,
        description="Without the network mouths are lent at the footage's own resolution, up to "
        "that of a crop of this side; the network's crop is the least.",
    )
    change_mm: float = Field(
        default=1.0,
        ge=0,
        description="A change of the lending moment must bring so much more likeness, mm.",
    )
    fade_frames: int = Field(
        default=5,
        ge=1,
        description="Over so many frames colour and light go over to another moment's; an odd "
        "number. What is finer changes at once, for a mean of two mouths blurs teeth.",
    )


class MouthConfig(BaseModel):
    """What draws the mouth."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Literal["auto", "network", "warp"] = Field(
        default="auto",
        description="network: the renderer; warp: the target's own mouths of other moments, warped "
        "to the new landmarks, which works for any person without training; auto: whichever draws "
        "hidden frames of the target's own footage nearer to what they show.",
    )
    lending: LendingConfig = LendingConfig()
    inlay: InlayConfig = InlayConfig()
    trials: int = Field(default=8, ge=1, description="Windows of the footage that auto hides.")
    trial_gap_s: float = Field(
        default=0.4, ge=0, description="Moments nearer to a hidden one lend it nothing."
    )


def diverse_moments(
    points: Float[np.ndarray, "frames 97 2"],
    may_lend: Bool[np.ndarray, "frames"],
    entries: int,
    px_per_mm: float,
) -> Int[np.ndarray, "entries"]:
    """At most `entries` frames, each as unlike those before as can be (farthest point sampling).

    The first is the middle one of those that may lend. Sorted by number.
    """
    candidates = np.flatnonzero(may_lend)
    if len(candidates) <= entries:
        return candidates
    blocks = [
        np.s_[first : first + _FRAMES_AT_ONCE]
        for first in range(0, len(candidates), _FRAMES_AT_ONCE)
    ]
    shown = np.concatenate([mouth_features(points[candidates[b]], px_per_mm) for b in blocks])
    chosen = [len(candidates) // 2]
    nearest = np.full(len(candidates), np.inf, dtype=np.float32)
    while len(chosen) < entries:
        for block in blocks:
            apart = shown[block] - shown[chosen[-1]]
            nearest[block] = np.minimum(nearest[block], np.einsum("ij,ij->i", apart, apart))
        nearest[chosen] = -1.0
        chosen.append(int(nearest.argmax()))
    return candidates[np.sort(chosen)]


def lenders_of(
    wanted: Float[np.ndarray, "frames 97 2"],
    shown: Float[np.ndarray, "entries 97 2"],
    starts_anew: Bool[np.ndarray, "frames"],
    px_per_mm: float,
    config: LendingConfig,
) -> Int[np.ndarray, "frames fade"]:
    """The entries that lend to each frame: the middle one its mouth, all of them their light.

    Args:
        wanted: `face_points` of the output frames, crop px.
        shown: Those of the moments that stand for election.
        starts_anew: Frames before which the picture is cut.
        px_per_mm: Scale of the aligned face.
        config: How much a change must bring, and how long it takes.

    Returns:
        Entries by number; where nothing changes a row names one entry again and again.
    """
    unlike = (
        row
        for first in range(0, len(wanted), _FRAMES_AT_ONCE)
        for row in mouth_distance(wanted[first : first + _FRAMES_AT_ONCE], shown, px_per_mm)
    )
    chosen = steady_choice(unlike, config.change_mm, starts_anew)
    return cross_faded(chosen, starts_anew, config.fade_frames)


def steady_choice(
    unlike: Iterable[Float[np.ndarray, "entries"]],
    change: float,
    starts_anew: Bool[np.ndarray, "frames"],
) -> Int[np.ndarray, "frames"]:
    """An entry for each frame: least sum of unlikeness and of `change` for every change.

    Changes cost nothing where the picture is cut. Exact, by dynamic programming (Viterbi): since
    every change costs the same, only the best entry so far can be worth changing from, so it takes
    frames x entries steps, and a bit of memory for each.

    Args:
        unlike: A row a frame; each is looked at once.
        change: What a change costs.
        starts_anew: Frames before which the picture is cut.
    """
    # For each frame the entry that was best before it, and which entries were better reached by
    # a change from that one.
    best: list[int] = []
    is_change: list[bytes] = []
    total: np.ndarray | float = 0.0
    for row, is_free in zip(unlike, starts_anew, strict=True):
        before = np.broadcast_to(total, row.shape)
        best.append(int(before.argmin()))
        changed = before[best[-1]] + (0.0 if is_free else change)
        is_change.append(np.packbits(before > changed).tobytes())
        total = np.minimum(before, changed) + row
    chosen = np.empty(len(best), dtype=np.int64)
    entry = int(np.argmin(total))
    for frame in range(len(best) - 1, -1, -1):
        chosen[frame] = entry
        if is_change[frame][entry // 8] >> (7 - entry % 8) & 1:
            entry = best[frame]
    return chosen


def cross_faded(
    chosen: Int[np.ndarray, "frames"], starts_anew: Bool[np.ndarray, "frames"], fade: int
) -> Int[np.ndarray, "frames fade"]:
    """Spread every change over the frames around it, but not across cuts."""
    run, frames, columns = np.cumsum(starts_anew), np.arange(len(chosen)), []
    for offset in range(-(fade // 2), fade // 2 + 1):
        there = np.clip(frames + offset, 0, len(chosen) - 1)
        columns.append(np.where(run[there] == run, chosen[there], chosen))
    return np.stack(columns, axis=1)
