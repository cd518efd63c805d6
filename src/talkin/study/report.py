"""Tables 4 and 5 as files: Markdown to read, LaTeX to print, Parquet to go on with."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from talkin.files import replace_when_whole
from talkin.study.config import JudgingConfig
from talkin.study.paper_tables import ALL_VIEWS
from talkin.study.printed import Printed
from talkin.study.records import OWN, REAL, StudyKey
from talkin.study.responses import Responses
from talkin.study.tables import agreement_table, gap_table, table_4, table_5

_KINDS = {OWN: "generated", REAL: "real"}


def write_study_report(
    folder: Path, responses: Responses, key: StudyKey, config: JudgingConfig
) -> list[Path]:
    """Write `study.md`, and each table as Markdown, LaTeX and Parquet.

    Args:
        folder: Where to; made when missing.
        responses: Ratings with what they are of.
        key: Of the study, for its number of clips.
        config: What counts as real, and how intervals are drawn.

    Returns:
        The files written.
    """
    ratings = responses.ratings
    data = {
        "table4": table_4(ratings, config),
        "table5": table_5(ratings, config),
        "gap": gap_table(ratings, config),
        "agreement": agreement_table(ratings, config),
    }
    printed = _printed(data, config)
    page = "\n".join(
        [_opening(responses, key, config), *(one.markdown() for one in printed.values())]
    )
    texts = {"study.md": page}
    for name, table in printed.items():
        texts |= {f"{name}.md": table.markdown(), f"{name}.tex": table.latex()}
    written = []
    for name, text in texts.items():
        written.append(folder / name)
        with replace_when_whole(written[-1]) as part:
            part.write_text(text, encoding="utf-8")
    for name in printed:
        written.append(folder / f"{name}.parquet")
        with replace_when_whole(written[-1]) as part:
            data[name].to_parquet(part, index=False)
    return written


def _printed(data: Mapping[str, pd.DataFrame], config: JudgingConfig) -> dict[str, Printed]:
    """Every table that has something to say."""
    percent = f"{100 * config.confidence:g} %"
    note = (
        f"Shares of the scores 1 to 5 in percent; real: {config.real_from} or more. In brackets "
        f"the {percent} interval, raters and clips drawn anew {config.n_resamples} times. The "
        "paper's clips, raters and speakers are others: its figures are for orientation."
    )
    rebuilt = (
        " *: one of the paper's shares was lost in the text at hand and is what is missing to 100."
    )
    four, five = data["table4"], data["table5"]
    found = {}
    if len(four):
        found["table4"] = Printed(
            "Table 4: taken for real, by view", *_score_rows(four, "view"), note
        )
    if set(five["question"]) != {"realism"} or not set(five["system"]) <= {OWN, REAL}:
        found["table5"] = Printed(
            "Table 5: systems beside each other",
            *_score_rows(five, "question"),
            note + rebuilt * bool((five["paper_rebuilt"] != "").any()),
        )
    if len(data["gap"]):
        found["gap"] = Printed(
            "Recordings less edits",
            ("view", "points"),
            [
                (row["view"], _with_interval(row, "points", "low", "high"))
                for row in _rows(data["gap"])
            ],
            "How many percentage points more often recordings are taken for real; "
            f"{percent} interval.",
        )
    found["agreement"] = Printed(
        "Agreement between raters",
        ("question", "Krippendorff's alpha", "raters", "clips"),
        [
            (
                row["question"],
                _with_interval(row, "alpha", "low", "high", digits=3),
                str(row["n_raters"]),
                str(row["n_clips"]),
            )
            for row in _rows(data["agreement"])
        ],
        f"Ordinal scores; 1 full agreement, 0 chance; {percent} interval, clips drawn anew.",
    )
    return found


def _score_rows(table: pd.DataFrame, by: str) -> tuple[list[str], list[list[str]]]:
    header = [by, "clips of", "1", "2", "3", "4", "5", "real", "mean score", "ratings"]
    header += ["paper: real", "paper: mean"]
    rows = [
        [
            "all views" if row[by] == ALL_VIEWS else row[by],
            _KINDS.get(row["system"], row["system"]),
            *(_number(row[f"percent_{score}"]) for score in range(1, 6)),
            _with_interval(row, "real_percent", "real_low", "real_high", unit=" %"),
            _with_interval(row, "mean", "mean_low", "mean_high", digits=2),
            str(row["n_ratings"]),
            _number(row["paper_real_percent"], unit=" %"),
            _number(row["paper_mean"], digits=2) + "*" * bool(row["paper_rebuilt"]),
        ]
        for row in _rows(table)
    ]
    return header, rows


def _opening(responses: Responses, key: StudyKey, config: JudgingConfig) -> str:
    counts = responses.counts
    kinds = pd.Series([_KINDS.get(one.system, one.system) for one in key.entries]).value_counts()
    shown = ", ".join(f"{n} {kind}" for kind, n in kinds.items())
    lines = [
        f"# User study {key.study}",
        "",
        f"- Clips: {shown}.",
        f"- Raters: {counts['raters']} invited, {counts['started']} started, {counts['rated']} "
        f"rated something, {counts['set_aside']} set aside because they passed less than "
        f"{100 * config.checks_passed:g} % of their attention checks.",
        f"- Ratings: {counts['ratings']} in all, {len(responses.ratings)} counted below; "
        f"{counts['checks_passed']} of {counts['checks']} answers to attention checks passed.",
        f"- Clips that did not play: {counts['unplayable']}.",
    ]
    return "\n".join(lines) + "\n"


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _with_interval(
    row: Mapping[str, Any], value: str, low: str, high: str, digits: int = 1, unit: str = ""
) -> str:
    ends = f"{_number(row[low], digits)} to {_number(row[high], digits)}"
    return f"{_number(row[value], digits, unit)} [{ends}]"


def _number(value: float, digits: int = 1, unit: str = "") -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}{unit}"
