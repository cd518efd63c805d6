"""The words and numbers of the report: what is shown of a summary, and how it is written."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from talkin.evaluation.clip_scores import ClipScores
from talkin.evaluation.paper_figures import PAPER_COLLECTED, PAPER_GRID
from talkin.evaluation.tsne import IdentityMap

SYSTEMS = ("audio", "renderer", "warp", "still_mouth", "truth")


@dataclass(frozen=True)
class Shown:
    """How a metric is shown.

    Attributes:
        metric: Its key.
        label: Its name for a reader.
        unit: With a leading space where it is written after a number.
        digits: After the point.
        is_lower_better: True, False, or None where the truth's own value is the goal.
    """

    metric: str
    label: str
    unit: str
    digits: int
    is_lower_better: bool | None


SHOWN = (
    Shown("landmark_error_384", "Landmark error (E_ldmk), px of a 384 px crop", " px", 2, True),
    Shown(
        "lip_distance_384",
        "Lip distance, centres aligned (LMD), px of a 384 px crop",
        " px",
        2,
        True,
    ),
    Shown("expression_error", "Expression error (E_exp), standard deviations", "", 3, True),
    Shown("mouth_opening_correlation", "Correlation with the true mouth opening", "", 2, False),
    Shown("mouth_psnr", "PSNR of the mouth region", " dB", 2, False),
    Shown("mouth_ssim", "SSIM of the mouth region", "", 3, False),
    Shown("psnr", "PSNR of the whole picture", " dB", 2, False),
    Shown("ssim", "SSIM of the whole picture", "", 3, False),
    Shown("lpips", "LPIPS of the face crop", "", 3, True),
    Shown("identity", "Identity, cosine of face embeddings", "", 3, False),
    Shown("lse_d", "LSE-D (SyncNet)", "", 2, True),
    Shown("lse_c", "LSE-C (SyncNet)", "", 2, False),
    Shown("bilabial_closure", "Lips meet on p, b, m", "", 2, None),
    Shown("silence_movement", "Mouth speed in silence, against speech", "", 2, None),
    Shown("sound_offset_ms", "Sound behind the lips", " ms", 0, None),
    Shown("sync_confidence", "How clearly lips follow loudness", "", 2, None),
    Shown("mouth_sharpness", "Sharpness of the mouth (variance of Laplacian)", "", 0, None),
    Shown("mouth_cpbd", "Share of sharp edges in the mouth (CPBD)", "", 2, None),
    Shown("mouth_flicker", "Flicker of the mouth, grey levels", "", 2, None),
)


@dataclass(frozen=True)
class Cell:
    """One number of a table, as it is written."""

    value: str = ""
    interval: str = ""
    is_best: bool = False


@dataclass(frozen=True)
class Headline:
    """One of the numbers at the top."""

    value: str
    label: str
    beside: str


def comparison_rows(
    summary: pd.DataFrame, speakers: str = "all"
) -> list[tuple[Shown, dict[str, Cell]]]:
    """Every shown metric that was measured, with a cell a system, the paper's included."""
    part = summary[summary["speakers"] == speakers]
    rows = []
    for shown in SHOWN:
        measured = part[part["metric"] == shown.metric].set_index("system")
        if len(measured):
            rows.append((shown, _cells(shown, measured)))
    return rows


def headlines(summary: pd.DataFrame, voices: IdentityMap | None) -> list[Headline]:
    """The handful of numbers to read first, each beside what it has to be compared with."""
    values = {
        (str(row["metric"]), str(row["system"])): float(row["value"])
        for row in summary[summary["speakers"] == "all"].to_dict("records")
    }
    found = [
        _hearing(values),
        _opening(values),
        _painting(values),
        _voices(voices),
    ]
    return [headline for headline in found if headline is not None]


