"""Tables 4 and 5 against numbers worked out by hand, and against planted answers."""

import itertools

import numpy as np
import pandas as pd
import pytest

from talkin.errors import ConfigurationError
from talkin.study.config import JudgingConfig
from talkin.study.intervals import RatingTable, Resampler, agreement
from talkin.study.paper_tables import TABLE_4, TABLE_5
from talkin.study.printed import Printed
from talkin.study.records import CHECK, Answer, read_key
from talkin.study.report import write_study_report
from talkin.study.responses import read_responses
from talkin.study.tables import agreement_table, gap_table, table_4, table_5

QUICK = JudgingConfig(n_resamples=200)


def ratings(rows, question="realism"):
    """Rows of rater, clip, score, system, view."""
    table = pd.DataFrame(rows, columns=["rater", "id", "score", "system", "view"])
    return table.assign(question=question, speaker="a")


def grid(scores, system="talkin", view="front", question="realism"):
    """A matrix of raters x clips, NaN where nobody rated."""
    rows = [
        (rater, f"{system}-{view}-{clip}", int(score), system, view)
        for (rater, clip), score in np.ndenumerate(np.asarray(scores, float))
        if np.isfinite(score)
    ]
    return ratings(rows, question)


def test_shares_means_and_counts_are_those_worked_out_by_hand():
    both = pd.concat([grid([[5, 4, 1, 2], [4, 4, 3, 1]]), grid([[5, 5], [4, 3]], "real")])
    table = table_4(both, QUICK).set_index(["view", "system"])
    own, real = table.loc[("front", "talkin")], table.loc[("front", "real")]
    assert [own[f"percent_{k}"] for k in range(1, 6)] == [25, 12.5, 12.5, 37.5, 12.5]
    assert own["real_percent"] == 50
    assert own["mean"] == 3
    assert (own["n_ratings"], own["n_raters"], own["n_clips"]) == (8, 2, 4)
    assert real["real_percent"] == 75
    assert real["mean"] == 4.25
    assert own["paper_real_percent"] == 65.8
    assert gap_table(both, QUICK).set_index("view").loc["all", "points"] == 25


def test_views_stand_in_the_papers_order_with_all_of_them_last():
    parts = [grid([[3]], view=view) for view in ("profile", "left60", "up30", "front")]
    table = table_4(pd.concat(parts), QUICK)
    assert list(table["view"]) == ["front", "up30", "left60", "profile", "all"]
    assert table["paper_mean"].isna().tolist() == [False, False, False, True, False]


def test_missing_ratings_count_nowhere():
    table = table_4(grid([[5, np.nan], [np.nan, 2], [4, np.nan]]), QUICK)
    assert table.iloc[0]["n_ratings"] == 3
    assert table.iloc[0]["real_percent"] == pytest.approx(200 / 3)


def test_each_question_of_each_system_is_a_row_of_table_5():
    parts = [
        grid([[score]], system, question=question)
        for (system, score), question in itertools.product(
            (("DVP", 1), ("talkin", 4), ("real", 5)), ("realism", "lip_sync")
        )
    ]
    table = table_5(pd.concat(parts), QUICK)
    assert list(table["system"]) == ["DVP", "talkin", "real"] * 2
    assert list(table["mean"]) == [1, 4, 5] * 2
    assert list(table["paper_real_percent"][:2]) == [2, 89]


def test_equal_answers_have_an_interval_of_no_width():
    row = table_4(grid(np.full((4, 5), 4)), QUICK).iloc[0]
    assert (row["real_low"], row["real_high"]) == (100, 100)
    assert (row["mean_low"], row["mean_high"]) == (4, 4)


def test_an_interval_covers_the_truth_about_as_often_as_it_says():
    """Raters and clips have biases of their own, as people and clips have."""
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(60):
        hidden = rng.normal(size=(30, 1)) + rng.normal(size=(1, 20)) + rng.normal(size=(30, 20))
        wide = RatingTable(hidden, pd.Index([str(n) for n in range(20)]))
        found = Resampler(wide, QUICK).mean(hidden, np.ones(20))
        hits += found.low <= 0 <= found.high
    assert hits >= 52  # the two-way bootstrap errs on the wide side


def test_taking_ratings_for_independent_would_give_far_narrower_intervals():
    rng = np.random.default_rng(2)
    hidden = rng.normal(size=(30, 1)) + rng.normal(size=(1, 20)) + rng.normal(size=(30, 20))
    wide = RatingTable(hidden, pd.Index([str(n) for n in range(20)]))
    found = Resampler(wide, QUICK).mean(hidden, np.ones(20))
    naive = 2 * 1.96 * hidden.std() / np.sqrt(hidden.size)
    assert found.high - found.low > 2 * naive


def wide_table(scores):
    scores = np.asarray(scores, float)
    return RatingTable(scores, pd.Index([str(n) for n in range(scores.shape[1])]))


def test_alpha_agrees_with_krippendorffs_own_example():
    """Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), with gaps: 0.815."""
    nan = np.nan
    table = wide_table(
        [
            [1, 2, 3, 3, 2, 1, 4, 1, 2, nan, nan, nan],
            [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, nan, 3],
            [nan, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, nan],
            [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, nan],
        ]
    )
    found = agreement(table, QUICK)
    assert found.value == pytest.approx(0.815, abs=5e-4)
    assert found.low <= found.value <= found.high


