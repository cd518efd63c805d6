"""What training tells: a progress bar with an estimate, curves in a file, MLflow."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines import tracking
from pipelines.rows import Table
from pipelines.training.torchrun import is_follower

if TYPE_CHECKING:
    from talkin.training.events import TrainingEvent


class TrainingProgress:
    """Told of every event of a stage; use as a context manager.

    The events are also appended to a file beside the checkpoints, so that a stage that was
    stopped and resumed still has its whole curve.
    """

    def __init__(self, stage: str, checkpoints: Path) -> None:
        """Name the stage and the folder of its checkpoints."""
        from tqdm import tqdm

        self.stage = stage
        self._path = checkpoints / f"{stage}.events.jsonl"
        self._bar = tqdm(desc=f"train {stage}", unit="step", disable=is_follower())
        self._is_first = True

    def __enter__(self) -> "TrainingProgress":
        """Show the bar."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the bar."""
        self._bar.close()

    def __call__(self, event: "TrainingEvent") -> None:
        """Show, keep and send one event."""
        self._show(event)
        values = {k: float(v) for k, v in {**event.losses, **event.metrics}.items()}
        finite = {k: v for k, v in values.items() if math.isfinite(v)}
        if finite:
            self._keep({"stage": event.stage, "step": event.step, "values": finite})
        speed = {"steps_per_s": event.steps_per_s} if event.steps_per_s else {}
        sent = {f"{event.stage}.{name}": value for name, value in (finite | speed).items()}
        tracking.log_metrics(sent, event.step)
        if event.pictures is not None:
            tracking.log_picture(event.pictures, f"{event.stage}_{event.step:07d}")

    def _show(self, event: "TrainingEvent") -> None:
        self._bar.total = event.n_steps
        if self._is_first:
            self._bar.initial = 0
        self._bar.n = event.step
        shown = {**event.losses, **event.metrics}
        self._bar.set_postfix({k: f"{v:.3g}" for k, v in list(shown.items())[:4]}, refresh=True)

    def _keep(self, entry: dict[str, Any]) -> None:
        if self._is_first:
            kept = [old for old in read_events(self._path) if old["step"] < entry["step"]]
            self._path.write_text("".join(json.dumps(old) + "\n" for old in kept))
            self._is_first = False
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")


def read_events(path: Path) -> list[dict[str, Any]]:
    """Events that a stage left; a line cut short by a crash is left out."""
    events = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            events.append(json.loads(line))
        except ValueError:
            continue
    return events


def curves_of(checkpoints: Path, stages: tuple[str, ...]) -> Table:
    """All stages' curves: `stage, step, name, value`."""
    import pandas as pd

    rows = [
        {"stage": event["stage"], "step": event["step"], "name": name, "value": value}
        for stage in stages
        for event in read_events(checkpoints / f"{stage}.events.jsonl")
        for name, value in event["values"].items()
    ]
    return pd.DataFrame(rows, columns=["stage", "step", "name", "value"])
