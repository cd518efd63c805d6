import logging
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest
from kedro.io import DataCatalog
from kedro.pipeline import Node, Pipeline

from pipelines import local_database, tracking
from pipelines.clips import ParallelConfig
from pipelines.hooks import TrackingConfig, TrackingHooks
from pipelines.local_database import database_file, is_locked, repair_places
from pipelines.training.progress import TrainingProgress, curves_of
from pipelines.training.registry import is_better, last_values
from pipelines.versions import versions_of
from talkin.training.events import TrainingEvent


@pytest.fixture(autouse=True)
def no_open_run() -> None:
    tracking._state["run_id"] = ""


def start(uri: str, root: Path) -> None:
    tracking.start_run(uri, "e", "r", root / "artifacts", {"code_version": "x"})


def test_nothing_is_sent_while_no_run_is_open() -> None:
    tracking.log_metrics({"a": 1.0})
    tracking.log_parameters({"a": 1})
    assert not tracking.is_tracking()


def test_parameters_are_flat_and_typed_models_are_opened() -> None:
    flat = tracking.flattened({"s": {"parallel": ParallelConfig(n_jobs=3), "k": [1, 2]}})
    assert flat["s.parallel.n_jobs"] == 3
    assert flat["s.k"] == [1, 2]


def test_unknown_keys_of_the_tracking_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="tracking_url"):
        TrackingConfig(tracking_url="x")  # type: ignore[call-arg]


