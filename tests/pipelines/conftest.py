"""A project of its own for each test, with this project's settings."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty project folder with our pyproject.toml and conf, and nobody's data."""
    root = tmp_path / "project"
    (root / "src").mkdir(parents=True)
    shutil.copy(PROJECT / "pyproject.toml", root)
    shutil.copy(PROJECT / ".telemetry", root)
    shutil.copytree(PROJECT / "conf", root / "conf", ignore=shutil.ignore_patterns("local"))
    (root / "conf" / "local").mkdir()
    return root


@pytest.fixture
def run(project: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Run stages of a project as `kedro run --pipelines=... --env=...` does."""
    from kedro.framework.session import KedroSession
    from kedro.framework.startup import bootstrap_project

    monkeypatch.chdir(project)

    def run_stages(*names: str, env: str = "test", **parameters: Any) -> Any:
        bootstrap_project(project)
        with KedroSession.create(project, env=env, runtime_params=parameters) as session:
            return session.run(pipeline_names=list(names))

    return run_stages
