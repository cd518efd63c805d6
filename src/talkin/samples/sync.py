"""How late a clip's sound is against its lips, and moving it back.

Lips and sound must belong together before anything learns from them: footage of the web was
measured at -160 to +240 ms. Each clip is asked at which lag its mouth opening follows best from
its sound, in two rounds:

1. from loudness alone, which needs no training and sets the zero: mouths open with loud sound;
2. from a ridge regression of opening on cepstra about the moment, fitted to the other clips'
   confident answers of round 1, so that no clip is asked what it itself taught.

In both, what one clip leaves open is settled by the other clips of its speaker (`sync_belief`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from pydantic import BaseModel, ConfigDict, Field

from talkin.samples.lags import LEAST_FRAMES, agreement_by_lag, nearest_rows, standardised
from talkin.samples.sync_belief import lag_beliefs, likeliest
from talkin.samples.windows import MFCC_ROWS_PER_S, pad_with_silence

_CEPSTRA = 13  # the envelope's shape; higher ones tell the voice more than the mouth
_CONTEXT_ROWS = (-8, -4, 0, 4, 8)
_RIDGE = 30.0
_FOLDS = 5
# Inner lips of the iBUG layout, upper and lower.
_UPPER, _LOWER = [61, 62, 63], [67, 66, 65]


class SyncConfig(BaseModel):
    """When a clip's sound is moved."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    is_used: bool = Field(default=True, description="False: offsets are neither asked nor moved.")
    largest_s: float = Field(default=0.6, gt=0, le=2, description="Lags that are tried.")
    least_certainty: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="Confident: the offset lies within a frame of the answer with this "
        "probability, the speaker's other clips considered.",
    )
    in_sync_s: float = Field(
        default=0.03, ge=0, description="Smaller offsets are left: less than a frame of 25."
    )


@dataclass(frozen=True, eq=False)
class LipsAndSound:
    """What a clip tells of its offset.

    Attributes:
        opening: Gap of the inner lips, any unit.
        time_s: Of each frame.
        is_valid: Frames whose opening counts.
        mfcc: 100 rows a second.
        speaker: Whose clips are late alike, as a rule; "" for a clip that is asked alone.
    """

    opening: Float[np.ndarray, "frames"]
    time_s: Float[np.ndarray, "frames"]
    is_valid: Bool[np.ndarray, "frames"]
    mfcc: Float[np.ndarray, "rows coefficients"]
    speaker: str = ""


@dataclass(frozen=True)
class AudioOffset:
    """How late the sound is.

    Attributes:
        offset_s: Positive: the sound comes after the lips; NaN where it cannot be asked.
        correlation: Of this clip's opening and sound at that lag.
        certainty: Probability that the offset lies within a frame of it.
        is_confident: Whether that suffices.
        shift_s: By how much the sound is to be moved forward; 0 if not confident or in sync.
    """

    offset_s: float
    correlation: float
    certainty: float
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
    asked = [name for name, clip in clips.items() if _usable(clip).sum() >= LEAST_FRAMES]
    chosen = [clips[name] for name in asked]
    found = _offsets(chosen, [_loudness(clip.mfcc) for clip in chosen], config)
    if sum(offset.is_confident for offset in found) >= _FOLDS:
        found = _second_round(chosen, found, config)
    return dict.fromkeys(clips, _NOT_ASKED) | dict(zip(asked, found, strict=True))


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
    sounds: dict[int, np.ndarray] = {}
    for fold in range(_FOLDS):
        others = [i for i, offset in enumerate(found) if i % _FOLDS != fold and offset.is_confident]
        if not others:
            return list(found)
        weights = _ridge([clips[i] for i in others], [found[i].offset_s for i in others])
        for number in range(fold, len(clips), _FOLDS):
            sounds[number] = _context(clips[number].mfcc) @ weights
    return _offsets(clips, [sounds[number] for number in range(len(clips))], config)


def _ridge(clips: Sequence[LipsAndSound], offsets_s: Sequence[float]) -> np.ndarray:
    sounds, openings = [], []
    for clip, offset_s in zip(clips, offsets_s, strict=True):
        usable = _usable(clip)
        rows = nearest_rows(clip.time_s + offset_s).clip(0, len(clip.mfcc) - 1)
        sounds.append(_context(clip.mfcc)[rows[usable]])
        openings.append(standardised(clip.opening[usable]))
    x, y = np.concatenate(sounds), np.concatenate(openings)
    return np.linalg.solve(x.T @ x + _RIDGE * np.eye(x.shape[1]), x.T @ y)


def _offsets(
    clips: Sequence[LipsAndSound], sounds: Sequence[np.ndarray], config: SyncConfig
) -> list[AudioOffset]:
    """The likeliest lag of each clip's opening to its curve of 100 values a second."""
    if not clips:
        return []
    curves, seconds = [], []
    for clip, sound in zip(clips, sounds, strict=True):
        usable = _usable(clip)
        opening, time_s = clip.opening[usable], clip.time_s[usable]
        lags_s, agreement = agreement_by_lag(opening, time_s, sound, config.largest_s)
        curves.append(agreement)
        seconds.append(len(time_s) * float(np.median(np.diff(time_s))))
    agreements = np.stack(curves)
    beliefs = lag_beliefs(agreements, np.array(seconds), [clip.speaker for clip in clips])
    return [
        _answer(belief, agreement, lags_s, config)
        for belief, agreement in zip(beliefs, agreements, strict=True)
    ]


def _answer(
    belief: np.ndarray, agreement: np.ndarray, lags_s: np.ndarray, config: SyncConfig
) -> AudioOffset:
    place, certainty = likeliest(belief)
    offset_s = float(lags_s[0]) + place / MFCC_ROWS_PER_S
    is_confident = certainty >= config.least_certainty
    is_moved = is_confident and abs(offset_s) > config.in_sync_s
    correlation = float(agreement[round(place)])
    shift_s = offset_s if is_moved else 0.0
    return AudioOffset(offset_s, correlation, certainty, is_confident, shift_s)


def _loudness(mfcc: np.ndarray) -> np.ndarray:
    weights = np.hanning(7)[1:-1]
    padded = np.pad(mfcc[:, 0], 2, mode="edge")
    return np.convolve(padded, weights / weights.sum(), mode="valid")


def _context(mfcc: np.ndarray) -> np.ndarray:
    cepstra = standardised(mfcc[:, :_CEPSTRA])
    rows = np.arange(len(cepstra))
    shifted = [cepstra[(rows + k).clip(0, len(rows) - 1)] for k in _CONTEXT_ROWS]
    return np.concatenate(shifted, axis=1)


def _usable(clip: LipsAndSound) -> np.ndarray:
    return clip.is_valid & np.isfinite(clip.opening)
