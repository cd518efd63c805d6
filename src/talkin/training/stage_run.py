"""The loop that all stages share: schedule, checkpoints, reports, validation, exact resume.

A stage's state after n steps is a function of its networks at the start, its data, its settings
and n. The folder of its checkpoints is named by a digest of these, so a stage whose settings or
data changed begins anew by itself, and one that did not goes on where it was.
"""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import Adam

from talkin.training.best_state import BestState
from talkin.training.checkpoint import load_checkpoint, save_checkpoint
from talkin.training.config import TrainingConfig
from talkin.training.events import Report, TrainingEvent, no_report
from talkin.training.parallel import this_share
from talkin.training.stage import Stage, Validation


def run_stage(
    stage: Stage,
    config: TrainingConfig,
    checkpoint_folder: Path,
    data_digest: str,
    report: Report,
) -> None:
    """Run a stage to its end, from its newest checkpoint on.

    Raises:
        ConfigurationError: If a checkpoint is damaged, or not every process sees it.
    """
    if stage.n_steps == 0:
        return
    share = this_share()
    report = report if share.is_first else no_report
    share.agree(stage.networks)
    optimisers = optimisers_of(stage, config)
    digest = _digest(stage, config, data_digest)
    path = checkpoint_folder / f"{stage.name}-{digest}" / "checkpoint.safetensors"
    first = load_checkpoint(path, stage.networks, optimisers)
    share.require_same(first, f"steps done of stage {stage.name} in {checkpoint_folder}")
    best = _best_state(stage, config, path)
    if first >= stage.n_steps:
        report(TrainingEvent(stage=stage.name, step=stage.n_steps, n_steps=stage.n_steps))
    else:
        with _threads(config.threads):
            stage.begin(first)
            try:
                StageRun(stage, config, path, optimisers, report, best).run(first)
            finally:
                stage.end()
    share.wait()  # until the first process has written what the others read
    if best is not None:
        best.restore()
    share.agree(stage.networks)


class StageRun:
    """One uninterrupted stretch of a stage."""

    def __init__(
        self,
        stage: Stage,
        config: TrainingConfig,
        path: Path,
        optimisers: Mapping[str, Adam],
        report: Report,
        best: BestState | None,
    ) -> None:
        """Take a stage and its optimisers, restored already where there was a checkpoint."""
        self.stage, self.config, self.path, self.best = stage, config, path, best
        self.optimisers, self.report = optimisers, report
        self.share = this_share()
        self.schedule = config.optimiser_of(stage.name)
        self.rates: dict[str, float] = {}
        self.sums: dict[str, Tensor] = {}
        self.counts: dict[str, int] = {}

    def run(self, first: int) -> None:
        """Step from `first` to the end."""
        self.first, self.began = first, time.monotonic()
        stage, config = self.stage, self.config
        if self.best is not None and first == 0:
            self.best.show(stage.validate().metrics)  # training must not make it worse
        for step in range(first, stage.n_steps):
            self._set_rates(step)
            self.step(step)
            done = step + 1
            is_last = done == stage.n_steps or self._is_over()
            if is_last or done % config.validate_every == 0:
                found = stage.validate()
                self._tell(done, found)
                if self.best is not None:
                    self.best.show(found.metrics)
            elif done % config.report_every == 0:
                self._tell(done, None)
            if self.share.is_first and (is_last or done % config.checkpoint_every == 0):
                save_checkpoint(self.path, done, stage.networks, self.optimisers)
            if is_last:
                return

    def step(self, step: int) -> None:
        """Every descent of one step."""
        for names, value, terms in self.stage.losses(step):
            if value is not None:
                self.descend([self.optimisers[name] for name in names.split("+")], value)
            for term, number in terms.items():
                self.sums[term] = self.sums.get(term, 0) + number.detach()
                self.counts[term] = self.counts.get(term, 0) + 1

    def descend(self, optimisers: list[Adam], value: Tensor) -> None:
        """Backward, the mean over processes, and one step of the optimisers."""
        for optimiser in optimisers:
            optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(value)
        largest = self.schedule.clip_gradient
        for optimiser in optimisers:
            parameters = optimiser.param_groups[0]["params"]
            self.share.average(parameters)
            if largest:
                nn.utils.clip_grad_norm_(parameters, largest)
            optimiser.step()

    def _set_rates(self, step: int) -> None:
        factor = self.stage.rate_factor(step, self.schedule)
        for name, optimiser in self.optimisers.items():
            self.rates[name] = self.stage.learning_rates[name] * factor
            optimiser.param_groups[0]["lr"] = self.rates[name]

    def _tell(self, done: int, found: Validation | None) -> None:
        spent = time.monotonic() - self.began
        speed = (done - self.first) / max(spent, 1e-9)
        self.report(
            TrainingEvent(
                stage=self.stage.name,
                step=done,
                n_steps=self.stage.n_steps,
                losses={name: float(s) / self.counts[name] for name, s in self.sums.items()},
                metrics=found.metrics if found else {},
                pictures=found.pictures if found else None,
                steps_per_s=speed,
                waiting_share=self.stage.waited_s / max(spent, 1e-9),
                seconds_left=(self.stage.n_steps - done) / speed,
                learning_rates=dict(self.rates),
            )
        )
        self.sums, self.counts = {}, {}

    def _is_over(self) -> bool:
        minutes = self.config.max_minutes
        return minutes is not None and time.monotonic() - self.began > 60 * minutes


def _best_state(stage: Stage, config: TrainingConfig, path: Path) -> BestState | None:
    if not config.keep_best:
        return None
    return BestState(stage.name, stage.networks, path.with_name("best.safetensors"))


def optimisers_of(stage: Stage, config: TrainingConfig) -> dict[str, Adam]:
    """Adam of each network that a stage trains."""
    chosen = config.optimiser_of(stage.name)
    return {
        name: Adam(
            [p for p in stage.networks[name].parameters() if p.requires_grad],
            lr=rate,
            betas=chosen.betas,
            weight_decay=chosen.weight_decay,
            decoupled_weight_decay=True,
            fused=True,
        )
        for name, rate in stage.learning_rates.items()
    }


def _digest(stage: Stage, config: TrainingConfig, data_digest: str) -> str:
    parts: list[object] = [stage.name, stage.settings(), data_digest]
    if config.optimiser_of(stage.name).fade:
        parts.append(stage.n_steps)
    if config.keep_best:  # then when and on what is validated has an effect as well
        watched = {"validate_every", "validation_frames", "validation_windows"}
        parts.append(config.model_dump(mode="json", include=watched))
    described = json.dumps(parts, sort_keys=True)
    digest = hashlib.sha256(described.encode())
    for name, network in stage.networks.items():
        digest.update(name.encode())
        for key, value in network.state_dict().items():
            digest.update(key.encode())
            digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]


@contextmanager
def _threads(wanted: int | None) -> Iterator[None]:
    before = torch.get_num_threads()
    if wanted:
        torch.set_num_threads(wanted)
    try:
        yield
    finally:
        torch.set_num_threads(before)
