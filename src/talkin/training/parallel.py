"""Training by several processes that behave as one with a larger batch.

Every process takes its own part of each step's samples, and gradients are averaged before they are
descended. Random numbers are drawn for the whole step and cut, so the result does not depend on
how many processes share the work (but for batch normalisation in the judges of Eq. 2, whose
statistics are of each process' own part).

Processes come from `torchrun` or from torch's elastic launch in the pipeline; without them there
is one process, and nothing here costs anything.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, distributed, nn

from talkin.errors import ConfigurationError
from talkin.samples.order import sample_order


@dataclass(frozen=True)
class Share:
    """Which part of the work is this process'.

    Attributes:
        rank: Its number, from 0.
        size: How many there are.
    """

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process writes files and tells of progress."""
        return self.rank == 0

    def order(
        self, n_items: int, batch_size: int, seed: int, step: int
    ) -> Int[np.ndarray, "batch"]:
        """This process' samples of a step; no other has them (`sample_order`)."""
        together = sample_order(n_items, self.size * batch_size, seed, step)
        return together[self.rank * batch_size : (self.rank + 1) * batch_size]

    def uniform(
        self, shape: tuple[int, ...], generator: torch.Generator
    ) -> Float[Tensor, "*shape"]:
        """This process' part of numbers in 0 .. 1 that all draw alike."""
        return self._part(torch.rand, shape, generator)

    def normal(self, shape: tuple[int, ...], generator: torch.Generator) -> Float[Tensor, "*shape"]:
        """This process' part of standard normal numbers that all draw alike."""
        return self._part(torch.randn, shape, generator)

    def average(self, parameters: Iterable[nn.Parameter]) -> None:
        """Give all processes the mean of their gradients."""
        if self.size == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        if not gradients:
            return
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        distributed.all_reduce(flat)
        flat /= self.size
        parts = torch.split(flat, [gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def agree(self, networks: Mapping[str, nn.Module]) -> None:
        """Give all processes the first one's networks."""
        if self.size == 1:
            return
        for network in networks.values():
            for value in network.state_dict().values():
                distributed.broadcast(value, 0)

    def wait(self) -> None:
        """Go on when all have come here."""
        if self.size > 1:
            distributed.barrier()

    def require_same(self, value: int, what: str) -> None:
        """Refuse to go on from different places.

        Raises:
            ConfigurationError: If the processes' values differ.
        """
        if self.size == 1:
            return
        values = [0] * self.size
        distributed.all_gather_object(values, value)
        if len(set(values)) > 1:
            raise ConfigurationError(
                f"the processes disagree on the {what}: {values}; their checkpoints must lie in "
                "one folder that all machines share"
            )

    def _part(
        self, draw: Callable[..., Tensor], shape: tuple[int, ...], generator: torch.Generator
    ) -> Tensor:
        n = shape[0]
        together = draw((self.size * n, *shape[1:]), generator=generator)
        return together[self.rank * n : (self.rank + 1) * n]


def this_share() -> Share:
    """The part of the process that asks."""
    if distributed.is_available() and distributed.is_initialized():
        return Share(distributed.get_rank(), distributed.get_world_size())
    return Share()


def local_device_number() -> int:
    """Which of a machine's GPUs is this process'."""
    return int(os.environ.get("LOCAL_RANK", "0"))


@contextmanager
def process_group() -> Iterator[Share]:
    """Join the processes that torchrun or an elastic launch started; alone otherwise."""
    is_joined = distributed.is_available() and distributed.is_initialized()
    if is_joined or int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield this_share()
        return
    if torch.cuda.is_available():  # also for what names no device, such as a barrier
        torch.cuda.set_device(local_device_number() % torch.cuda.device_count())
        distributed.init_process_group("cpu:gloo,cuda:nccl")  # device: cpu trains on the former
    else:
        distributed.init_process_group("gloo")
    try:
        yield this_share()
    finally:
        distributed.destroy_process_group()
