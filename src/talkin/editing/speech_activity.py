"""When the new sound speaks: the utterance flag A(i) of appendix E."""

import numpy as np
from jaxtyping import Bool, Float
from pydantic import BaseModel, ConfigDict, Field
from scipy.ndimage import maximum_filter1d, minimum_filter1d

from talkin.footage.audio import Audio

_TIMES_AT_ONCE = 256


class SpeechActivityConfig(BaseModel):
    """What counts as speech."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    below_speech_db: float = Field(
        default=30.0, gt=0, description="A frame this far below the clip's speech level is silent."
    )
    above_noise_db: float = Field(
        default=6.0, ge=0, description="Speech is at least this far above the clip's noise floor."
    )
    floor_dbfs: float = Field(
        default=-60.0, description="Below this level everything is silent, dB full scale."
    )
    window_s: float = Field(default=0.04, gt=0, description="Sound measured around each frame, s.")
    closing_s: float = Field(
        default=0.3, ge=0, description="Pauses shorter than this (dilation, then erosion) vanish."
    )


def is_speech(
    audio: Audio, times_s: Float[np.ndarray, "frames"], config: SpeechActivityConfig
) -> Bool[np.ndarray, "frames"]:
    """Tell speech from silence at some times (appendix E).

    Args:
        audio: The new speech, mono.
        times_s: Evenly spaced times of the output frames, s.
        config: Thresholds and the shortest pause.

    Returns:
        True where the sound is loud, after dilation followed by erosion over the times.
    """
    loudness = loudness_dbfs(audio, times_s, config.window_s)
    if not len(loudness):
        return np.zeros(0, dtype=bool)
    return _close(loudness > _threshold_dbfs(loudness, config), _reach(times_s, config.closing_s))


def loudness_dbfs(
    audio: Audio, times_s: Float[np.ndarray, "frames"], window_s: float
) -> Float[np.ndarray, "frames"]:
    """Root mean square level around each time, dB full scale; -120 where there is no sound."""
    half = window_s / 2
    start, stop = (
        np.clip(np.rint((times_s + edge) * audio.sample_rate), 0, len(audio.samples)).astype(int)
        for edge in (-half, half)
    )
    energy = np.zeros(len(times_s))
    for first in range(0, len(times_s), _TIMES_AT_ONCE):
        block = np.s_[first : first + _TIMES_AT_ONCE]
        begin, end = int(start[block].min()), int(stop[block].max())
        squares = np.square(audio.samples[begin:end], dtype=np.float64)
        sums = np.concatenate([[0.0], np.cumsum(squares)])
        energy[block] = sums[stop[block] - begin] - sums[start[block] - begin]
    power = energy / np.maximum(stop - start, 1)
    return 10 * np.log10(np.maximum(power, 1e-12))


def _threshold_dbfs(loudness: np.ndarray, config: SpeechActivityConfig) -> float:
    """Between the clip's noise floor and its speech level.

    The floor counts only where it is clearly apart from the speech: in a clip without a pause the
    quietest frames are speech themselves.
    """
    speech, noise = np.percentile(loudness, [95, 5])
    threshold = max(config.floor_dbfs, float(speech) - config.below_speech_db)
    if noise + config.above_noise_db < speech - 2 * config.above_noise_db:
        threshold = max(threshold, float(noise) + config.above_noise_db)
    return threshold


def _reach(times_s: np.ndarray, closing_s: float) -> int:
    """Half the longest pause that is closed, in frames."""
    if len(times_s) < 2:
        return 0
    return int(closing_s / (2 * float(np.median(np.diff(times_s)))))


def _close(flags: np.ndarray, reach: int) -> Bool[np.ndarray, "frames"]:
    """Dilation, then erosion: fills gaps of up to 2 * reach frames and moves no outer edge."""
    padded = np.pad(flags.astype(np.uint8), 2 * reach)
    closed = minimum_filter1d(maximum_filter1d(padded, 2 * reach + 1), 2 * reach + 1)
    return closed[2 * reach : 2 * reach + len(flags)].astype(bool)
