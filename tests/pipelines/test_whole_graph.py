"""The whole graph on a corpus of seconds: footage in, edited clip, metrics and report out."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

PROJECT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture
def rendered(project: Path, run: Callable[..., Any]) -> Path:
    run("demo")
    return project / "data"


def times(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in sorted(folder.iterdir())}


@pytest.mark.timeout(600)
def test_from_settings_to_an_edited_clip_and_a_report(
    rendered: Path, run: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    from talkin.footage.audio import read_audio
    from talkin.footage.video import probe_video

    broken = rendered / "01_raw/footage/clips/s01_front_train_000.mp4"
    whole = broken.read_bytes()
    broken.write_bytes(whole[:3000])
    run("preprocess")
    rejects = pd.read_csv(rendered / "08_reporting/rejects.csv")
    assert set(rejects["clip"]) == {"s01_front_train_000"}
    index = pd.read_parquet(rendered / "05_model_input/training_index.parquet")
    assert "s01_front_train_000" not in set(index["clip"])
    assert (index["n_valid"] > 0).all()

    faces = rendered / "03_primary/face_parameters"
    before = times(faces)
    broken.write_bytes(whole)
    run("preprocess")
    assert len(pd.read_csv(rendered / "08_reporting/rejects.csv")) == 0
    after = times(faces)
    # The clip that came back shapes the geometry of its speaker, and nobody else's.
    others = {clip for clip in before if not clip.startswith("s01")}
    assert others
    assert {clip: after[clip] for clip in others} == {clip: before[clip] for clip in others}
    assert set(after) - set(before) == {"s01_front_train_000.parquet"}

    run("training", "editing", "evaluation")
    metrics = json.loads((rendered / "08_reporting/metrics.json").read_text())
    for key in ("landmark_error.audio", "landmark_error.still_mouth", "mouth_psnr.renderer"):
        assert metrics[key] > 0
    summary = pd.read_parquet(rendered / "08_reporting/score_summary.parquet")
    assert (summary["n_frames"] > 0).all()
    assert "<html" in (rendered / "08_reporting/report.html").read_text()
    registered = json.loads((rendered / "06_models/registered_model.json").read_text())
    assert (registered["version"], registered["is_champion"]) == ("1", True)

    edits = pd.read_parquet(rendered / "07_model_output/edits.parquet")
    job = edits.iloc[0]
    assert job["state"] == "done", job["reason"]
    edited = rendered / "07_model_output/edits" / f"{job['job']}.mp4"
    speech = read_audio(rendered / "01_raw/footage/clips" / f"{job['audio']}.mp4")
    info = probe_video(edited)
    assert abs(info.duration_s - speech.duration_s) <= 1.5 / info.fps
    assert (rendered / "07_model_output/truths" / f"{job['job']}.mp4").exists()

    check_variants(rendered.parent, run, caplog)
    check_served_model(rendered.parent)
    check_notebooks(rendered.parent)
    check_columns_are_described(rendered.parent)


def check_variants(
    project: Path, run: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    """The models beside the full one fill the tables, share what they can, and are kept."""
    import mlflow

    chosen = ["2d", "no_identity_removal", "split_2min", "joint_2min", "full_face"]
    run("variants", "tables", variants={"plan": {"chosen": chosen}})
    filed = project / "data/08_reporting/ablations"
    filled = pd.read_parquet(project / "data/08_reporting/paper_tables.parquet")
    measured = filled[(filled["state"] == "measured") & (filled["system"] != "truth")]
    assert set(measured["variant"]) == {*chosen, "main"}
    contrasts = pd.read_parquet(project / "data/08_reporting/row_contrasts.parquet")
    assert set(contrasts["table"]) == {"table_1a", "table_1b", "table_2", "table_3"}

    notes = {name: json.loads((filed / name / "trained.json").read_text()) for name in chosen}
    steps = {name: notes[name]["steps"] for name in chosen}
    assert steps["2d"] == {"audio": 8, "renderer": 0, "joint": 4}
    assert steps["joint_2min"] == steps["full_face"] == {"audio": 0, "renderer": 4, "joint": 4}
    assert (notes["split_2min"]["models"], notes["split_2min"]["speakers"]) == (2, 1)
    assert not list((project / "data/06_models/variants").glob("*/*/checkpoints"))

    before = {name: times(filed / name) for name in chosen}
    with caplog.at_level("INFO"):
        run("variants", variants={"plan": {"chosen": chosen[:2]}})
    assert caplog.text.count("is up to date") == 2
    assert {name: times(filed / name) for name in chosen} == before

    mlflow.set_tracking_uri(f"sqlite:///{project}/mlruns/mlflow.db")
    runs = mlflow.search_runs(experiment_names=["talkin"], output_format="list")
    inner = {run.info.run_name: run for run in runs if "mlflow.parentRunId" in run.data.tags}
    assert set(inner) == set(chosen)
    assert inner["2d"].data.params["model.predict"] == "landmarks"
    assert inner["2d"].data.metrics["landmark_error.audio"] > 0


def check_served_model(project: Path) -> None:
    """The champion loads by its alias, with unpickling forbidden."""
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{project}/mlruns/mlflow.db")
    served = mlflow.pyfunc.load_model("models:/talkin@champion")
    names = [column.name for column in served.metadata.signature.inputs]
    assert names == ["video", "audio", "output"]


def check_notebooks(project: Path) -> None:
    """Every cell of every notebook runs on this project's data, and pictures and players show.

    One kernel runs them all, one after another, so that heavy imports are paid for once.
    """
    import nbformat
    from nbconvert.preprocessors import ExecutePreprocessor

    new = nbformat.v4.new_code_cell
    every = nbformat.v4.new_notebook(cells=[new("import os; os.environ['KEDRO_ENV']='test'")])
    books = {}
    for path in sorted((PROJECT / "notebooks").glob("*.ipynb")):
        books[path.stem] = nbformat.read(path, as_version=4).cells
        every.cells += books[path.stem]
    ExecutePreprocessor(timeout=200).preprocess(every, {"metadata": {"path": str(project)}})
    outputs = {n: [o for c in cells for o in c.get("outputs", [])] for n, cells in books.items()}
    printed = "".join(o.get("text", "") for o in outputs["01_catalog"])
    for name in ("face_parameters", "talking_face", "metrics", "edits", "report"):
        assert f"\n{name} " in printed, name
    shown = {name: {k for o in found for k in o.get("data", {})} for name, found in outputs.items()}
    assert all("text/html" in shown[name] for name in ("01_catalog", "05_edits_and_errors"))
    assert all("image/png" in shown[n] for n in ("02_footage_and_faces", "03_identity_removal"))


def check_columns_are_described(project: Path) -> None:
    """Each column that a stage wrote has its meaning in the file."""
    import pyarrow.parquet as pq

    described = 0
    for path in (project / "data").glob("0[2578]_*/*.parquet"):
        notes = pq.read_schema(path).metadata or {}
        columns = json.loads(notes[b"columns"])
        assert all(columns.values()), (path.name, columns)
        described += len(columns)
    assert described > 50
