"""How the variants are wired."""

from kedro.pipeline import Node, Pipeline

from pipelines.evaluation.pipeline import create_pipeline as create_evaluation
from pipelines.variants import nodes


def create_pipeline() -> Pipeline:
    """Prepared footage and the full model to the scores of its variants."""
    held_out = create_evaluation().only_nodes("check_leaks", "gather_held_out_clips")
    own = Pipeline(
        [
            Node(
                nodes.gather_lessons,
                [
                    "training_index",
                    "face_parameters",
                    "mfcc",
                    "crops",
                    "consent_register",
                    "params:preprocess.face_model",
                    "params:preprocess.crop",
                    "params:preprocess.mfcc",
                    "params:training.model",
                    "params:training.corpus",
                    "params:training.spoken",
                    "kept_speech",
                ],
                "lessons",
                name="gather_lessons",
            ),
            Node(
                nodes.gather_exam,
                [
                    "held_out_clips",
                    "phonemes",
                    "audio",
                    "truth",
                    "training_index",
                    "params:evaluation.clip_scores",
                    "params:evaluation.summary",
                ],
                "exam",
                name="gather_exam",
            ),
            Node(
                nodes.train_variants,
                [
                    "lessons",
                    "exam",
                    "talking_face_after_renderer",
                    "speaker_classifier",
                    "ablations_before",
                    "variant_models",
                    "params:training.train",
                    "params:variants.plan",
                ],
                "ablations",
                name="train_variants",
            ),
        ],
        tags="variants",
    )
    return held_out + own
