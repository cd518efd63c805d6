"""How the tables are wired."""

from kedro.pipeline import Node, Pipeline

from pipelines.tables import nodes


def create_pipeline() -> Pipeline:
    """Results of runs to Tables 1a, 1b, 2, 3, 6, Figures 9 and 10 and appendix H."""
    return Pipeline(
        [
            Node(
                nodes.fill_tables,
                ["variants", "ablations", "score_summary", "variant", "params:tables.missing"],
                "paper_tables",
                name="fill_tables",
            ),
            Node(
                nodes.compare_rows,
                ["variants", "ablations"],
                "row_contrasts",
                name="compare_rows",
            ),
            Node(nodes.tabulate_runtime, "edit_reports", "runtime_table", name="tabulate_runtime"),
            Node(
                nodes.write_tables,
                ["paper_tables", "row_contrasts", "runtime_table", "voice_probe", "conditions"],
                ["paper_tables_markdown", "paper_tables_latex"],
                name="write_tables",
            ),
        ],
        tags="tables",
    )