@pytest.mark.slow
def test_a_run_keeps_parameters_metrics_and_its_end(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/db/mlflow.db"
    start(uri, tmp_path)
    tracking.log_parameters({"a": {"b": 1}})
    tracking.log_metrics({"loss": 0.5}, step=3)
    run_id = tracking._state["run_id"]
    tracking.end_run("FAILED")
    import mlflow

    run = mlflow.MlflowClient(uri).get_run(run_id)
    assert run.data.params == {"a.b": "1"}
    assert run.data.metrics == {"loss": 0.5}
    assert run.info.status == "FAILED"
    assert run.info.artifact_uri.startswith((tmp_path / "artifacts").as_uri())


@pytest.mark.slow
def test_a_database_that_cannot_be_made_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("not a folder")
    with caplog.at_level(logging.WARNING):
        start(f"sqlite:///{tmp_path}/file/mlflow.db", tmp_path)
        tracking.log_metrics({"a": 1.0})
    assert "goes on untracked" in caplog.text
    assert not tracking.is_tracking()


def test_a_file_that_is_no_database_is_told_before_mlflow_tries_for_minutes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content = "no database at all " * 100
    (tmp_path / "mlflow.db").write_text(content)
    began = time.monotonic()
    with caplog.at_level(logging.WARNING):
        start(f"sqlite:///{tmp_path}/mlflow.db", tmp_path)
    assert time.monotonic() - began < 20
    assert "file is not a database" in caplog.text
    assert "move it away" in caplog.text
    assert (tmp_path / "mlflow.db").read_text() == content


def test_a_database_that_may_only_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mlflow.db"
    for is_there in (False, True):
        with monkeypatch.context() as patched:
            patched.setattr(local_database.os, "access", lambda *_: False)
            assert "may only be read" in local_database.why_unusable(path)
        assert local_database.why_unusable(path) == ""
        if not is_there:
            sqlite3.connect(path).close()


@pytest.mark.slow
def test_a_database_locked_in_the_middle_of_a_run_is_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "mlflow.db"
    start(f"sqlite:///{path}?timeout=0.1", tmp_path)
    assert tracking.is_tracking()
    lock = sqlite3.connect(path, isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    with caplog.at_level(logging.WARNING):
        for step in range(3):
            tracking.log_metrics({"loss": 1.0}, step)
    lock.execute("ROLLBACK")
    lock.close()
    assert caplog.text.count("goes on untracked") == 1
    start(f"sqlite:///{path}", tmp_path)
    assert tracking.is_tracking()  # the next run of the same process is tracked again
    tracking.end_run()


def test_a_resumed_stage_keeps_the_curve_from_before_it_stopped(tmp_path: Path) -> None:
    for steps in ([10, 20, 30], [30, 40]):  # stopped after 30, resumed from the checkpoint at 20
        with TrainingProgress("audio", tmp_path) as progress:
            for step in steps:
                progress(TrainingEvent("audio", step, 40, losses={"l": float(step)}))
    curve = curves_of(tmp_path, ("audio",))
    assert curve["step"].tolist() == [10, 20, 30, 40]


def test_a_curve_cut_short_by_a_crash_is_read_up_to_there(tmp_path: Path) -> None:
    with TrainingProgress("audio", tmp_path) as progress:
        progress(TrainingEvent("audio", 1, 2, losses={"l": 1.0, "bad": float("nan")}))
    with (tmp_path / "audio.events.jsonl").open("a") as file:
        file.write('{"stage": "aud')
    assert curves_of(tmp_path, ("audio",))["name"].tolist() == ["l"]


def test_the_last_value_of_each_curve_counts() -> None:
    rows = [("audio", 1, "e", 3.0), ("audio", 2, "e", 2.0), ("joint", 1, "e", 1.5)]
    curves = pd.DataFrame(rows, columns=["stage", "step", "name", "value"])
    assert last_values(curves) == {"e": 1.5}


@pytest.mark.parametrize(
    ("new", "old", "smaller", "wins"),
    [
        (1.0, 2.0, True, True),
        (2.0, 1.0, True, False),
        (1.0, 1.0, True, False),
        (2.0, 1.0, False, True),
        (None, 1.0, True, False),
        (None, None, True, True),
    ],
)
def test_only_a_better_model_becomes_champion(
    new: float | None, old: float | None, smaller: bool, wins: bool
) -> None:
    assert is_better(new, old, smaller) is wins


def planted_database(path: Path, artifacts: str) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        for table, column in (
            ("experiments", "artifact_location"),
            ("runs", "artifact_uri"),
            ("logged_models", "artifact_location"),
            ("model_versions", "storage_location"),
        ):
            database.execute(f"CREATE TABLE {table} ({column} TEXT)")
            end = "" if table == "experiments" else "/r1/artifacts"
            database.execute(f"INSERT INTO {table} VALUES (?)", (artifacts + end,))  # noqa: S608


def test_a_moved_project_finds_its_runs_again(tmp_path: Path) -> None:
    path = tmp_path / "mlruns" / "mlflow.db"
    path.parent.mkdir()
    planted_database(path, "file:///old%20place/mlruns/artifacts")
    assert repair_places(path, path.parent / "artifacts") == 4
    with closing(sqlite3.connect(path)) as database:
        found = database.execute("SELECT artifact_uri FROM runs").fetchone()[0]
    assert found == (path.parent / "artifacts").as_uri() + "/r1/artifacts"
    assert repair_places(path, path.parent / "artifacts") == 0


def test_files_kept_elsewhere_by_choice_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    planted_database(path, "s3://bucket/talkin")
    assert repair_places(path, tmp_path / "mlruns/artifacts") == 0


def test_a_locked_database_is_known_before_mlflow_waits_for_it(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    planted_database(path, "x")
    assert not is_locked(path, 0.1)
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        assert is_locked(path, 0.1)
        holder.execute("ROLLBACK")
    assert not is_locked(path, 0.1)


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("sqlite:///a/b.db", "a/b.db"),
        ("sqlite:////a/b.db?timeout=1", "/a/b.db"),
        ("https://mlflow.example", None),
        ("postgresql://user@host/runs", None),
    ],
)
def test_only_sqlite_uris_name_a_file(uri: str, place: str | None) -> None:
    assert database_file(uri) == (Path(place) if place else None)


def test_the_data_version_is_dvcs_hash_of_the_footage(tmp_path: Path) -> None:
    assert versions_of(tmp_path)["data_version"] == "not under DVC"
    (tmp_path / "dvc.lock").write_text(
        "stages: {corpus: {outs: [{path: data/01_raw/footage, md5: 1234.dir}]}}"
    )
    assert versions_of(tmp_path)["data_version"] == "1234.dir"


@pytest.mark.parametrize(("rank", "is_tracked"), [(None, True), ("0", True), ("1", False)])
def test_of_the_processes_of_torchrun_the_first_tracks(
    rank: str | None, is_tracked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RANK", raising=False)
    if rank is not None:
        monkeypatch.setenv("RANK", rank)
    started: list[str] = []
    monkeypatch.setattr(tracking, "start_run", lambda **run: started.append(run["run_name"]))
    node = Node(lambda: 1, None, "x", name="n", tags=["training"])
    TrackingHooks().before_pipeline_run({"env": "test"}, Pipeline([node]), DataCatalog())
    assert bool(started) is is_tracked
