"""How evaluation is wired."""

from kedro.pipeline import Node, Pipeline

from pipelines.evaluation import nodes, report_node


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
                    "truth",
                    "talking_face",
                    "params:evaluation.clip_scores",
                ],
                ["scores", "clip_scores"],
                name="score_clips",
            ),
            Node(
                nodes.tabulate_frames,
                ["scores", "training_index", "phonemes"],
                "frame_scores",
                name="tabulate_frames",
            ),
            Node(
                nodes.cross_speakers,
                ["held_out_clips", "truth", "talking_face"],
                "crossings",
                name="cross_speakers",
            ),
            Node(
                nodes.cross_pictures,
                [
                    "held_out_clips",
                    "truth",
                    "talking_face",
                    "params:demo.corpus",
                    "params:evaluation.crossed_pictures",
                ],
                "crossed_pictures",
                name="cross_pictures",
            ),
            Node(
                nodes.summarise_crossings,
                ["crossings", "crossed_pictures"],
                "crossed",
                name="summarise_crossings",
            ),
            Node(
                nodes.describe_conditions,
                [
                    "talking_face",
                    "params:evaluation.held_out",
                    "params:evaluation.clip_scores",
                    "params:evaluation.summary",
                ],
                "conditions",
                name="describe_conditions",
            ),
            Node(
                nodes.keep_variant,
                ["score_summary", "metrics", "clip_scores", "params:evaluation.variant"],
                ["variants_written", "variant"],
                name="keep_variant",
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
                ["voices", "voice_map", "voice_probe", "voice_page"],
                name="map_voices",
            ),
            Node(
                report_node.write_report,
                [
                    "score_summary",
                    "scores",
                    "frame_scores",
                    "crossings",
                    "crossed_pictures",
                    "conditions",
                    "leak_check",
                    "training_curves",
                    "voices",
                    "audio",
                    "edits_table",
                    "side_by_side",
                    "rejects",
                    "footage",
                    "talking_face",
                    "registered_model",
                    "params:evaluation.report",
                ],
                "report",
                name="write_report",
            ),
        ],
        tags="evaluation",
    )
