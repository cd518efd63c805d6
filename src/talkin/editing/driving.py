"""From new speech to the expression of every output frame."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float
from pydantic import BaseModel, ConfigDict, Field
from scipy.ndimage import gaussian_filter1d

from talkin.editing.landmark_smoothing import SmoothingConfig, smooth_without_lag
from talkin.editing.speech_activity import SpeechActivityConfig, is_speech
from talkin.errors import FootageError
from talkin.face3d.camera import project
from talkin.face3d.model import MorphableModel
from talkin.face3d.parameters import FaceParameters
from talkin.footage.audio import Audio

if TYPE_CHECKING:
    from talkin.footage.mfcc import MfccConfig
    from talkin.networks.talking_face import TalkingFace

_FRAMES_AT_ONCE = 256
_ROWS_AT_ONCE = 3000
_FACES_AT_ONCE = 2000
_SMOOTHING_PX_PER_MM = 384 / 210  # the scale for which the smoothing's pixels are meant
_INNER_LIP_TOP, _INNER_LIP_BOTTOM = [13, 14, 15], [19, 18, 17]


class DrivingConfig(BaseModel):
    """How sound moves the mouth."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    speech: SpeechActivityConfig = SpeechActivityConfig()
    smoothing: SmoothingConfig = SmoothingConfig()
    silence_closes_the_mouth: bool = Field(
        default=True, description="In pauses go over to the target's own closed mouth."
    )
    closing_time_s: float = Field(
        default=0.08, ge=0, description="How fast the mouth closes and opens at a pause, s."
    )


