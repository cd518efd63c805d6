"""The training stage in the processes of `torchrun`: they share the work, the first one writes.

Every process runs the whole stage, for each needs the data and takes part in every step. Were all
of them to save as well, they would write the same files at the same time; so what the others
would save stays in their memory, and they end when they have no more part in it.

    torchrun --standalone --nproc-per-node 2 -m kedro run --pipelines=training
"""

import os
from contextlib import ExitStack
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol, MemoryDataset
from kedro.pipeline import Pipeline

from talkin.errors import ConfigurationError

STAGE = "training"


def is_follower() -> bool:
    """Whether torchrun started this process beside a first one, which writes and tracks for all."""
    return os.environ.get("RANK", "0") != "0"


class TorchrunHooks:
    """Joins the processes for as long as the stage runs; does nothing in a run of its own."""

    def __init__(self) -> None:
        """Nothing is joined yet."""
        self._joined = ExitStack()

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Join the others, and keep a follower from writing.

        Raises:
            ConfigurationError: If other stages than training were asked for.
        """
        if int(os.environ.get("WORLD_SIZE", "1")) == 1:
            return
        others = sorted({tag for node in pipeline.nodes for tag in node.tags} - {STAGE})
        if others:
            raise ConfigurationError(
                f"torchrun runs the training stage alone, but {', '.join(others)} was asked for as "
                "well: run that without torchrun, and `torchrun ... -m kedro run "
                "--pipelines=training` before or after it"
            )
        from talkin.training.parallel import process_group

        self._joined.enter_context(process_group())
        if is_follower():
            _keep_in_memory(pipeline.all_outputs(), catalog)

    @hook_impl
    def after_pipeline_run(self) -> None:
        """Part from the others."""
        self._joined.close()

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Part from the others; torchrun ends them."""
        self._joined.close()


def _keep_in_memory(names: set[str], catalog: Any) -> None:
    for name in names:
        catalog[name] = MemoryDataset(copy_mode="assign")
