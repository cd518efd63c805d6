"""From the scores of single clips to the figures of a corpus, each with what stands behind it.

A corpus figure is the mean over frames (Eq. 5): clips weigh by their frames. Its interval comes
from drawing whole clips anew, for frames of one clip resemble each other; it is the percentile
bootstrap, and with few clips it is too narrow.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:  # tables are filled from figures alone, without the networks behind them
    from talkin.evaluation.clip_scores import ClipScores

PICTURE_METRICS = frozenset(
    {
        *("psnr", "ssim", "mouth_psnr", "mouth_ssim"),
        *("lpips", "identity", "lse_d", "lse_c"),
        *("mouth_sharpness", "mouth_cpbd", "mouth_flicker"),
    }
)
_COLUMNS = [
    "metric",
    "system",
    "speakers",
    "value",
    "low",
    "high",
    "n_clips",
    "n_frames",
]


class SummaryConfig(BaseModel):
    """How sure the figures are said to be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_resamples: int = Field(default=1000, ge=10, description="Bootstrap draws.")
    confidence: float = Field(default=0.95, gt=0, lt=1, description="Share that an interval holds.")
    seed: int = Field(default=0, ge=0, description="Of the draws.")


@dataclass(frozen=True)
class _Measured:
    """One metric of one system over some clips."""

    values: np.ndarray
    n_frames: np.ndarray

    @property
    def mean(self) -> float:
        return float(np.average(self.values, weights=self.n_frames))

    def interval(self, config: SummaryConfig) -> tuple[float, float]:
        rng = np.random.default_rng(config.seed)
        drawn = rng.integers(len(self.values), size=(config.n_resamples, len(self.values)))
        weights = self.n_frames[drawn]
        means = (self.values[drawn] * weights).sum(axis=1) / weights.sum(axis=1)
        tail = (1 - config.confidence) / 2
        low, high = np.quantile(means, [tail, 1 - tail])
        return float(low), float(high)


def summary_table(
    scores: Sequence["ClipScores"],
    known_speakers: Collection[str] = (),
    config: SummaryConfig | None = None,
) -> pd.DataFrame:
    """One row a metric, system and group of speakers.

    Args:
        scores: Held-out clips.
        known_speakers: Who was in the training data with other sentences; the others are unseen.
        config: Of the intervals.

    Returns:
        Columns metric, system, speakers (`all`, `known`, `unseen`; a group without clips has no
        rows), value, low, high, n_clips, n_frames.
    """
    config = config or SummaryConfig()
    known = set(known_speakers)
    groups = {
        "all": list(scores),
        "known": [score for score in scores if score.speaker in known],
        "unseen": [score for score in scores if score.speaker not in known],
    }
    rows = []
    for speakers, members in groups.items():
        for metric, system in _measured_pairs(members):
            measured = _measure(members, metric, system)
            low, high = measured.interval(config)
            rows.append(
                (
                    metric,
                    system,
                    speakers,
                    measured.mean,
                    low,
                    high,
                    len(measured.values),
                    int(measured.n_frames.sum()),
                )
            )
    return pd.DataFrame(rows, columns=_COLUMNS)


def flat_metrics(table: pd.DataFrame) -> dict[str, float]:
    """The table as flat keys, for `metrics.json` and the tracking of runs.

    `landmark_error.audio` is the value over all clips; `.known_speakers` and `.unseen_speakers`
    append the group; `.low`, `.high`, `.n_clips` and `.n_frames` tell what stands behind each.
    `landmark_error.audio_over_still_mouth` and `mouth_opening.correlation` are added.
    """
    flat: dict[str, float] = {}
    for row in table.to_dict("records"):
        key = clip_column(str(row["metric"]), str(row["system"]))
        if row["speakers"] != "all":
            key += f".{row['speakers']}_speakers"
        flat[key] = float(row["value"])
        for name in ("low", "high", "n_clips", "n_frames"):
            flat[f"{key}.{name}"] = float(row[name])
    for group in ("", ".known_speakers", ".unseen_speakers"):
        still = flat.get(f"landmark_error.still_mouth{group}", 0.0)
        if still > 0:
            ratio = flat[f"landmark_error.audio{group}"] / still
            flat[f"landmark_error.audio_over_still_mouth{group}"] = ratio
    return flat


def clip_table(scores: Sequence["ClipScores"]) -> pd.DataFrame:
    """One row a clip, a column a `metric.system`: where a figure comes from."""
    rows = [
        {
            "clip": score.clip,
            "speaker": score.speaker,
            "n_frames": score.n_frames,
            "n_pictures": score.n_pictures,
        }
        | {
            clip_column(metric, system): value
            for system, values in score.systems.items()
            for metric, value in values.items()
        }
        for score in scores
    ]
    return pd.DataFrame(rows)


def clip_column(metric: str, system: str) -> str:
    """Under which name a figure of a system stands in `clip_table` and in the flat keys."""
    if metric == "mouth_opening_correlation":  # only the sound's mouth has one
        return "mouth_opening.correlation"
    return f"{metric}.{system}"


def _measured_pairs(scores: Sequence["ClipScores"]) -> list[tuple[str, str]]:
    found: dict[tuple[str, str], None] = {}
    for score in scores:
        for system, values in score.systems.items():
            found.update(dict.fromkeys((metric, system) for metric in values))
    return sorted(found)


def _measure(scores: Sequence["ClipScores"], metric: str, system: str) -> _Measured:
    having = [score for score in scores if metric in score.systems.get(system, {})]
    frames = [score.n_pictures if metric in PICTURE_METRICS else score.n_frames for score in having]
    return _Measured(
        values=np.array([score.systems[system][metric] for score in having]),
        n_frames=np.array(frames, dtype=np.float64),
    )
