"""Teeth proxy: fine detail of the target's own teeth for the rendered ones (appendix F).

A database holds the open mouths of the footage: the inner-mouth mask and its texture, aligned on
the mouth centre. The entry whose mask overlaps best (IoU) lends its high frequencies, where its
coarse brightness agrees with the rendered mouth's, so that teeth detail lands on teeth.
"""

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8
from pydantic import BaseModel, ConfigDict, Field

from talkin.editing.landmark_smoothing import mouth_centre

_INNER_LIPS = slice(12, 20)
_PATCH_WIDTH_MM, _PATCH_HEIGHT_MM = 64.0, 48.0
_MASK_SHAPE = (24, 32)


class TeethConfig(BaseModel):
    """The teeth proxy."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    entries: int = Field(default=256, ge=1, description="Open mouths kept of a clip.")
    least_opening_mm2: float = Field(
        default=60.0, ge=0, description="Smaller inner mouths show no teeth."
    )
    least_iou: float = Field(default=0.6, ge=0, le=1, description="Worse matches lend nothing.")
    detail_mm: float = Field(default=1.2, gt=0, description="Finer than this is detail, mm.")
    strength: float = Field(default=1.0, ge=0, description="How much of the detail is lent.")
    agreement_levels: float = Field(
        default=25.0, gt=0, description="Difference of coarse brightness that halts the transfer."
    )


class TeethDatabase:
    """Open mouths of one clip."""

    def __init__(self, px_per_mm: float, config: TeethConfig) -> None:
        """Start empty; `px_per_mm` is the scale of the aligned face."""
        self._scale = px_per_mm
        self._config = config
        self._width = round(_PATCH_WIDTH_MM * px_per_mm)
        self._height = round(_PATCH_HEIGHT_MM * px_per_mm)
        self._masks: list[np.ndarray] = []
        self._patches: list[np.ndarray] = []

    def __len__(self) -> int:
        """Number of mouths held."""
        return len(self._masks)

    def add(self, crop: UInt8[np.ndarray, "size size 3"], landmarks: np.ndarray) -> bool:
        """Keep a footage crop's mouth if it is open and there is room; tell whether it was kept."""
        mask = self._mask(landmarks)
        if (
            len(self) >= self._config.entries
            or self._area_mm2(mask) < self._config.least_opening_mm2
        ):
            return False
        self._masks.append(_coarse(mask).ravel())
        self._patches.append(self._cut(crop, landmarks))
        return True

    def shows_teeth(
        self, landmarks: Float[np.ndarray, "frames 39 2"]
    ) -> Bool[np.ndarray, "frames"]:
        """Tell frames whose inner mouth is open wide enough."""
        areas = [self._area_mm2(self._mask(points)) for points in landmarks]
        return np.array(areas) >= self._config.least_opening_mm2

    def best(self, landmarks: Float[np.ndarray, "39 2"]) -> tuple[int, float]:
        """The entry whose mouth overlaps best, and its IoU; (-1, 0) of an empty database."""
        if not self._masks:
            return -1, 0.0
        wanted = _coarse(self._mask(landmarks)).ravel()
        masks = np.stack(self._masks)
        shared = np.minimum(masks, wanted).sum(axis=1)
        joined = np.maximum(masks, wanted).sum(axis=1)
        overlap = shared / np.maximum(joined, 1e-6)
        return int(np.argmax(overlap)), float(overlap.max())

    def transfer(
        self, rendered: UInt8[np.ndarray, "size size 3"], landmarks: Float[np.ndarray, "39 2"]
    ) -> UInt8[np.ndarray, "size size 3"]:
        """Sharpen the teeth of a rendered crop; unchanged if closed or nothing fits."""
        mask = self._mask(landmarks)
        entry, overlap = self.best(landmarks)
        if (
            overlap < self._config.least_iou
            or self._area_mm2(mask) < self._config.least_opening_mm2
        ):
            return rendered
        own = self._cut(rendered, landmarks).astype(np.float32)
        lent = self._patches[entry].astype(np.float32)
        sigma = self._config.detail_mm * self._scale
        own_coarse, lent_coarse = (cv2.GaussianBlur(patch, (0, 0), sigma) for patch in (own, lent))
        apart = np.abs(own_coarse - lent_coarse).mean(axis=2)
        fits = np.exp(-np.square(apart / self._config.agreement_levels))
        soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), max(0.5, sigma / 2)) * mask
        share = (self._config.strength * fits * soft)[..., None]
        detail = share * ((lent - lent_coarse) - (own - own_coarse))
        return self._add_back(rendered, detail, landmarks)

    def _area_mm2(self, mask: np.ndarray) -> float:
        return float(mask.sum()) / self._scale**2

    def _corner(self, landmarks: np.ndarray) -> Float[np.ndarray, "2"]:
        """Upper left corner of the patch, on whole pixels so that cutting blurs nothing."""
        half = np.array([self._width, self._height]) / 2
        return np.rint(mouth_centre(landmarks) - half)

    def _cut(self, crop: np.ndarray, landmarks: np.ndarray) -> UInt8[np.ndarray, "h w 3"]:
        shift = np.column_stack([np.eye(2), -self._corner(landmarks)])
        size = (self._width, self._height)
        return cv2.warpAffine(
            crop, shift, size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE
        )

    def _add_back(
        self, rendered: np.ndarray, detail: np.ndarray, landmarks: np.ndarray
    ) -> UInt8[np.ndarray, "size size 3"]:
        shift = np.column_stack([np.eye(2), self._corner(landmarks)])
        size = (rendered.shape[1], rendered.shape[0])
        placed = cv2.warpAffine(detail.astype(np.float32), shift, size, flags=cv2.INTER_NEAREST)
        return np.clip(np.rint(rendered + placed), 0, 255).astype(np.uint8)

    def _mask(self, landmarks: np.ndarray) -> Bool[np.ndarray, "height width"]:
        inner = landmarks[_INNER_LIPS] - self._corner(landmarks)
        filled = np.zeros((self._height, self._width), dtype=np.uint8)
        cv2.fillPoly(filled, [np.rint(inner * 16).astype(np.int32)], 1, shift=4)
        return filled.astype(bool)


def transfer_teeth(
    rendered: UInt8[np.ndarray, "size size 3"],
    landmarks: Float[np.ndarray, "39 2"],
    database: TeethDatabase,
) -> UInt8[np.ndarray, "size size 3"]:
    """Lend the rendered teeth the detail of the footage's (appendix F)."""
    return database.transfer(rendered, landmarks)


def _coarse(mask: np.ndarray) -> Float32[np.ndarray, "24 32"]:
    small = (_MASK_SHAPE[1], _MASK_SHAPE[0])
    return cv2.resize(mask.astype(np.float32), small, interpolation=cv2.INTER_AREA)
