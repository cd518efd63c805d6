"""Where the error is: by view, by sound, by speaker and by time, frame by frame."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from talkin.evaluation.articulation import TimedPhoneme
from talkin.evaluation.clip_scores import ClipScores
from talkin.evaluation.summary import SummaryConfig

FRAME_COLUMNS = (
    *("clip", "speaker", "view", "time_s", "phoneme"),
    *("landmark_error_384", "true_opening", "audio_opening"),
)


def frame_table(
    scores: Sequence[ClipScores],
    views: Mapping[str, str],
    phonemes: Mapping[str, Sequence[TimedPhoneme]],
) -> pd.DataFrame:
    """A line a frame of every clip.

    Args:
        scores: Of the clips.
        views: Clip -> where the camera stood.
        phonemes: Clip -> what is said when; clips may be missing.

    Returns:
        `FRAME_COLUMNS`: the error in px of a 384 px crop, openings in crop px, `phoneme` "" where
        nothing is known.
    """
    parts = []
    for score in scores:
        heard = score.systems["audio"]
        error = score.curves["landmark_error"]
        paper = heard["landmark_error_384"] / max(heard["landmark_error"], 1e-12)
        parts.append(
            pd.DataFrame(
                {
                    "clip": score.clip,
                    "speaker": score.speaker,
                    "view": views.get(score.clip, ""),
                    "time_s": score.time_s,
                    "phoneme": _sounds(phonemes.get(score.clip, ()), score.time_s),
                    "landmark_error_384": error * paper,
                    "true_opening": score.curves["true_opening"],
                    "audio_opening": score.curves["audio_opening"],
                }
            )
        )
    if not parts:
        return pd.DataFrame(columns=list(FRAME_COLUMNS))
    return pd.concat(parts, ignore_index=True)


def error_by(
    frames: pd.DataFrame, column: str, config: SummaryConfig | None = None, at_least: int = 5
) -> pd.DataFrame:
    """Mean landmark error of each group of frames, worst first.

    Args:
        frames: `frame_table`.
        column: view, phoneme, speaker, or second (whole seconds from the start of the clip).
        config: Of the intervals, which come from drawing whole clips anew.
        at_least: Groups of fewer frames are left out.

    Returns:
        Columns group, value, low, high, n_clips, n_frames; seconds stay in their order.
    """
    config = config or SummaryConfig()
    values = frames["time_s"].astype(int) if column == "second" else frames[column]
    rows = []
    for group, part in frames.groupby(values):
        if len(part) < at_least or group == "":
            continue
        low, high = _interval(part, config)
        mean = float(part["landmark_error_384"].mean())
        rows.append((str(group), mean, low, high, part["clip"].nunique(), len(part)))
    table = pd.DataFrame(rows, columns=["group", "value", "low", "high", "n_clips", "n_frames"])
    if column == "second":
        return table.sort_values("group", key=lambda g: g.astype(int), ignore_index=True)
    return table.sort_values("value", ascending=False, ignore_index=True)


def _interval(part: pd.DataFrame, config: SummaryConfig) -> tuple[float, float]:
    clips = part.groupby("clip")["landmark_error_384"].agg(["sum", "count"]).to_numpy(np.float64)
    rng = np.random.default_rng(config.seed)
    drawn = clips[rng.integers(len(clips), size=(config.n_resamples, len(clips)))].sum(axis=1)
    tail = (1 - config.confidence) / 2
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], [tail, 1 - tail])
    return float(low), float(high)


def _sounds(phonemes: Sequence[TimedPhoneme], time_s: np.ndarray) -> list[str]:
    """The sound at each time, without marks of length; "" outside all of them."""
    if not phonemes:
        return [""] * len(time_s)
    starts = np.array([phoneme.start_s for phoneme in phonemes])
    places = np.searchsorted(starts, time_s, side="right") - 1
    return [
        phonemes[place].symbol.rstrip(":#")
        if place >= 0 and time_s[row] < phonemes[place].end_s
        else ""
        for row, place in enumerate(places)
    ]
