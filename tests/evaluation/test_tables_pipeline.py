import json
from pathlib import Path

import pandas as pd
import pytest

from pipelines.datasets.variants import VariantResult, VariantsDataset
from pipelines.evaluation.nodes import VariantConfig, keep_variant
from pipelines.tables import nodes
from talkin.errors import ConfigurationError

SUMMARY = pd.DataFrame(
    [("psnr", "audio", "all", 30.0, 29.0, 31.0, 4, 40)],
    columns=["metric", "system", "speakers", "value", "low", "high", "n_clips", "n_frames"],
)


def test_variants_are_filed_by_name_and_found_again(tmp_path: Path) -> None:
    dataset = VariantsDataset(path=str(tmp_path / "variants"))
    assert dataset.load() == {}
    clips = pd.DataFrame({"clip": ["a"], "psnr.audio": [30.0]})
    dataset.save({"2d": VariantResult(SUMMARY, {"psnr.audio": 30.0}, clips, {"seconds": 7})})
    dataset.save({"main": VariantResult(SUMMARY.assign(value=33.0), {})})
    found = dataset.load()
    assert {name: result.summary["value"][0] for name, result in found.items()} == {
        "2d": 30.0,
        "main": 33.0,
    }
    assert (found["2d"].clips is not None, found["2d"].trained) == (True, {"seconds": 7})
    assert (found["main"].clips, found["main"].trained) == (None, {})
    assert json.loads((tmp_path / "variants/2d/metrics.json").read_text()) == {"psnr.audio": 30.0}
    with pytest.raises(Exception, match="cannot name a file"):
        dataset.save({"../evil": VariantResult(SUMMARY, {})})
    assert not (tmp_path / "evil").exists()
    dataset.save({"2d": VariantResult(SUMMARY, {})})
    assert dataset.load()["2d"].clips is None  # those of the result before are gone


def test_a_model_evaluated_under_a_variants_name_is_not_said_to_be_trained_as_that_was() -> None:
    how = {"models": 1, "speakers": 2, "minutes": 0.5, "steps": {"audio": 8}}
    filled = nodes.fill_tables(
        {"2d": VariantResult(SUMMARY, {})},
        {"2d": VariantResult(SUMMARY, {}, trained=how)},
        SUMMARY,
        {"variant": "main"},
        nodes.TablesConfig(),
    )
    assert set(filled["trained"]) == {""}


def test_what_was_evaluated_last_stands_for_its_variant() -> None:
    steps = {"audio": 8, "renderer": 0, "joint": 4}
    how = {"models": 1, "speakers": 2, "minutes": 0.5, "steps": steps}
    filed = {"main": VariantResult(SUMMARY.assign(value=20.0), {})}
    filled = nodes.fill_tables(
        filed,
        {"no_identity_removal": VariantResult(SUMMARY, {}, trained=how)},
        SUMMARY.assign(value=33.0),
        {"variant": "main"},
        nodes.TablesConfig(environment="demo"),
    )
    found = filled[(filled["table"] == "table_2") & (filled["metric"] == "psnr")].set_index("row")
    assert found.loc["+IR", "value"] == 33.0
    assert found.loc["BL", "value"] == 30.0
    pages = nodes.write_tables(
        filled,
        nodes.compare_rows(filed, {}),
        nodes.tabulate_runtime({}),
        {"before": None, "after": 0.5, "chance": 0.25},
        {"seed": "0"},
    )
    assert all("33.00" in page for page in pages)
    assert "BL: 1 model, 2 speakers, 0.5 minutes; audio 8 steps, renderer as the" in pages[0]


def test_a_variants_name_must_be_able_to_name_a_folder() -> None:
    with pytest.raises(ConfigurationError, match=r"evaluation\.variant"):
        keep_variant(SUMMARY, {}, SUMMARY, VariantConfig(name="a/b"))
    assert keep_variant(SUMMARY, {}, SUMMARY, VariantConfig(name="2d"))[1] == {"variant": "2d"}
