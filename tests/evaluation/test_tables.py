import pandas as pd
import pytest

from talkin.evaluation.contrasts import row_contrasts
from talkin.evaluation.paper_figures import PAPER_COLLECTED, PAPER_GRID
from talkin.evaluation.paper_tables import TABLE_1A, TABLE_2, TABLES
from talkin.evaluation.paper_variants import VARIANTS, variant_command
from talkin.evaluation.table_rows import filled_tables, runtime_table
from talkin.evaluation.table_writing import latex_tables, markdown_tables

CONDITIONS = {"codec": "none_at all", "seed": "0"}
PROBE = {"before": 0.5, "after": 0.25, "chance": float("nan")}


def summary(systems: tuple[str, ...], psnr: float = 30.0, speakers: str = "all") -> pd.DataFrame:
    names = ("expression_error", "landmark_error_384", "psnr", "ssim")
    rows = [
        (metric, system, speakers, psnr if metric == "psnr" else 0.5, 0.4, 31.0, 7, 70)
        for system in systems
        for metric in names
    ]
    columns = ["metric", "system", "speakers", "value", "low", "high", "n_clips", "n_frames"]
    return pd.DataFrame(rows, columns=columns)


RESULTS = {
    "main": summary(("audio", "audio_deflickered", "truth_reencoded"), 31.5),
    "no_identity_removal": summary(("audio", "audio_deflickered"), 28.0),
}


def line(filled: pd.DataFrame, table: str, row: str, metric: str) -> pd.Series:
    found = filled[
        (filled["table"] == table) & (filled["row"] == row) & (filled["metric"] == metric)
    ]
    assert len(found) == 1
    return found.iloc[0]


def test_a_variants_figure_stands_in_its_row_beside_the_papers() -> None:
    filled = filled_tables(RESULTS)
    bare = line(filled, "table_2", "BL", "psnr")
    assert (bare["value"], bare["n_clips"], bare["state"]) == (28.0, 7, "measured")
    assert (bare["paper_grid"], bare["paper_collected"]) == (30.88, 26.86)
    assert line(filled, "table_2", "+IR+DF", "psnr")["value"] == 31.5
    assert line(filled, "table_1a", "truth itself", "psnr")["system"] == "truth"


def test_what_was_not_trained_has_no_number_but_a_command() -> None:
    filled = filled_tables(RESULTS, "demo")
    missing = line(filled, "table_1a", "2D", "landmark_error_384")
    assert missing["state"] == "not trained"
    assert pd.isna(missing["value"])
    assert missing["paper_grid"] == 3.99
    assert "--env=demo" in missing["command"]
    assert "variants.plan.chosen=[2d]" in missing["command"]
    assert line(filled, "table_1a", "2D", "expression_error")["state"] == "not trained"
    bare = filled_tables({"2d": RESULTS["main"].query("metric != 'expression_error'")})
    dash = line(bare, "table_1a", "2D", "expression_error")
    assert (dash["state"], dash["command"]) == ("does not apply", "")
    others = line(filled, "table_6", "Chen et al. (2018)", "psnr")
    assert (others["state"], others["command"]) == ("paper", "")
    assert variant_command("main") == (
        "kedro run --pipelines=training,evaluation,tables --params=evaluation.variant.name=main"
    )


def test_every_model_of_the_tables_can_be_trained_by_name_and_no_other_is() -> None:
    shown = {row.variant for table in TABLES for row in table.rows} - {"", "main"}
    assert shown == set(VARIANTS)
    assert all(variant.table in {table.key for table in TABLES} for variant in VARIANTS.values())


def test_a_contrast_is_told_from_the_clips_that_both_were_scored_on() -> None:
    columns = ["clip", "n_frames", "n_pictures", "psnr.audio", "landmark_error_384.audio"]
    full = pd.DataFrame([("a", 10, 1, 31.0, 2.0), ("b", 30, 1, 41.0, 4.0)], columns=columns)
    bare = pd.DataFrame(
        [("a", 10, 1, 30.0, 3.0), ("b", 30, 1, 39.0, 7.0), ("c", 99, 9, 1.0, 99.0)],
        columns=columns,
    )
    found = row_contrasts({"main": full, "no_identity_removal": bare})
    own = found[(found["table"] == "table_1b")].set_index("metric")
    assert (own.loc["psnr", "row"], own.loc["psnr", "against"]) == ("+IR", "BL")
    assert own.loc["psnr", "difference"] == pytest.approx(1.5)  # by pictures: 1 and 1
    assert own.loc["landmark_error_384", "difference"] == pytest.approx(-2.5)  # by frames: 10, 30
    assert (own["n_clips"] == 2).all()
    assert own.loc["psnr", "low"] == pytest.approx(1.0)  # a alone is the least that can be drawn
    assert own.loc["psnr", "high"] == pytest.approx(2.0)
    assert row_contrasts({"main": full}).empty


def test_what_every_clip_shares_does_not_widen_a_contrast() -> None:
    clips = pd.DataFrame(
        {"clip": list("abcd"), "n_frames": 5, "n_pictures": 5, "psnr.audio": [20.0, 25, 30, 35]}
    )
    better = clips.assign(**{"psnr.audio": clips["psnr.audio"] + 0.5})
    found = row_contrasts({"main": better, "no_identity_removal": clips}).iloc[0]
    assert (found["low"], found["high"]) == pytest.approx((0.5, 0.5))


def test_every_row_has_a_line_for_each_metric_and_the_truth_is_in_every_table() -> None:
    filled = filled_tables({})
    for table in TABLES:
        part = filled[filled["table"] == table.key]
        assert not part.duplicated(["row", "metric"]).any()
        assert part["row"].str.startswith("truth itself").any()
    assert (filled["state"] != "measured").all()


def test_the_full_models_figures_agree_between_the_tables_and_the_report() -> None:
    assert dict(TABLE_1A.rows[1].grid) == PAPER_GRID
    assert dict(TABLE_2.rows[3].collected) == PAPER_COLLECTED


def test_milliseconds_are_weighted_by_frames() -> None:
    reports = {
        "a": {"n_frames": 100, "ms_per_frame": {"render": 10.0}},
        "b": {"n_frames": 300, "ms_per_frame": {"render": 20.0, "encode": 1.0}},
    }
    found = runtime_table(reports).set_index("stage")
    assert found.loc["render", "ms_per_frame"] == pytest.approx(17.5)
    assert found.loc["render", "paper_ms"] == 77.0
    assert pd.isna(found.loc["encode", "paper_ms"])
    assert runtime_table({}).empty


def test_markdown_and_latex_hold_the_same_numbers_and_the_conditions() -> None:
    filled, runtime, none = filled_tables(RESULTS), runtime_table({}), row_contrasts({})
    page = markdown_tables(filled, none, runtime, PROBE, CONDITIONS)
    tex = latex_tables(filled, none, runtime, PROBE, CONDITIONS)
    for text in (page, tex):
        assert "28.00 [0.40, 31.00]" in text
        assert "30.88" in text
        assert "not trained" in text
    assert page.count("codec: none_at all; seed: 0") == len(TABLES) + 1
    assert "none\\_at all" in tex
    assert tex.count("\\begin{tabular}") == tex.count("\\end{tabular}") == len(TABLES) + 2
    assert "50.0 \\%" in tex
    rows = [row for row in page.splitlines() if row.startswith("| BL")]
    assert all(row.count("|") == rows[0].count("|") for row in rows)
