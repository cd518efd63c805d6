from pathlib import Path

import pytest
import torch

from talkin.errors import ConfigurationError
from talkin.training.checkpoint import load_checkpoint, save_checkpoint


def network_after(steps: int) -> tuple[torch.nn.Module, torch.optim.Adam]:
    torch.manual_seed(0)
    network = torch.nn.Conv2d(2, 3, 3)
    optimiser = torch.optim.Adam(network.parameters(), betas=(0.5, 0.999))
    for step in range(steps):
        descend(network, optimiser, step)
    return network, optimiser


def descend(network: torch.nn.Module, optimiser: torch.optim.Adam, step: int) -> None:
    optimiser.zero_grad()
    x = torch.randn(1, 2, 5, 5, generator=torch.Generator().manual_seed(step))
    network(x).square().mean().backward()
    optimiser.step()


@pytest.mark.parametrize("is_channels_last", [False, True])
def test_going_on_equals_never_having_stopped(tmp_path: Path, is_channels_last: bool) -> None:
    path = tmp_path / "checkpoint.safetensors"
    network, optimiser = network_after(3)
    save_checkpoint(path, 3, {"n": network}, {"n": optimiser})
    fresh, fresh_optimiser = network_after(0)
    if is_channels_last:
        fresh.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    assert load_checkpoint(path, {"n": fresh}, {"n": fresh_optimiser}) == 3
    descend(fresh, fresh_optimiser, 3)
    descend(network, optimiser, 3)
    for name, value in network.state_dict().items():
        torch.testing.assert_close(
            fresh.state_dict()[name], value, rtol=0, atol=1e-7 if is_channels_last else 0
        )


def test_without_a_file_nothing_is_touched(tmp_path: Path) -> None:
    network, optimiser = network_after(1)
    before = network.weight.clone()
    assert load_checkpoint(tmp_path / "none.safetensors", {"n": network}, {"n": optimiser}) == 0
    assert torch.equal(network.weight, before)


@pytest.mark.parametrize("damage", ["cut", "other networks", "no layout"])
def test_a_checkpoint_that_does_not_fit_says_how_to_begin_anew(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "checkpoint.safetensors"
    network, optimiser = network_after(1)
    save_checkpoint(path, 1, {"n": network}, {"n": optimiser})
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-9])
    elif damage == "no layout":
        from safetensors.torch import save_file

        save_file({"x": torch.zeros(1)}, path)
    else:
        network = torch.nn.Conv2d(2, 4, 3)
    with pytest.raises(ConfigurationError, match=r"(?s)cannot be continued.*delete it"):
        load_checkpoint(path, {"n": network}, {"n": optimiser})


def test_a_crash_while_writing_leaves_the_older_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "checkpoint.safetensors"
    network, optimiser = network_after(1)
    save_checkpoint(path, 1, {"n": network}, {"n": optimiser})

    def full_disk(*_args: object, **_more: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("talkin.training.checkpoint.save_file", full_disk)
    with pytest.raises(OSError, match="no space"):
        save_checkpoint(path, 2, {"n": network}, {"n": optimiser})
    assert load_checkpoint(path, {"n": network}, {"n": optimiser}) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint.safetensors"]
