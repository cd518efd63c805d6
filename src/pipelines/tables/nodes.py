"""The nodes of the tables: fill them, write them."""

import math
from collections.abc import Mapping
from typing import Any

from pipelines.rows import Table


def fill_tables(variants: Mapping[str, Table], summary: Table, environment: str) -> Table:
    """Every number of the paper's tables that was measured, beside what the paper printed.

    Args:
        variants: Variant -> its summary.
        summary: Of the model evaluated last: it stands for the full model until that has been
            filed under its name.
        environment: Kedro environment, for the commands of what is missing.
    """
    from talkin.evaluation.paper_tables import MAIN
    from talkin.evaluation.table_rows import filled_tables

    return filled_tables({MAIN: summary} | dict(variants), environment or None)


def tabulate_runtime(reports: Mapping[str, Any]) -> Table:
    """Appendix H from what every edit noted of its stages."""
    from talkin.evaluation.table_rows import runtime_table

    return runtime_table({job: reports[job] for job in reports})


def write_tables(
    filled: Table,
    runtime: Table,
    probe: Mapping[str, float | None],
    conditions: dict[str, str],
) -> tuple[str, str]:
    """All tables as Markdown and as LaTeX."""
    from talkin.evaluation.table_writing import latex_tables, markdown_tables

    shares = {name: math.nan if share is None else share for name, share in probe.items()}
    written = (filled, runtime, shares, conditions)
    return markdown_tables(*written), latex_tables(*written)
