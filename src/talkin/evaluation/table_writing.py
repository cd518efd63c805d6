"""The filled tables as Markdown and as LaTeX, each number beside the paper's."""

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from talkin.evaluation.paper_tables import TABLES, PaperTable

_NAMES = {
    "expression_error": ("E_exp, SD", "$E_{exp}$, SD", 3),
    "landmark_error_384": ("E_ldmk, px of 384", "$E_{ldmk}$, px of 384", 2),
    "psnr": ("PSNR, dB", "PSNR, dB", 2),
    "ssim": ("SSIM", "SSIM", 3),
    "mouth_opening_correlation": ("mouth opening r", "mouth opening $r$", 2),
}


def markdown_tables(
    filled: pd.DataFrame,
    contrasts: pd.DataFrame,
    runtime: pd.DataFrame,
    probe: Mapping[str, float],
    conditions: Mapping[str, str],
) -> str:
    """One page with every table.

    Args:
        filled: `table_rows.filled_tables`.
        contrasts: `contrasts.row_contrasts`.
        runtime: `table_rows.runtime_table`.
        probe: Accuracy of the speaker probe: `before`, `after`, `chance`.
        conditions: How the figures were measured: label -> text, printed under every table.
    """
    note = _conditions_note(conditions)
    parts = ["# The paper's tables on this corpus", _HOW_TO_READ]
    for table in TABLES:
        part = filled[filled["table"] == table.key]
        parts += [f"## {table.title}", _grid(*_cells(table, part))]
        differences = contrasts[contrasts["table"] == table.key]
        if len(differences):
            parts += [_PAIRED, _grid(*_contrast_cells(table, differences))]
        parts += [_trained(part), _missing(part), note]
    parts += [f"## {_FIGURE_9}", _grid(*_probe_cells(probe)), note]
    parts += [f"## {_APPENDIX_H}", _grid(*_runtime_cells(runtime))]
    return "\n\n".join(part for part in parts if part) + "\n"


def latex_tables(
    filled: pd.DataFrame,
    contrasts: pd.DataFrame,
    runtime: pd.DataFrame,
    probe: Mapping[str, float],
    conditions: Mapping[str, str],
) -> str:
    r"""The same as `tabular` environments (package booktabs), each with a caption and a label."""
    note = "; ".join(f"{label}: {text}" for label, text in conditions.items())
    blocks = []
    for table in TABLES:
        part = filled[filled["table"] == table.key]
        blocks.append(_tabular(table.key, table.title, *_cells(table, part, True)))
        differences = contrasts[contrasts["table"] == table.key]
        if len(differences):
            cells = _contrast_cells(table, differences, True)
            blocks.append(_tabular(f"{table.key}_paired", f"{table.title}. {_PAIRED}", *cells))
    blocks += [_tabular("figure_9", _FIGURE_9, *_probe_cells(probe))]
    blocks += [_tabular("appendix_h", _APPENDIX_H, *_runtime_cells(runtime))]
    return f"% {_escaped(note)}\n\n" + "\n".join(blocks)


_HOW_TO_READ = (
    "Ours: mean over frames with the 95 % bootstrap interval over clips. GRID, own: what the paper "
    "printed for GRID and for its own recordings; other people, another face model (E_exp cannot "
    "be compared at all), so read them as an order of magnitude."
)
_PAIRED = "Differences on the same clips, with the 95 % bootstrap interval over clips:"
_FIGURE_9 = "Figure 9. How often a linear probe names the speaker of unseen clips"
_APPENDIX_H = "Appendix H. Milliseconds a frame of each stage of editing"


def _cells(
    table: PaperTable, part: pd.DataFrame, is_latex: bool = False
) -> tuple[list[str], list[list[str]]]:
    names = [_NAMES[metric][1] if is_latex else _NAMES[metric][0] for metric in table.metrics]
    has = {corpus: part[f"paper_{corpus}"].notna().any() for corpus in ("grid", "collected")}
    header = ["", "clips"]
    for name in names:
        header += [name]
        header += ["GRID"] if has["grid"] else []
        header += ["own"] if has["collected"] else []
    rows = []
    for label, lines in part.groupby("row", sort=False):
        by_metric = {str(line["metric"]): line for line in lines.to_dict("records")}
        n = lines["n_clips"].max()
        cells = [str(label), "" if pd.isna(n) else f"{int(n)}"]
        for metric in table.metrics:
            line, digits = by_metric[metric], _NAMES[metric][2]
            cells += [_own(line, digits)]
            cells += [_printed(line["paper_grid"])] if has["grid"] else []
            cells += [_printed(line["paper_collected"])] if has["collected"] else []
        rows.append(cells)
    return header, rows


