"""Removing flicker of the rendered pictures (appendix G, Eq. 7).

Eq. 7 solves a screened Poisson equation: the gradients of the rendered frame, pulled towards the
frame before, warped by optical flow. Its gain at frequency 0 is lambda / lambda = 1 however small
lambda is, so the mean colour never follows the rendered picture again and errors of the flow are
carried along: the loss of 1 to 2 dB in Table 2. Optical flow between rendered pictures is the other
weakness: it takes their flicker for motion and follows it. An edit knows the motion better, for it
says where the points of the mouth go. `Deflicker` interpolates their motion over the region and
averages each frame with its neighbours before and after along it:

    O_t = P_t + sum_s g_s (warp(P_s) - P_t) / (1 + sum_s g_s),   s = t - reach .. t + reach

with g falling with the distance in time and where the warped neighbour does not fit. Nothing is
carried on, so an edit can go on at any frame. Large pictures are corrected on a coarser grid:
flicker is coarse, and what is finer stays as it was rendered.
"""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Float, Float32, UInt8
from pydantic import BaseModel, ConfigDict, Field

# Of the interpolation of motion, mm on the face: distance within which a point alone decides, and
# how coarse the grid is on which motion is computed; of the misfit: over how much it is averaged.
_POINT_MM, _GRID_MM, _MISFIT_MM = 2.8, 5.6, 2.8
_FINEST_PX_PER_MM = 0.7  # from twice this resolution on, pictures are shrunk


