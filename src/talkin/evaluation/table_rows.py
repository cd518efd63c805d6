"""Fill the paper's tables with what runs have measured; what was not measured says how to."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from talkin.evaluation.paper_tables import (
    MAIN,
    PAPER_MILLISECONDS,
    TABLES,
    PaperRow,
    PaperTable,
)
from talkin.evaluation.paper_variants import variant_command

COLUMNS = (
    *("table", "row", "variant", "system", "speakers", "metric", "value", "low", "high"),
    *("n_clips", "n_frames", "paper_grid", "paper_collected", "state", "command", "trained"),
)
"""Of the tidy table: a line a number; `state` is measured, not trained, not measured, does not
apply (such as the expression of a model that predicts points) or paper (other people's systems);
`trained` says how, where that was noted."""

TRUTH = "truth"


def filled_tables(
    results: Mapping[str, pd.DataFrame],
    environment: str | None = None,
    tables: Sequence[PaperTable] = TABLES,
    notes: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """All numbers of all tables.

    Args:
        results: Variant -> `summary_table` of it.
        environment: Kedro environment, for the commands of what is missing.
        tables: Which.
        notes: Variant -> how it was trained (`trained_in_words`).

    Returns:
        `COLUMNS`; each table ends with a row of the truth itself, encoded once more as video
        (pictures) or fitted anew (landmarks and expression, where the exact truth is known).
    """
    rows = [
        line
        for table in tables
        for row in (*table.rows, *_truth_rows(table))
        for line in _lines(table, row, results, environment)
    ]
    for line in rows:
        is_ours = line["variant"] and line["system"] != TRUTH
        line["trained"] = (notes or {}).get(line["variant"], "") if is_ours else ""
    return pd.DataFrame(rows, columns=list(COLUMNS))


def runtime_table(reports: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Appendix H: milliseconds a frame of each stage of editing, over all edits.

    Args:
        reports: Job -> `EditReport.to_dict()`.

    Returns:
        Columns stage, ms_per_frame, low, high (least and most of an edit), n_edits, n_frames,
        paper_ms (GTX 1060).
    """
    lines = [
        {"stage": stage, "ms": ms, "frames": report["n_frames"]}
        for report in reports.values()
        for stage, ms in report.get("ms_per_frame", {}).items()
    ]
    columns = ["stage", "ms_per_frame", "low", "high", "n_edits", "n_frames", "paper_ms"]
    if not lines:
        return pd.DataFrame(columns=columns)
    rows = []
    for stage, part in pd.DataFrame(lines).groupby("stage", sort=False):
        mean = float((part["ms"] * part["frames"]).sum() / max(1, part["frames"].sum()))
        least, most = float(part["ms"].min()), float(part["ms"].max())
        n_frames, paper = int(part["frames"].sum()), PAPER_MILLISECONDS.get(str(stage))
        rows.append((stage, mean, least, most, len(part), n_frames, paper))
    return pd.DataFrame(rows, columns=columns)


def trained_in_words(trained: Mapping[str, Any]) -> str:
    """How a variant was trained, as the variants stage notes it, in a few words.

    >>> trained_in_words({"models": 1, "speakers": 6, "minutes": 5.1, "steps": {"audio": 900}})
    '1 model, 6 speakers, 5.1 minutes; audio 900 steps'
    """
    if not trained:
        return ""
    n, minutes = trained["models"], f"{trained['minutes']:g} minutes"
    who = f"{trained['speakers']} speakers" if trained["speakers"] > 1 else "one speaker each"
    steps = [
        f"{stage} {count} steps" if count else f"{stage} as the full model's"
        for stage, count in trained["steps"].items()
        if count or stage != "joint"
    ]
    return f"{n} model{'s' * (n > 1)}, {who}, {minutes}{' each' * (n > 1)}; {', '.join(steps)}"


def _truth_rows(table: PaperTable) -> list[PaperRow]:
    speakers = dict.fromkeys(row.speakers for row in table.rows if row.variant)
    return [
        PaperRow("truth itself" if s == "all" else f"truth itself, {s} speakers", MAIN, TRUTH, s)
        for s in speakers
    ]


def _lines(
    table: PaperTable,
    row: PaperRow,
    results: Mapping[str, pd.DataFrame],
    environment: str | None,
) -> list[dict[str, Any]]:
    measured = results.get(row.variant)
    lines = []
    for metric in table.metrics:
        found = None if measured is None else _figure(measured, row, metric)
        state = _state(row, metric, measured, found)
        missing = state in ("not trained", "not measured") and bool(row.variant)
        line: dict[str, Any] = {
            "table": table.key,
            "row": row.label,
            "variant": row.variant,
            "system": row.system if row.variant else "",
            "speakers": row.speakers,
            "metric": metric,
            "paper_grid": row.grid.get(metric),
            "paper_collected": row.collected.get(metric),
            "state": state,
            "command": variant_command(row.variant, environment) if missing else "",
        }
        lines.append(line | (found or {}))
    return lines


def _figure(measured: pd.DataFrame, row: PaperRow, metric: str) -> dict[str, Any] | None:
    # A figure that needs a reference is told of the truth re-encoded, any other of the truth.
    systems = (TRUTH, "truth_reencoded") if row.system == TRUTH else (row.system,)
    part = measured[
        (measured["metric"] == metric)
        & measured["system"].isin(systems)
        & (measured["speakers"] == row.speakers)
    ]
    if part.empty:
        return None
    names = ("value", "low", "high", "n_clips", "n_frames")
    return {name: part.iloc[0][name] for name in names}


def _state(
    row: PaperRow, metric: str, measured: pd.DataFrame | None, found: dict[str, Any] | None
) -> str:
    if not row.variant:
        return "paper"
    if measured is None:
        return "not trained"
    if found:
        return "measured"
    printed = {**row.grid, **row.collected}
    has_none = bool(printed) and metric not in printed  # as E_exp of 2D: the paper prints a dash
    return "does not apply" if row.system == TRUTH or has_none else "not measured"
