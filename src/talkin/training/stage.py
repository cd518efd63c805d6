"""What a stage of training is; `stage_run` is the loop that all of them share."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from talkin.networks.precision import has_fast_bfloat16
from talkin.training.config import StageName, TrainingConfig
from talkin.training.parallel import local_device_number, this_share
from talkin.training.stage_configs import OptimiserConfig


@dataclass(frozen=True, eq=False)
class Validation:
    """What a stage knows of itself on held-out data."""

    metrics: Mapping[str, float]
    pictures: np.ndarray | None = None


class Stage(ABC):
    """One kind of step, and what it changes.

    Attributes:
        name: As in `TrainingConfig.stages`.
        n_steps: Steps of the whole stage.
        networks: Everything that a checkpoint must hold, by name.
        learning_rates: Of each trained network at step 0.
        waited_s: Time spent waiting for data so far.
    """

    name: StageName
    n_steps: int
    networks: Mapping[str, nn.Module]
    learning_rates: Mapping[str, float]
    waited_s: float = 0.0

    @abstractmethod
    def settings(self) -> Mapping[str, object]:
        """Every setting that has an effect on the result, but for the number of steps."""

    @abstractmethod
    def losses(self, step: int) -> Iterator[tuple[str, Tensor | None, Mapping[str, Tensor]]]:
        """The descents of one step, in turn.

        Yields:
            Network, value that it descends (None: nothing), terms to report. A network descends
            as soon as it is yielded; several may share a value by joining their names with "+".
        """

    @abstractmethod
    def validate(self) -> Validation:
        """Measure on held-out data; must not change anything that training reads."""

    def rate_factor(self, step: int, schedule: OptimiserConfig) -> float:
        """What the learning rates are multiplied by at a step."""
        return schedule.rate_factor(step, self.n_steps)

    def begin(self, step: int) -> None:  # noqa: B027 - most stages have nothing to prepare
        """Prepare to run from a step on."""

    def end(self) -> None:  # noqa: B027
        """Free what `begin` took."""


def chosen_device(config: TrainingConfig) -> torch.device:
    """The device that the configuration names; auto = a GPU where there is one."""
    wanted = config.device
    if wanted == "auto":
        wanted = "cuda" if torch.cuda.is_available() else "cpu"
    if wanted == "cuda" and this_share().size > 1:
        return torch.device("cuda", local_device_number())
    return torch.device(wanted)


def chosen_precision(config: TrainingConfig, device: torch.device) -> str:
    """fp32 or bf16; auto = bf16 where the device multiplies it in hardware."""
    if config.precision == "auto":
        return "bf16" if has_fast_bfloat16(device) else "fp32"
    return config.precision


def step_generator(seed: int, stage: str, step: int) -> torch.Generator:
    """The random source of one step, on the CPU so that every device draws the same."""
    mixed = hashlib.sha256(f"{seed}/{stage}/{step}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(mixed[:7], "little"))
