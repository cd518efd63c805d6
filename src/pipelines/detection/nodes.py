"""The nodes of detection: measure edits and footage, score on unseen speakers, fit to all."""

import logging
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.detection.page import roc_page
from pipelines.lazy import configured
from pipelines.rows import Table, rows_of
from talkin.scratch import scratch_folder

if TYPE_CHECKING:
    import numpy as np

    from talkin.forensics.detector import DetectorConfig
else:
    DetectorConfig = configured("talkin.forensics.detector:DetectorConfig")

logger = logging.getLogger(__name__)


def measure_clips(
    edits_table: Table,
    edits: Mapping[str, Any],
    footage: Table,
    landmarks: Mapping[str, Any],
    consent_register: Any,
    detector: DetectorConfig,
) -> Table:
    """Features of every edit's frames, and of the same footage encoded alike but not edited.

    Args:
        edits_table: What was edited.
        edits: The edited clips.
        footage: The footage table.
        landmarks: Where the targets' mouths are.
        consent_register: Who agreed to what.
        detector: How many frames to look at.

    Raises:
        ConsentError: If somebody did not agree that models are trained with them.
    """
    import pandas as pd

    from talkin.errors import FootageError
    from talkin.forensics.features import NAMES
    from talkin.provenance.consent import require_consent

    clips = {row["clip"]: row for row in rows_of(footage)}
    done = [row for row in rows_of(edits_table) if row["state"] == "done"]
    jobs = [row for row in done if row["target"] in clips and row["target"] in landmarks]
    require_consent([clips[row["target"]] for row in jobs], consent_register, purpose="train")
    tables = []
    for row in jobs:
        target = clips[row["target"]]
        try:
            pair = _measured(edits[row["job"]].path, target, landmarks, detector.frames_per_clip)
        except FootageError as error:
            logger.warning("edit %s is left out: %s", row["job"], error)
            continue
        for is_edited, features in pair:
            frame = pd.DataFrame(features, columns=list(NAMES))
            known = {"job": row["job"], "speaker": target["speaker"], "is_edited": is_edited}
            tables.append(frame.assign(**known, frame=range(len(frame))))
    columns = ["job", "speaker", "is_edited", "frame", *NAMES]
    return pd.concat(tables)[columns] if tables else pd.DataFrame(columns=columns)


def score_detector(
    frames: Table, detector: DetectorConfig
) -> tuple[dict[str, Any], Table, str, dict[str, Any]]:
    """The scores on unseen speakers, the ROC, a page that shows it, and the detector itself.

    Args:
        frames: From `measure_clips`.
        detector: How to fit and score.

    Returns:
        Metrics, the score of each clip, the page, the detector fitted to all speakers.

    Raises:
        ConfigurationError: If there are edits of fewer than two speakers.
    """
    from talkin.forensics.detector import (
        EditDetector,
        roc_of,
        speakers_told_apart,
        unseen_speaker_scores,
    )
    from talkin.forensics.features import NAMES

    features = frames[list(NAMES)].to_numpy(dtype=float)
    is_edited = frames["is_edited"].to_numpy(dtype=bool)
    scores = unseen_speaker_scores(features, is_edited, frames["speaker"].to_numpy(), detector)
    scored = frames[["job", "speaker", "is_edited"]].assign(score=scores)
    clips = scored.groupby(["job", "speaker", "is_edited"])["score"].mean().reset_index()
    judged = (
        clips["score"].to_numpy(),
        clips["is_edited"].to_numpy(dtype=bool),
        clips["speaker"].to_numpy(),
    )
    roc = roc_of(*judged, detector)
    apart, low, high = speakers_told_apart(*judged, detector.confidence)
    metrics = {
        "auc": roc.auc,
        "auc.low": roc.low,
        "auc.high": roc.high,
        "n_clips": len(clips),
        "n_speakers": int(clips["speaker"].nunique()),
        "speakers_told_apart": apart,
        "speakers_told_apart.low": low,
        "speakers_told_apart.high": high,
    }
    fitted = EditDetector.fitted(features, is_edited, detector)
    return metrics, clips, roc_page(roc, metrics), fitted.to_dict()


def _measured(
    edited: Path, target: Mapping[str, Any], landmarks: Mapping[str, Any], n: int
) -> list[tuple[bool, "np.ndarray"]]:
    from talkin.footage.video import VideoWriter, iter_frames, probe_video
    from talkin.forensics.features import features_of, mouth_square

    info = probe_video(Path(target["file"]))
    square = mouth_square(landmarks[target["clip"]], info.width, info.height)
    with scratch_folder("detection") as scratch:
        # Encoded twice like the edit: otherwise the second encoding alone would give it away.
        again = scratch / "again.mp4"
        with VideoWriter(again, info.width, info.height, info.fps) as writer:
            for frame in islice(iter_frames(info.path, info.fps), n):
                writer.write(frame.image)
        return [
            (is_edited, features_of(_images(path, info.fps, n), square))
            for is_edited, path in ((True, edited), (False, again))
        ]


def _images(path: Path, fps: float, n: int) -> Iterator[Any]:
    from talkin.footage.video import iter_frames

    return (frame.image for frame in islice(iter_frames(path, fps), n))
