"""Whether the speaker can still be told from the sound (Fig. 9).

Windows of MFCC before and after identity removal are laid out by t-SNE, coloured by speaker, and a
linear probe, cross-validated over whole clips, says the same in a number.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import TSNE
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from talkin.errors import ConfigurationError
from talkin.networks.talking_face import TalkingFace
from talkin.samples.dataset import PreparedClip
from talkin.samples.windows import audio_windows

STAGES = ("before", "after")
_MIN_POINTS = 10


class IdentityMapConfig(BaseModel):
    """How the map is drawn."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    windows_per_speaker: int = Field(default=120, ge=4, description="Points a speaker, at most.")
    perplexity: float = Field(default=30.0, gt=1, description="t-SNE's idea of a neighbourhood.")
    seed: int = Field(default=0, ge=0, description="Of the choice of windows and of t-SNE.")


@dataclass(frozen=True, eq=False)
class IdentityMap:
    """Where windows of sound lie before and after identity removal.

    Attributes:
        points: Columns clip, speaker, time_s, stage (`before`, `after`), x, y.
        probe_accuracy: Stage -> share of windows whose speaker a linear probe names rightly, on
            clips that it has not seen; NaN where no speaker has two clips.
        chance: What naming the most frequent speaker would give.
    """

    points: pd.DataFrame
    probe_accuracy: dict[str, float]
    chance: float


def map_identities(
    clips: Sequence[PreparedClip], model: TalkingFace, config: IdentityMapConfig | None = None
) -> IdentityMap:
    """Lay out windows of the clips' sound.

    Raises:
        ConfigurationError: If there are fewer than ten windows.
    """
    config = config or IdentityMapConfig()
    chosen, windows = _choose_windows(clips, model, config)
    if len(chosen) < _MIN_POINTS:
        raise ConfigurationError(
            f"{len(chosen)} windows of sound are too few for a map of speakers (at least "
            f"{_MIN_POINTS}); give more or longer clips"
        )
    device = next(model.parameters()).device
    with torch.inference_mode():
        given, heard = (
            torch.from_numpy(np.ascontiguousarray(part, dtype=np.float32)).to(device)
            for part in windows
        )
        stages = {
            "before": model.normalised_mfcc(given).float().cpu().numpy(),
            "after": model.without_identity(heard).float().cpu().numpy(),
        }
    described = {stage: window_features(values) for stage, values in stages.items()}
    layouts = [
        chosen.assign(stage=stage, **_layout(features, config))
        for stage, features in described.items()
    ]
    return IdentityMap(
        points=pd.concat(layouts, ignore_index=True),
        probe_accuracy={
            stage: probe_accuracy(features, chosen["speaker"], chosen["clip"])
            for stage, features in described.items()
        },
        chance=float(chosen["speaker"].value_counts(normalize=True).max()),
    )


def window_features(
    windows: Float[np.ndarray, "windows rows coefficients"],
) -> Float[np.ndarray, "windows features"]:
    """Mean and standard deviation of each coefficient over a window: timbre without the words."""
    return np.concatenate([windows.mean(axis=1), windows.std(axis=1)], axis=1)


def probe_accuracy(
    features: Float[np.ndarray, "windows features"],
    speakers: Sequence[str] | pd.Series,
    clips: Sequence[str] | pd.Series,
) -> float:
    """How often a linear classifier names the speaker of windows from clips it has not seen.

    Args:
        features: A row a window.
        speakers: Who speaks in each.
        clips: The clip each is from: never in two folds, or neighbours would give it away.

    Returns:
        Share of right answers, or NaN where it cannot be asked: fewer than two speakers with two
        clips.
    """
    speaker, clip = np.asarray(speakers), np.asarray(clips)
    counts = pd.Series(clip).groupby(speaker).nunique()
    asked = np.isin(speaker, counts.index[counts >= 2])
    if len(np.unique(speaker[asked])) < 2:
        return float("nan")
    folds = min(5, int(counts[counts >= 2].min()))
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500, C=0.3))
    split = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=0)
    answers = cross_val_predict(
        probe, features[asked], speaker[asked], groups=clip[asked], cv=split
    )
    return float(np.mean(answers == speaker[asked]))


def draw_identity_map(identity_map: IdentityMap) -> bytes:
    """The two layouts side by side as a PNG."""
    from talkin.evaluation.charts import identity_figure, to_png

    return to_png(identity_figure(identity_map))


def _choose_windows(
    clips: Sequence[PreparedClip], model: TalkingFace, config: IdentityMapConfig
) -> tuple[pd.DataFrame, tuple[np.ndarray, np.ndarray]]:
    """Some windows of each speaker, as given and in the voice in which the model hears them."""
    rng = np.random.default_rng(config.seed)
    rows = [
        (clip.clip, clip.speaker, float(time), number)
        for number, clip in enumerate(clips)
        for time in clip.parameters.time_s[clip.parameters.is_valid]
    ]
    table = pd.DataFrame(rows, columns=["clip", "speaker", "time_s", "number"])
    order = table.iloc[rng.permutation(len(table))]
    chosen = order.groupby("speaker").head(config.windows_per_speaker).sort_index()
    asked = [
        (clip.mfcc, part["time_s"].to_numpy())
        for number, clip in enumerate(clips)
        if len(part := chosen[chosen["number"] == number])
    ]
    window, empty = model.config.window, np.zeros((0, 1, 1), dtype=np.float32)
    given, heard = (
        np.concatenate([audio_windows(*one, kind) for one in asked]) if asked else empty
        for kind in (window.as_given, window)
    )
    return chosen.drop(columns="number").reset_index(drop=True), (given, heard)


def _layout(features: np.ndarray, config: IdentityMapConfig) -> dict[str, np.ndarray]:
    perplexity = min(config.perplexity, (len(features) - 1) / 3)
    scaled = StandardScaler().fit_transform(features)
    placed = TSNE(
        n_components=2, perplexity=perplexity, init="pca", random_state=config.seed
    ).fit_transform(scaled)
    return {"x": placed[:, 0], "y": placed[:, 1]}
