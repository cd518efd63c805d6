"""Setting a lent mouth into the frame's own face.

What another moment shows beside the mouth, such as jaw, neck, hair, collar and the light on the
cheeks, is not in its place where the head has moved since. The frame itself shows all that: it is
warped from its old mouth to the new one, and only the lips and what is between them is lent. Past
the jaw the warp dies away, so that the region's border stays where it was filmed.
"""

import cv2
import numpy as np
from jaxtyping import Float, Float32, UInt8
from pydantic import BaseModel, ConfigDict, Field

from talkin.editing.compositing import poisson_blend
from talkin.samples.alignment import CropConfig
from talkin.samples.mouth_warp import MOUTH, MouthWarp

_OUTER_LIPS = slice(0, 12)
_SKIN_MM = 4.0  # beside what is lent, whose colours it takes


class InlayConfig(BaseModel):
    """How much is lent, and how the rest follows; mm are those of the aligned mean face."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lips_margin_mm: float = Field(
        default=5.0, ge=0, description="How far past the lips another moment is shown."
    )
    feather_mm: float = Field(
        default=2.0, gt=0, description="Standard deviation of the Gaussian that softens its border."
    )
    fading_mm: float = Field(
        default=12.0, gt=0, description="So far past the jaw the frame's own surroundings give way."
    )


class Inlay:
    """Sets lent mouths into the faces of their frames."""

    def __init__(self, warp: MouthWarp, crop: CropConfig, config: InlayConfig) -> None:
        """Plan for crops of one geometry.

        Args:
            warp: What draws lent mouths.
            crop: That geometry.
            config: How much is lent.
        """
        self._warp, self._config, self._px_per_mm = warp, config, crop.px_per_mm
        x0, y0, x1, y1 = warp.box
        self._corner, self._shape = np.array([x0, y0], dtype=np.float32), (y1 - y0, x1 - x0)

    def __call__(
        self,
        frame: UInt8[np.ndarray, "size size 3"],
        lent: np.ndarray,
        own: Float[np.ndarray, "97 2"],
        wanted: Float[np.ndarray, "97 2"],
    ) -> UInt8[np.ndarray, "height width 3"]:
        """Draw the mask's square.

        Args:
            frame: The frame's crop.
            lent: The mask's square of another moment, (height, width, 3), warped to `wanted`.
            own: `face_points` of the frame, px of its crop.
            wanted: Where they shall lie.
        """
        mouth = wanted[MOUTH] - self._corner
        face = self._warp.drawn_by(
            frame, self._warp.displacement(own, wanted) * self._hold(mouth)[..., None]
        )
        share = self._lips(mouth[_OUTER_LIPS])
        part = self._around(share)
        skin, share = face[part].astype(np.float32), share[part]
        lips = poisson_blend(lent[part].astype(np.float32), skin, share > 0)
        blend = skin + share[..., None] * (lips - skin)
        face[part] = np.clip(np.rint(blend), 0, 255).astype(np.uint8)
        return face

    def _hold(self, mouth: Float[np.ndarray, "39 2"]) -> Float32[np.ndarray, "height width"]:
        """1 inside the new mouth's region, falling to 0 past its border."""
        outside = 255 - self._filled(mouth)
        away = cv2.distanceTransform(outside, cv2.DIST_L2, 3)
        return np.maximum(1 - away / (self._config.fading_mm * self._px_per_mm), 0)

    def _lips(self, lips: Float[np.ndarray, "12 2"]) -> Float32[np.ndarray, "height width"]:
        """Share of the lent picture: 1 about the lips, 0 where the frame's own face is shown."""
        margin = self._config.lips_margin_mm * self._px_per_mm
        soft = max(self._config.feather_mm * self._px_per_mm, 0.5)
        away = cv2.distanceTransform(255 - self._filled(lips), cv2.DIST_L2, 3)
        share = cv2.GaussianBlur((away <= margin).astype(np.float32), (0, 0), soft)
        return np.clip((share - 0.02) / 0.96, 0.0, 1.0)

    def _around(self, share: Float32[np.ndarray, "height width"]) -> tuple[slice, slice]:
        """The part of the square in which something is lent, with skin around it."""
        margin = round(_SKIN_MM * self._px_per_mm)
        found = (np.flatnonzero(share.any(axis=axis)) for axis in (1, 0))
        rows, columns = (
            slice(max(0, int(f[0]) - margin), int(f[-1]) + 1 + margin) if len(f) else slice(0)
            for f in found
        )
        return rows, columns

    def _filled(self, points: Float[np.ndarray, "n 2"]) -> UInt8[np.ndarray, "height width"]:
        filled = np.zeros(self._shape, dtype=np.uint8)
        hull = cv2.convexHull(np.rint(points * 16).astype(np.int32))
        return cv2.fillConvexPoly(filled, hull, 255, lineType=cv2.LINE_8, shift=4)
