"""The whole state of a stage in one safetensors file, so that it is whole or absent.

Held are the networks, Adam's moments and the number of steps done. No random state is needed:
every step draws from generators made of the run's seed and the step's number. Memory order
(channels last) is not stored; tensors are copied into the places that the new run prepared.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from talkin.errors import ConfigurationError
from talkin.files import replace_when_whole
from talkin.networks.saved import plain_tensors

_LAYOUT = "talkin-checkpoint-1"


def save_checkpoint(
    path: Path,
    step: int,
    networks: Mapping[str, nn.Module],
    optimisers: Mapping[str, Optimizer],
) -> None:
    """Write the state after `step` steps."""
    tensors: dict[str, Tensor] = {}
    for name, network in networks.items():
        tensors |= {f"network/{name}/{key}": v for key, v in network.state_dict().items()}
    for name, optimiser in optimisers.items():
        for number, state in optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser/{name}/{number}/{key}": v for key, v in state.items()}
    header = {"layout": _LAYOUT, "step": step}
    with replace_when_whole(path) as part:
        save_file(plain_tensors(tensors), part, metadata={"talkin": json.dumps(header)})


def load_checkpoint(
    path: Path, networks: Mapping[str, nn.Module], optimisers: Mapping[str, Optimizer]
) -> int:
    """Restore a state.

    Returns:
        Steps done; 0, with nothing touched, where there is no checkpoint yet.

    Raises:
        ConfigurationError: If the file is damaged or of other networks.
    """
    if not path.exists():
        return 0
    try:
        with safe_open(path, framework="pt") as opened:
            header = json.loads((opened.metadata() or {}).get("talkin", "{}"))
            tensors = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118
        if header.get("layout") != _LAYOUT:
            raise ValueError(f"its layout is {header.get('layout')!r}, not {_LAYOUT}")
        for name, network in networks.items():
            network.load_state_dict(_part(tensors, f"network/{name}/"))
        for name, optimiser in optimisers.items():
            _restore_optimiser(optimiser, _part(tensors, f"optimiser/{name}/"))
    except (OSError, SafetensorError, RuntimeError, ValueError, KeyError) as error:
        raise ConfigurationError(
            f"checkpoint {path} cannot be continued: {error}; delete it to begin the stage anew"
        ) from error
    return int(header["step"])


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {
        key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)
    }


def _restore_optimiser(optimiser: Optimizer, tensors: Mapping[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        number, _, name = key.partition("/")
        state.setdefault(int(number), {})[name] = value
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    for place, entry in state.items():
        for name, value in entry.items():
            if value.dim() == 4:  # in the memory order of its parameter
                entry[name] = torch.empty_like(parameters[place]).copy_(value)
    optimiser.load_state_dict(
        {"state": state, "param_groups": optimiser.state_dict()["param_groups"]}
    )
