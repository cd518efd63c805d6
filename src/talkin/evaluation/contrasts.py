"""How far two rows of a table lie apart, told from the clips that both were scored on.

Intervals of two rows that overlap say little: a hard clip is hard for both models. Here each clip's
figures are subtracted before clips are drawn anew, so what is common to both falls out.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from talkin.evaluation.paper_tables import TABLES, PaperRow, PaperTable
from talkin.evaluation.summary import PICTURE_METRICS, SummaryConfig, clip_column

COLUMNS = ("table", "row", "against", "metric", "difference", "low", "high", "n_clips")


def row_contrasts(
    clips: Mapping[str, pd.DataFrame],
    config: SummaryConfig | None = None,
    tables: Sequence[PaperTable] = TABLES,
) -> pd.DataFrame:
    """The differences that the tables are about, `row` less `against`.

    Args:
        clips: Variant -> a row a clip (`clip_table`).
        config: Of the bootstrap.
        tables: Which; each names its contrasts.

    Returns:
        `COLUMNS`; a contrast of which a model is missing, or a figure of it, has no line.
    """
    config = config or SummaryConfig()
    lines = []
    for table in tables:
        rows = {row.label: row for row in table.rows}
        for one, other in table.contrasts:
            for metric in table.metrics:
                found = _difference(clips, (rows[one], rows[other]), metric, config)
                if found is not None:
                    lines.append((table.key, one, other, metric, *found))
    return pd.DataFrame(lines, columns=list(COLUMNS))


def _difference(
    clips: Mapping[str, pd.DataFrame],
    rows: tuple[PaperRow, PaperRow],
    metric: str,
    config: SummaryConfig,
) -> tuple[float, float, float, int] | None:
    sides = []
    for row in rows:
        table = clips.get(row.variant)
        column = clip_column(metric, row.system)
        if table is None or column not in table:
            return None
        frames = "n_pictures" if metric in PICTURE_METRICS else "n_frames"
        if frames not in table:
            return None
        sides.append(table.set_index("clip")[[column, frames]].set_axis(["value", "n"], axis=1))
    both = sides[0].join(sides[1], how="inner", lsuffix="_one", rsuffix="_other").dropna()
    if both.empty:
        return None
    gaps = (both["value_one"] - both["value_other"]).to_numpy(dtype=np.float64)
    n = both["n_one"].to_numpy(dtype=np.float64)
    drawn = np.random.default_rng(config.seed).integers(
        len(gaps), size=(config.n_resamples, len(gaps))
    )
    means = (gaps[drawn] * n[drawn]).sum(axis=1) / n[drawn].sum(axis=1)
    tail = (1 - config.confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(np.average(gaps, weights=n)), float(low), float(high), len(gaps)
