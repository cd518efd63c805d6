"""Whether sound and lips go together in time: offset by cross-correlation, and how clearly.

For any language and without trained weights: a mouth opens when speech gets loud. The measure is
coarse; `syncnet` gives the field's LSE-D and LSE-C where its weights are at hand. The search is
that of `samples.lags`, by which preparation, too, finds late sound.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field
from scipy.ndimage import gaussian_filter1d

from talkin.editing.speech_activity import loudness_dbfs
from talkin.errors import ConfigurationError
from talkin.footage.audio import Audio
from talkin.samples.lags import agreement_by_lag, best_lag_s
from talkin.samples.windows import MFCC_ROWS_PER_S

_NOTHING = 1e-3  # agreement of a still mouth or of silence


class LipSyncConfig(BaseModel):
    """How the offset between sound and lips is searched."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_offset_s: float = Field(default=0.4, gt=0, description="Offsets searched either way, s.")
    window_s: float = Field(default=0.04, gt=0, description="Sound measured around a moment, s.")
    floor_below_peak_db: float = Field(
        default=40.0, gt=0, description="Quieter sound than this below the loudest counts alike."
    )
    drift_s: float = Field(
        default=0.3, gt=0, description="Slower changes of opening and loudness are taken out, s."
    )


@dataclass(frozen=True)
class LipSync:
    """What the search found.

    Attributes:
        offset_s: How much later the sound is than the lips; positive: late sound. NaN where
            nothing moves or nothing sounds.
        correlation: Of opening and loudness at that offset, -1 to 1.
        confidence: Correlation at the peak less its median over all offsets: 0 where no offset is
            better than another.
    """

    offset_s: float
    correlation: float
    confidence: float


def measure_lip_sync(
    opening: Float[np.ndarray, "frames"],
    time_s: Float[np.ndarray, "frames"],
    audio: Audio,
    config: LipSyncConfig | None = None,
) -> LipSync:
    """Search the offset at which loudness follows the opening of the mouth best.

    Args:
        opening: `metrics.mouth_opening` or `articulation.lip_gap` of each frame, any unit.
        time_s: Time of each frame, evenly spaced.
        audio: The sound; time 0 is the first picture's.
        config: Range of the search.

    Raises:
        ConfigurationError: If the clip is shorter than twice the largest offset.
    """
    config = config or LipSyncConfig()
    if len(time_s) < 2 or time_s[-1] - time_s[0] < 2 * config.max_offset_s:
        raise ConfigurationError(
            f"the clip is shorter than twice max_offset_s ({config.max_offset_s} s), too short to "
            "search an offset; give a longer clip or a smaller max_offset_s"
        )
    step_s = float(np.median(np.diff(time_s)))
    moving = _without_drift(opening, config.drift_s / step_s)
    lags_s, found = agreement_by_lag(moving, time_s, _loudness(audio, config), config.max_offset_s)
    if not np.abs(found).max() > _NOTHING:
        return LipSync(float("nan"), 0.0, 0.0)
    best = float(found.max())
    return LipSync(best_lag_s(lags_s, found), best, best - float(np.median(found)))


def _loudness(audio: Audio, config: LipSyncConfig) -> Float[np.ndarray, "rows"]:
    """A hundred values a second."""
    times_s = np.arange(round(audio.duration_s * MFCC_ROWS_PER_S)) / MFCC_ROWS_PER_S
    level = loudness_dbfs(audio, times_s, config.window_s)
    floored = np.maximum(level, level.max() - config.floor_below_peak_db)
    return _without_drift(floored, config.drift_s * MFCC_ROWS_PER_S)


def _without_drift(values: np.ndarray, width: float) -> np.ndarray:
    values = np.asarray(values, dtype=np.float64)
    return values - gaussian_filter1d(values, width, mode="nearest")
