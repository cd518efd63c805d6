"""The second of sound that belongs to each frame (section 3.2.2).

A window holds the MFCC rows from `before_s` before the frame to `after_s` after it. Row i of the
MFCC is centred on i hundredths of a second, so the row nearest to the frame's time stands at index
`rows_before` of its window: row 80 of 100 with the paper's values.

Edges. Where a window reaches out of the sound, it is filled with the clip's quietest row (that of
the smallest coefficient 0, which measures loudness). Repeating the outermost row instead would
hold a vowel for up to 0.8 s when a clip begins within a word.
"""

from typing import Literal

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike
from pydantic import BaseModel, ConfigDict, Field

from talkin.errors import ConfigurationError
from talkin.samples.voice import in_common_voice

MFCC_ROWS_PER_S = 100


class WindowConfig(BaseModel):
    """How far a frame's window of sound reaches, and in which voice it is heard."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    before_s: float = Field(default=0.8, ge=0, le=5, description="Sound before the frame, s.")
    after_s: float = Field(default=0.2, gt=0, le=5, description="Sound after the frame, s.")
    voice: Literal["as_given", "common"] = Field(
        default="as_given",
        description="common: each clip's cepstra are normalised by its own loud moments first "
        "(talkin.samples.voice), which takes most of the speaker away. Paper: as_given.",
    )

    @property
    def rows_before(self) -> int:
        """Index of the frame's own row in its window."""
        return round(self.before_s * MFCC_ROWS_PER_S)

    @property
    def n_rows(self) -> int:
        """MFCC rows of a window."""
        return self.rows_before + round(self.after_s * MFCC_ROWS_PER_S)

    @property
    def as_given(self) -> "WindowConfig":
        """The same windows for cepstra that went through `heard_cepstra` already."""
        return self.model_copy(update={"voice": "as_given"})


def heard_cepstra(
    mfcc: Float[np.ndarray, "n coefficients"], config: WindowConfig
) -> Float[np.ndarray, "n coefficients"]:
    """A whole clip's cepstra in the voice in which they are heard."""
    return in_common_voice(mfcc) if config.voice == "common" else mfcc


def audio_windows(
    mfcc: Float[np.ndarray, "n coefficients"], times_s: ArrayLike, config: WindowConfig
) -> Float[np.ndarray, "times rows coefficients"]:
    """Cut the window of each time out of a clip's MFCC.

    Args:
        mfcc: Of the whole clip, 100 rows a second, row i centred on i / 100 s.
        times_s: Times of the frames.
        config: How far a window reaches, and in which voice it is heard.

    Returns:
        One window a time; what lies outside of the sound is filled with its quietest row.
    """
    mfcc = heard_cepstra(mfcc, config)
    starts = window_starts(times_s, config)
    first = min(0, int(starts.min(initial=0)))
    last = max(len(mfcc), int(starts.max(initial=0)) + config.n_rows)
    padded = pad_with_silence(mfcc, -first, last - len(mfcc))
    rows = (starts - first)[:, None] + np.arange(config.n_rows)
    return padded[rows]


def window_starts(times_s: ArrayLike, config: WindowConfig) -> Int[np.ndarray, "times"]:
    """Row of the MFCC with which the window of each time begins; negative before the sound."""
    # Half up: NumPy rounds half to even, which would make neighbouring frames uneven.
    nearest = np.floor(np.asarray(times_s, dtype=np.float64) * MFCC_ROWS_PER_S + 0.5)
    return nearest.astype(np.int64).reshape(-1) - config.rows_before


def pad_with_silence(
    mfcc: Float[np.ndarray, "n coefficients"], before: int, after: int
) -> Float[np.ndarray, "padded coefficients"]:
    """Lengthen a clip's MFCC at both ends by its quietest row.

    Raises:
        ConfigurationError: If the MFCC has no row.
    """
    if len(mfcc) == 0:
        raise ConfigurationError("an MFCC without rows has no windows: is the sound empty?")
    quiet = mfcc[np.argmin(mfcc[:, 0])]
    return np.concatenate([np.tile(quiet, (before, 1)), mfcc, np.tile(quiet, (after, 1))])
