import pandas as pd
import pytest

from talkin.evaluation.paper_figures import PAPER_COLLECTED, PAPER_GRID
from talkin.evaluation.paper_tables import TABLE_1A, TABLE_2, TABLES, variant_command
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
    assert "training.model.predict=landmarks" in missing["command"]
    others = line(filled, "table_6", "Chen et al. (2018)", "psnr")
    assert (others["state"], others["command"]) == ("paper", "")
    assert "2 minutes of one speaker" in variant_command("split_2min")


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
    filled, runtime = filled_tables(RESULTS), runtime_table({})
    page = markdown_tables(filled, runtime, PROBE, CONDITIONS)
    tex = latex_tables(filled, runtime, PROBE, CONDITIONS)
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
