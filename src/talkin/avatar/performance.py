"""What a speaker does in one clip: speech, face, head, frame by frame; nothing is drawn yet."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from talkin.avatar.motion import head_motion, upper_face
from talkin.avatar.person import face_model
from talkin.avatar.plan import ClipPlan, CorpusConfig, speakers_of
from talkin.avatar.scene import Pose, framed_poses
from talkin.avatar.speech import Speech, synthesise
from talkin.avatar.visemes import mouth_expression
from talkin.face3d.camera import project
from talkin.face3d.gaussian_process import action_units, face_anatomy
from talkin.face3d.parameters import FaceParameters

_MOTION_DRAWN_AT_PX = 256.0
UPPER_UNITS = (
    "blink_l", "blink_r", "wide_l", "wide_r", "squint_l", "squint_r", "brow_inner_up",
    "brow_squeeze", "brow_outer_l", "brow_outer_r", "brow_down_l", "brow_down_r",
)  # fmt: skip
"""Actions of lids and brows: they stay the target's when its mouth speaks other words."""


@dataclass(frozen=True, eq=False)
class Performance:
    """One clip before it is drawn.

    Attributes:
        speech: The sound and its phonemes.
        expression: Coefficients a frame.
        poses: Head pose a frame, px of the picture.
    """

    speech: Speech
    expression: Float[np.ndarray, "frames expression"]
    poses: list[Pose]

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.poses)


def perform(plan: ClipPlan, config: CorpusConfig, language: str | None = None) -> Performance:
    """Speak and move as planned; the same plan always gives the same performance.

    Args:
        plan: One of `plan_corpus(config)`.
        config: The corpus that the plan belongs to.
        language: espeak-ng voice whose accent is spoken instead of the speaker's own.
    """
    speaker = speakers_of(config)[plan.speaker_index]
    accent = {"language": language} if language else {}
    speech = synthesise(plan.sentence, speaker.voice.model_copy(update=accent), plan.speech_seed)
    n_frames = max(round(speech.duration_s * config.fps), 1)
    mouth = mouth_expression(speech, config.fps, n_frames, speaker.gain)
    upper = upper_face(plan.motion_seed, n_frames, config.fps)
    motion = head_motion(plan.motion_seed, n_frames, config.fps, plan.view)
    sway = motion.translation_px * (config.size_px / _MOTION_DRAWN_AT_PX)
    poses = framed_poses(config.size_px, plan.view, motion.rotation, sway, motion.scale_factor)
    # To a millionth, and without negative zeros: what a processor leaves of cancelled terms (1e-14)
    # would give each of them another truth.
    expression = np.round(mouth + upper, 6) + 0.0
    return Performance(speech, expression.astype(np.float32), poses)


def upper_part(
    expression: Float[np.ndarray, "frames expression"],
) -> Float[np.ndarray, "frames expression"]:
    """The share of an expression that lids and brows make.

    Of all mixtures of `UPPER_UNITS` the one whose movement of the skin round eyes and brows is
    nearest to the expression's. A movement of the mouth leaves that skin at rest, so it counts as
    no part of it.
    """
    return expression @ _upper_projection().T


def with_mouth_of(
    target: Float[np.ndarray, "frames expression"], source: Float[np.ndarray, "frames expression"]
) -> Float[np.ndarray, "frames expression"]:
    """Lids and brows of `target`, all the rest (mouth, jaw, cheeks) of `source`."""
    return source + upper_part(target - source)


@lru_cache(maxsize=1)
def _upper_projection() -> Float[np.ndarray, "expression expression"]:
    model, curves, units = face_model(), face_anatomy().curves, action_units()
    mean = model.mean
    skin = face_anatomy().vertices_of("skin")
    lids = np.concatenate([curves["eye_l"], curves["eye_r"]])
    around = skin[(mean[skin, 1] > mean[lids, 1].min() - 2) & (mean[skin, 2] > -45)]
    basis = model.expression_basis[around].reshape(-1, model.n_expression).astype(np.float64)
    upper = np.stack([units[name] for name in UPPER_UNITS], axis=1)
    moved = basis @ upper
    ridge = 1e-4 * np.trace(moved.T @ moved) / len(UPPER_UNITS)
    solve = np.linalg.solve(moved.T @ moved + ridge * np.eye(len(UPPER_UNITS)), moved.T @ basis)
    return upper @ solve


def truth_of(
    expression: Float[np.ndarray, "frames expression"],
    poses: list[Pose],
    geometry: Float[np.ndarray, "geometry"],
    fps: float,
) -> FaceParameters:
    """The renderer's own parameters as the record that fitting would give; landmarks are exact."""
    model = face_model()
    rotation = np.array([pose.rotation for pose in poses])
    translation = np.array([pose.translation for pose in poses])
    scale = np.array([pose.scale for pose in poses])
    points = model.points(model.landmarks68, geometry, expression)
    landmarks = project(points, rotation, translation, scale)
    return FaceParameters(
        model_name=model.name,
        fps=fps,
        time_s=np.arange(len(poses)) / fps,
        geometry=geometry,
        expression=expression.astype(np.float32),
        rotation=rotation.astype(np.float32),
        translation=translation.astype(np.float32),
        scale=scale.astype(np.float32),
        landmarks=landmarks.astype(np.float32),
        reprojection_error_px=np.zeros(len(poses), dtype=np.float32),
        interocular_px=np.linalg.norm(landmarks[:, 45] - landmarks[:, 36], axis=1),
        is_valid=np.ones(len(poses), dtype=np.bool_),
    )
