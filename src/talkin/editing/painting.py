"""The second pass: footage frames in, edited frames out, a few pictures at a time."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, UInt8
from pydantic import BaseModel, ConfigDict, Field

from talkin.editing.compositing import CompositingConfig, composite
from talkin.editing.deflicker import Deflicker, DeflickerConfig
from talkin.editing.engine import Engine, EngineConfig
from talkin.editing.footage_mouths import PlannedMouths
from talkin.editing.lending import MouthConfig
from talkin.editing.masks import MaskConfig, mouth_mask
from talkin.editing.plan import EditPlan
from talkin.editing.rendering import RenderWindow, WindowedRenderer, WindowingConfig
from talkin.editing.report import StageClock
from talkin.editing.teeth import TeethConfig, TeethDatabase
from talkin.provenance.watermark import Watermark, WatermarkConfig
from talkin.samples.alignment import CropConfig, crop_frame, mask_box


class PaintingConfig(BaseModel):
    """How the new mouth is drawn and pasted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    windowing: WindowingConfig = WindowingConfig()
    engine: EngineConfig = EngineConfig()
    mouth: MouthConfig = MouthConfig()
    mask: MaskConfig = MaskConfig()
    compositing: CompositingConfig = CompositingConfig()
    use_deflicker: bool = Field(default=True, description="Remove flicker of the mouth.")
    deflicker: DeflickerConfig = DeflickerConfig()
    lent_deflicker: DeflickerConfig = Field(
        default=DeflickerConfig(detail_mm=2.0),
        description="The same for mouths that the footage lends: neighbouring frames show teeth of "
        "other moments, of which a mean would be a blur, so only colour and light are calmed.",
    )
    use_teeth: bool = Field(default=False, description="Lend teeth the detail of the footage's.")
    teeth: TeethConfig = TeethConfig()
    watermark: WatermarkConfig | None = Field(
        default=None,
        description="Also put an invisible mark, which outlives re-encoding, on the whole frame. "
        "Off, because pixels outside the mouth stay as they were filmed: a mark on the mouth alone "
        "is lost, see provenance.watermark.",
    )


class PaintedFrame(NamedTuple):
    """An output frame, and the footage frame under it."""

    footage: UInt8[np.ndarray, "height width 3"]
    edited: UInt8[np.ndarray, "height width 3"]


class _Waiting(NamedTuple):
    number: int
    image: np.ndarray
    crop: np.ndarray


