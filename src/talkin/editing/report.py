"""What an edit did: frames, reasons, time spent."""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Int


@dataclass(frozen=True)
class UneditedRange:
    """Output frames `start` to `stop` (exclusive) that show the footage as it was."""

    start: int
    stop: int
    reason: str


@dataclass(frozen=True)
class EditReport:
    """What `edit_clip` did.

    Attributes:
        output: The written video.
        fps: Its frames per second, the footage's own.
        n_frames: Frames written.
        n_edited: Frames with a new mouth.
        unedited: Ranges without, and why.
        frame_order: The footage frame that each output frame shows.
        ms_per_frame: Time of each stage over the output frames, ms.
        notes: What a user should know.
    """

    output: Path
    fps: float
    n_frames: int
    n_edited: int
    unedited: list[UneditedRange]
    frame_order: Int[np.ndarray, "frames"]
    ms_per_frame: dict[str, float]
    notes: list[str] = field(default_factory=list)

    @property
    def duration_s(self) -> float:
        """Length of the output, s."""
        return self.n_frames / self.fps

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, without the frame order."""
        record = asdict(self)
        del record["frame_order"]
        return record | {"output": str(self.output), "duration_s": self.duration_s}


def unedited_ranges(is_edited: Bool[np.ndarray, "frames"], reason: str) -> list[UneditedRange]:
    """Join frames that were not edited into ranges."""
    edges = np.flatnonzero(np.diff(np.concatenate([[True], is_edited, [True]]).astype(np.int8)))
    return [
        UneditedRange(int(start), int(stop), reason)
        for start, stop in zip(edges[::2], edges[1::2], strict=True)
    ]


class StageClock:
    """Adds up the time of each stage."""

    def __init__(self) -> None:
        """Start at zero."""
        self._seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time inside the block."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[name] += time.perf_counter() - start

    def ms_per_frame(self, n_frames: int) -> dict[str, float]:
        """Milliseconds a frame of each stage, in the order in which they began."""
        return {name: 1000 * s / max(1, n_frames) for name, s in self._seconds.items()}
