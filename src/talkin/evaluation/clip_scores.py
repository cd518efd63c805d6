"""Scores one held-out clip: what is heard, what is painted, and what doing nothing would give.

Systems, by the names under which their figures are reported:

    audio             landmarks from the sound; the renderer fed with them
    audio_deflickered the same after the post-processing of appendix G: landmarks smoothed,
                      pictures deflickered
    still_mouth       the training data's mean mouth, held still; the renderer fed with it
    renderer          the renderer fed with the true landmarks
    warp              the clip's own mouths of other moments, warped to the true landmarks
    audio_warp        the same, warped to the smoothed landmarks from the sound
    truth             the footage itself, for figures that need no reference
    truth_reencoded   the footage through the video encoder once more: the best to hope for
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field

from talkin.evaluation import articulation, metrics
from talkin.evaluation.articulation import TimedPhoneme
from talkin.evaluation.heard_faces import HeardFaces, hear_clip
from talkin.evaluation.lip_sync import LipSyncConfig, measure_lip_sync
from talkin.evaluation.painted_frames import ShownFrame, paint_clip
from talkin.evaluation.picture_scores import PictureScores
from talkin.face3d.model import MorphableModel
from talkin.face3d.parameters import FaceParameters
from talkin.footage.audio import Audio
from talkin.networks.talking_face import TalkingFace
from talkin.samples.dataset import PreparedClip


class ClipScoreConfig(BaseModel):
    """How thoroughly a clip is scored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    windows_per_clip: int | None = Field(
        default=None, ge=1, description="Renders only so many windows, evenly spread; None: all."
    )
    worst_frames: int = Field(
        default=2, ge=0, description="Pictures of the worst frames kept for the report."
    )
    closed_mm: float = Field(
        default=0.25,
        description="Signed gap of the inner lips up to which they count as closed, mm. With it "
        "the exact truth of synthetic speakers scores 0.99, their fitted faces 0.97, and a vowel "
        "0.08 (docs/metrics.md).",
    )
    scores_pictures: bool = Field(
        default=True, description="False: only expression and landmarks, in a fraction of the time."
    )


@dataclass(frozen=True, eq=False)
class KnownOfClip:
    """What some corpora know of a clip, and others do not.

    Attributes:
        phonemes: What is said when, in the time of the clip: for lip closure and for movement in
            silence.
        sound: For the offset of lips and sound.
        exact: The true face of a synthetic clip, crop px: for what fitting alone loses, told as
            expression and landmark error of `truth`.
    """

    phonemes: Sequence[TimedPhoneme] | None = None
    sound: Audio | None = None
    exact: FaceParameters | None = None


@dataclass(frozen=True, eq=False)
class ClipScores:
    """What one clip scored.

    Attributes:
        clip: Its name.
        speaker: Who speaks.
        n_frames: Valid frames: those behind expression and landmark figures.
        n_pictures: Frames behind the picture figures.
        systems: System -> metric -> value. Distances are in crop px; `landmark_error_384` is in
            those of the paper's 384 px crop.
        time_s: Time of each valid frame.
        curves: A value a valid frame: `true_opening` and `audio_opening` (px), `landmark_error`.
        worst: The frames that were drawn worst from true landmarks, worst first.
    """

    clip: str
    speaker: str
    n_frames: int
    n_pictures: int
    systems: dict[str, dict[str, float]]
    time_s: Float[np.ndarray, "frames"]
    curves: dict[str, Float[np.ndarray, "frames"]]
    worst: list[ShownFrame] = field(default_factory=list)


def evaluate_clip(
    prepared: PreparedClip,
    model: TalkingFace,
    face_model: MorphableModel,
    mean_expression: Float[np.ndarray, "expression"],
    config: ClipScoreConfig | None = None,
    known: KnownOfClip | None = None,
) -> ClipScores:
    """Score a clip that the model has not seen.

    Args:
        prepared: The clip, in crop px.
        model: Trained networks.
        face_model: The model with which the clip was fitted.
        mean_expression: The still mouth: mean of the training data.
        config: How thoroughly.
        known: What else is known of the clip; what it lacks is not scored.

    Raises:
        ConfigurationError: If the clip has no valid frame, or pictures are wanted and it has none.
    """
    config, known = config or ClipScoreConfig(), known or KnownOfClip()
    model.eval()
    faces = hear_clip(prepared, model, face_model, mean_expression)
    size = model.config.crop.size_px
    systems = faces.scores(size)
    if known.phonemes:
        _add_speech_scores(systems, faces, known.phonemes, config)
    if known.exact is not None:
        systems.setdefault("truth", {}).update(faces.fit_scores(known.exact, face_model, size))
    if known.sound is not None:
        _add_sync_scores(systems, faces, known.sound)
    curves = {
        "true_opening": metrics.mouth_opening(faces.true),
        "audio_opening": metrics.mouth_opening(faces.audio),
        "landmark_error": metrics.landmark_distances(faces.audio, faces.true),
    }
    pictures = PictureScores(model.config.mask_box, config.worst_frames)
    if config.scores_pictures:
        pictures.take(paint_clip(prepared, model, faces, config.windows_per_clip))
    for system, values in pictures.by_system.items():
        systems.setdefault(system, {}).update(values)
    return ClipScores(
        clip=prepared.clip,
        speaker=prepared.speaker,
        n_frames=len(faces.frames),
        n_pictures=pictures.n_frames,
        systems=systems,
        time_s=faces.time_s,
        curves=curves,
        worst=pictures.worst,
    )


def _add_speech_scores(
    systems: dict[str, dict[str, float]],
    faces: HeardFaces,
    phonemes: Sequence[TimedPhoneme],
    config: ClipScoreConfig,
) -> None:
    """Lip closure and movement in silence; what a clip cannot tell is left out."""
    silent = articulation.silent_frames(phonemes, faces.time_s)
    for system, gap in faces.lip_gap_mm.items():
        values = {
            "bilabial_closure": articulation.bilabial_closure(
                gap, faces.time_s, phonemes, config.closed_mm
            ),
            "silence_movement": articulation.silence_movement(gap, silent),
        }
        known = {name: value for name, value in values.items() if not np.isnan(value)}
        systems.setdefault(system, {}).update(known)


def _add_sync_scores(systems: dict[str, dict[str, float]], faces: HeardFaces, sound: Audio) -> None:
    """How late the sound is behind the lips, where it can be told."""
    config = LipSyncConfig()
    if len(faces.time_s) < 2 or np.ptp(faces.time_s) < 2 * config.max_offset_s:
        return
    for system, gap in faces.lip_gap_mm.items():
        found = measure_lip_sync(gap, faces.time_s, sound, config)
        if not np.isnan(found.offset_s):
            values = {"sound_offset_ms": 1000 * found.offset_s, "sync_confidence": found.confidence}
            systems.setdefault(system, {}).update(values)
