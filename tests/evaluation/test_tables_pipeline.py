import json
from pathlib import Path

import pandas as pd
import pytest

from pipelines.evaluation.nodes import VariantConfig, keep_variant
from pipelines.tables import nodes
from pipelines.tables.variants import VariantsDataset
from talkin.errors import ConfigurationError

SUMMARY = pd.DataFrame(
    [("psnr", "audio", "all", 30.0, 29.0, 31.0, 4, 40)],
    columns=["metric", "system", "speakers", "value", "low", "high", "n_clips", "n_frames"],
)


def test_variants_are_filed_by_name_and_found_again(tmp_path: Path) -> None:
    dataset = VariantsDataset(path=str(tmp_path / "variants"))
    assert dataset.load() == {}
    dataset.save({"2d": (SUMMARY, {"psnr.audio": 30.0})})
    dataset.save({"main": (SUMMARY.assign(value=33.0), {})})
    assert {name: table["value"][0] for name, table in dataset.load().items()} == {
        "2d": 30.0,
        "main": 33.0,
    }
    assert json.loads((tmp_path / "variants/2d/metrics.json").read_text()) == {"psnr.audio": 30.0}
    with pytest.raises(Exception, match="cannot name a file"):
        dataset.save({"../evil": (SUMMARY, {})})
    assert not (tmp_path / "evil").exists()


def test_what_was_evaluated_last_stands_for_its_variant() -> None:
    filed = {"main": SUMMARY.assign(value=20.0), "no_identity_removal": SUMMARY}
    filled = nodes.fill_tables(
        filed,
        SUMMARY.assign(value=33.0),
        {"variant": "main"},
        nodes.TablesConfig(environment="demo"),
    )
    found = filled[(filled["table"] == "table_2") & (filled["metric"] == "psnr")].set_index("row")
    assert found.loc["+IR", "value"] == 33.0
    assert found.loc["BL", "value"] == 30.0
    pages = nodes.write_tables(
        filled,
        nodes.tabulate_runtime({}),
        {"before": None, "after": 0.5, "chance": 0.25},
        {"seed": "0"},
    )
    assert all("33.00" in page for page in pages)


def test_a_variants_name_must_be_able_to_name_a_folder() -> None:
    with pytest.raises(ConfigurationError, match=r"evaluation\.variant"):
        keep_variant(SUMMARY, {}, VariantConfig(name="a/b"))
    assert keep_variant(SUMMARY, {}, VariantConfig(name="2d"))[1] == {"variant": "2d"}
