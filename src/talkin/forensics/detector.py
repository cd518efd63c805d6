"""A logistic regression that tells edited frames, and how well it does on unseen speakers."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from jaxtyping import Bool, Float
from pydantic import BaseModel, ConfigDict, Field

from talkin.errors import ConfigurationError
from talkin.forensics.features import NAMES


class DetectorConfig(BaseModel):
    """How the detector is trained and scored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    frames_per_clip: int = Field(default=40, gt=0, description="Frames looked at, from the first.")
    strength: float = Field(
        default=0.1, gt=0, description="Inverse of the L2 penalty on the weights."
    )
    folds: int = Field(default=8, ge=2, description="At most; a speaker is in one fold alone.")
    n_resamples: int = Field(default=1000, ge=0, description="Of speakers, for the interval.")
    confidence: float = Field(default=0.95, gt=0.5, lt=1, description="Of the AUC's interval.")
    seed: int = Field(default=0, description="Of the resampling.")


@dataclass(frozen=True, eq=False)
class Roc:
    """How well edited and filmed clips are told apart.

    Attributes:
        false_positive: Share of filmed clips taken for edited, rising.
        true_positive: Share of edited clips found, at the same thresholds.
        auc: Area under the curve.
        low: Lower end of its interval (bootstrap over speakers); NaN without resamples.
        high: Upper end.
    """

    false_positive: Float[np.ndarray, "thresholds"]
    true_positive: Float[np.ndarray, "thresholds"]
    auc: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class EditDetector:
    """Standardised features times weights, plus a bias: the logarithm of the odds of an edit."""

    mean: Float[np.ndarray, "features"]
    scale: Float[np.ndarray, "features"]
    weights: Float[np.ndarray, "features"]
    bias: float

    @classmethod
    def fitted(
        cls,
        features: Float[np.ndarray, "frames features"],
        is_edited: Bool[np.ndarray, "frames"],
        config: DetectorConfig,
    ) -> Self:
        """Fit to frames."""
        from sklearn.linear_model import LogisticRegression

        mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-9
        model = LogisticRegression(C=config.strength, class_weight="balanced", max_iter=500)
        model.fit((features - mean) / scale, is_edited)
        return cls(mean, scale, model.coef_[0], float(model.intercept_[0]))

    def score(self, features: Float[np.ndarray, "frames features"]) -> Float[np.ndarray, "frames"]:
        """Log odds of each frame; above 0 it looks edited. A clip's score is their mean."""
        return (features - self.mean) / self.scale @ self.weights + self.bias

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        arrays = {key: getattr(self, key).tolist() for key in ("mean", "scale", "weights")}
        return {"layout": "talkin-edit-detector-1", "features": list(NAMES), **arrays} | {
            "bias": self.bias
        }

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Self:
        """Inverse of `to_dict`.

        Raises:
            ConfigurationError: If it is of another layout.
        """
        if content.get("features") != list(NAMES):
            raise ConfigurationError("no edit detector of this version; train it again")
        mean, scale, weights = (np.array(content[key]) for key in ("mean", "scale", "weights"))
        return cls(mean, scale, weights, float(content["bias"]))


def unseen_speaker_scores(
    features: Float[np.ndarray, "frames features"],
    is_edited: Bool[np.ndarray, "frames"],
    speakers: np.ndarray,
    config: DetectorConfig,
) -> Float[np.ndarray, "frames"]:
    """Each frame's score by a detector that was not fitted to its speaker.

    Raises:
        ConfigurationError: If there are fewer than two speakers.
    """
    from sklearn.model_selection import GroupKFold

    n_speakers = len(set(speakers))
    if n_speakers < 2:
        raise ConfigurationError(
            "a detector is scored on speakers it has not seen, so edits of at least two speakers "
            "are needed: ask for more in edit_requests.csv, or raise editing.plan.n_crossed"
        )
    scores = np.zeros(len(features))
    for rest, held_out in GroupKFold(min(config.folds, n_speakers)).split(features, None, speakers):
        fitted = EditDetector.fitted(features[rest], is_edited[rest], config)
        scores[held_out] = fitted.score(features[held_out])
    return scores


def speakers_told_apart(
    scores: Float[np.ndarray, "clips"],
    is_edited: Bool[np.ndarray, "clips"],
    speakers: np.ndarray,
    confidence: float = 0.95,
) -> tuple[int, float, float]:
    """Of how many speakers every edit scores above every filmed clip of theirs.

    Where nobody is mistaken, resampling speakers cannot say how few they are; this can.

    Returns:
        How many, and the Clopper-Pearson interval of their share among all speakers.
    """
    from scipy.stats import beta

    names = np.unique(speakers)
    apart = 0
    for name in names:
        theirs = speakers == name
        edited, filmed = scores[theirs & is_edited], scores[theirs & ~is_edited]
        apart += bool(len(edited) and len(filmed) and edited.min() > filmed.max())
    n, tail = len(names), (1 - confidence) / 2
    low = float(beta.ppf(tail, apart, n - apart + 1)) if apart else 0.0
    high = float(beta.ppf(1 - tail, apart + 1, n - apart)) if apart < n else 1.0
    return apart, low, high


def roc_of(
    scores: Float[np.ndarray, "clips"],
    is_edited: Bool[np.ndarray, "clips"],
    speakers: np.ndarray,
    config: DetectorConfig,
) -> Roc:
    """The ROC over clips, its area, and an interval from resampled speakers."""
    from sklearn.metrics import roc_auc_score, roc_curve

    false_positive, true_positive, _ = roc_curve(is_edited, scores)
    auc = float(roc_auc_score(is_edited, scores))
    rng = np.random.default_rng(config.seed)
    names = np.unique(speakers)
    areas = []
    for _ in range(config.n_resamples):
        drawn = rng.choice(names, len(names))
        rows = np.concatenate([np.flatnonzero(speakers == name) for name in drawn])
        if len(set(is_edited[rows])) == 2:
            areas.append(roc_auc_score(is_edited[rows], scores[rows]))
    tail = (1 - config.confidence) / 2
    low, high = np.quantile(areas, [tail, 1 - tail]) if areas else (np.nan, np.nan)
    return Roc(false_positive, true_positive, auc, float(low), float(high))
