"""Many-to-many in pictures: every sound painted on every face, beside the exact truth of it.

A clip of every pair would be hours of rendering. A pair is a mouth on a face, not a story, so some
windows of it do: spread evenly over the source's sound and over the target's frames, the truth of
these few frames is drawn and nothing else.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd
from jaxtyping import Float, Int, UInt8
from pydantic import BaseModel, ConfigDict, Field

from talkin.evaluation import picture_metrics
from talkin.evaluation.crossings import HeardSource
from talkin.evaluation.held_out_windows import HeldOutWindows
from talkin.evaluation.lent_frames import lent_frames
from talkin.networks.talking_face import TalkingFace
from talkin.samples.dataset import FaceCrops, PreparedClip

PAINTED = ("audio", "renderer", "still_mouth")
LENT = {"audio": "audio_warp", "renderer": "warp"}
"""Systems whose mouths are also drawn from the target's other moments, and what that is called."""
SYSTEMS = (*PAINTED, *LENT.values())
METRICS = ("mouth_psnr", "mouth_ssim", "psnr", "ssim")
COLUMNS = (
    *("source", "target", "source_speaker", "target_speaker"),
    *(f"{metric}.{system}" for system in SYSTEMS for metric in METRICS),
    "n_frames",
)
TrueCrops = Callable[
    [Float[np.ndarray, "frames expression"], Int[np.ndarray, "frames"]],
    UInt8[np.ndarray, "frames size size 3"],
]
"""Draws how the target's crops of some frames would look with other expressions."""


class CrossedPicturesConfig(BaseModel):
    """How much of each pair is painted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    windows_per_pair: int = Field(
        default=1, ge=0, description="Windows of each source on each target; 0 for none."
    )


@dataclass(frozen=True, eq=False)
class PaintedTarget:
    """A clip on whose face others' sound is painted.

    Attributes:
        prepared: The clip, crop px.
        true_crops: Draws its truth.
    """

    prepared: PreparedClip
    true_crops: TrueCrops


def score_crossed_pictures(
    sources: Sequence[HeardSource],
    targets: Sequence[PaintedTarget],
    model: TalkingFace,
    still: Float[np.ndarray, "expression"],
    config: CrossedPicturesConfig,
) -> pd.DataFrame:
    """Every source on every target, itself included.

    Args:
        sources: Whose sound, as heard and exactly.
        targets: On whose faces.
        model: Trained networks.
        still: The mouth held still: an expression.
        config: How much of each pair.

    Returns:
        `COLUMNS`: whole crop and mouth mask (dB; none), painted from the sound, from the source's
        true expression, and with the mouth held still; and the target's own mouths of other
        moments, bent to the first two. The full-face variant has no mask, so lends none (NaN).
    """
    n, rows = model.config.frames, []
    for target in targets:  # outside, so that a target's scene is built once
        ends = HeldOutWindows.of(target.prepared, n, None).ends
        for source in sources if len(ends) else ():
            starts = _spread(len(source.expression) - n + 1, config.windows_per_pair)
            chosen = ends[_spread(len(ends), len(starts))]
            scores = [
                _window_scores(target, source, int(start), int(end), model, still)
                for start, end in zip(starts, chosen, strict=False)
            ]
            if scores:
                rows.append(
                    {
                        "source": source.clip,
                        "target": target.prepared.clip,
                        "source_speaker": source.speaker,
                        "target_speaker": target.prepared.speaker,
                        "n_frames": len(scores) * (1 if model.config.renderer.is_full_face else n),
                    }
                    | {name: np.mean([one[name] for one in scores]) for name in scores[0]}
                )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _window_scores(
    target: PaintedTarget,
    source: HeardSource,
    start: int,
    end: int,
    model: TalkingFace,
    still: np.ndarray,
) -> dict[str, float]:
    n, is_last_only = model.config.frames, model.config.renderer.is_full_face
    prepared, rows = target.prepared, slice(start, start + n)
    frames = np.arange(end - n + 1, end + 1)
    window = HeldOutWindows(np.array([end]), n, cast(FaceCrops, prepared.crops))
    row_of = np.full(len(prepared.parameters), -1)
    row_of[frames] = np.arange(n)
    kept = window.kept_frames(is_last_only)
    true = target.true_crops(source.true_expression[rows][-len(kept) :], kept)
    driven = {
        "audio": source.expression[rows],
        "renderer": source.true_expression[rows],
        "still_mouth": np.broadcast_to(still, source.expression[rows].shape),
    }
    face, box = prepared.parameters.select(frames), model.config.mask_box
    found: dict[str, float] = {}
    is_filled = model.config.mask_fill == "reference"
    for system in PAINTED:
        points = face.with_expression(driven[system]).mouth_landmarks(model.face_model)
        lent = None
        if is_filled or (system in LENT and not is_last_only):
            lent = lent_frames(
                prepared, window.crops, model.face_model, model.config.crop, points, frames
            )
        painted = window.rendered(model, points, row_of, lent if is_filled else None)
        found |= _picture_scores(system, painted, true, box)
        if lent is not None and system in LENT:
            drawn = np.stack([lent[int(frame)] for frame in kept])
            found |= _picture_scores(LENT[system], drawn, true, box)
    return found


def _picture_scores(
    system: str, drawn: np.ndarray, true: np.ndarray, box: tuple[int, int, int, int]
) -> dict[str, float]:
    mouths = picture_metrics.region(drawn, box), picture_metrics.region(true, box)
    found = {}
    for part, (one, other) in {"mouth_": mouths, "": (drawn, true)}.items():
        found[f"{part}psnr.{system}"] = picture_metrics.psnr(one, other)
        found[f"{part}ssim.{system}"] = picture_metrics.ssim(one, other)
    return found


def speaker_means(pictures: pd.DataFrame, column: str) -> pd.DataFrame:
    """Mean of a column by source speaker (rows) and target speaker (columns)."""
    return pictures.pivot_table(column, "source_speaker", "target_speaker", aggfunc="mean")


def _spread(n: int, wanted: int) -> Int[np.ndarray, "places"]:
    """At most `wanted` of `n` places, in the middles of as many equal parts."""
    k = max(0, min(n, wanted))
    return ((np.arange(k) + 0.5) * n / max(1, k)).astype(np.int64)
