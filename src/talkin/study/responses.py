"""Ratings joined with the key, and who is set aside for not attending."""

from dataclasses import dataclass

import pandas as pd

from talkin.errors import ConfigurationError
from talkin.study.config import JudgingConfig
from talkin.study.ratings import RatingStore
from talkin.study.records import CHECK, StudyKey


@dataclass(frozen=True, eq=False)
class Responses:
    """What the tables are made of.

    Attributes:
        ratings: Of real and generated clips by attentive raters: columns rater, question, score,
            clip, system, speaker, view.
        counts: raters (invited), started, rated, set_aside, unplayable, checks, checks_passed.
    """

    ratings: pd.DataFrame
    counts: dict[str, int]


def read_responses(store: RatingStore, key: StudyKey, config: JudgingConfig) -> Responses:
    """Join ratings and key, and set aside raters who failed too many attention checks.

    Raises:
        ConfigurationError: If nobody has rated anything.
    """
    rows = store.all_ratings()
    if not rows:
        raise ConfigurationError(
            f"study {key.study}: the database holds no rating yet; is it the one that was served "
            "(--database)?"
        )
    entries = pd.DataFrame([entry.model_dump() for entry in key.entries])
    rated = pd.DataFrame(rows)[["rater", "clip", "question", "score"]]
    joined = rated.rename(columns={"clip": "id"}).merge(entries, on="id", validate="many_to_one")
    checks = joined[joined["system"] == CHECK]
    passed = checks["score"] == checks["expected"]
    share = passed.groupby(checks["rater"]).mean()
    inattentive = set(share.index[share < config.checks_passed])
    counted = joined[(joined["system"] != CHECK) & ~joined["rater"].isin(inattentive)]
    counts = store.counts() | {
        "rated": int(joined["rater"].nunique()),
        "set_aside": len(inattentive),
        "checks": len(checks),
        "checks_passed": int(passed.sum()),
    }
    columns = ["rater", "question", "score", "id", "system", "speaker", "view"]
    return Responses(counted[columns].reset_index(drop=True), counts)
