"""What `talkin score` prints and writes."""

import json
from pathlib import Path

import pandas as pd

from talkin.evaluation.clip_pairs import FAKE, REAL, REENCODED, PairConfig
from talkin.evaluation.clip_scores import ClipScores
from talkin.evaluation.report_tables import SHOWN, written
from talkin.evaluation.summary import SummaryConfig, clip_table, flat_metrics, summary_table
from talkin.files import replace_when_whole
from talkin.samples.alignment import mask_box

_TITLES = {FAKE: "imitation", REAL: "real", REENCODED: "real, encoded again"}


def pair_conditions(config: PairConfig, summary: SummaryConfig, detector: str) -> dict[str, str]:
    """Region, codec, points and seed, printed with the figures."""
    size, (x0, y0, x1, y1) = config.crop.size_px, mask_box(config.crop)
    limit = "all" if config.max_frames is None else f"the first {config.max_frames} at most"
    return {
        "PSNR, SSIM": "whole frame of the real clip",
        "mouth": f"{x1 - x0} x {y1 - y0} px at ({x0}, {y0}) of the real face's {size} px crop",
        "codec": "both clips as given; real, encoded again: the face crops through H.264 once more",
        "points": f"39 of the mouth region, of faces fitted to {detector}",
        "frames": f"{limit}, those with a face in both",
        "intervals": f"{100 * summary.confidence:g} %, {summary.n_resamples} draws of clips, "
        f"seed {summary.seed}",
    }


def printed_summary(table: pd.DataFrame, conditions: dict[str, str]) -> str:
    """Markdown: a row a metric, a column a system, and the conditions under it."""
    part = table[table["speakers"] == "all"]
    present = [system for system in _TITLES if (part["system"] == system).any()]
    lines = [
        ["", *(_TITLES[system] for system in present), "clips"],
        ["---"] + ["---:"] * (len(present) + 1),
    ]
    for shown in SHOWN:
        measured = part[part["metric"] == shown.metric].set_index("system")
        if measured.empty:
            continue
        cells = [_cell(measured, system, shown.digits) for system in present]
        lines.append([shown.label, *cells, str(int(measured["n_clips"].max()))])
    grid = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return grid + "\n\n" + "\n".join(f"{label}: {text}" for label, text in conditions.items())


def write_scores(
    folder: Path,
    scores: list[ClipScores],
    rejects: pd.DataFrame,
    conditions: dict[str, str],
    config: SummaryConfig,
) -> str:
    """Write `clips.parquet`, `summary.parquet`, `summary.md`, `metrics.json`, `rejects.csv`.

    Returns:
        What `summary.md` says.
    """
    summary = summary_table(scores, [score.speaker for score in scores], config)
    text = printed_summary(summary, conditions)
    texts = {
        "summary.md": text + "\n",
        "metrics.json": json.dumps({**flat_metrics(summary), "conditions": conditions}, indent=2),
        "rejects.csv": rejects.to_csv(index=False),
    }
    for name, content in texts.items():
        with replace_when_whole(folder / name) as part:
            part.write_text(content, encoding="utf-8")
    for name, table in (("clips", clip_table(scores)), ("summary", summary)):
        with replace_when_whole(folder / f"{name}.parquet") as part:
            table.to_parquet(part)
    return text


def _cell(measured: pd.DataFrame, system: str, digits: int) -> str:
    if system not in measured.index:
        return ""
    value, low, high = (
        float(measured["value"][system]),
        float(measured["low"][system]),
        float(measured["high"][system]),
    )
    return f"{written(value, digits)} [{written(low, digits)}, {written(high, digits)}]"
