"""How well a mouth's opening follows a curve of its sound at every lag of the sound."""

import numpy as np
from jaxtyping import Float, Int

from talkin.samples.windows import MFCC_ROWS_PER_S

LEAST_FRAMES = 25  # fewer agree with anything


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
    rows = nearest_rows(time_s)
    agreement = np.array([_agreement(opening, sound, rows + lag) for lag in lags])
    return lags / MFCC_ROWS_PER_S, agreement


def best_lag_s(lags_s: Float[np.ndarray, "lags"], agreement: Float[np.ndarray, "lags"]) -> float:
    """The lag of the best agreement, between steps by the parabola through its neighbours."""
    best = int(agreement.argmax())
    return float(lags_s[best]) + _vertex(agreement, best) / MFCC_ROWS_PER_S


def nearest_rows(time_s: Float[np.ndarray, "times"]) -> Int[np.ndarray, "times"]:
    """The row of 100 a second that is nearest to each time."""
    return np.floor(time_s * MFCC_ROWS_PER_S + 0.5).astype(int)


def standardised(values: Float[np.ndarray, "rows *columns"]) -> Float[np.ndarray, "rows *columns"]:
    """Every column at mean 0 and deviation 1."""
    return (values - values.mean(axis=0)) / (values.std(axis=0) + 1e-6)


def _agreement(opening: np.ndarray, sound: np.ndarray, rows: np.ndarray) -> float:
    inside = (rows >= 0) & (rows < len(sound))
    if inside.sum() < LEAST_FRAMES:
        return 0.0
    return float(np.mean(standardised(opening[inside]) * standardised(sound[rows[inside]])))


def _vertex(values: np.ndarray, best: int) -> float:
    """Where the parabola through a maximum and its neighbours has its top, in steps."""
    if not 0 < best < len(values) - 1:
        return 0.0
    before, top, after = values[best - 1 : best + 2]
    bend = before - 2 * top + after
    return 0.5 * float((before - after) / bend) if bend < 0 else 0.0
