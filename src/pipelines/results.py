"""Say where the demo's results lie: `python -m pipelines.results`."""

import logging
import sys
from pathlib import Path

from pipelines.rows import rows_of


def main() -> int:
    """Print the paths of the edited clips, of the side-by-side clips and of the report."""
    logging.disable(logging.INFO)
    from kedro.framework.session import KedroSession
    from kedro.framework.startup import bootstrap_project

    root = Path.cwd()
    bootstrap_project(root)
    with KedroSession.create(root) as session:
        catalog = session.load_context().catalog
        edits, beside = catalog.load("edits"), catalog.load("side_by_side")
        table, report = catalog.load("edits_table"), catalog.load("report")
    lines = []
    for row in rows_of(table):
        if row["state"] == "done":
            lines += [f"edited clip    {edits.path(row['job'])}"]
            lines += [f"side by side   {beside.path(row['job'])}"]
        else:
            lines += [f"edit {row['job']} was not made: {row['reason']}"]
    lines += [f"report         {report.path}"]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
