import importlib
import subprocess
import sys
import time
from pathlib import Path
from typing import get_type_hints

import pytest
from kedro.config import OmegaConfigLoader
from kedro.framework.project import pipelines
from kedro.framework.startup import bootstrap_project
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.validation.parameter_validator import ParameterValidator
from pydantic import BaseModel

from pipelines.datasets.kinds import KINDS
from pipelines.settings import CONFIG_LOADER_ARGS

PROJECT = Path(__file__).parents[2]
CHECKED_BY_THEIR_READERS = {
    "footage_manifest",
    "footage_manifest_before",
    "consent_register",
    "edit_requests",
    "study_clips_listed",
}
STAGES = {
    *("demo", "preprocess", "training", "editing", "evaluation", "tables"),
    *("study", "detection", "variants"),
}


@pytest.fixture(scope="module")
def registered() -> dict[str, Pipeline]:
    bootstrap_project(PROJECT)
    return dict(pipelines)


def loader(env: str) -> OmegaConfigLoader:
    return OmegaConfigLoader(str(PROJECT / "conf"), env=env, **CONFIG_LOADER_ARGS)


def test_every_stage_folder_is_registered_under_its_name(registered: dict[str, Pipeline]) -> None:
    folders = {path.parent.name for path in (PROJECT / "src/pipelines").glob("*/pipeline.py")}
    assert folders == STAGES == set(registered) - {"__default__"}


def test_a_plain_run_is_every_stage_but_the_corpus(registered: dict[str, Pipeline]) -> None:
    expected = {
        node.name
        for name in STAGES - {"demo", "detection", "study", "variants"}
        for node in registered[name].nodes
    }
    assert {node.name for node in registered["__default__"].nodes} == expected


def test_every_dataset_of_every_stage_is_declared_with_a_description(
    registered: dict[str, Pipeline],
) -> None:
    declared = loader("base")["catalog"]
    for stage in registered.values():
        used = {name for name in stage.datasets() if not name.startswith("params:")}
        assert used <= set(declared)
    for name, entry in declared.items():
        assert entry.get("metadata", {}).get("description"), name
        is_table = str(entry.get("filepath", "")).endswith((".parquet", ".csv"))
        assert "columns" in entry or not is_table or name in CHECKED_BY_THEIR_READERS, name


def test_no_column_has_a_name_whose_meaning_kedro_would_take_for_a_path() -> None:
    for name, entry in loader("base")["catalog"].items():
        assert not {"path", "filepath", "filename"} & set(entry.get("columns", {})), name


def test_every_kind_of_file_says_what_it_holds() -> None:
    assert all(kind.content for kind in KINDS.values())


def test_the_catalog_holds_no_dataset_that_no_stage_uses(registered: dict[str, Pipeline]) -> None:
    used = {name for stage in registered.values() for name in stage.datasets()}
    assert set(loader("base")["catalog"]) <= used


def test_every_catalog_entry_can_be_made(registered: dict[str, Pipeline]) -> None:
    catalog = DataCatalog.from_config(loader("base")["catalog"])
    for name in loader("base")["catalog"]:
        assert catalog[name] is not None


def test_annotations_of_every_node_resolve(registered: dict[str, Pipeline]) -> None:
    for stage in registered.values():
        for node in stage.nodes:
            assert get_type_hints(node.func), node.name


@pytest.mark.parametrize("env", ["base", "demo", "test"])
def test_parameters_of_every_environment_fit_the_configurations(
    env: str, registered: dict[str, Pipeline]
) -> None:
    checked = ParameterValidator(registered).validate_raw_params(loader(env)["parameters"])
    leaves = [value for stage in STAGES for value in checked[stage].values() if value is not None]
    assert leaves
    assert all(isinstance(value, BaseModel) for value in leaves)


def test_an_unknown_key_is_refused_by_name(registered: dict[str, Pipeline]) -> None:
    raw = loader("base")["parameters"]
    raw["preprocess"]["crop"]["sise_px"] = 384
    with pytest.raises(Exception, match="sise_px"):
        ParameterValidator(registered).validate_raw_params(raw)


@pytest.mark.parametrize("env", ["demo", "test"])
def test_an_environment_only_names_keys_of_the_same_stages(env: str) -> None:
    for path in (PROJECT / "conf" / env).glob("parameters_*.yml"):
        assert (PROJECT / "conf/base" / path.name).exists(), path.name


def test_asking_for_one_stage_imports_no_other() -> None:
    code = (
        "import sys; from kedro.framework.startup import bootstrap_project\n"
        f"bootstrap_project(r'{PROJECT}')\n"
        "from kedro.framework.project import pipelines\n"
        "pipelines.set_requested_pipelines(['demo']) if hasattr(pipelines,"
        " 'set_requested_pipelines') else setattr(pipelines, '_requested_pipelines', ['demo'])\n"
        "list(pipelines); print('pipelines.evaluation.pipeline' in sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PROJECT
    )
    assert answer.stdout.strip().endswith("False")


def test_listing_the_stages_imports_neither_torch_nor_mlflow() -> None:
    code = (
        "import sys, time; from kedro.framework.startup import bootstrap_project\n"
        f"bootstrap_project(r'{PROJECT}')\n"
        "from kedro.framework.project import pipelines\n"
        "list(pipelines); print(sorted({'torch', 'mlflow', 'cv2', 'pandas'} & set(sys.modules)))"
    )
    start = time.process_time()
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PROJECT
    )
    assert answer.stdout.strip().endswith("[]")
    assert time.process_time() - start < 60


def test_every_stand_in_names_a_class_that_exists() -> None:
    for stage in STAGES:
        module = importlib.import_module(f"pipelines.{stage}.nodes")
        stand_ins = [v for v in vars(module).values() if hasattr(v, "real_class")]
        assert all(issubclass(stand_in.real_class(), BaseModel) for stand_in in stand_ins)