def clip_rows(scores: Sequence[ClipScores]) -> list[dict[str, str]]:
    """A row a clip, the worst heard first."""
    ordered = sorted(
        scores, key=lambda score: score.systems["audio"]["landmark_error_384"], reverse=True
    )
    return [
        {
            "clip": score.clip,
            "speaker": score.speaker,
            "frames": str(score.n_frames),
            "error": _value(score, "audio", "landmark_error_384", 2),
            "still": _value(score, "still_mouth", "landmark_error_384", 2),
            "correlation": _value(score, "audio", "mouth_opening_correlation", 2),
            "psnr": _value(score, "renderer", "mouth_psnr", 2),
            "still_psnr": _value(score, "still_mouth", "mouth_psnr", 2),
        }
        for score in ordered
    ]


def _cells(shown: Shown, measured: pd.DataFrame) -> dict[str, Cell]:
    # A figure that needs a reference is told of the truth re-encoded, any other of the truth.
    named = measured.rename(index={"truth_reencoded": "truth"})
    named = named[~named.index.duplicated()]
    best = _best(shown, named)
    cells = {system: Cell() for system in (*SYSTEMS, "paper_grid", "paper_collected")}
    for system in SYSTEMS:
        if system in named.index:
            value, low, high = (
                written(float(named[name][system]), shown.digits)
                for name in ("value", "low", "high")
            )
            cells[system] = Cell(
                value=value,
                interval=f"{low} to {high}",
                is_best=system == best,
            )
    for name, paper in (("paper_grid", PAPER_GRID), ("paper_collected", PAPER_COLLECTED)):
        if shown.metric in paper:
            cells[name] = Cell(value=f"{paper[shown.metric]:.2f}")
    return cells


def written(value: float, digits: int) -> str:
    """A number with so many digits after the point, and no minus before a zero.

    >>> written(-0.2, 0), written(1.25, 1)
    ('0', '1.2')
    """
    return f"{round(value, digits) + 0.0:.{digits}f}"


def _best(shown: Shown, measured: pd.DataFrame) -> str | None:
    """The best of what is generated; re-encoding the truth does not compete."""
    candidates = measured["value"].drop("truth", errors="ignore")
    if shown.is_lower_better is None or len(candidates) < 2:
        return None
    return str(candidates.idxmin() if shown.is_lower_better else candidates.idxmax())


def _hearing(values: dict[tuple[str, str], float]) -> Headline | None:
    heard = values.get(("landmark_error_384", "audio"))
    still = values.get(("landmark_error_384", "still_mouth"))
    if heard is None or not still:
        return None
    return Headline(
        value=f"{heard:.2f} px",
        label="landmark error from the sound alone",
        beside=f"{100 * heard / still:.0f} % of a mouth held still ({still:.2f} px); "
        f"paper on GRID {PAPER_GRID['landmark_error_384']:.2f} px",
    )


def _opening(values: dict[tuple[str, str], float]) -> Headline | None:
    value = values.get(("mouth_opening_correlation", "audio"))
    if value is None:
        return None
    return Headline(f"{value:.2f}", "correlation of heard and true mouth opening", "1 is perfect")


def _painting(values: dict[tuple[str, str], float]) -> Headline | None:
    value = values.get(("mouth_psnr", "renderer"))
    if value is None:
        return None
    still = values.get(("mouth_psnr", "still_mouth"), float("nan"))
    again = values.get(("mouth_psnr", "truth_reencoded"), float("nan"))
    return Headline(
        value=f"{value:.1f} dB",
        label="PSNR of the painted mouth, given true landmarks",
        beside=f"{still:.1f} dB with the mouth held still; "
        f"{again:.1f} dB for the footage encoded again",
    )


def _voices(voices: IdentityMap | None) -> Headline | None:
    if voices is None or any(np.isnan(share) for share in voices.probe_accuracy.values()):
        return None
    before, after = (100 * voices.probe_accuracy[stage] for stage in ("before", "after"))
    return Headline(
        value=f"{after:.0f} %",
        label="of voices still recognised after identity removal",
        beside=f"{before:.0f} % before it; {100 * voices.chance:.0f} % by always naming the same",
    )


def _value(score: ClipScores, system: str, metric: str, digits: int) -> str:
    value = score.systems.get(system, {}).get(metric)
    return "" if value is None else f"{value:.{digits}f}"
