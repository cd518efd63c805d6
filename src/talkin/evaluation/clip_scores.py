"""Scores one held-out clip: what is heard, what is painted, and what doing nothing would give.

Systems, by the names under which their figures are reported:

    audio             landmarks from the sound; the renderer fed with them
    still_mouth       the training data's mean mouth, held still; the renderer fed with it
    renderer          the renderer fed with the true landmarks
    truth             the footage itself, for figures that need no reference
    truth_reencoded   the footage through the video encoder once more: the best to hope for
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float, UInt8
from pydantic import BaseModel, ConfigDict, Field

from talkin.errors import ConfigurationError
from talkin.evaluation import metrics, picture_metrics
from talkin.evaluation.held_out_windows import HeldOutWindows, reencoded
from talkin.evaluation.metrics import TimedPhoneme
from talkin.face3d.model import MorphableModel
from talkin.networks.talking_face import TalkingFace
from talkin.samples.dataset import PreparedClip
from talkin.samples.windows import audio_windows

_FRAMES_AT_ONCE = 256


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
        default=1.0, ge=0, description="Inner-lip gap up to which lips count as closed, mm."
    )
    scores_pictures: bool = Field(
        default=True, description="False: only expression and landmarks, in a fraction of the time."
    )


@dataclass(frozen=True, eq=False)
class FramePair:
    """A rendered frame beside the truth.

    Attributes:
        frame: Its number in the clip.
        mouth_psnr_db: Why it is shown.
        true: The footage's crop.
        generated: The renderer's, fed with true landmarks.
        from_audio: The renderer's, fed with landmarks from the sound.
    """

    frame: int
    mouth_psnr_db: float
    true: UInt8[np.ndarray, "size size 3"]
    generated: UInt8[np.ndarray, "size size 3"]
    from_audio: UInt8[np.ndarray, "size size 3"]


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
        worst: The frames that the renderer painted worst, worst first.
    """

    clip: str
    speaker: str
    n_frames: int
    n_pictures: int
    systems: dict[str, dict[str, float]]
    time_s: Float[np.ndarray, "frames"]
    curves: dict[str, Float[np.ndarray, "frames"]]
    worst: list[FramePair] = field(default_factory=list)


def evaluate_clip(
    prepared: PreparedClip,
    model: TalkingFace,
    face_model: MorphableModel,
    mean_expression: Float[np.ndarray, "expression"],
    config: ClipScoreConfig | None = None,
    phonemes: Sequence[TimedPhoneme] | None = None,
) -> ClipScores:
    """Score a clip that the model has not seen.

    Args:
        prepared: The clip, in crop px.
        model: Trained networks.
        face_model: The model with which the clip was fitted.
        mean_expression: The still mouth: mean of the training data.
        config: How thoroughly.
        phonemes: What is said when, in the time of the clip; lip closure and movement in silence
            are scored only with it.

    Raises:
        ConfigurationError: If the clip has no valid frame, or pictures are wanted and it has none.
    """
    config = config or ClipScoreConfig()
    model.eval()
    faces = _hear(prepared, model, face_model, mean_expression)
    systems = faces.scores(model.config.crop.size_px)
    if phonemes:
        _add_speech_scores(systems, faces, phonemes, config)
    curves = {
        "true_opening": metrics.mouth_opening(faces.true),
        "audio_opening": metrics.mouth_opening(faces.audio),
        "landmark_error": metrics.landmark_distances(faces.audio, faces.true),
    }
    worst: list[FramePair] = []
    n_pictures = 0
    if config.scores_pictures:
        pictures = _paint(prepared, model, faces, config)
        n_pictures = len(pictures.frames)
        for system, values in pictures.scores(model.config.mask_box).items():
            systems.setdefault(system, {}).update(values)
        worst = pictures.worst(model.config.mask_box, config.worst_frames)
    return ClipScores(
        clip=prepared.clip,
        speaker=prepared.speaker,
        n_frames=len(faces.frames),
        n_pictures=n_pictures,
        systems=systems,
        time_s=faces.time_s,
        curves=curves,
        worst=worst,
    )


@dataclass(frozen=True, eq=False)
class _Faces:
    """Expression and landmarks of the valid frames, true, heard and held still."""

    frames: np.ndarray
    time_s: np.ndarray
    px_per_mm: float
    true_expression: np.ndarray
    audio_expression: np.ndarray | None
    mean_expression: np.ndarray
    true: np.ndarray
    audio: np.ndarray
    still: np.ndarray

    def scores(self, crop_size_px: int) -> dict[str, dict[str, float]]:
        opening = metrics.mouth_opening(self.true)
        found: dict[str, dict[str, float]] = {}
        for system, landmarks in (("audio", self.audio), ("still_mouth", self.still)):
            error = metrics.landmark_error(landmarks, self.true)
            heard = metrics.mouth_opening(landmarks)
            found[system] = {
                "landmark_error": error,
                "landmark_error_384": metrics.at_paper_size(error, crop_size_px),
                "mouth_opening_error": float(np.mean(np.abs(heard - opening))),
            }
        found["audio"]["mouth_opening_correlation"] = metrics.correlation(
            metrics.mouth_opening(self.audio), opening
        )
        still = np.broadcast_to(self.mean_expression, self.true_expression.shape)
        found["still_mouth"]["expression_error"] = metrics.expression_error(
            still, self.true_expression
        )
        if self.audio_expression is not None:
            found["audio"]["expression_error"] = metrics.expression_error(
                self.audio_expression, self.true_expression
            )
        return found


