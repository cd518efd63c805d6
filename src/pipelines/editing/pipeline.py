"""How editing is wired."""

from kedro.pipeline import Node, Pipeline

from pipelines.editing import nodes


def create_pipeline() -> Pipeline:
    """A trained model and jobs to edited clips."""
    return Pipeline(
        [
            Node(
                nodes.plan_edits,
                ["edit_requests", "footage", "truth", "params:editing.plan"],
                "edit_jobs",
                name="plan_edits",
            ),
            Node(
                nodes.edit_clips,
                [
                    "edit_jobs",
                    "footage",
                    "truth",
                    "landmarks_records",
                    "landmarks",
                    "speaker_geometry",
                    "talking_face",
                    "consent_register",
                    "edit_records_before",
                    "params:editing.edit",
                    "params:preprocess.detection",
                    "params:demo.corpus",
                    "params:editing.parallel",
                ],
                ["edits", "edit_truths", "side_by_side", "edit_reports", "edit_records"],
                name="edit_clips",
            ),
            Node(
                nodes.tabulate_edits,
                ["edit_jobs", "edit_records", "edit_reports"],
                "edits_table",
                name="tabulate_edits",
            ),
            Node(
                nodes.check_some_edit_was_made,
                "edits_table",
                None,
                name="check_some_edit_was_made",
            ),
        ],
        tags="editing",
    )