class DeflickerConfig(BaseModel):
    """Strength of the deflicker."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reach: int = Field(default=2, ge=1, description="Frames looked at before and after each.")
    fade_frames: float = Field(
        default=1.5, gt=0, description="Standard deviation of the weights in time, frames."
    )
    misfit_levels: float = Field(
        default=40.0,
        gt=0,
        description="Grey levels between a frame and its neighbour, moved onto it, at which the "
        "neighbour's weight falls to 1/e.",
    )
    detail_mm: float = Field(
        default=0.0,
        ge=0,
        description="What is finer than this stays as it was drawn (standard deviation of a "
        "Gaussian over the change, mm on the face). 0: all is calmed.",
    )


def optical_flow(
    start: UInt8[np.ndarray, "height width 3"], end: UInt8[np.ndarray, "height width 3"]
) -> Float32[np.ndarray, "height width 2"]:
    """Where each pixel of `end` was in `start`, px (dense inverse search)."""
    grey = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (end, start)]
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    return search.calc(grey[0], grey[1], None)


def warp(picture: np.ndarray, flow: Float32[np.ndarray, "height width 2"]) -> np.ndarray:
    """Draw a picture at the places that `optical_flow` gives."""
    y, x = np.indices(flow.shape[:2], dtype=np.float32)
    return cv2.remap(
        picture, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE
    )


def deflicker_frame_as_printed(
    rendered: Float[np.ndarray, "height width 3"],
    warped_before: Float[np.ndarray, "height width 3"],
    moved_px: float,
) -> Float[np.ndarray, "height width 3"]:
    """Eq. 7 for one frame, transcribed: the reference, and what the paper's numbers mean.

    Args:
        rendered: P_t.
        warped_before: O_{t-1} warped by the optical flow from P_{t-1} to P_t.
        moved_px: d_t, how far the mouth centre moved.

    Returns:
        O_t.
    """
    stability_weight = np.exp(-moved_px)
    frequency = [np.fft.fftfreq(length) for length in rendered.shape[:2]]
    squared = frequency[0][:, None] ** 2 + frequency[1][None, :] ** 2
    gradient = (4 * np.pi**2 * squared)[..., None]
    of_rendered = np.fft.fft2(rendered, axes=(0, 1))
    of_before = np.fft.fft2(warped_before, axes=(0, 1))
    solved = (gradient * of_rendered + stability_weight * of_before) / (gradient + stability_weight)
    return np.fft.ifft2(solved, axes=(0, 1)).real


class _Seen(NamedTuple):
    whole: UInt8[np.ndarray, "size size 3"]
    small: Float32[np.ndarray, "height width 3"]
    points: Float[np.ndarray, "39 2"]


class Deflicker:
    """Deflickers a clip frame by frame; each comes `reach` frames after it was given."""

    def __init__(
        self, box: tuple[int, int, int, int], px_per_mm: float, config: DeflickerConfig
    ) -> None:
        """Start a clip.

        Args:
            box: The rendered box (x0, y0, x1, y1); only it is touched.
            px_per_mm: Scale of the aligned face.
            config: Strength.
        """
        self._box = np.s_[box[1] : box[3], box[0] : box[2]]
        self._size = (box[2] - box[0], box[3] - box[1])
        shrunk = max(1, int(px_per_mm / _FINEST_PX_PER_MM))
        width, height = (max(1, round(side / shrunk)) for side in self._size)
        self._small_size = (width, height)
        self._corner = np.array(box[:2])
        self._motion = _PointMotion(width, height, px_per_mm / shrunk)
        self._misfit_px = _MISFIT_MM * px_per_mm / shrunk
        self._detail_px = config.detail_mm * px_per_mm / shrunk
        self._config = config
        self._seen: deque[_Seen] = deque(maxlen=2 * config.reach + 1)
        self._n_waiting = 0

    def push(
        self, rendered: UInt8[np.ndarray, "size size 3"], points: Float[np.ndarray, "39 2"]
    ) -> Iterator[UInt8[np.ndarray, "size size 3"]]:
        """Take the next frame and its mouth-region points; give the frame that is ready by it."""
        boxed = rendered[self._box].astype(np.float32)
        small = cv2.resize(boxed, self._small_size, interpolation=cv2.INTER_AREA)
        factor = np.array(self._small_size) / self._size
        placed = (points - self._corner + 0.5) * factor - 0.5  # between centres of pixels
        self._seen.append(_Seen(rendered, small, placed))
        self._n_waiting += 1
        if self._n_waiting > self._config.reach:
            yield self._next()

    def flush(self) -> Iterator[UInt8[np.ndarray, "size size 3"]]:
        """End the clip, as at a cut: give the rest, and start anew with the next frame."""
        while self._n_waiting:
            yield self._next()
        self._seen.clear()

    def _next(self) -> UInt8[np.ndarray, "size size 3"]:
        place = len(self._seen) - self._n_waiting
        self._n_waiting -= 1
        now = self._seen[place]
        change = cv2.resize(self._change(place), self._size, interpolation=cv2.INTER_LINEAR)
        result = now.whole.copy()
        calm = now.whole[self._box] + change
        result[self._box] = np.clip(np.rint(calm), 0, 255).astype(np.uint8)
        return result

    def _change(self, place: int) -> Float32[np.ndarray, "height width 3"]:
        """What the neighbours of a frame add to it, on the coarse grid."""
        now, reach = self._seen[place], self._config.reach
        weights = self._motion.weights(now.points)
        total, share = np.zeros_like(now.small), np.ones(now.small.shape[:2], dtype=np.float32)
        for other in range(max(0, place - reach), min(len(self._seen), place + reach + 1)):
            if other == place:
                continue
            near = np.exp(-0.5 * ((other - place) / self._config.fade_frames) ** 2)
            there = self._motion.places(weights, now.points, self._seen[other].points)
            moved = cv2.remap(
                self._seen[other].small, there, None, cv2.INTER_CUBIC, None, cv2.BORDER_REPLICATE
            )
            apart = cv2.subtract(moved, now.small)
            trust = np.float32(near) * self._fit(apart)
            total += cv2.merge([trust] * 3) * apart
            share += trust
        change = total / cv2.merge([share] * 3)
        return cv2.GaussianBlur(change, (0, 0), self._detail_px) if self._detail_px else change

    def _fit(self, apart: np.ndarray) -> Float32[np.ndarray, "height width"]:
        misfit = cv2.GaussianBlur(np.abs(apart).max(axis=2), (0, 0), self._misfit_px)
        return cv2.exp(-np.square(misfit / self._config.misfit_levels))


class _PointMotion:
    """Where pixels move when points of the mouth move (Shepard's interpolation)."""

    def __init__(self, width: int, height: int, px_per_mm: float) -> None:
        step = max(2, round(_GRID_MM * px_per_mm))
        self._softness = (_POINT_MM * px_per_mm) ** 2
        y, x = np.mgrid[0 : height + step : step, 0 : width + step : step]
        self._grid = np.stack([x, y], axis=-1).astype(np.float64)
        pixels = np.meshgrid(np.arange(width), np.arange(height))
        self._pixels = np.stack(pixels, axis=-1).astype(np.float32)
        self._on_grid = self._pixels / step

    def weights(self, points: Float[np.ndarray, "39 2"]) -> Float[np.ndarray, "y x 39"]:
        """How much each point decides at each place of the grid."""
        apart = self._grid[:, :, None] - points
        weights = 1 / (np.square(apart).sum(axis=-1) + self._softness)
        return weights / weights.sum(axis=-1, keepdims=True)

    def places(
        self, weights: np.ndarray, now: np.ndarray, then: np.ndarray
    ) -> Float32[np.ndarray, "height width 2"]:
        """Where each pixel was, or will be, when the points are `then`."""
        moved = (weights @ (then - now)).astype(np.float32)
        return self._pixels + cv2.remap(moved, self._on_grid, None, cv2.INTER_LINEAR)


def deflicker(
    rendered: UInt8[np.ndarray, "frames size size 3"],
    points: Float[np.ndarray, "frames 39 2"],
    box: tuple[int, int, int, int],
    px_per_mm: float,
    config: DeflickerConfig | None = None,
) -> UInt8[np.ndarray, "frames size size 3"]:
    """Deflicker a whole clip held in memory, whose mouth-region points are known, crop px."""
    step = Deflicker(box, px_per_mm, config or DeflickerConfig())
    calm = [
        picture
        for image, placed in zip(rendered, points, strict=True)
        for picture in step.push(image, placed)
    ]
    return np.stack([*calm, *step.flush()])