def _contrast_cells(
    table: PaperTable, part: pd.DataFrame, is_latex: bool = False
) -> tuple[list[str], list[list[str]]]:
    names = [_NAMES[metric][1] if is_latex else _NAMES[metric][0] for metric in table.metrics]
    rows = []
    for (one, other), lines in part.groupby(["row", "against"], sort=False):
        by_metric = {str(line["metric"]): line for line in lines.to_dict("records")}
        cells = [f"{one} less {other}", f"{int(lines['n_clips'].max())}"]
        for metric in table.metrics:
            line, digits = by_metric.get(metric), _NAMES[metric][2]
            cells.append("" if line is None else _signed(line, digits))
        rows.append(cells)
    return ["", "clips", *names], rows


def _signed(line: Mapping[Hashable, Any], digits: int) -> str:
    value, low, high = (float(line[name]) for name in ("difference", "low", "high"))
    return f"{value:+.{digits}f} [{low:+.{digits}f}, {high:+.{digits}f}]"


def _own(line: Mapping[Hashable, Any], digits: int) -> str:
    if line["state"] != "measured":
        return "" if line["state"] in ("paper", "does not apply") else str(line["state"])
    value, low, high = (float(line[name]) for name in ("value", "low", "high"))
    return f"{value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def _printed(value: object) -> str:
    number = float("nan") if value is None else float(str(value))
    return "" if math.isnan(number) else f"{number:g}"


def _probe_cells(probe: Mapping[str, float]) -> tuple[list[str], list[list[str]]]:
    labels = {
        "before": "MFCC",
        "after": "after identity removal",
        "chance": "always naming the most frequent",
    }
    rows = [
        [label, f"{100 * probe[key]:.1f} %" if math.isfinite(probe.get(key, math.nan)) else "-"]
        for key, label in labels.items()
    ]
    return ["", "right"], rows


def _runtime_cells(runtime: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    rows = [
        [
            str(row["stage"]),
            f"{row['ms_per_frame']:.1f} [{row['low']:.1f}, {row['high']:.1f}]",
            _printed(row["paper_ms"]),
            f"{row['n_edits']}",
            f"{row['n_frames']}",
        ]
        for row in runtime.to_dict("records")
    ]
    return ["stage", "ms a frame [least, most of an edit]", "paper", "edits", "frames"], rows


def _trained(part: pd.DataFrame) -> str:
    noted = part[part["trained"] != ""].drop_duplicates("row")
    return "\n".join(f"- {row['row']}: {row['trained']}" for row in noted.to_dict("records"))


def _missing(part: pd.DataFrame) -> str:
    absent = part[part["command"] != ""].drop_duplicates("variant")
    lines = []
    for row in absent.to_dict("records"):
        lines.append(f"- {row['row']} ({row['state']}): `{row['command']}`")
    return "\n".join(lines)


def _conditions_note(conditions: Mapping[str, str]) -> str:
    return "*" + "; ".join(f"{label}: {text}" for label, text in conditions.items()) + ".*"


def _grid(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _tabular(key: str, title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    body = " \\\\\n".join(
        " & ".join(_escaped(cell) if "$" not in cell else cell for cell in line)
        for line in (header, *rows)
    )
    first, rest = body.split(" \\\\\n", 1) if rows else (body, "")
    return (
        "\\begin{table}\n\\centering\n"
        f"\\caption{{{_escaped(title)}}}\\label{{tab:{key}}}\n"
        f"\\begin{{tabular}}{{l{'r' * (len(header) - 1)}}}\n\\toprule\n{first} \\\\\n\\midrule\n"
        f"{rest} \\\\\n\\bottomrule\n\\end{{tabular}}\n\\end{{table}}\n"
    )


def _escaped(text: str) -> str:
    for sign in "&%_#":
        text = text.replace(sign, f"\\{sign}")
    return text
