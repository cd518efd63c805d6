"""dvc.yaml against what the stages are: what they import, read and write."""

import ast
from pathlib import Path
from typing import Any

import pytest
import yaml
from kedro.config import OmegaConfigLoader
from kedro.framework.project import pipelines
from kedro.framework.startup import bootstrap_project

from pipelines.code_version import _file_of, _imported, _tree, library_closure
from pipelines.settings import CONFIG_LOADER_ARGS

PROJECT = Path(__file__).parents[2]
STAGES = {
    "corpus": "demo",
    "preprocess": "preprocess",
    "training": "training",
    "editing": "editing",
    "evaluation": "evaluation",
    "tables": "tables",
}
CHANGES_NO_RESULT = {"cluster", "code_version", "lazy", "rows", "tracking", "served"}
"""Plumbing, and the code that runs when a registered model is loaded later."""


@pytest.fixture(scope="module")
def stages() -> dict[str, dict[str, Any]]:
    described: dict[str, Any] = yaml.safe_load((PROJECT / "dvc.yaml").read_text())["stages"]
    return described


def code_of(stage: str) -> set[Path]:
    """Files of the project that a stage's folder imports, directly or not."""
    todo = list((PROJECT / "src/pipelines" / stage).glob("*.py"))
    own: set[Path] = set()
    library: set[str] = set()
    while todo:
        path = todo.pop()
        if path in own or path.stem in CHANGES_NO_RESULT:
            continue
        own.add(path)
        tree = _tree(path)
        library |= set(_imported(tree)) | stand_ins(tree)
        todo += imported_here(tree)
    return own | {_file_of(name).resolve() for name in library_closure(library)}


def stand_ins(tree: ast.Module) -> set[str]:
    texts = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)}
    return {t.split(":")[0] for t in texts if isinstance(t, str) and t.startswith("talkin.")}


def imported_here(tree: ast.Module) -> list[Path]:
    names = [
        f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pipelines")
        for alias in node.names
    ]
    guesses = [name for full in names for name in (full, full.rpartition(".")[0])]
    files = [PROJECT / "src" / Path(*name.split(".")).with_suffix(".py") for name in guesses]
    return [path for path in files if path.exists()]


def listed(entries: list[Any]) -> list[str]:
    return [next(iter(e)) if isinstance(e, dict) else e for e in entries]


@pytest.mark.parametrize("stage", STAGES)
def test_the_code_that_a_stage_imports_is_among_its_dependencies(
    stage: str, stages: dict[str, dict[str, Any]]
) -> None:
    deps = [PROJECT / d for d in stages[stage]["deps"] if d.startswith("src/")]
    code = code_of(STAGES[stage])
    missing = [p for p in code if not any(p == d or d in p.parents for d in deps)]
    assert not sorted(str(p.relative_to(PROJECT)) for p in missing)
    superfluous = [d for d in deps if not any(p == d or d in p.parents for p in code)]
    assert not superfluous


@pytest.mark.parametrize("stage", STAGES)
def test_the_parameters_that_a_stage_reads_are_among_its_dependencies(
    stage: str, stages: dict[str, dict[str, Any]]
) -> None:
    bootstrap_project(PROJECT)
    inputs = pipelines[STAGES[stage]].inputs()
    read = {n.removeprefix("params:").split(".")[0] for n in inputs if n.startswith("params:")}
    named = set(listed(stages[stage]["params"]))
    for group in read:
        for env in ("base", "${env}"):
            assert f"conf/{env}/parameters_{group}.yml" in named


@pytest.mark.parametrize("stage", STAGES)
def test_the_data_that_a_stage_writes_are_its_outputs_and_nobody_elses(
    stage: str, stages: dict[str, dict[str, Any]]
) -> None:
    bootstrap_project(PROJECT)
    catalog = OmegaConfigLoader(str(PROJECT / "conf"), env="base", **CONFIG_LOADER_ARGS)["catalog"]
    places = (catalog[name] for name in pipelines[STAGES[stage]].outputs() if name in catalog)
    written = {str(e.get("filepath") or e.get("path")) for e in places} - {"None"}
    outs = listed([o for kind in ("outs", "metrics", "plots") for o in stages[stage].get(kind, [])])
    assert all(any(w == o or w.startswith(f"{o}/") for o in outs) for w in written)


def test_each_stage_runs_its_own_pipeline(stages: dict[str, dict[str, Any]]) -> None:
    commands = {name: stage["cmd"] for name, stage in stages.items()}
    assert commands == {
        name: f"kedro run --pipelines={pipeline} --env=${{env}}"
        for name, pipeline in STAGES.items()
    }