def test_alpha_of_two_raters_and_two_clips_is_what_a_pencil_gives():
    # Scores 1 1 | 1 5: of 3 ones and 1 five, ordinal distance d^2(1, 5) = (3 + 1 - (3 + 1) / 2)^2
    # = 4. Observed: one of two pairs differs, 4 / 2. Expected: 2 * 3 * 1 / (4 * 3) * 4 = 2.
    assert agreement(wide_table([[1, 1], [1, 5]]), QUICK).value == pytest.approx(0)


def test_alpha_is_one_for_full_agreement_about_nothing_for_chance_and_unknown_for_one_value():
    assert agreement(wide_table([[1, 3, 5, 2]] * 3), QUICK).value == pytest.approx(1)
    chance = np.random.default_rng(0).integers(1, 6, (30, 60))
    assert abs(agreement(wide_table(chance), QUICK).value) < 0.03
    assert np.isnan(agreement(wide_table(np.full((3, 4), 2)), QUICK).value)
    assert np.isnan(agreement(wide_table([[1, np.nan], [np.nan, 4]]), QUICK).value)


def test_the_papers_rows_hold_together():
    """The transcription: shares sum to 100, and "real" is the sum of 4 and 5, as far as printed."""
    for row in TABLE_4.values():
        assert sum(row.shares) == pytest.approx(100, abs=0.35)
        assert row.real == pytest.approx(row.shares[3] + row.shares[4], abs=0.45)
    for row in TABLE_5.values():
        assert sum(row.shares) == 100
        assert abs(row.real - row.shares[3] - row.shares[4]) <= 1


TABLE_5_IN_THE_TEXT = {
    # Copied from the extracted text; None where it shows no digit, or none that can be read.
    ("Audio2Obama", "lip_sync"): (1, None, 11, 36, 48),
    ("talkin", "realism"): (None, 1, 9, 27, 62),
    ("talkin", "lip_sync"): (0, None, 15, 31, 51),
}


def test_what_was_rebuilt_of_table_5_is_what_each_whole_row_would_give():
    whole = [row for row in TABLE_5.values() if not row.rebuilt]
    assert len(whole) == 15
    assert {sum(row.shares) for row in whole} == {100}
    assert {cell: row.rebuilt for cell, row in TABLE_5.items() if row.rebuilt} == {
        cell: (shares.index(None) + 1,) for cell, shares in TABLE_5_IN_THE_TEXT.items()
    }
    for cell, shares in TABLE_5_IN_THE_TEXT.items():
        missing = 100 - sum(share or 0 for share in shares)
        assert TABLE_5[cell].shares == tuple(missing if s is None else s for s in shares)


def test_a_rebuilt_figure_is_marked_where_it_is_shown():
    lips = grid([[4, 5], [3, 4]], question="lip_sync")
    other = grid([[4, 5], [3, 4]], "Face2Face", question="lip_sync")
    table = table_5(pd.concat([lips, other]), QUICK).set_index("system")
    assert table["paper_rebuilt"].to_dict() == {"Face2Face": "", "talkin": "2"}


def answer_all(store, key, label, score_of):
    rater = store.rater(store.add_raters([label])[0])
    store.start(rater)
    store.record(
        rater,
        [
            Answer(clip=one.id, scores=dict.fromkeys(("realism", "lip_sync"), score), sequence=1)
            for one in key.entries
            for score in [score_of(one)]
        ],
    )


def planted(entry, attends=True):
    if entry.system == CHECK:
        return entry.expected if attends else 5
    return 4 if entry.system == "real" else 2


def test_planted_answers_come_out_of_the_database_as_planted(study, store, tmp_path):
    key = read_key(study.key_path, study.manifest)
    for number in range(3):
        answer_all(store, key, f"r{number}", planted)
    answer_all(store, key, "sleeper", lambda one: 5 if one.system != CHECK else planted(one, False))
    responses = read_responses(store, key, QUICK)
    assert responses.counts["set_aside"] == 1
    assert (responses.counts["checks"], responses.counts["checks_passed"]) == (16, 12)
    table = table_4(responses.ratings, QUICK).set_index(["view", "system"])
    assert table.loc[("all", "talkin"), "real_percent"] == 0
    assert table.loc[("all", "real"), "real_percent"] == 100
    assert table.loc[("all", "real"), "n_ratings"] == 6
    assert agreement_table(responses.ratings, QUICK)["alpha"].tolist() == pytest.approx([1, 1])

    written = write_study_report(tmp_path / "out", responses, key, QUICK)
    names = {path.name for path in written}
    for table_name in ("table4", "table5", "gap", "agreement"):
        assert {f"{table_name}.{kind}" for kind in ("md", "tex", "parquet")} <= names
    page = (tmp_path / "out" / "study.md").read_text()
    assert "4 invited, 4 started, 4 rated something, 1 set aside" in page
    assert "100.0 % [100.0 to 100.0]" in page
    kept = pd.read_parquet(tmp_path / "out" / "table4.parquet")
    assert set(kept["system"]) == {"talkin", "real"}


def test_a_study_without_ratings_says_so(study, store):
    with pytest.raises(ConfigurationError, match="no rating yet"):
        read_responses(store, read_key(study.key_path, study.manifest), QUICK)


def test_names_cannot_break_out_of_a_table():
    printed = Printed("T", ("a|b", "c"), [("x_y & 5 %", "\\end{table}$")], "")
    assert r"a\|b" in printed.markdown()
    body = printed.latex()
    assert r"x\_y \& 5 \%" in body
    assert body.count(r"\end{table}") == 1
