"""How preparation is wired. `<step>_records_before` is what an earlier run left of `<step>`."""

from kedro.pipeline import Node, Pipeline

from pipelines.preprocess import nodes, tables
from pipelines.preprocess.geometry import find_geometry

_STEPS = ("sound", "mfcc", "landmarks", "faces", "crops")


def create_pipeline() -> Pipeline:
    """Footage to the training index."""
    return Pipeline([*_clip_nodes(), *_table_nodes()], tags="preprocess")


def _clip_nodes() -> list[Node]:
    parallel = "params:preprocess.parallel"
    return [
        Node(
            nodes.extract_sound,
            ["footage", "sound_records_before", "params:preprocess.mfcc", parallel],
            ["audio", "sound_records"],
            name="extract_sound",
        ),
        Node(
            nodes.compute_mfcc,
            ["sound_records", "audio", "mfcc_records_before", "params:preprocess.mfcc", parallel],
            ["mfcc", "mfcc_records"],
            name="compute_mfcc",
        ),
        Node(
            nodes.track_landmarks,
            [
                "footage",
                "truth",
                "landmarks_records_before",
                "params:preprocess.landmarks",
                "params:preprocess.detection",
                "params:preprocess.tracking",
                parallel,
            ],
            ["landmarks", "landmarks_records"],
            name="track_landmarks",
        ),
        Node(
            find_geometry,
            [
                "footage",
                "landmarks_records",
                "landmarks",
                "geometry_records_before",
                "params:preprocess.geometry",
                "params:preprocess.face_model",
                "params:preprocess.fit",
                parallel,
            ],
            ["speaker_geometry", "geometry_records"],
            name="find_geometry",
        ),
        Node(
            nodes.fit_faces,
            [
                "footage",
                "landmarks_records",
                "landmarks",
                "speaker_geometry",
                "faces_records_before",
                "params:preprocess.face_model",
                "params:preprocess.fit",
                parallel,
            ],
            ["face_parameters", "faces_records"],
            name="fit_faces",
        ),
        Node(
            nodes.crop_faces,
            [
                "footage",
                "faces_records",
                "face_parameters",
                "crops_records_before",
                "params:preprocess.crop",
                "params:preprocess.crop_storage",
                parallel,
            ],
            ["crops", "crops_records"],
            name="crop_faces",
        ),
    ]


def _table_nodes() -> list[Node]:
    return [
        Node(
            tables.check_consent_and_probe_clips,
            ["footage_manifest", "consent_register"],
            "footage",
            name="check_consent_and_probe_clips",
        ),
        Node(
            tables.index_prepared_clips,
            [
                "footage",
                "face_parameters",
                "mfcc",
                "faces_records",
                "mfcc_records",
                "crops_records",
                "params:preprocess.sync",
            ],
            "training_index",
            name="index_prepared_clips",
        ),
        Node(
            tables.list_rejects,
            ["footage", "geometry_records", *(f"{step}_records" for step in _STEPS)],
            "rejects",
            name="list_rejects",
        ),
    ]
