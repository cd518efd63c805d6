"""How sure the figures are: bootstrap over raters and clips, and agreement between raters.

Ratings are crossed: each rater sees each clip, so neither ratings of one rater nor ratings of one
clip are independent, and an interval that takes them so is far too narrow. Here raters and clips
are both drawn anew (the pigeonhole bootstrap of Owen, "The pigeonhole bootstrap", Annals of Applied
Statistics 1, 2007), which errs on the wide side.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float

from talkin.study.config import JudgingConfig


@dataclass(frozen=True)
class Estimate:
    """A figure with its interval; NaN where nothing is known.

    Attributes:
        value: The figure.
        low: Lower end of the interval.
        high: Upper end.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class RatingTable:
    """Ratings of one question as a table, NaN where a rater did not see a clip."""

    scores: Float[np.ndarray, "raters clips"]
    clips: pd.Index

    @classmethod
    def of(cls, ratings: pd.DataFrame) -> "RatingTable":
        """Arrange rows of rater, id, score."""
        wide = ratings.pivot(index="rater", columns="id", values="score")
        return cls(wide.to_numpy(np.float64), wide.columns)

    def members(self, ids: Sequence[str]) -> Float[np.ndarray, " clips"]:
        """1 for each clip in `ids`, else 0."""
        return np.asarray(self.clips.isin(ids), np.float64)


class Resampler:
    """Draws of raters and clips, the same for every figure of a study."""

    def __init__(self, table: RatingTable, config: JudgingConfig) -> None:
        """Draw how often each rater and each clip counts in each resample."""
        rng = np.random.default_rng(config.seed)
        self._tails = [(1 - config.confidence) / 2, (1 + config.confidence) / 2]
        self._raters = _draws(rng, table.scores.shape[0], config.n_resamples)
        self._clips = _draws(rng, table.scores.shape[1], config.n_resamples)
        self._seen = np.isfinite(table.scores).astype(np.float64)

    def mean(
        self, values: Float[np.ndarray, "raters clips"], members: Float[np.ndarray, " clips"]
    ) -> Estimate:
        """Mean of `values` over all ratings of some clips, each rating weighing the same."""
        ones = np.ones((1, len(values)))
        value = float(self._means(values, ones, members[None])[0])
        return self._estimate(value, self._means(values, self._raters, self._clips * members))

    def difference(
        self,
        values: Float[np.ndarray, "raters clips"],
        first: Float[np.ndarray, " clips"],
        second: Float[np.ndarray, " clips"],
    ) -> Estimate:
        """Mean over the first clips less that over the second, raters drawn for both at once."""
        ones = np.ones((1, len(values)))
        value = self._means(values, ones, first[None]) - self._means(values, ones, second[None])
        drawn = self._means(values, self._raters, self._clips * first)
        drawn = drawn - self._means(values, self._raters, self._clips * second)
        return self._estimate(float(value[0]), drawn)

    def _means(self, values: np.ndarray, raters: np.ndarray, clips: np.ndarray) -> np.ndarray:
        filled = np.where(self._seen > 0, values, 0.0)
        total = np.einsum("br,rc,bc->b", raters, filled, clips, optimize=True)
        n = np.einsum("br,rc,bc->b", raters, self._seen, clips, optimize=True)
        return np.divide(total, n, out=np.full(len(n), np.nan), where=n > 0)

    def _estimate(self, value: float, drawn: np.ndarray) -> Estimate:
        drawn = drawn[np.isfinite(drawn)]
        if not len(drawn):
            return Estimate(value, np.nan, np.nan)
        low, high = np.quantile(drawn, self._tails)
        return Estimate(value, float(low), float(high))


def agreement(table: RatingTable, config: JudgingConfig) -> Estimate:
    """Krippendorff's alpha of ordinal scores: 1 full agreement, 0 as by chance.

    The interval comes from drawing clips anew: drawing raters would set copies of one rater beside
    each other, who agree with themselves. NaN where no two raters saw one clip, or all scores are
    equal, for alpha is not defined there.
    """
    counts = np.stack([(table.scores == score).sum(axis=0) for score in range(1, 6)], axis=1)
    counts = counts[counts.sum(axis=1) > 1]  # a clip that one rater saw says nothing of agreement
    value = _alpha(counts)
    if np.isnan(value):
        return Estimate(np.nan, np.nan, np.nan)
    rng = np.random.default_rng(config.seed)
    drawn = [
        _alpha(counts[rng.integers(len(counts), size=len(counts))])
        for _ in range(min(config.n_resamples, 1000))
    ]
    tails = [(1 - config.confidence) / 2, (1 + config.confidence) / 2]
    known = [one for one in drawn if np.isfinite(one)]
    low, high = np.quantile(known, tails) if known else (np.nan, np.nan)
    return Estimate(value, float(low), float(high))


def _alpha(counts: Float[np.ndarray, "clips scores"]) -> float:
    import krippendorff

    if (counts.sum(axis=0) > 0).sum() < 2:
        return float("nan")
    return float(
        krippendorff.alpha(
            value_counts=counts, value_domain=[1, 2, 3, 4, 5], level_of_measurement="ordinal"
        )
    )


def _draws(rng: np.random.Generator, n: int, n_resamples: int) -> np.ndarray:
    """How often each of `n` counts in each resample: rows sum to n."""
    return rng.multinomial(n, np.full(n, 1 / n), size=n_resamples).astype(np.float64)
