"""What training tells whoever watches it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import UInt8


@dataclass(frozen=True, eq=False)
class TrainingEvent:
    """A moment of a stage.

    Attributes:
        stage: Which one.
        step: Steps done; equals `n_steps` at the end.
        n_steps: Steps of the stage.
        losses: Mean of each term since the last event, not weighted.
        metrics: Validation, where this event is one; else empty.
        pictures: Grid of truth, masked input, heatmap, generated and pasted frames, a row a
            sample; where this event shows them.
        steps_per_s: Speed since the start or the resumption.
        waiting_share: Share of the time spent waiting for data.
        seconds_left: Estimate until the end of the stage.
        learning_rates: By network.
    """

    stage: str
    step: int
    n_steps: int
    losses: Mapping[str, float] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    pictures: UInt8[np.ndarray, "height width 3"] | None = None
    steps_per_s: float = 0.0
    waiting_share: float = 0.0
    seconds_left: float = 0.0
    learning_rates: Mapping[str, float] = field(default_factory=dict)


Report = Callable[[TrainingEvent], None]


def no_report(event: TrainingEvent) -> None:
    """Tell nobody."""
