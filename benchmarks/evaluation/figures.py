"""The tables of the section Evaluation in docs/benchmarks.md, from what an evaluation left.

python benchmarks/evaluation/figures.py data/08_reporting
"""

import json
import sys
from pathlib import Path

import pandas as pd

MAIN = (
    ("E_ldmk, px of 384", "landmark_error_384", 2),
    ("LMD of the lips, px of 384", "lip_distance_384", 2),
    ("E_exp, standard deviations", "expression_error", 3),
    ("lips meet on p, b, m", "bilabial_closure", 2),
    ("mouth speed in silence, against speech", "silence_movement", 2),
    ("sound behind the lips, ms", "sound_offset_ms", 0),
    ("PSNR of the crop, dB", "psnr", 2),
    ("PSNR of the mouth, dB", "mouth_psnr", 2),
    ("SSIM of the mouth", "mouth_ssim", 3),
    ("flicker of the mouth, grey levels", "mouth_flicker", 2),
    ("sharp edges of the mouth (CPBD)", "mouth_cpbd", 2),
    ("sharpness of the mouth (variance of Laplacian)", "mouth_sharpness", 0),
)
SYSTEMS = {
    "audio": "network",
    "audio_deflickered": "network, deflickered",
    "audio_warp": "footage's own mouths",
    "still_mouth": "mouth held still",
    "truth": "truth",
}
GROUPS = ("all", "known", "unseen")
GROUP_LABELS = (
    "E_ldmk over that of a still mouth",
    "correlation of the mouth opening",
    "lips meet on p, b, m",
    "mouth PSNR, true landmarks: network; footage",
    "mouth PSNR, from the sound: network; footage",
)
CROSSED = (
    ("E_ldmk from the sound, px of 384", "landmark_error_384", 2),
    ("E_ldmk, mouth held still", "still_error_384", 2),
    ("mouth PSNR from the sound: network", "mouth_psnr.audio", 1),
    ("mouth PSNR from the sound: footage", "mouth_psnr.audio_warp", 1),
    ("mouth PSNR from the source's true expression: network", "mouth_psnr.renderer", 1),
    ("mouth PSNR from the source's true expression: footage", "mouth_psnr.warp", 1),
    ("mouth PSNR, mouth held still", "mouth_psnr.still_mouth", 1),
)


class Figures:
    """A `score_summary.parquet`, by metric, system and group of speakers."""

    def __init__(self, summary: pd.DataFrame) -> None:
        """Index the table."""
        rows = summary.set_index(["metric", "system", "speakers"])
        self._rows = dict(rows.iterrows())

    def value(self, metric: str, system: str, group: str = "all") -> float:
        """One mean."""
        return float(self._rows[metric, system, group]["value"])

    def cell(self, metric: str, system: str, digits: int) -> str:
        """Mean and interval; empty where it was not measured."""
        row = self._rows.get((metric, system, "all"))
        if row is None:
            return ""
        return f"{row['value']:.{digits}f} [{row['low']:.{digits}f}, {row['high']:.{digits}f}]"

    def truth(self, metric: str, digits: int) -> str:
        """What the truth itself scores: encoded again where it is its own reference."""
        if metric in ("psnr", "mouth_psnr", "mouth_ssim"):
            return f"{self.cell(metric, 'truth_reencoded', digits)} (encoded again)"
        return self.cell(metric, "truth", digits)


def table(head: list[str], rows: list[list[str]]) -> str:
    """Markdown; the first column is text, the others are figures."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def main_table(figures: Figures) -> str:
    """Every system's scores over all clips."""
    rows = []
    for label, metric, digits in MAIN:
        cells = [figures.cell(metric, system, digits) for system in SYSTEMS if system != "truth"]
        rows.append([label, *cells, figures.truth(metric, digits)])
    return table(["", *SYSTEMS.values()], rows)


def group_table(figures: Figures) -> str:
    """All, known and unseen speakers beside each other."""
    value = figures.value
    rows: dict[str, list[str]] = {label: [] for label in GROUP_LABELS}
    for group in GROUPS:
        still = value("landmark_error", "still_mouth", group)
        cells = (
            f"{value('landmark_error', 'audio', group) / still:.3f}",
            f"{value('mouth_opening_correlation', 'audio', group):.3f}",
            f"{value('bilabial_closure', 'audio', group):.2f}",
            *(
                "; ".join(f"{value('mouth_psnr', system, group):.1f}" for system in systems)
                for systems in (("renderer", "warp"), ("audio", "audio_warp"))
            ),
        )
        for label, cell in zip(GROUP_LABELS, cells, strict=True):
            rows[label].append(cell)
    lines = [[label, *cells] for label, cells in rows.items()]
    return table(["", "all clips", "known speakers", "unseen speakers"], lines)


def crossed_table(means: dict[str, dict[str, float]]) -> str:
    """Every sound on every face."""
    rows = [
        [label, *(f"{means[whose][name]:.{digits}f}" for whose in ("own_face", "other_face"))]
        for label, name, digits in CROSSED
    ]
    return table(["", "own face", "another's face"], rows)


def main() -> None:
    """Print the tables."""
    folder = Path(sys.argv[1])
    figures = Figures(pd.read_parquet(folder / "score_summary.parquet"))
    print(
        main_table(figures),
        group_table(figures),
        crossed_table(json.loads((folder / "crossed.json").read_text())),
        sep="\n",
    )


if __name__ == "__main__":
    main()
