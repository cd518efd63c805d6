"""Many-to-many: every speaker's sound on every other's face, against an exact truth.

No recording can tell how Anna would have moved her mouth to Bob's very speech. A synthetic corpus
can: the target's geometry, pose and place with the source's true expression. What the audio
networks hear in the source is drawn on the same target, and the two are compared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from talkin.evaluation import metrics
from talkin.face3d.model import MorphableModel
from talkin.face3d.parameters import FaceParameters

COLUMNS = (
    *("source", "target", "source_speaker", "target_speaker", "landmark_error_384"),
    *("still_error_384", "expression_error", "mouth_opening_correlation", "n_frames"),
)


@dataclass(frozen=True, eq=False)
class HeardSource:
    """A clip whose sound drives others.

    Attributes:
        clip: Its name.
        speaker: Who speaks.
        expression: As heard by the model, a row a frame.
        true_expression: The exact one of the same frames.
    """

    clip: str
    speaker: str
    expression: np.ndarray
    true_expression: np.ndarray


def score_crossings(
    sources: Sequence[HeardSource],
    targets: Mapping[str, tuple[str, FaceParameters]],
    face_model: MorphableModel,
    still: np.ndarray,
    crop_size_px: int,
) -> pd.DataFrame:
    """Every source on every target, itself included.

    Args:
        sources: Whose sound.
        targets: Clip -> its speaker and the exact face, crop px. Where it is shorter than the
            source it plays back and forth.
        face_model: Of the expressions.
        still: The mouth held still, for comparison: an expression.
        crop_size_px: Of the targets' pixels.

    Returns:
        `COLUMNS`; errors in px of a 384 px crop, expression in standard deviations.
    """
    rows = []
    for source in sources:
        held = np.broadcast_to(still, source.expression.shape)
        for name, (speaker, face) in targets.items():
            shown = face.select(back_and_forth(len(source.expression), len(face)))
            heard, true, resting = (
                shown.with_expression(expression).mouth_landmarks(face_model)
                for expression in (source.expression, source.true_expression, held)
            )
            openings = [metrics.mouth_opening(points) for points in (heard, true)]
            rows.append(
                (
                    source.clip,
                    name,
                    source.speaker,
                    speaker,
                    metrics.at_paper_size(metrics.landmark_error(heard, true), crop_size_px),
                    metrics.at_paper_size(metrics.landmark_error(resting, true), crop_size_px),
                    metrics.expression_error(source.expression, source.true_expression),
                    metrics.correlation(*openings),
                    len(heard),
                )
            )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def speaker_matrix(crossings: pd.DataFrame) -> pd.DataFrame:
    """Mean landmark error by source speaker (rows) and target speaker (columns)."""
    return crossings.pivot_table(
        "landmark_error_384", "source_speaker", "target_speaker", aggfunc="mean"
    )


def own_and_others(pairs: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Mean figures of pairs on the speaker's own face, and across speakers.

    Args:
        pairs: Of `score_crossings` or of `score_crossed_pictures`.

    Returns:
        Whose face -> figure -> mean; what no pair has is left out.
    """
    is_own = pairs["source_speaker"] == pairs["target_speaker"]
    # Filmed clips have no exact truth to paint: no pair at all, and columns of no type.
    figures = pairs.select_dtypes("number").drop(columns="n_frames", errors="ignore")
    means = {"own_face": figures[is_own].mean(), "other_face": figures[~is_own].mean()}
    return {
        whose: {str(name): float(value) for name, value in mean.dropna().items()}
        for whose, mean in means.items()
    }


def back_and_forth(n: int, length: int) -> np.ndarray:
    """`n` frame numbers of a clip of `length` frames, played to its end and back again.

    >>> back_and_forth(7, 3).tolist()
    [0, 1, 2, 1, 0, 1, 2]
    """
    period = max(1, 2 * length - 2)
    place = np.arange(n) % period
    return np.minimum(place, period - place) if length > 1 else np.zeros(n, dtype=np.int64)
