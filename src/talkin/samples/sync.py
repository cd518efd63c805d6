"""How late a clip's sound is against its lips, and moving it back.

Lips and sound must belong together before anything learns from them: footage of the web was
measured at -160 to +240 ms. Each clip is asked at which lag its mouth opening follows best from
its sound, in two rounds:

1. from loudness alone, which needs no training and sets the zero: mouths open with loud sound;
2. from a ridge regression of opening on cepstra about the moment, fitted to the other clips'
   confident answers of round 1, so that no clip is asked what it itself taught.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from pydantic import BaseModel, ConfigDict, Field

from talkin.samples.windows import MFCC_ROWS_PER_S, pad_with_silence

_CEPSTRA = 13  # the envelope's shape; higher ones tell the voice more than the mouth
_CONTEXT_ROWS = (-8, -4, 0, 4, 8)
_RIDGE = 30.0
_FOLDS = 5
_OTHER_PEAK_ROWS = 15  # nearer than this, a lag belongs to the same peak
_LEAST_FRAMES = 25
# Inner lips of the iBUG layout, upper and lower.
_UPPER, _LOWER = [61, 62, 63], [67, 66, 65]


class SyncConfig(BaseModel):
    """When a clip's sound is moved."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    is_used: bool = Field(default=True, description="False: offsets are neither asked nor moved.")
    largest_s: float = Field(default=0.6, gt=0, le=2, description="Lags that are tried.")
    least_correlation: float = Field(
        default=0.4, ge=0, le=1, description="Confident: opening and sound agree at least so well."
    )
    least_margin: float = Field(
        default=0.08,
        ge=0,
        le=1,
        description="Confident: they agree so much better than at any lag 150 ms away.",
    )
    in_sync_s: float = Field(
        default=0.05,
        ge=0,
        description="Smaller offsets are left: a single clip's estimate is not surer than that.",
    )


@dataclass(frozen=True, eq=False)
class LipsAndSound:
    """What a clip tells of its offset.

    Attributes:
        opening: Gap of the inner lips, any unit.
        time_s: Of each frame.
        is_valid: Frames whose opening counts.
        mfcc: 100 rows a second.
    """

    opening: Float[np.ndarray, "frames"]
    time_s: Float[np.ndarray, "frames"]
    is_valid: Bool[np.ndarray, "frames"]
    mfcc: Float[np.ndarray, "rows coefficients"]


@dataclass(frozen=True)
class AudioOffset:
    """How late the sound is.

    Attributes:
        offset_s: Positive: the sound comes after the lips; NaN where it cannot be asked.
        correlation: Of opening and sound at that lag.
        margin: By how much it exceeds the best lag elsewhere.
        is_confident: Whether both suffice.
        shift_s: By how much the sound is to be moved forward; 0 if not confident or in sync.
    """

    offset_s: float
    correlation: float
    margin: float
    is_confident: bool
    shift_s: float


_NOT_ASKED = AudioOffset(float("nan"), 0.0, 0.0, is_confident=False, shift_s=0.0)


def lips_opening(
    landmarks: Float[np.ndarray, "frames 68 2"], size_px: Float[np.ndarray, "frames"]
) -> Float[np.ndarray, "frames"]:
    """Gap of the inner lips over the size of the face; NaN where no face was found."""
    gap = np.linalg.norm(landmarks[:, _LOWER] - landmarks[:, _UPPER], axis=-1).mean(axis=1)
    return gap / np.maximum(size_px, 1.0)


def estimate_offsets(
    clips: Mapping[str, LipsAndSound], config: SyncConfig | None = None
) -> dict[str, AudioOffset]:
    """How late each clip's sound is; the more clips, the surer.

    Clips that are too short to ask are answered with NaN.
    """
    config = config or SyncConfig()
    asked = [name for name, clip in clips.items() if _usable(clip).sum() >= _LEAST_FRAMES]
    chosen = [clips[name] for name in asked]
    found = [_best_lag(clip, _loudness(clip.mfcc), config) for clip in chosen]
    if sum(offset.is_confident for offset in found) >= _FOLDS:
        found = _second_round(chosen, found, config)
    return dict.fromkeys(clips, _NOT_ASKED) | dict(zip(asked, found, strict=True))


def agreement_by_lag(
    opening: Float[np.ndarray, "frames"],
    time_s: Float[np.ndarray, "frames"],
    sound: Float[np.ndarray, "rows"],
    largest_s: float,
) -> tuple[Float[np.ndarray, "lags"], Float[np.ndarray, "lags"]]:
    """How well a mouth's opening follows its sound at every lag of the sound.

    Args:
        opening: Of each frame.
        time_s: Of each frame.
        sound: A curve of 100 values a second, such as loudness.
        largest_s: Lags that are tried, either way.

    Returns:
        Lags in seconds, 10 ms apart, positive where the sound is late; correlation at each, 0
        where less than 25 frames have sound.
    """
    furthest = round(largest_s * MFCC_ROWS_PER_S)
    lags = np.arange(-furthest, furthest + 1)
    rows = _rows(time_s)
    agreement = np.array([_agreement(opening, sound, rows + lag) for lag in lags])
    return lags / MFCC_ROWS_PER_S, agreement


