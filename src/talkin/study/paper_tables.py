"""Tables 4 and 5 as the paper published them, in percent of ratings.

The rows are as printed: some of Table 4 miss 100 by a rounded tenth, the text gives 70.1 % where
Table 4 prints 70.6 % for real clips of all poses, and the extraction of Table 5's text lost three
digits. The fifteen rows of Table 5 that are whole sum to 100, so these follow from the others
(`PaperRow.rebuilt`); other first columns are garbled there (such as ^^0^^), but legible. The paper
prints no mean scores; those shown beside ours are worked out from the printed shares.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class PaperRow:
    """One row of a table.

    Attributes:
        shares: Of the scores 1 to 5, percent.
        real: Of 4 and 5 together, as printed, percent.
        rebuilt: Scores whose share the extracted text had lost: what is missing to 100.
    """

    shares: tuple[float, float, float, float, float]
    real: float
    rebuilt: tuple[int, ...] = ()

    @property
    def mean(self) -> float:
        """Mean score that the shares mean."""
        weighted = sum(score * share for score, share in enumerate(self.shares, start=1))
        return weighted / sum(self.shares)


ALL_VIEWS = "all"

TABLE_4: dict[tuple[str, str], PaperRow] = {
    ("front", "talkin"): PaperRow((5.2, 8.5, 20.6, 42.6, 23.2), 65.8),
    ("up30", "talkin"): PaperRow((4.6, 25.0, 14.2, 36.9, 19.3), 56.3),
    ("down30", "talkin"): PaperRow((4.8, 22.0, 15.2, 39.7, 18.3), 58.0),
    ("right30", "talkin"): PaperRow((3.9, 22.9, 15.8, 42.1, 15.3), 57.4),
    ("right60", "talkin"): PaperRow((7.3, 33.8, 11.4, 36.9, 10.6), 47.5),
    ("left30", "talkin"): PaperRow((3.2, 20.9, 21.9, 40.1, 13.9), 54.0),
    ("left60", "talkin"): PaperRow((7.9, 33.7, 12.1, 35.1, 11.3), 46.3),
    (ALL_VIEWS, "talkin"): PaperRow((5.3, 23.8, 15.9, 39.0, 16.0), 55.0),
    ("front", "real"): PaperRow((0.6, 12.1, 10.1, 29.7, 47.5), 77.2),
    ("up30", "real"): PaperRow((0.8, 13.5, 13.2, 29.1, 43.4), 72.5),
    ("down30", "real"): PaperRow((0.9, 13.6, 14.1, 30.2, 41.3), 71.5),
    ("right30", "real"): PaperRow((1.3, 15.6, 14.4, 29.2, 39.6), 68.8),
    ("right60", "real"): PaperRow((0.8, 17.8, 15.1, 29.1, 37.2), 66.3),
    ("left30", "real"): PaperRow((1.1, 12.8, 16.1, 31.5, 38.6), 70.1),
    ("left60", "real"): PaperRow((0.7, 17.5, 14.1, 27.2, 40.5), 67.7),
    (ALL_VIEWS, "real"): PaperRow((0.9, 14.7, 13.9, 29.4, 41.2), 70.6),
}
"""(view, system) -> row of Table 4."""

TABLE_5: dict[tuple[str, str], PaperRow] = {
    ("Audio2Obama", "realism"): PaperRow((0, 0, 14, 29, 57), 86),
    ("Audio2Obama", "lip_sync"): PaperRow((1, 4, 11, 36, 48), 84, rebuilt=(2,)),
    ("Audio2Obama", "naturalness"): PaperRow((0, 8, 9, 40, 43), 83),
    ("Face2Face", "realism"): PaperRow((4, 19, 28, 31, 18), 49),
    ("Face2Face", "lip_sync"): PaperRow((20, 21, 29, 24, 6), 30),
    ("Face2Face", "naturalness"): PaperRow((15, 21, 34, 25, 5), 30),
    ("DVP", "realism"): PaperRow((64, 18, 16, 1, 1), 2),
    ("DVP", "lip_sync"): PaperRow((27, 22, 24, 20, 7), 27),
    ("DVP", "naturalness"): PaperRow((36, 25, 25, 10, 4), 14),
    ("TBE", "realism"): PaperRow((0, 2, 10, 28, 60), 88),
    ("TBE", "lip_sync"): PaperRow((2, 7, 14, 32, 45), 77),
    ("TBE", "naturalness"): PaperRow((1, 5, 11, 26, 57), 83),
    ("NVP", "realism"): PaperRow((1, 10, 22, 33, 34), 67),
    ("NVP", "lip_sync"): PaperRow((5, 14, 33, 30, 18), 48),
    ("NVP", "naturalness"): PaperRow((1, 11, 33, 32, 23), 55),
    ("talkin", "realism"): PaperRow((1, 1, 9, 27, 62), 89, rebuilt=(1,)),
    ("talkin", "lip_sync"): PaperRow((0, 3, 15, 31, 51), 82, rebuilt=(2,)),
    ("talkin", "naturalness"): PaperRow((0, 3, 10, 32, 55), 87),
}
"""(system, question) -> row of Table 5; "talkin" is the paper's own method."""
