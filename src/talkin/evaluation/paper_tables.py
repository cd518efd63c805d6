"""The paper's tables: which row is which of our systems, and what the paper published for it.

A row names a variant (a model trained in its own way, found by name among the results of runs) and
a system of it (`clip_scores`). The paper's digits are as printed; its Table 1a gives E_exp 0.595
and Table 1b 0.59 for the same model.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from talkin.evaluation.paper_variants import PAPER_MINUTES

MAIN = "main"
"""The variant that is the paper's full model."""

E_EXP, E_LDMK, PSNR, SSIM = "expression_error", "landmark_error_384", "psnr", "ssim"
_FOUR = (E_EXP, E_LDMK, PSNR, SSIM)


@dataclass(frozen=True)
class PaperRow:
    """One row of a table.

    Attributes:
        label: As the paper calls it.
        variant: Whose results; "" for other people's systems, which only the paper measured.
        system: Of `clip_scores`.
        speakers: `all`, `known` or `unseen`.
        grid: Metric -> what the paper printed for GRID.
        collected: The same for its own recordings.
    """

    label: str
    variant: str = ""
    system: str = "audio"
    speakers: str = "all"
    grid: Mapping[str, float] = field(default_factory=dict)
    collected: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class PaperTable:
    """One table.

    Attributes:
        key: In files.
        title: In print.
        metrics: Its columns.
        rows: Its rows.
        contrasts: Pairs of rows whose difference it is about, by label: first less second.
    """

    key: str
    title: str
    metrics: tuple[str, ...]
    rows: tuple[PaperRow, ...]
    contrasts: tuple[tuple[str, str], ...] = ()


def _four(*values: float | None) -> dict[str, float]:
    return {m: v for m, v in zip(_FOUR, values, strict=True) if v is not None}


def _two(psnr: float, ssim: float, landmark: float | None = None) -> dict[str, float]:
    given = {PSNR: psnr, SSIM: ssim}
    return given if landmark is None else given | {E_LDMK: landmark}


_FULL_GRID, _FULL_OWN = _four(0.65, 2.24, 31.19, 0.95), _four(0.59, 1.82, 29.16, 0.95)

TABLE_1A = PaperTable(
    "table_1a",
    "Table 1a. 2D against 3D parameter regression",
    _FOUR,
    (
        PaperRow(
            "2D",
            "2d",
            "audio_deflickered",
            grid=_four(None, 3.99, 28.06, 0.89),
            collected=_four(None, 3.13, 26.76, 0.93),
        ),
        PaperRow("3D", MAIN, "audio_deflickered", grid=_FULL_GRID, collected=_FULL_OWN),
    ),
    contrasts=(("3D", "2D"),),
)

TABLE_1B = PaperTable(
    "table_1b",
    "Table 1b. Identity removal",
    _FOUR,
    (
        PaperRow(
            "BL",
            "no_identity_removal",
            grid=_four(0.84, 3.09, 30.88, 0.94),
            collected=_four(0.68, 1.92, 26.86, 0.95),
        ),
        PaperRow(
            "+IR",
            MAIN,
            grid=_four(0.65, 2.24, 32.23, 0.97),
            collected=_four(0.59, 1.83, 31.21, 0.96),
        ),
    ),
    contrasts=(("+IR", "BL"),),
)

TABLE_2 = PaperTable(
    "table_2",
    "Table 2. Identity removal and deflicker",
    _FOUR,
    (
        *TABLE_1B.rows,
        PaperRow(
            "+DF",
            "no_identity_removal",
            "audio_deflickered",
            grid=_four(0.84, 3.07, 27.71, 0.92),
            collected=_four(0.68, 1.92, 27.46, 0.93),
        ),
        PaperRow("+IR+DF", MAIN, "audio_deflickered", grid=_FULL_GRID, collected=_FULL_OWN),
    ),
    contrasts=(("+IR", "BL"), ("+DF", "BL"), ("+IR+DF", "+IR"), ("+IR+DF", "+DF")),
)

_SPLIT = ((29.621, 0.868), (29.338, 0.875), (29.487, 0.849), (29.650, 0.876))
_JOINT = ((30.421, 0.881), (30.664, 0.888), (30.787, 0.892), (31.072, 0.89))

TABLE_3 = PaperTable(
    "table_3",
    "Table 3. Minutes of training data; one renderer for all speakers (Joint) or one each (Split)",
    (PSNR, SSIM),
    tuple(
        PaperRow(f"{name}, {minutes} min", f"{name.lower()}_{minutes}min", collected=_two(*printed))
        for name, column in (("Split", _SPLIT), ("Joint", _JOINT))
        for minutes, printed in zip(PAPER_MINUTES, column, strict=True)
    ),
    contrasts=tuple((f"Joint, {n} min", f"Split, {n} min") for n in PAPER_MINUTES),
)

TABLE_6 = PaperTable(
    "table_6",
    "Table 6. Full-face variant on GRID",
    (PSNR, SSIM, E_LDMK),
    (
        PaperRow("Chen et al. (2019)", grid=_two(28.45, 0.60, 3.28)),
        PaperRow("Vondrick et al. (2016)", grid=_two(28.45, 0.60, 3.28)),
        PaperRow("Jamaludin et al. (2019)", grid=_two(29.36, 0.74, 2.23)),
        PaperRow("Chen et al. (2018)", grid=_two(29.89, 0.73, 1.92)),
        PaperRow("Vougioukas et al. (2018)", grid=_two(27.98, 0.84)),
        PaperRow("Ours", "full_face", grid=_two(30.01, 0.94, 2.24)),
    ),
)

FIGURE_10 = PaperTable(
    "figure_10",
    "Figure 10. Unseen sentences of known speakers, and of unseen speakers (the paper shows "
    "pictures and no figures)",
    (*_FOUR, "mouth_opening_correlation"),
    (
        PaperRow("known speakers", MAIN, speakers="known"),
        PaperRow("unseen speakers", MAIN, speakers="unseen"),
    ),
)

TABLES = (TABLE_1A, TABLE_1B, TABLE_2, TABLE_3, TABLE_6, FIGURE_10)

PAPER_MILLISECONDS: dict[str, float] = {
    "drive": 17.0,
    "render": 77.0,
    "deflicker": 1300.0,
    "teeth": 300.0,
}
"""Appendix H, milliseconds a frame on an NVIDIA GTX 1060, by our name of the stage."""
