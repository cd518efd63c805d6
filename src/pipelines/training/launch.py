"""A stage of training by several processes of this machine; see `torchrun` for several machines.

Processes are forked, so that they see the prepared data without a copy; therefore nothing may
touch a GPU before. The first process leaves the trained networks in a file for this one.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from talkin.scratch import scratch_folder

if TYPE_CHECKING:
    from torch import nn


def run_in_processes(n: int, networks: Mapping[str, "nn.Module"], work: Callable[[], Any]) -> None:
    """Do some training work in `n` processes that share it, and take over what they learnt.

    Args:
        n: Processes to start on this machine.
        networks: What the work changes.
        work: Trains `networks`.

    Raises:
        torch.distributed.elastic.multiprocessing.errors.ChildFailedError: If one of them failed.
    """
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    from talkin.networks.saved import load_weights

    with scratch_folder("processes") as folder:
        config = LaunchConfig(
            min_nodes=1,
            max_nodes=1,
            nproc_per_node=n,
            run_id=f"talkin-{os.getpid()}",
            rdzv_backend="c10d",
            rdzv_endpoint="localhost:0",
            max_restarts=0,
            start_method="fork",
        )
        elastic_launch(config, _share_of_the_work)(networks, work, str(folder))
        for name, network in networks.items():
            load_weights(network, folder / f"{name}.safetensors")


def _share_of_the_work(
    networks: Mapping[str, "nn.Module"], work: Callable[[], Any], folder: str
) -> None:
    import torch

    from talkin.networks.saved import save_weights
    from talkin.training.parallel import process_group

    torch.set_num_threads(1)  # the parent's threads are not there after a fork
    with process_group() as share:
        work()
        if share.is_first:
            for name, network in networks.items():
                save_weights(network, Path(folder) / f"{name}.safetensors")
