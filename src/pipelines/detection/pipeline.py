"""How detection is wired."""

from kedro.pipeline import Node, Pipeline

from pipelines.detection import nodes


def create_pipeline() -> Pipeline:
    """Edits and their footage to a detector and its ROC."""
    settings = "params:detection.detector"
    return Pipeline(
        [
            Node(
                nodes.measure_clips,
                ["edits_table", "edits", "footage", "landmarks", "consent_register", settings],
                "detection_frames",
                name="measure_clips",
            ),
            Node(
                nodes.score_detector,
                ["detection_frames", settings],
                ["detection_metrics", "detection_scores", "detection_report", "edit_detector"],
                name="score_detector",
            ),
        ],
        tags="detection",
    )
