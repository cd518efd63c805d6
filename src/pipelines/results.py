"""Say where the demo's results lie: `python -m pipelines.results`."""

import logging
import sys
from pathlib import Path

from pipelines.rows import rows_of


def main() -> int:
    """Print the paths of the edited clips, of the side-by-side clips and of the report."""
    logging.disable(logging.INFO)
    from kedro.io import DataCatalog

    from pipelines.settings import CONFIG_LOADER_ARGS, CONFIG_LOADER_CLASS

    # Without Kedro's session, which would import every stage to check its parameters.
    entries = CONFIG_LOADER_CLASS(str(Path.cwd() / "conf"), **CONFIG_LOADER_ARGS)["catalog"]
    wanted = ("edits", "side_by_side", "edits_table", "report")
    catalog = DataCatalog.from_config({name: entries[name] for name in wanted})
    edits, beside, table, report = (catalog.load(name) for name in wanted)
    lines = []
    for row in rows_of(table):
        if row["state"] == "done":
            lines += [f"edited clip    {edits.path(row['job'])}"]
            lines += [f"side by side   {beside.path(row['job'])}"]
        else:
            lines += [f"edit {row['job']} was not made: {row['reason']}"]
    lines += [f"report         {report.path}"]
    lines += ["your shell     source .venv/bin/activate gives it talkin, kedro, dvc and mlflow"]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
