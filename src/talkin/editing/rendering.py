"""Overlapping windows through the renderer, streamed: crops go in, rendered crops come out.

The renderer completes 7 frames at once. A new window every frame, of which the last picture is
taken, is causal; a larger stride saves time, for it takes the last pictures of fewer windows.
Averaging all windows that cover a frame costs nothing more than the wait for them, and their errors
cancel in part. Windows one behind the other are cheapest; where one ends and the next begins the
picture jumps, which the deflicker evens out (benchmarks/editing/quality.py compares them).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from jaxtyping import Float, Float32, UInt8
from pydantic import BaseModel, ConfigDict, Field, model_validator

if TYPE_CHECKING:
    from talkin.networks.talking_face import TalkingFace

RenderWindow = Callable[
    [UInt8[np.ndarray, "window size size 3"], Float[np.ndarray, "window 39 2"]],
    Float32[np.ndarray, "outputs size size 3"],
]


class WindowingConfig(BaseModel):
    """How windows overlap."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stride: int = Field(
        default=7,
        ge=1,
        description="Frames from one window to the next: 1 is calmest, a whole window fastest.",
    )
    overlap: Literal["last", "average"] = Field(
        default="average",
        description="Take the last window that shows a frame, or the mean of all, which is nearer "
        "to the truth and flickers less.",
    )
    frames: int = Field(
        default=7,
        ge=1,
        description="Frames of a window (section 3.3.1); an edit takes its model's.",
    )

    @model_validator(mode="after")
    def _no_frame_is_skipped(self) -> Self:
        if self.stride > self.frames:
            raise ValueError(f"stride {self.stride} skips frames: a window has {self.frames}")
        return self

    def of_model(self, frames: int, n_outputs: int | None = None) -> Self:
        """The same for a model's windows of `frames` frames, of which it completes `n_outputs`.

        A longer stride becomes as long as what is completed, so that no frame is left out.
        """
        stride = min(self.stride, n_outputs or frames)
        return self.model_copy(update={"frames": frames, "stride": stride})


@dataclass
class _Waiting:
    crop: np.ndarray
    landmarks: np.ndarray
    total: np.ndarray | None = None
    count: int = 0


class WindowedRenderer:
    """Feeds windows of the newest crops to the renderer; holds at most two windows of crops."""

    def __init__(self, render: RenderWindow, config: WindowingConfig) -> None:
        """Start a clip.

        Args:
            render: Completes a window; may return only its last frames.
            config: Window and stride.
        """
        self.n_wanted = config.frames  # how many of the running window's frames will be shown
        self._render = render
        self._config = config
        self._held: list[_Waiting] = []
        self._first_held = 0
        self._pushed = 0
        self._covered = 0
        self._given = 0

    def push(
        self, crop: UInt8[np.ndarray, "size size 3"], landmarks: Float[np.ndarray, "39 2"]
    ) -> Iterator[UInt8[np.ndarray, "size size 3"]]:
        """Take the next frame; give the rendered crops, in order, that are ready by it."""
        self._held.append(_Waiting(crop, landmarks))
        self._pushed += 1
        first_window = self._pushed == self._config.frames
        due = self._pushed - self._covered >= self._config.stride
        if first_window or (due and self._pushed > self._config.frames):
            self._run()
        # A later window may still reach `frames - stride` back; with "last" it never does.
        reach = self._config.frames - self._config.stride
        late = reach if self._config.overlap == "average" else 0
        yield from self._give(self._covered - late)

    def flush(self) -> Iterator[UInt8[np.ndarray, "size size 3"]]:
        """End the clip: give the rest."""
        if self._covered < self._pushed:
            self._run()
        yield from self._give(self._pushed)

    def _run(self) -> None:
        window = self._held[-self._config.frames :]
        padding = [window[0]] * (self._config.frames - len(window))  # a clip shorter than one
        padded = padding + window
        self.n_wanted = len(window)
        if self._config.overlap == "last":
            self.n_wanted = min(self.n_wanted, self._pushed - self._covered)
        rendered = self._render(
            np.stack([waiting.crop for waiting in padded]),
            np.stack([waiting.landmarks for waiting in padded]),
        )
        usable = min(self.n_wanted, len(rendered))
        for waiting, picture in zip(window[-usable:], rendered[-usable:], strict=True):
            waiting.total = picture.copy() if waiting.total is None else waiting.total + picture
            waiting.count += 1
        self._covered = self._pushed

    def _give(self, until: int) -> Iterator[UInt8[np.ndarray, "size size 3"]]:
        while self._given < until:
            waiting = self._held[self._given - self._first_held]
            self._given += 1
            if waiting.total is None:
                # A renderer of last frames only has no picture for the frames of the first window.
                yield waiting.crop
            else:
                mean = waiting.total / waiting.count
                yield np.clip(np.rint(mean), 0, 255).astype(np.uint8)
        drop = min(self._given, self._pushed - self._config.frames) - self._first_held
        if drop > 0:
            del self._held[:drop]
            self._first_held += drop


def renderer_of(model: "TalkingFace") -> RenderWindow:
    """A model's renderer as a function of one window of RGB crops and landmarks, in grey levels.

    A model of `mask_fill: reference` starts from what the crops show inside the mask.
    """
    import torch

    from talkin.samples.sample import frames_to_unit

    device = next(model.parameters()).device
    x0, y0, x1, y1 = model.config.mask_box

    def render(crops: np.ndarray, landmarks: np.ndarray) -> Float32[np.ndarray, "o s s 3"]:
        frames = torch.from_numpy(crops).movedim(-1, 1).contiguous().to(device)
        points = torch.from_numpy(np.ascontiguousarray(landmarks, dtype=np.float32)).to(device)
        with torch.inference_mode():
            unit = frames_to_unit(frames)[None]
            fill = unit[..., y0:y1, x0:x1]
            pasted = model.render(unit, points[None], fill=fill).pasted[0]
        return ((pasted.float().clamp(-1, 1) + 1) * 127.5).movedim(1, -1).cpu().numpy()

    return render