class MouthPainter:
    """Renders and pastes the mouths of one planned edit."""

    def __init__(
        self,
        plan: EditPlan,
        render: RenderWindow,
        crop: CropConfig,
        config: PaintingConfig,
        clock: StageClock,
        teeth: TeethDatabase | None = None,
        lent: PlannedMouths | None = None,
    ) -> None:
        """Prepare an edit.

        Args:
            plan: The edit in numbers.
            render: The renderer, one window at a time.
            crop: Geometry of the crops that it was trained on.
            config: How to draw and paste.
            clock: Counts each stage's time.
            teeth: The footage's open mouths, where teeth are to be sharpened.
            lent: Mouths that fill the masks before the renderer gets the crops.
        """
        self._lent = lent
        self._plan, self._crop, self._config, self._clock = plan, crop, config, clock
        self._box, self._teeth = mask_box(crop), teeth
        self._watermark: Watermark | None = None
        self._render = render
        self._first = self._first_rendered = self._newest = 0
        self._windows = self._new_windows()
        self._behind: deque[_Waiting] = deque()  # frames that the deflicker holds back
        is_lent = lent is not None and lent.inlay is not None
        self._calming = config.lent_deflicker if is_lent else config.deflicker
        self._deflicker = (
            Deflicker(self._box, crop.px_per_mm, self._calming) if config.use_deflicker else None
        )

    def paint(
        self,
        images: Iterable[np.ndarray],
        first: int = 0,
    ) -> Iterator[PaintedFrame]:
        """Edit the planned frames, streaming.

        Args:
            images: Footage frames in the plan's order (RGB), from the plan's first on.
            first: The first frame to paint; those before it are only shown to what remembers.

        Yields:
            One output frame a planned frame from `first` on, the same whatever `first` is.
        """
        self._first = self._first_rendered = first
        if self._deflicker is not None:
            self._first_rendered -= self._calming.reach
        for frame in self._paint(images):
            yield frame._replace(edited=self._marked(frame.edited))

    def _marked(self, image: np.ndarray) -> np.ndarray:
        if self._config.watermark is None:
            return image
        if self._watermark is None:
            height, width = image.shape[:2]
            self._watermark = Watermark(width, height, self._config.watermark)
        with self._clock.stage("mark"):
            return self._watermark.embed(image)

    def _paint(self, images: Iterable[np.ndarray]) -> Iterator[PaintedFrame]:
        windows = self._new_windows()
        waiting: deque[_Waiting] = deque()
        for number, image in enumerate(images):
            if self._plan.starts_anew[number]:
                yield from self._end_run(windows, waiting)
                windows = self._new_windows()
            if not self._plan.is_rendered[number]:
                if number >= self._first:
                    yield PaintedFrame(image, image)
                continue
            crop = self._crop_of(number, image)
            waiting.append(_Waiting(number, image, crop))
            self._newest = number
            for rendered in windows.push(self._filled(number, crop), self._plan.new_points[number]):
                yield from self._finish(waiting.popleft(), rendered)
        yield from self._end_run(windows, waiting)

    def _new_windows(self) -> WindowedRenderer:
        self._windows = WindowedRenderer(self._timed_render, self._config.windowing)
        return self._windows

    def _end_run(
        self, windows: WindowedRenderer, waiting: deque[_Waiting]
    ) -> Iterator[PaintedFrame]:
        """Give what is left of a run of frames, and forget it."""
        for rendered in windows.flush():
            yield from self._finish(waiting.popleft(), rendered)
        yield from self._finish_held_back()

    def _crop_of(self, number: int, image: np.ndarray) -> UInt8[np.ndarray, "size size 3"]:
        """The frame's crop; black where no window that is rendered holds it."""
        if number < self._first_rendered - self._config.windowing.frames:
            return np.zeros((self._crop.size_px, self._crop.size_px, 3), np.uint8)
        with self._clock.stage("crop"):
            return crop_frame(image, self._plan.transforms[number], self._crop.size_px)

    def _filled(self, number: int, crop: np.ndarray) -> UInt8[np.ndarray, "size size 3"]:
        """What the renderer gets: the crop, its mask filled where mouths are lent."""
        if self._lent is None or number < self._first_rendered - self._config.windowing.frames:
            return crop
        with self._clock.stage("lend mouths"):
            return self._lent.filled(number, crop)

    def _timed_render(
        self, crops: np.ndarray, landmarks: np.ndarray
    ) -> Float[np.ndarray, "outputs size size 3"]:
        # A window that ends before the first wanted frame holds none that is wanted.
        if self._newest < self._first_rendered:
            return crops.astype(np.float32)
        with self._clock.stage("render"):
            if isinstance(self._render, Engine):
                return self._render(crops, landmarks, self._windows.n_wanted)
            return self._render(crops, landmarks)

    def _finish(self, frame: _Waiting, rendered: np.ndarray) -> Iterator[PaintedFrame]:
        """Post-process and paste a frame, or those before it that it makes ready."""
        if frame.number < self._first_rendered:
            return
        if not self._plan.is_edited[frame.number]:
            yield from self._finish_held_back()
            if frame.number >= self._first:
                yield PaintedFrame(frame.image, frame.image)
            return
        points = self._plan.new_points[frame.number]
        if self._teeth is not None:
            with self._clock.stage("teeth"):
                rendered = self._teeth.transfer(rendered, points)
        if self._deflicker is None:
            yield self._pasted(frame, rendered)
            return
        self._behind.append(frame)
        with self._clock.stage("deflicker"):
            calm = list(self._deflicker.push(rendered, points))
        yield from self._paste_held_back(calm)

    def _finish_held_back(self) -> Iterator[PaintedFrame]:
        """Give what the deflicker still holds back, and let it forget what it saw."""
        if self._deflicker is not None:
            with self._clock.stage("deflicker"):
                calm = list(self._deflicker.flush())
            yield from self._paste_held_back(calm)

    def _paste_held_back(self, calm: list[np.ndarray]) -> Iterator[PaintedFrame]:
        for rendered in calm:
            frame = self._behind.popleft()
            if frame.number >= self._first:
                yield self._pasted(frame, rendered)

    def _pasted(self, frame: _Waiting, rendered: np.ndarray) -> PaintedFrame:
        points = self._plan.new_points[frame.number]
        if self._lent is not None:
            with self._clock.stage("set in"):
                # After the deflicker: what the footage itself shows needs no calming.
                rendered = self._lent.set_in(frame.number, frame.crop, rendered)
        with self._clock.stage("composite"):
            mask = mouth_mask(
                self._plan.old_points[frame.number],
                points,
                self._box,
                self._crop.size_px,
                self._crop.px_per_mm,
                self._config.mask,
            )
            edited = composite(
                frame.image,
                rendered,
                frame.crop,
                mask,
                self._plan.transforms[frame.number],
                self._config.compositing,
            )
        return PaintedFrame(frame.image, edited)
