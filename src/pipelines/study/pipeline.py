"""How the export of the user study is wired."""

from kedro.pipeline import Node, Pipeline

from pipelines.study import nodes


def create_pipeline() -> Pipeline:
    """Edits and held-out footage to a folder that `talkin study serve` serves."""
    return Pipeline(
        [
            Node(
                nodes.gather_study_clips,
                [
                    "edits_table",
                    "edits",
                    "edit_truths",
                    "footage",
                    "study_clips_listed",
                    "consent_register",
                    "params:study.sources",
                ],
                "study_sources",
                name="gather_study_clips",
            ),
            Node(
                nodes.export_user_study,
                [
                    "study_sources",
                    "user_study",
                    "params:study.design",
                    "params:study.encoding",
                    "params:study.page",
                ],
                "user_study_summary",
                name="export_user_study",
            ),
        ],
        tags="study",
    )