@dataclass(frozen=True, eq=False)
class DrivenMouth:
    """What the mouth does in every output frame.

    Attributes:
        expression: Standard deviations of the face model.
        is_speaking: The utterance flag A(i).
        notes: What a user should know.
    """

    expression: Float[np.ndarray, "frames expression"]
    is_speaking: Bool[np.ndarray, "frames"]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Number of output frames."""
        return len(self.expression)


def mouth_of_speech(
    sound: Audio,
    target: FaceParameters,
    model: "TalkingFace",
    face_model: MorphableModel,
    config: DrivingConfig,
) -> DrivenMouth:
    """Hear what the target's mouth does; in pauses it closes.

    Args:
        sound: The new speech.
        target: The face fitted to the footage.
        model: Trained networks.
        face_model: The face model of networks and fit.
        config: How sound moves the mouth.

    Raises:
        FootageError: If the sound is shorter than half a frame.
    """
    times_s = output_times(sound.duration_s, target.fps)
    speaking = is_speech(sound, times_s, config.speech)
    expression = expression_of_speech(sound, times_s, model)
    expression = smooth_expression(
        expression, target.geometry, face_model, target.fps, config.smoothing
    )
    if config.silence_closes_the_mouth:
        ramp = config.closing_time_s * target.fps
        resting = closed_mouth(target, face_model)
        expression = close_in_silence(expression, resting, speaking, ramp)
    silent = ("the new sound is silent throughout: the mouth stays closed",)
    return DrivenMouth(expression, speaking, () if speaking.any() else silent)


def output_times(duration_s: float, fps: float) -> Float[np.ndarray, "frames"]:
    """Times of the output frames: as long as what drives it, to half a frame.

    Raises:
        FootageError: If that is shorter than half a frame.
    """
    n_frames = round(duration_s * fps)
    if n_frames < 1:
        raise FootageError(
            f"the new speech is {duration_s * 1000:.0f} ms long, shorter than one frame; "
            "give a longer sound"
        )
    return np.arange(n_frames) / fps


def expression_of_speech(
    audio: Audio, times_s: Float[np.ndarray, "frames"], model: "TalkingFace"
) -> Float[np.ndarray, "frames expression"]:
    """Run the audio networks at the output frames' times, some hundred at a time.

    Args:
        audio: Mono, at the rate of the model's MFCC configuration.
        times_s: Time of each output frame in the sound, s.
        model: Trained networks.

    Returns:
        Expression coefficients in standard deviations of the model's face model.
    """
    import torch

    from talkin.samples.windows import audio_windows, heard_cepstra

    window = model.config.window
    mfcc = heard_cepstra(mfcc_piece_by_piece(audio, model.config.mfcc), window)
    device = next(model.parameters()).device
    parts = []
    with torch.inference_mode():
        for first in range(0, len(times_s), _FRAMES_AT_ONCE):
            times = times_s[first : first + _FRAMES_AT_ONCE]
            windows = np.ascontiguousarray(audio_windows(mfcc, times, window.as_given))
            heard = torch.from_numpy(windows.astype(np.float32)).to(device)
            parts.append(model.expression_from_audio(heard).float().cpu().numpy())
    return np.concatenate(parts)


def mfcc_piece_by_piece(
    audio: Audio, config: "MfccConfig"
) -> Float[np.ndarray, "rows coefficients"]:
    """`compute_mfcc`, half a minute at a time: the spectrum of the whole would fill memory."""
    from talkin.footage.mfcc import compute_mfcc

    hop = round(config.hop_s * config.sample_rate)
    margin = math.ceil(config.window_s / config.hop_s) + 2  # rows whose windows meet a cut
    n_rows, pieces = 1 + len(audio) // hop, []
    for first in range(0, n_rows, _ROWS_AT_ONCE):
        stop, begin = min(first + _ROWS_AT_ONCE, n_rows), max(first - margin, 0)
        samples = audio.samples[begin * hop : (stop + margin) * hop]
        rows = compute_mfcc(Audio(samples, audio.sample_rate), config)
        pieces.append(rows[first - begin : stop - begin])
    return np.concatenate(pieces)


def closed_mouth(
    parameters: FaceParameters, model: MorphableModel
) -> Float[np.ndarray, "expression"]:
    """The target's own resting mouth: the median expression of its most closed frames.

    Frames count by the inner lips' distance in mm on the face seen from the front. Without a valid
    frame it is the mean face's expression.
    """
    if not parameters.is_valid.any():
        return np.zeros(parameters.expression.shape[1], dtype=np.float32)
    expression = parameters.expression[parameters.is_valid]
    gap = np.concatenate(
        [
            _lip_gap_mm(model, parameters.geometry, expression[first : first + _FACES_AT_ONCE])
            for first in range(0, len(expression), _FACES_AT_ONCE)
        ]
    )
    return np.median(expression[gap <= np.percentile(gap, 10)], axis=0).astype(np.float32)


def _lip_gap_mm(
    model: MorphableModel,
    geometry: Float[np.ndarray, "geometry"],
    expression: Float[np.ndarray, "frames expression"],
) -> Float[np.ndarray, "frames"]:
    lips = model.points(model.mouth39[:20], geometry, expression)
    gap: np.ndarray = lips[:, _INNER_LIP_TOP, 1] - lips[:, _INNER_LIP_BOTTOM, 1]
    return gap.mean(axis=1)


def close_in_silence(
    expression: Float[np.ndarray, "frames expression"],
    resting: Float[np.ndarray, "expression"],
    is_speaking: Bool[np.ndarray, "frames"],
    ramp_frames: float,
) -> Float[np.ndarray, "frames expression"]:
    """Go over to the resting mouth in pauses, by a ramp that lies inside the pause."""
    share = is_speaking.astype(np.float64)
    if ramp_frames > 0:
        softened = gaussian_filter1d(share, ramp_frames / 2, mode="nearest")
        share = np.where(is_speaking, 1.0, np.minimum(2 * softened, 1.0))
    return (resting + share[:, None] * (expression - resting)).astype(np.float32)


def smooth_expression(
    expression: Float[np.ndarray, "frames expression"],
    geometry: Float[np.ndarray, "geometry"],
    model: MorphableModel,
    fps: float,
    config: SmoothingConfig,
) -> Float[np.ndarray, "frames expression"]:
    """Take jitter out of an expression by how alike its mouths look from the front.

    Smoothing what drives the face, not the projected points, keeps the mouth tied to its head.
    """
    if config.method != "zero_lag":
        return expression
    reach, parts = config.reach_in_frames(fps), []
    for first in range(0, len(expression), _FACES_AT_ONCE):
        begin, stop = max(0, first - reach), first + _FACES_AT_ONCE
        near = expression[begin : stop + reach]  # all that the frames of this part lean on
        mouth = model.points(model.mouth39, geometry, near)
        facing = project(mouth, np.zeros(3), np.zeros(2), np.array(_SMOOTHING_PX_PER_MM))
        smoothed = smooth_without_lag(near, facing, fps, config)
        parts.append(smoothed[first - begin : stop - begin])
    return np.concatenate(parts)
