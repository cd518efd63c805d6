"""The training stage in the processes of torchrun."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline
from safetensors.torch import load_file
from torch import Tensor

from pipelines.datasets.documents import JsonDataset
from pipelines.training.torchrun import TorchrunHooks
from talkin.errors import ConfigurationError
from talkin.training import parallel


def made_by(*tags: str) -> Pipeline:
    return Pipeline([Node(abs, f"given_{tag}", f"made_{tag}", tags=tag) for tag in tags])


def test_other_stages_than_training_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigurationError, match="but preprocess was asked for"):
        TorchrunHooks().before_pipeline_run(made_by("training", "preprocess"), DataCatalog())


@pytest.mark.parametrize(("rank", "is_written"), [("0", True), ("1", False)])
def test_only_the_first_process_writes(
    rank: str, is_written: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", rank)
    monkeypatch.setattr(parallel.distributed, "is_initialized", lambda: True)  # nobody to wait for
    monkeypatch.setattr(parallel.distributed, "get_rank", lambda: int(rank))
    monkeypatch.setattr(parallel.distributed, "get_world_size", lambda: 2)
    catalog = DataCatalog(
        {
            "given_training": MemoryDataset(-3),
            "made_training": JsonDataset(filepath=str(tmp_path / "made.json")),
        }
    )
    TorchrunHooks().before_pipeline_run(made_by("training"), catalog)
    catalog.save("made_training", {"a": 1})
    assert catalog.load("made_training") == {"a": 1}
    assert (tmp_path / "made.json").exists() == is_written


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_processes_of_torchrun_train_what_one_does_with_doubled_batches(
    project: Path, run: Callable[..., Any], tmp_path: Path
) -> None:
    run("demo")
    run("preprocess")
    alone = tmp_path / "alone"
    shutil.copytree(project, alone)
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    train(project, [*torchrun, "-m", "kedro"], batch_size=2)
    train(alone, ["-m", "kedro"], batch_size=4)

    models = [folder / "data/06_models" for folder in (project, alone)]
    begun = load_file(models[1] / "talking_face_after_audio/weights.safetensors")
    heard = load_file(models[0] / "talking_face_after_audio/weights.safetensors")
    for key, value in begun.items():
        torch.testing.assert_close(heard[key], value, rtol=1e-3, atol=2e-5, msg=key)
    two, one = (load_file(folder / "talking_face/weights.safetensors") for folder in models)
    for network in ("renderer", "audio_to_expression"):
        # Adam's first steps have the size of the learning rate however small a gradient is, so
        # rounding decides the direction of a few weights.
        learnt, apart = (distance(other, one, network) for other in (begun, two))
        assert learnt > 1e-3
        assert apart < 0.03 * learnt
    registered = json.loads((models[0] / "registered_model.json").read_text())
    assert (registered["version"], registered["is_champion"]) == ("1", True)


def distance(some: dict[str, Tensor], others: dict[str, Tensor], network: str) -> float:
    keys = [key for key in some if key.startswith(network)]
    return sum(float((some[key] - others[key]).square().sum()) for key in keys) ** 0.5


def train(folder: Path, command: list[str], batch_size: int) -> None:
    settings = {f"{stage}.batch_size": batch_size for stage in ("audio", "renderer", "joint")}
    settings |= {"losses.speaker_confusion": 0}  # its judges normalise over a process' own batch
    params = ",".join(f"training.train.{key}={value}" for key, value in settings.items())
    unset = {"MLFLOW_TRACKING_URI"}
    ended = subprocess.run(
        [sys.executable, *command, "run", "--pipelines=training", "--env=test", "--params", params],
        cwd=folder,
        env={**{k: v for k, v in os.environ.items() if k not in unset}, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-4000:]
