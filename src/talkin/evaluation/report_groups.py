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
_FACES = {"own_face": "their own face", "other_face": "another's face"}
_CROSSED_WORDS = {
    "audio": "painted from the sound",
    "audio_warp": "from the sound with the footage's own mouths",
    "renderer": "painted from the true expression",
    "warp": "from it with the footage's own mouths",
    "still_mouth": "with the mouth held still",
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


def picture_words(means: Mapping[str, Mapping[str, float]]) -> str:
    """What painting every sound on every face gave, in a sentence."""
    parts = []
    for whose, figures in means.items():
        said = [
            f"{figures[f'mouth_psnr.{system}']:.1f}{' dB' if system == 'audio' else ''} {words}"
            for system, words in _CROSSED_WORDS.items()
            if f"mouth_psnr.{system}" in figures
        ]
        if said:
            parts.append(f"on {_FACES[whose]}: {', '.join(said)}")
    return f"PSNR of the mouth {'; '.join(parts)}." if parts else ""
