"""What the report says of groups: known and unseen speakers, own faces and others'."""

from collections.abc import Mapping

import pandas as pd

from talkin.evaluation.report_tables import SHOWN, written

GROUPED = (
    *(("landmark_error_384", "audio"), ("mouth_opening_correlation", "audio")),
    *(("expression_error", "audio"), ("bilabial_closure", "audio")),
    *(("mouth_psnr", "renderer"), ("mouth_psnr", "warp"), ("mouth_psnr", "still_mouth")),
)
"""Figures in which known and unseen speakers are told apart: metric and system."""
_SYSTEM_WORDS = {
    "audio": "from the sound",
    "renderer": "from true landmarks",
    "warp": "the footage's own mouths, true landmarks",
    "still_mouth": "mouth held still",
}


def group_rows(summary: pd.DataFrame) -> list[dict[str, str]]:
    """The main figures of known and of unseen speakers; none where there is only one group."""
    if not set(summary["speakers"]) >= {"known", "unseen"}:
        return []
    shown = {one.metric: one for one in SHOWN}
    measured = {
        (str(row["metric"]), str(row["system"]), str(row["speakers"])): row
        for row in summary.to_dict("records")
    }
    rows = []
    for metric, system in GROUPED:
        row = {"label": f"{shown[metric].label}, {_SYSTEM_WORDS[system]}"}
        for group in ("known", "unseen"):
            found = measured.get((metric, system, group))
            if found is not None:
                value, low, high = (
                    written(float(found[name]), shown[metric].digits)
                    for name in ("value", "low", "high")
                )
                row |= {group: value, f"{group}_interval": f"{low} to {high}"}
        if "known" in row and "unseen" in row:
            rows.append(row)
    return rows


def picture_words(means: Mapping[str, pd.Series]) -> str:
    """What painting every sound on every face gave, in a sentence."""
    parts = [
        f"on {whose}: {figures['mouth_psnr.audio']:.1f} dB from the sound, "
        f"{figures['mouth_psnr.renderer']:.1f} from the true expression, "
        f"{figures['mouth_psnr.still_mouth']:.1f} with the mouth held still"
        for whose, figures in means.items()
        if figures.notna().all()
    ]
    return f"PSNR of the mouth {'; '.join(parts)}." if parts else ""