def best_lag_s(lags_s: Float[np.ndarray, "lags"], agreement: Float[np.ndarray, "lags"]) -> float:
    """The lag of the best agreement, between steps by the parabola through its neighbours."""
    best = int(agreement.argmax())
    return float(lags_s[best]) + _vertex(agreement, best) / MFCC_ROWS_PER_S


def moved_sound(
    mfcc: Float[np.ndarray, "rows coefficients"], shift_s: float
) -> Float[np.ndarray, "rows coefficients"]:
    """MFCC whose sound is heard `shift_s` earlier (later where negative), by whole rows.

    What is missing at an end is silence.
    """
    rows = round(shift_s * MFCC_ROWS_PER_S)
    if rows >= 0:
        return pad_with_silence(mfcc, 0, rows)[rows:]
    return pad_with_silence(mfcc, -rows, 0)[:rows]


def _second_round(
    clips: Sequence[LipsAndSound], found: Sequence[AudioOffset], config: SyncConfig
) -> list[AudioOffset]:
    answers: dict[int, AudioOffset] = {}
    for fold in range(_FOLDS):
        others = [i for i, offset in enumerate(found) if i % _FOLDS != fold and offset.is_confident]
        if not others:
            return list(found)
        weights = _ridge([clips[i] for i in others], [found[i].offset_s for i in others])
        for number in range(fold, len(clips), _FOLDS):
            clip = clips[number]
            answers[number] = _best_lag(clip, _context(clip.mfcc) @ weights, config)
    return [answers[number] for number in range(len(clips))]


def _ridge(clips: Sequence[LipsAndSound], offsets_s: Sequence[float]) -> np.ndarray:
    sounds, openings = [], []
    for clip, offset_s in zip(clips, offsets_s, strict=True):
        usable = _usable(clip)
        rows = _rows(clip.time_s + offset_s).clip(0, len(clip.mfcc) - 1)
        sounds.append(_context(clip.mfcc)[rows[usable]])
        openings.append(_standardised(clip.opening[usable]))
    x, y = np.concatenate(sounds), np.concatenate(openings)
    return np.linalg.solve(x.T @ x + _RIDGE * np.eye(x.shape[1]), x.T @ y)


def _best_lag(clip: LipsAndSound, sound: np.ndarray, config: SyncConfig) -> AudioOffset:
    """The lag at which a curve of 100 values a second correlates best with the opening."""
    usable = _usable(clip)
    lags_s, agreement = agreement_by_lag(
        clip.opening[usable], clip.time_s[usable], sound, config.largest_s
    )
    offset_s, correlation = best_lag_s(lags_s, agreement), float(agreement.max())
    apart = np.abs(np.arange(len(agreement)) - agreement.argmax())
    margin = correlation - float(agreement[apart > _OTHER_PEAK_ROWS].max(initial=-1.0))
    is_confident = correlation >= config.least_correlation and margin >= config.least_margin
    is_moved = is_confident and abs(offset_s) > config.in_sync_s
    return AudioOffset(offset_s, correlation, margin, is_confident, offset_s if is_moved else 0.0)


def _agreement(opening: np.ndarray, sound: np.ndarray, rows: np.ndarray) -> float:
    inside = (rows >= 0) & (rows < len(sound))
    if inside.sum() < _LEAST_FRAMES:
        return 0.0
    return float(np.mean(_standardised(opening[inside]) * _standardised(sound[rows[inside]])))


def _vertex(values: np.ndarray, best: int) -> float:
    """Where the parabola through a maximum and its neighbours has its top, in steps."""
    if not 0 < best < len(values) - 1:
        return 0.0
    before, top, after = values[best - 1 : best + 2]
    bend = before - 2 * top + after
    return 0.5 * float((before - after) / bend) if bend < 0 else 0.0


def _loudness(mfcc: np.ndarray) -> np.ndarray:
    weights = np.hanning(7)[1:-1]
    padded = np.pad(mfcc[:, 0], 2, mode="edge")
    return np.convolve(padded, weights / weights.sum(), mode="valid")


def _context(mfcc: np.ndarray) -> np.ndarray:
    cepstra = _standardised(mfcc[:, :_CEPSTRA])
    rows = np.arange(len(cepstra))
    shifted = [cepstra[(rows + k).clip(0, len(rows) - 1)] for k in _CONTEXT_ROWS]
    return np.concatenate(shifted, axis=1)


def _rows(time_s: np.ndarray) -> np.ndarray:
    return np.floor(time_s * MFCC_ROWS_PER_S + 0.5).astype(int)


def _usable(clip: LipsAndSound) -> np.ndarray:
    return clip.is_valid & np.isfinite(clip.opening)


def _standardised(values: np.ndarray) -> np.ndarray:
    return (values - values.mean(axis=0)) / (values.std(axis=0) + 1e-6)
