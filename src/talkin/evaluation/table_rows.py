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
    variant_command,
)

COLUMNS = (
    *("table", "row", "variant", "system", "speakers", "metric", "value", "low", "high"),
    *("n_clips", "n_frames", "paper_grid", "paper_collected", "state", "command"),
)
"""Of the tidy table: a line a number; `state` is measured, not trained, not measured, does not
apply (such as the correlation of the truth with itself) or paper (other people's systems)."""

TRUTH = "truth"


def filled_tables(
    results: Mapping[str, pd.DataFrame],
    environment: str | None = None,
    tables: Sequence[PaperTable] = TABLES,
) -> pd.DataFrame:
    """All numbers of all tables.

    Args:
        results: Variant -> `summary_table` of it.
        environment: Kedro environment, for the commands of what is missing.
        tables: Which.

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
        state = _state(row, measured, found)
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


def _state(row: PaperRow, measured: pd.DataFrame | None, found: dict[str, Any] | None) -> str:
    if not row.variant:
        return "paper"
    if measured is None:
        return "not trained"
    if found:
        return "measured"
    return "does not apply" if row.system == TRUTH else "not measured"
