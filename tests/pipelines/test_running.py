"""Kedro's own options on this project: runners, parameters, slices, missing outputs."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.runner import SequentialRunner, ThreadRunner

pytestmark = pytest.mark.slow

ONE_CLIP = {"n_speakers": 1, "train_clips": 1, "validation_clips": 0, "test_clips": 0}


def run_in(project: Path, parameters: dict[str, Any] | None = None, **options: Any) -> None:
    bootstrap_project(project)
    with KedroSession.create(project, env="test", runtime_params=parameters or {}) as session:
        session.run(**options)


def contents(project: Path) -> dict[str, bytes]:
    files = [p for p in (project / "data").rglob("*") if p.is_file()]
    return {str(path.relative_to(project)): path.read_bytes() for path in files}


@pytest.fixture
def rendered(project: Path, run: Callable[..., Any]) -> Path:
    run("demo", demo={"corpus": ONE_CLIP, "parallel": {"n_jobs": 1}})
    return project


def test_runners_agree_and_options_do_what_kedro_says(
    rendered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    twin = tmp_path / "twin"
    shutil.copytree(rendered, twin)
    run_in(rendered, pipeline_names=["preprocess"], runner=SequentialRunner())
    monkeypatch.chdir(twin)
    run_in(twin, pipeline_names=["preprocess"], runner=ThreadRunner())
    assert contents(rendered) == contents(twin)

    monkeypatch.chdir(rendered)
    data = rendered / "data"
    index, footage = data / "05_model_input/training_index.parquet", data / "02_intermediate"
    untouched = (footage / "footage.parquet").stat().st_mtime_ns
    index.unlink()
    run_in(rendered, pipeline_names=["preprocess"], only_missing_outputs=True)
    assert index.exists()

    rejects = data / "08_reporting/rejects.csv"
    rejects.unlink()
    index.unlink()
    run_in(rendered, pipeline_names=["preprocess"], from_nodes=["list_rejects"])
    assert rejects.exists()
    assert not index.exists()
    assert (footage / "footage.parquet").stat().st_mtime_ns == untouched

    run_in(rendered, {"preprocess": {"mfcc": {"n_mfcc": 9}}}, tags=["preprocess"])
    mfcc = next((data / "04_feature/mfcc").glob("*.parquet"))
    assert len(pd.read_parquet(mfcc).columns) == 1 + 9
    assert not (data / "06_models").exists()
