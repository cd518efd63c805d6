"""Tables 4 and 5: which share of clips is taken for real, by view and by system."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from talkin.study.config import PAPER_VIEWS, QUESTIONS, JudgingConfig, QuestionName
from talkin.study.intervals import Estimate, RatingTable, Resampler, agreement
from talkin.study.paper_tables import ALL_VIEWS, TABLE_4, TABLE_5, PaperRow
from talkin.study.records import OWN, REAL

_SHARES = tuple(f"percent_{score}" for score in range(1, 6))
_ESTIMATES = ("real_percent", "real_low", "real_high", "mean", "mean_low", "mean_high")
_PAPER_FIGURES = (*(f"paper_{name}" for name in _SHARES), "paper_real_percent", "paper_mean")
_PAPER = (*_PAPER_FIGURES, "paper_rebuilt")
COLUMNS = ("view", "system", "question", "n_ratings", "n_raters", "n_clips", *_SHARES, *_ESTIMATES)
"""Of both tables, followed by the paper's figures (NaN where it has none) and the scores
whose share its extracted text had lost."""


class _Question:
    """All ratings of one question, with the draws that every figure of it shares."""

    def __init__(self, ratings: pd.DataFrame, config: JudgingConfig) -> None:
        self._config = config
        self._ratings = ratings
        self.table = RatingTable.of(ratings)
        self._resampler = Resampler(self.table, config)

    def row(self, members: pd.DataFrame) -> dict[str, Any]:
        """The figures of the ratings of some clips."""
        ids = self.table.members(members["id"].unique().tolist())
        shares = [100 * (members["score"] == score).mean() for score in range(1, 6)]
        real = self._resampler.mean(self._is_real, ids)
        mean = self._resampler.mean(self.table.scores, ids)
        counts: dict[str, Any] = {
            "n_ratings": len(members),
            "n_raters": members["rater"].nunique(),
            "n_clips": members["id"].nunique(),
        }
        numbers = (*_times(real, 100), *_times(mean, 1))
        return counts | dict(zip((*_SHARES, *_ESTIMATES), (*shares, *numbers), strict=True))

    def gap(self, members: pd.DataFrame) -> Estimate:
        """By how many points more often recordings are taken for real than our edits."""
        real, own = (
            self.table.members(members.loc[members["system"] == system, "id"].unique().tolist())
            for system in (REAL, OWN)
        )
        return Estimate(*_times(self._resampler.difference(self._is_real, real, own), 100))

    @property
    def _is_real(self) -> np.ndarray:
        return (self.table.scores >= self._config.real_from).astype(np.float64)


def table_4(ratings: pd.DataFrame, config: JudgingConfig) -> pd.DataFrame:
    """Realism of edits and recordings by view (Table 4).

    Args:
        ratings: `Responses.ratings`.
        config: What counts as real, and how intervals are drawn.

    Returns:
        A row a view and system (`talkin`, `real`), views in the paper's order, `all` last; columns
        `COLUMNS` and the paper's. Empty where realism was not asked.
    """
    asked = _asked(ratings, "realism")
    rows = []
    if len(asked):
        question = _Question(asked, config)
        for view, members in _by_view(asked):
            for system, seen in _by_system(members, (OWN, REAL)):
                cell: dict[str, Any] = {"view": view, "system": system, "question": "realism"}
                rows.append(cell | question.row(seen) | _paper(TABLE_4.get((view, system))))
    return pd.DataFrame(rows, columns=[*COLUMNS, *_PAPER])


def table_5(ratings: pd.DataFrame, config: JudgingConfig) -> pd.DataFrame:
    """Every question of every system (Table 5), columns as `table_4`; `view` is `all`."""
    rows = []
    for name in _questions(ratings):
        asked = _asked(ratings, name)
        question = _Question(asked, config)
        systems = [one for one in sorted(set(asked["system"])) if one not in (OWN, REAL)]
        for system, seen in _by_system(asked, (*systems, OWN, REAL)):
            cell: dict[str, Any] = {"view": ALL_VIEWS, "system": system, "question": name}
            rows.append(cell | question.row(seen) | _paper(TABLE_5.get((system, name))))
    return pd.DataFrame(rows, columns=[*COLUMNS, *_PAPER])


def gap_table(ratings: pd.DataFrame, config: JudgingConfig) -> pd.DataFrame:
    """How much more often recordings are taken for real than edits, in percentage points.

    Returns:
        A row a view that has both, `all` last: view, points, low, high.
    """
    asked = _asked(ratings, "realism")
    rows = []
    if len(asked):
        question = _Question(asked, config)
        for view, members in _by_view(asked):
            if {OWN, REAL} <= set(members["system"]):
                gap = question.gap(members)
                rows.append((view, gap.value, gap.low, gap.high))
    return pd.DataFrame(rows, columns=["view", "points", "low", "high"])


def agreement_table(ratings: pd.DataFrame, config: JudgingConfig) -> pd.DataFrame:
    """Krippendorff's alpha of each question: question, alpha, low, high, n_raters, n_clips."""
    rows = []
    for name in _questions(ratings):
        table = RatingTable.of(_asked(ratings, name))
        alpha = agreement(table, config)
        rows.append((name, alpha.value, alpha.low, alpha.high, *table.scores.shape))
    columns = ["question", "alpha", "low", "high", "n_raters", "n_clips"]
    return pd.DataFrame(rows, columns=columns)


def _asked(ratings: pd.DataFrame, question: QuestionName) -> pd.DataFrame:
    return ratings[ratings["question"] == question]


def _questions(ratings: pd.DataFrame) -> list[QuestionName]:
    """Those that were asked, in the order of Table 5's columns."""
    asked = set(ratings["question"])
    return [name for name in QUESTIONS if name in asked]


def _by_view(ratings: pd.DataFrame) -> Iterable[tuple[str, pd.DataFrame]]:
    """Ratings of edits and recordings, view by view, then all of them."""
    compared = ratings[ratings["system"].isin([OWN, REAL])]
    found = set(compared["view"])
    for view in [*(v for v in PAPER_VIEWS if v in found), *sorted(found - set(PAPER_VIEWS))]:
        yield view, compared[compared["view"] == view]
    if found:
        yield ALL_VIEWS, compared


def _by_system(ratings: pd.DataFrame, systems: Sequence[str]) -> Iterable[tuple[str, pd.DataFrame]]:
    for system in systems:
        members = ratings[ratings["system"] == system]
        if len(members):
            yield system, members


def _times(estimate: Estimate, factor: float) -> tuple[float, float, float]:
    return estimate.value * factor, estimate.low * factor, estimate.high * factor


def _paper(row: PaperRow | None) -> dict[str, Any]:
    values = (*row.shares, row.real, row.mean) if row else (np.nan,) * len(_PAPER_FIGURES)
    rebuilt = ", ".join(map(str, row.rebuilt)) if row else ""
    return {**dict(zip(_PAPER_FIGURES, values, strict=True)), "paper_rebuilt": rebuilt}
