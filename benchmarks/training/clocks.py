"""A picture stage with every part of its steps under a clock."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from talkin.training.config import TrainingConfig
from talkin.training.events import no_report
from talkin.training.picture_stage import PictureStage
from talkin.training.stage_run import StageRun, optimisers_of

_WARM_UP = 3


class Timed:
    """A stage in one way, every part of its steps under a clock."""

    def __init__(self, stage: PictureStage, config: TrainingConfig, is_whole: bool) -> None:
        """Make it ready and run its first steps; `is_whole` forbids TF32."""
        self.stage, self.device, self.is_whole = stage, stage.device, is_whole
        self.run, self.precision = run_of(stage, config), stage.precision
        self.steps: list[float] = []
        self.parts: dict[str, list[float]] = {}
        self.memory = 0.0
        self.stage.begin(0)
        began = self._now()
        self.run.step(0)
        self.first_s = self._now() - began
        for step in range(1, _WARM_UP):
            self.run.step(step)
        self.done = _WARM_UP
        self._put_under_clocks()

    def go(self, n: int) -> None:
        """Some steps more."""
        torch.backends.cudnn.allow_tf32 = not self.is_whole
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        for step in range(self.done, self.done + n):
            began = self._now()
            self.run.step(step)
            self.steps.append(self._now() - began)
        self.done += n
        if self.device.type == "cuda":
            self.memory = torch.cuda.max_memory_allocated(self.device) / 1e9

    def release(self) -> None:
        """Leave the device to the next; what was measured stays."""
        self.stage.end()
        del self.stage, self.run

    def _put_under_clocks(self) -> None:
        timed: list[tuple[str, Any, str]] = [
            ("reading", self.stage, "_take"),
            ("guide", self.stage, "guide"),
            ("painting", self.stage, "_rendered"),
            ("losses", self.stage, "_picture_terms"),
            ("judging", self.stage.adversary, "learn"),
            ("descent", self.run, "descend"),
            *[("Adam", one, "step") for one in self.run.optimisers.values()],
        ]
        for part, owner, name in timed:
            self.parts[part] = []
            setattr(owner, name, self._clocked(part, getattr(owner, name)))

    def _clocked(self, part: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*given: Any, **named: Any) -> Any:
            began = self._now()
            result = call(*given, **named)
            self.parts[part].append(self._now() - began)
            return result

        return run

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        alone = self.device.type == "cpu" and torch.get_num_threads() == 1
        return time.thread_time() if alone else time.perf_counter()


def run_of(stage: PictureStage, config: TrainingConfig) -> StageRun:
    """The loop of a stage, which writes and reports nothing."""
    optimisers = optimisers_of(stage, config)
    path = Path(tempfile.gettempdir()) / "never_written.safetensors"
    return StageRun(stage, config, path, optimisers, no_report, None)
