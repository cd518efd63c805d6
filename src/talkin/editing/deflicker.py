"""Removing flicker of the rendered pictures (appendix G, Eq. 7).

Eq. 7 solves a screened Poisson equation: the gradients of the rendered frame, pulled towards the
frame before, warped by optical flow. Its gain at frequency 0 is lambda / lambda = 1 however small
lambda is, so the mean colour never follows the rendered picture again and errors of the flow are
carried along: the loss of 1 to 2 dB in Table 2. `Deflicker` keeps the idea and bounds the gain:

    O_t = P_t + hold * trust_t * blur(warp(O_{t-1}) - P_t)

with `trust` falling where the warped frame does not fit, so that moving lips are left alone.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Float32, UInt8
from pydantic import BaseModel, ConfigDict, Field


class DeflickerConfig(BaseModel):
    """Strength of the deflicker."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hold: float = Field(
        default=0.85, ge=0, lt=1, description="Share of the frame before in a still picture."
    )
    blur_mm: float = Field(
        default=0.6, ge=0, description="Detail finer than this is left as rendered, mm on the face."
    )
    misfit_levels: float = Field(
        default=12.0, gt=0, description="Grey levels of misfit at which trust falls to 1/e."
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


@dataclass(frozen=True, eq=False)
class DeflickerState:
    """The frame before, as rendered and as shown, inside the box."""

    rendered: UInt8[np.ndarray, "height width 3"]
    stable: Float32[np.ndarray, "height width 3"]


class Deflicker:
    """Deflickers a clip frame by frame; remembers one frame, its `state`."""

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
        self._blur_px = config.blur_mm * px_per_mm
        self._config = config
        self.state: DeflickerState | None = None

    def __call__(self, rendered: UInt8[np.ndarray, "size size 3"]) -> UInt8[np.ndarray, "s s 3"]:
        """The next frame, deflickered."""
        new = rendered[self._box]
        if self.state is None:
            self.state = DeflickerState(new.copy(), new.astype(np.float32))
            return rendered
        last_rendered, last_stable = self.state.rendered, self.state.stable
        flow = optical_flow(last_rendered, new)
        wanted = new.astype(np.float32)
        carried = warp(last_stable, flow)
        apart = carried - wanted
        if self._blur_px > 0.3:
            apart = cv2.GaussianBlur(apart, (0, 0), self._blur_px)
        misfit = np.abs(warp(last_rendered.astype(np.float32), flow) - wanted).max(axis=2)
        misfit = cv2.GaussianBlur(misfit, (0, 0), max(1.0, 2 * self._blur_px))
        trust = self._config.hold * np.exp(-np.square(misfit / self._config.misfit_levels))
        stable = wanted + trust[..., None] * apart
        self.state = DeflickerState(new.copy(), stable)
        result = rendered.copy()
        result[self._box] = np.clip(np.rint(stable), 0, 255).astype(np.uint8)
        return result

    def forget(self) -> None:
        """Start anew with the next frame, as after a cut."""
        self.state = None


def deflicker(
    rendered: UInt8[np.ndarray, "frames size size 3"],
    box: tuple[int, int, int, int],
    px_per_mm: float,
    config: DeflickerConfig | None = None,
) -> UInt8[np.ndarray, "frames size size 3"]:
    """Deflicker a whole clip held in memory."""
    step = Deflicker(box, px_per_mm, config or DeflickerConfig())
    return np.stack([step(picture) for picture in rendered])
