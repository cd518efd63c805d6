"""The nodes of the tables: fill them, write them."""

import math
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from pipelines.datasets.variants import VariantResult
from pipelines.rows import Table


class TablesConfig(BaseModel):
    """What the tables say of rows that are missing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    environment: str = Field(
        default="", description="Kedro environment that their commands name; empty for none."
    )


def fill_tables(
    variants: Mapping[str, VariantResult],
    ablations: Mapping[str, VariantResult],
    summary: Table,
    evaluated: dict[str, str],
    config: TablesConfig,
) -> Table:
    """Every number of the paper's tables that was measured, beside what the paper printed.

    Args:
        variants: Models that were evaluated, by name.
        ablations: What the variants stage trained and scored.
        summary: Of the model evaluated last.
        evaluated: The variant that it is.
        config: For the commands of what is missing.
    """
    from talkin.evaluation.table_rows import filled_tables, trained_in_words

    filed = {**ablations, **variants}
    results = {name: result.summary for name, result in filed.items()}
    notes = {name: trained_in_words(r.trained) for name, r in filed.items()}
    results[evaluated["variant"]] = summary
    return filled_tables(results, config.environment or None, notes=notes)


def compare_rows(
    variants: Mapping[str, VariantResult], ablations: Mapping[str, VariantResult]
) -> Table:
    """How far rows of the tables lie apart, clip by clip."""
    from talkin.evaluation.contrasts import row_contrasts

    filed = {**ablations, **variants}
    clips = {name: result.clips for name, result in filed.items() if result.clips is not None}
    return row_contrasts(clips)


def tabulate_runtime(reports: Mapping[str, Any]) -> Table:
    """Appendix H from what every edit noted of its stages."""
    from talkin.evaluation.table_rows import runtime_table

    return runtime_table({job: reports[job] for job in reports})


def write_tables(
    filled: Table,
    contrasts: Table,
    runtime: Table,
    probe: Mapping[str, float | None],
    conditions: dict[str, str],
) -> tuple[str, str]:
    """All tables as Markdown and as LaTeX."""
    from talkin.evaluation.table_writing import latex_tables, markdown_tables

    shares = {name: math.nan if share is None else share for name, share in probe.items()}
    written = (filled, contrasts, runtime, shares, conditions)
    return markdown_tables(*written), latex_tables(*written)