def _hear(
    prepared: PreparedClip,
    model: TalkingFace,
    face_model: MorphableModel,
    mean_expression: np.ndarray,
) -> _Faces:
    parameters = prepared.parameters
    frames = np.flatnonzero(parameters.is_valid)
    if len(frames) == 0:
        raise ConfigurationError(
            f"clip {prepared.clip} has no valid frame to score; leave it out of the test split"
        )
    chosen = parameters.select(frames)
    mean = np.asarray(mean_expression, dtype=np.float32)
    outputs = _outputs(model, audio_windows(prepared.mfcc, chosen.time_s, model.config.window))
    if model.config.predict == "expression":
        audio = chosen.with_expression(outputs).mouth_landmarks(face_model)
    else:  # the 2D ablation of Table 1a knows no expression
        audio = outputs.reshape(len(frames), -1, 2)
    still = np.broadcast_to(mean, chosen.expression.shape)
    return _Faces(
        frames=frames,
        time_s=chosen.time_s,
        px_per_mm=float(np.median(chosen.scale)),
        true_expression=chosen.expression,
        audio_expression=outputs if model.config.predict == "expression" else None,
        mean_expression=mean,
        true=chosen.mouth_landmarks(face_model),
        audio=audio,
        still=chosen.with_expression(still).mouth_landmarks(face_model),
    )


@torch.inference_mode()
def _outputs(model: TalkingFace, windows: np.ndarray) -> np.ndarray:
    device = next(model.parameters()).device
    parts = [
        model.translate(model.without_identity(torch.from_numpy(part).to(device))).float().cpu()
        for part in np.array_split(
            np.ascontiguousarray(windows, dtype=np.float32), -(-len(windows) // _FRAMES_AT_ONCE)
        )
    ]
    return torch.cat(parts).numpy()


def _add_speech_scores(
    systems: dict[str, dict[str, float]],
    faces: _Faces,
    phonemes: Sequence[TimedPhoneme],
    config: ClipScoreConfig,
) -> None:
    """Lip closure and movement in silence; what a clip cannot tell is left out."""
    closed_px = config.closed_mm * faces.px_per_mm
    silent = metrics.silent_frames(phonemes, faces.time_s)
    landmarks = {"truth": faces.true, "audio": faces.audio, "still_mouth": faces.still}
    for system, points in landmarks.items():
        opening = metrics.mouth_opening(points)
        values = {
            "bilabial_closure": metrics.bilabial_closure(
                opening, faces.time_s, phonemes, closed_px
            ),
            "silence_movement": metrics.silence_movement(opening, silent),
        }
        known = {name: value for name, value in values.items() if not np.isnan(value)}
        systems.setdefault(system, {}).update(known)


@dataclass(frozen=True, eq=False)
class _Pictures:
    """True and generated frames, in order."""

    frames: np.ndarray
    true: np.ndarray
    by_system: dict[str, np.ndarray]

    def scores(self, box: tuple[int, int, int, int]) -> dict[str, dict[str, float]]:
        true_mouth = picture_metrics.region(self.true, box)
        found = {"truth": self._without_reference(self.true, true_mouth, box)}
        for system, generated in self.by_system.items():
            mouth = picture_metrics.region(generated, box)
            found[system] = {
                "psnr": picture_metrics.psnr(generated, self.true),
                "ssim": picture_metrics.ssim(generated, self.true),
                "mouth_psnr": picture_metrics.psnr(mouth, true_mouth),
                "mouth_ssim": picture_metrics.ssim(mouth, true_mouth),
                **self._without_reference(generated, true_mouth, box),
            }
        return found

    def _without_reference(
        self, pictures: np.ndarray, true_mouth: np.ndarray, box: tuple[int, int, int, int]
    ) -> dict[str, float]:
        mouth = picture_metrics.region(pictures, box)
        runs = np.split(np.arange(len(mouth)), np.flatnonzero(np.diff(self.frames) != 1) + 1)
        flickers = [picture_metrics.flicker(mouth[run], true_mouth[run]) for run in runs]
        return {
            "mouth_sharpness": picture_metrics.sharpness(mouth),
            "mouth_flicker": float(np.average(flickers, weights=[len(run) for run in runs])),
        }

    def worst(self, box: tuple[int, int, int, int], n: int) -> list[FramePair]:
        values = picture_metrics.frame_psnr(
            picture_metrics.region(self.by_system["renderer"], box),
            picture_metrics.region(self.true, box),
        )
        return [
            FramePair(
                frame=int(self.frames[row]),
                mouth_psnr_db=float(values[row]),
                true=self.true[row],
                generated=self.by_system["renderer"][row],
                from_audio=self.by_system["audio"][row],
            )
            for row in np.argsort(values)[:n]
        ]


def _paint(
    prepared: PreparedClip, model: TalkingFace, faces: _Faces, config: ClipScoreConfig
) -> _Pictures:
    windows = HeldOutWindows.of(prepared, model.config.frames, config.windows_per_clip)
    row_of = np.full(len(prepared.parameters), -1)
    row_of[faces.frames] = np.arange(len(faces.frames))
    landmarks = {"renderer": faces.true, "audio": faces.audio, "still_mouth": faces.still}
    generated = {
        system: windows.rendered(model, points, row_of) for system, points in landmarks.items()
    }
    kept = windows.kept_frames(model.config.renderer.is_full_face)
    true = windows.true_frames(model.config.renderer.is_full_face)
    generated["truth_reencoded"] = reencoded(true, prepared.parameters.fps)
    return _Pictures(frames=kept, true=true, by_system=generated)
