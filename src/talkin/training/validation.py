"""How well held-out speech is heard and held-out mouths are painted.

These watch the training; the figures to report are `talkin.evaluation`'s.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from talkin.networks.talking_face import TalkingFace
from talkin.samples.order import spread_order
from talkin.samples.sample import Sample, frames_to_unit
from talkin.training.audio_corpus import AudioCorpus
from talkin.training.pictures import lent_fill

# Inner lip points 62 and 66 of the iBUG layout, at their places among the 39.
_UPPER_LIP, _LOWER_LIP = 62 - 48, 66 - 48
_BATCH = 256


@dataclass(frozen=True, eq=False)
class Heard:
    """Landmarks of some frames (crop px) as heard, as they were, and of a mouth held still."""

    predicted: Float[Tensor, "frames 39 2"]
    true: Float[Tensor, "frames 39 2"]
    still: Float[Tensor, "frames 39 2"]
    clip: Tensor
    expression_error: float


@torch.no_grad()
def hear(model: TalkingFace, corpus: AudioCorpus, n_frames: int) -> Heard:
    """Run the audio networks over at most `n_frames` frames, evenly spread."""
    model.eval()
    chosen = torch.tensor(list(spread_order(len(corpus), n_frames)), device=corpus.starts.device)
    predicted, true, still, errors = [], [], [], []
    mean_expression = corpus.expression.mean(0)
    for numbers in torch.split(chosen, _BATCH):
        batch = corpus.frames(numbers)
        pose, expression = batch.pose.unsqueeze(1), batch.expression.unsqueeze(1)
        outputs = model.translate(model.without_identity(batch.mfcc)).unsqueeze(1)
        predicted.append(model.landmarks_from_outputs(outputs, batch.geometry, pose))
        true.append(model.mouth_landmarks(expression, batch.geometry, pose))
        resting = _still_expression(model, mean_expression).expand_as(expression)
        still.append(model.mouth_landmarks(resting, batch.geometry, pose))
        if model.config.predict == "expression":
            errors.append((outputs - expression).abs().mean(-1))
    return Heard(
        predicted=torch.cat(predicted).squeeze(1),
        true=torch.cat(true).squeeze(1),
        still=torch.cat(still).squeeze(1),
        clip=corpus.clip[chosen],
        expression_error=torch.cat(errors).mean().item() if errors else float("nan"),
    )


def hearing_errors(model: TalkingFace, corpus: AudioCorpus, n_frames: int) -> dict[str, float]:
    """E_exp, E_ldmk (Eq. 5) against a mouth held still, and how well the opening follows."""
    heard = hear(model, corpus, n_frames)
    error, still = (
        (points - heard.true).norm(dim=-1).mean().item()
        for points in (heard.predicted, heard.still)
    )
    metrics = {
        "landmark_error_px": error,
        "still_mouth_landmark_error_px": still,
        "landmark_error_ratio": error / max(still, 1e-9),
        "mouth_opening_correlation": _opening_correlation(heard),
    }
    if model.config.predict == "expression":
        metrics["expression_error"] = heard.expression_error
    return metrics


def mouth_opening(landmarks: Float[Tensor, "*batch 39 2"]) -> Float[Tensor, "*batch"]:
    """Distance of the inner lips' middles, px."""
    return (landmarks[..., _LOWER_LIP, :] - landmarks[..., _UPPER_LIP, :]).norm(dim=-1)


def picture_errors(
    truth: Float[Tensor, "batch frames 3 size size"],
    pasted: Float[Tensor, "batch frames 3 size size"],
    box: tuple[int, int, int, int],
) -> dict[str, float]:
    """PSNR of the mouth mask alone, mean over frames, dB; pictures in -1 .. 1."""
    x0, y0, x1, y1 = box
    difference = (truth - pasted)[..., y0:y1, x0:x1] / 2
    mse = difference.square().mean(dim=(-3, -2, -1)).clamp_min(1e-10)
    return {"mouth_psnr_db": (-10 * torch.log10(mse)).mean().item()}


def picture_grid(columns: list[Float[Tensor, "rows 3 size size"]]) -> UInt8[np.ndarray, "h w 3"]:
    """Pictures in -1 .. 1 as one picture: a row a sample, a column a kind."""
    rows = torch.cat([column.float().cpu().clamp(-1, 1) for column in columns], dim=3)
    grid = torch.cat(list(rows), dim=1).movedim(0, -1)
    return ((grid + 1) * 127.5).round().to(torch.uint8).numpy()


def grid_of(model: TalkingFace, sample: Sample, landmarks: Tensor, n_rows: int = 4) -> np.ndarray:
    """Truth, masked input, heatmap, generated and pasted frame of the first samples of a batch."""
    frames = frames_to_unit(sample.frames[:n_rows])
    landmarks = landmarks[:n_rows]
    fill = lent_fill(model, sample)
    fill = None if fill is None else fill[:n_rows]
    rendered = model.render(frames, landmarks, fill=fill)
    heatmaps = model.heatmaps(landmarks)[:, -1].expand(-1, 3, -1, -1) * 2 - 1
    masked = model.mask_frames(frames, fill=fill)[:, -1]
    return picture_grid(
        [frames[:, -1], masked, heatmaps, rendered.raw[:, -1], rendered.pasted[:, -1]]
    )


def _still_expression(model: TalkingFace, fallback: Tensor) -> Tensor:
    # The mean of the training data, which the model holds; the 2D ablation holds no expression.
    return model.output_scale.mean if model.config.predict == "expression" else fallback


def _opening_correlation(heard: Heard) -> float:
    """Pearson's r within each clip, mean over clips weighted by their frames."""
    predicted, true = mouth_opening(heard.predicted), mouth_opening(heard.true)
    found, weights = [], []
    for clip in torch.unique(heard.clip):
        a, b = predicted[heard.clip == clip], true[heard.clip == clip]
        a, b = a - a.mean(), b - b.mean()
        norm = (a.norm() * b.norm()).item()
        if len(a) > 2 and norm > 1e-9:
            found.append((a @ b).item() / norm)
            weights.append(len(a))
    return float(np.average(found, weights=weights)) if found else 0.0
