import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file
from torch import distributed
from toy_corpus import toy_config, toy_dataset, toy_training
from two_processes import train_toy

from pipelines.training.launch import run_in_processes
from talkin.errors import ConfigurationError
from talkin.training.parallel import Share
from talkin.training.whole import new_talking_face, train_talking_face

SCRIPT = Path(__file__).parents[1] / "toys" / "two_processes.py"


def train_by_two(folder: Path, weights: Path, batch_size: int) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    command = [sys.executable, str(SCRIPT), str(folder), str(weights), str(batch_size)]
    started = [
        subprocess.Popen(
            command,
            env={**os.environ, **shared, "RANK": rank, "LOCAL_RANK": rank, "OMP_NUM_THREADS": "1"},
        )
        for rank in ("0", "1")
    ]
    assert [process.wait(timeout=500) for process in started] == [0, 0]


def test_two_processes_equal_one_with_the_doubled_batch(tmp_path: Path) -> None:
    train_by_two(tmp_path / "of_two", tmp_path / "two.safetensors", 2)
    train_toy(tmp_path / "of_one", tmp_path / "one.safetensors", 4)
    one, two = (load_file(tmp_path / f"{name}.safetensors") for name in ("one", "two"))
    for key, value in one.items():
        torch.testing.assert_close(two[key], value, rtol=1e-3, atol=2e-5, msg=key)
    untrained = new_talking_face(toy_config(), toy_dataset()).state_dict()
    moved = [key for key in one if not torch.equal(one[key], untrained[key])]
    assert any(key.startswith("renderer") for key in moved)
    assert any(key.startswith("audio_to_expression") for key in moved)


@given(
    size=st.integers(1, 5),
    batch=st.integers(1, 7),
    n_items=st.integers(1, 60),
    step=st.integers(0, 9),
)
def test_processes_share_a_step_without_repeating_a_sample(
    size: int, batch: int, n_items: int, step: int
) -> None:
    parts = [Share(rank, size).order(n_items, batch, 3, step) for rank in range(size)]
    alone = Share().order(n_items, size * batch, 3, step)
    np.testing.assert_array_equal(np.concatenate(parts), alone)


def test_random_numbers_do_not_depend_on_how_many_draw_them() -> None:
    def drawn(share: Share, n: int) -> torch.Tensor:
        return share.normal((n, 2), torch.Generator().manual_seed(1))

    parts = torch.cat([drawn(Share(rank, 3), 2) for rank in range(3)])
    torch.testing.assert_close(parts, drawn(Share(), 6))


def test_processes_that_went_on_from_different_places_say_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def gather(values: list[int], own: int) -> None:
        values[:] = [own, others]

    monkeypatch.setattr(distributed, "all_gather_object", gather)
    others = 8
    Share(0, 2).require_same(8, "steps done")
    with pytest.raises(ConfigurationError, match=r"steps done: \[3, 8\]"):
        Share(0, 2).require_same(3, "steps done")


def test_the_pipeline_takes_over_what_its_processes_learnt(tmp_path: Path) -> None:
    dataset = toy_dataset()
    config = toy_training(stages=("audio",), losses={"speaker_confusion": 0})
    model = new_talking_face(toy_config(), dataset)
    run_in_processes(
        2, {"model": model}, lambda: train_talking_face(model, dataset, config, tmp_path / "two")
    )
    untrained = new_talking_face(toy_config(), dataset)
    key = "audio_to_expression.to_outputs.weight"
    assert not torch.equal(model.state_dict()[key], untrained.state_dict()[key])
    assert len(list((tmp_path / "two").glob("audio-*/checkpoint.safetensors"))) == 1
