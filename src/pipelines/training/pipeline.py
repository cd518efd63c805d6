"""How training is wired."""

from kedro.pipeline import Node, Pipeline

from pipelines.training import nodes, registry

_CONFIG = "params:training.train"


def create_pipeline() -> Pipeline:
    """Training index to a registered model."""
    return Pipeline(
        [
            Node(
                nodes.gather_training_data,
                [
                    "training_index",
                    "face_parameters",
                    "mfcc",
                    "crops",
                    "consent_register",
                    "params:preprocess.face_model",
                    "params:training.model",
                    "params:preprocess.crop",
                    "params:preprocess.mfcc",
                    _CONFIG,
                    "params:training.corpus",
                ],
                "training_data",
                name="gather_training_data",
            ),
            Node(
                nodes.train_speaker_classifier,
                ["training_data", "checkpoints", _CONFIG],
                "speaker_classifier",
                name="train_speaker_classifier",
            ),
            Node(
                nodes.speak_for_training,
                [
                    "params:training.spoken",
                    "params:preprocess.crop",
                    "params:preprocess.mfcc",
                    "kept_speech",
                ],
                "spoken_clips",
                name="speak_for_training",
            ),
            Node(
                nodes.train_audio_networks,
                ["training_data", "speaker_classifier", "spoken_clips", "checkpoints", _CONFIG],
                "talking_face_after_audio",
                name="train_audio_networks",
            ),
            Node(
                nodes.train_renderer,
                ["talking_face_after_audio", "training_data", "checkpoints", _CONFIG],
                "talking_face_after_renderer",
                name="train_renderer",
            ),
            Node(
                nodes.train_jointly,
                [
                    "talking_face_after_renderer",
                    "training_data",
                    "speaker_classifier",
                    "checkpoints",
                    _CONFIG,
                ],
                "talking_face",
                name="train_jointly",
            ),
            Node(
                nodes.collect_curves,
                ["talking_face", "checkpoints"],
                "training_curves",
                name="collect_curves",
            ),
            Node(
                registry.register_model,
                ["talking_face", "training_curves", "training_data", "params:training.registry"],
                "registered_model",
                name="register_model",
            ),
        ],
        tags="training",
    )
