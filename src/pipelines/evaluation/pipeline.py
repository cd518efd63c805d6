"""How evaluation is wired."""

from kedro.pipeline import Node, Pipeline

from pipelines.evaluation import nodes


def create_pipeline() -> Pipeline:
    """A trained model and held-out clips to metrics and a report."""
    return Pipeline(
        [
            Node(
                nodes.check_leaks,
                [
                    "training_index",
                    "footage",
                    "params:evaluation.held_out",
                    "params:evaluation.leaks",
                ],
                "leak_check",
                name="check_leaks",
            ),
            Node(
                nodes.gather_held_out_clips,
                [
                    "training_index",
                    "face_parameters",
                    "mfcc",
                    "crops",
                    "leak_check",
                    "params:evaluation.held_out",
                ],
                "held_out_clips",
                name="gather_held_out_clips",
            ),
            Node(
                nodes.score_clips,
                [
                    "held_out_clips",
                    "phonemes",
                    "audio",
                    "talking_face",
                    "params:evaluation.clip_scores",
                ],
                ["scores", "clip_scores"],
                name="score_clips",
            ),
            Node(
                nodes.summarise_scores,
                ["scores", "training_index", "params:evaluation.summary"],
                ["score_summary", "metrics"],
                name="summarise_scores",
            ),
            Node(
                nodes.map_voices,
                ["held_out_clips", "talking_face", "params:evaluation.voice_map"],
                ["voices", "voice_map"],
                name="map_voices",
            ),
            Node(
                nodes.write_report,
                [
                    "score_summary",
                    "scores",
                    "training_curves",
                    "voices",
                    "audio",
                    "edits_table",
                    "side_by_side",
                    "rejects",
                    "registered_model",
                    "params:evaluation.report",
                ],
                "report",
                name="write_report",
            ),
        ],
        tags="evaluation",
    )
