"""What the audio networks hear in a held-out clip, beside the truth and a mouth held still."""

from dataclasses import dataclass

import numpy as np
import torch

from talkin.editing.landmark_smoothing import SmoothingConfig, smooth_without_lag
from talkin.errors import ConfigurationError
from talkin.evaluation import metrics
from talkin.evaluation.articulation import lip_gap
from talkin.face3d.model import MorphableModel
from talkin.face3d.parameters import FaceParameters
from talkin.networks.talking_face import TalkingFace
from talkin.samples.dataset import PreparedClip
from talkin.samples.windows import audio_windows

_FRAMES_AT_ONCE = 256


@dataclass(frozen=True, eq=False)
class HeardFaces:
    """Expression and landmarks of a clip's valid frames: true, heard and held still.

    Attributes:
        frames: Numbers of the valid frames.
        time_s: Their times.
        lip_gap_mm: By `truth`, `audio` and `still_mouth`: signed gap of the inner lips on the face
            itself, so that a turning head neither opens nor moves the mouth.
        true_expression: As fitted.
        audio_expression: As heard; None for the 2D ablation, which knows no expression.
        mean_expression: The still mouth's.
        true: Mouth landmarks, crop px, of the fitted face.
        audio: Of the heard face.
        smoothed: Of the heard face, its jitter taken out as editing does (appendix G).
        still: Of the still mouth.
    """

    frames: np.ndarray
    time_s: np.ndarray
    lip_gap_mm: dict[str, np.ndarray]
    true_expression: np.ndarray
    audio_expression: np.ndarray | None
    mean_expression: np.ndarray
    true: np.ndarray
    audio: np.ndarray
    smoothed: np.ndarray
    still: np.ndarray
    smoothed_expression: np.ndarray | None = None

    def scores(self, crop_size_px: int) -> dict[str, dict[str, float]]:
        """System -> metric -> value, for `audio`, `audio_deflickered` and `still_mouth`."""
        opening = metrics.mouth_opening(self.true)
        found: dict[str, dict[str, float]] = {}
        drawn = {
            "audio": self.audio,
            "audio_deflickered": self.smoothed,
            "still_mouth": self.still,
        }
        for system, landmarks in drawn.items():
            error = metrics.landmark_error(landmarks, self.true)
            heard = metrics.mouth_opening(landmarks)
            found[system] = {
                "landmark_error": error,
                "landmark_error_384": metrics.at_paper_size(error, crop_size_px),
                "lip_distance_384": metrics.at_paper_size(
                    metrics.landmark_distance(landmarks[:, :20], self.true[:, :20]), crop_size_px
                ),
                "mouth_opening_error": float(np.mean(np.abs(heard - opening))),
            }
        found["audio"]["mouth_opening_correlation"] = metrics.correlation(
            metrics.mouth_opening(self.audio), opening
        )
        expressions = {
            "audio": self.audio_expression,
            "audio_deflickered": self.smoothed_expression,
            "still_mouth": np.broadcast_to(self.mean_expression, self.true_expression.shape),
        }
        for system, expression in expressions.items():
            if expression is not None:
                error = metrics.expression_error(expression, self.true_expression)
                found[system]["expression_error"] = error
        return found

    def fit_scores(
        self, exact: FaceParameters, face_model: MorphableModel, crop_size_px: int
    ) -> dict[str, float]:
        """How far the fitted face, which every other figure is measured against, is from exact."""
        true = exact.select(self.frames[self.frames < len(exact)])
        n = len(true)
        error = metrics.landmark_error(self.true[:n], true.mouth_landmarks(face_model))
        return {
            "landmark_error": error,
            "landmark_error_384": metrics.at_paper_size(error, crop_size_px),
            "expression_error": metrics.expression_error(self.true_expression[:n], true.expression),
        }


def hear_clip(
    prepared: PreparedClip,
    model: TalkingFace,
    face_model: MorphableModel,
    mean_expression: np.ndarray,
) -> HeardFaces:
    """Run the audio networks over a clip.

    Raises:
        ConfigurationError: If it has no valid frame.
    """
    parameters = prepared.parameters
    frames = np.flatnonzero(parameters.is_valid)
    if len(frames) == 0:
        raise ConfigurationError(
            f"clip {prepared.clip} has no valid frame to score; leave it out of the test split"
        )
    chosen = parameters.select(frames)
    mean = np.asarray(mean_expression, dtype=np.float32)
    outputs = _outputs(model, audio_windows(prepared.mfcc, chosen.time_s, model.config.window))
    still = np.broadcast_to(mean, chosen.expression.shape)
    lip_gap_mm = {
        "truth": _lip_gap_mm(face_model, chosen, chosen.expression),
        "still_mouth": _lip_gap_mm(face_model, chosen, still),
    }
    if model.config.predict == "expression":
        audio = chosen.with_expression(outputs).mouth_landmarks(face_model)
        lip_gap_mm["audio"] = _lip_gap_mm(face_model, chosen, outputs)
    else:  # the 2D ablation of Table 1a knows no expression, only where points lie in the picture
        audio = outputs.reshape(len(frames), -1, 2)
        lip_gap_mm["audio"] = lip_gap(audio) / chosen.scale
    expression = outputs if model.config.predict == "expression" else None
    smoothed = smooth_without_lag(
        audio if expression is None else expression,
        metrics.at_paper_size(audio, model.config.crop.size_px),
        parameters.fps,
        SmoothingConfig(),
    )
    return HeardFaces(
        frames=frames,
        time_s=chosen.time_s,
        lip_gap_mm=lip_gap_mm,
        true_expression=chosen.expression,
        audio_expression=expression,
        mean_expression=mean,
        true=chosen.mouth_landmarks(face_model),
        audio=audio,
        smoothed=smoothed
        if expression is None
        else chosen.with_expression(smoothed).mouth_landmarks(face_model),
        smoothed_expression=None if expression is None else smoothed,
        still=chosen.with_expression(still).mouth_landmarks(face_model),
    )


def _lip_gap_mm(
    face_model: MorphableModel, parameters: FaceParameters, expression: np.ndarray
) -> np.ndarray:
    points = face_model.points(face_model.mouth39, parameters.geometry, expression)
    return lip_gap(points)


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
