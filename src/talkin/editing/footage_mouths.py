"""The target's own mouths, warped to the wanted ones.

The whole edit is known in numbers before a picture is drawn, so who lends to whom is decided first
(`lending`). Then one pass over the footage keeps the crops that were chosen, and no others: memory
does not grow with the length of the footage.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Int, UInt8

from talkin.editing.inlay import Inlay
from talkin.footage.video import VideoInfo, iter_frames
from talkin.samples.alignment import CropConfig, resized_points
from talkin.samples.mouth_warp import MOUTH, MouthWarp

_MARGIN_MM = 12.0  # around the mask: so far a warp may reach
_DETAIL_MM = 2.0  # standard deviation of the Gaussian that tells light from detail


class FootageMouths:
    """Mouths of some moments of one person, drawn in the shape of others."""

    def __init__(self, crop: CropConfig) -> None:
        """Start empty, for crops of one geometry."""
        self.warp = MouthWarp(crop)
        x0, y0, x1, y1 = self.warp.box
        margin = round(_MARGIN_MM * crop.px_per_mm)
        left, top = max(0, x0 - margin), max(0, y0 - margin)
        self._part = np.s_[top : y1 + margin, left : x1 + margin]
        self._corner = np.array([left, top], dtype=np.float32)
        self._detail_px = _DETAIL_MM * crop.px_per_mm
        self._shown: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def __len__(self) -> int:
        """Number of moments held."""
        return len(self._shown)

    def keep(self, moment: int, crop: UInt8[np.ndarray, "size size 3"], points: np.ndarray) -> None:
        """Hold a moment's mouth; `points` are its `face_points`, crop px."""
        self._shown[moment] = (crop[self._part].copy(), points - self._corner)

    def drawn(
        self, moments: Iterable[int], wanted: Float[np.ndarray, "97 2"]
    ) -> UInt8[np.ndarray, "height width 3"]:
        """The mask's square as the middle one of the moments shows it, warped to `wanted`.

        Colour and light are the mean of all, so that a change of the lender does not show; finer
        things are the middle one's own, for a mean of two mouths blurs teeth.
        """
        row = [int(moment) for moment in moments]
        own = self.warp(*self._shown[row[len(row) // 2]], wanted)
        shares = Counter(row)
        if len(shares) == 1:
            return own
        change = np.zeros(self.warp.shape, dtype=np.float32)
        for moment, share in shares.items():
            other = self.warp(*self._shown[moment], wanted)
            change += np.float32(share / len(row)) * cv2.subtract(other, own, dtype=cv2.CV_32F)
        change = cv2.GaussianBlur(change, (0, 0), self._detail_px)
        return np.clip(np.rint(own + change), 0, 255).astype(np.uint8)

    def filled(
        self,
        crop: UInt8[np.ndarray, "size size 3"],
        moments: Iterable[int],
        wanted: Float[np.ndarray, "97 2"],
    ) -> UInt8[np.ndarray, "size size 3"]:
        """A crop whose mask shows the lent mouth instead of its own."""
        x0, y0, x1, y1 = self.warp.box
        filled = crop.copy()
        filled[y0:y1, x0:x1] = self.drawn(moments, wanted)
        return filled


@dataclass(frozen=True, eq=False)
class PlannedMouths:
    """What lies under the mask of every output frame.

    Attributes:
        mouths: The moments that lend.
        lenders: Footage frames that lend to each output frame: the middle one its mouth, all of
            them colour and light.
        wanted: `face_points` of each output frame, px of the network's crop.
        factor: Side of the mouths' crop over that of the network's.
        own_mouths: Mouth landmarks of the footage under each output frame, likewise.
        inlay: Sets what is lent into the frame's own face; None shows it in the whole mask.
    """

    mouths: FootageMouths
    lenders: Int[np.ndarray, "frames fade"]
    wanted: Float[np.ndarray, "frames 97 2"]
    factor: float
    own_mouths: Float[np.ndarray, "frames 39 2"]
    inlay: Inlay | None = None

    def filled(self, number: int, crop: np.ndarray) -> UInt8[np.ndarray, "size size 3"]:
        """The crop of an output frame with a lent mouth, in the new shape, over its own."""
        wanted = resized_points(self.wanted[number], self.factor)
        return self.mouths.filled(crop, self.lenders[number], wanted)

    def set_in(
        self, number: int, crop: UInt8[np.ndarray, "size size 3"], drawn: np.ndarray
    ) -> np.ndarray:
        """A drawn crop with its lips set into the frame's own face.

        Args:
            number: Output frame.
            crop: What the footage shows.
            drawn: The same with a lent mouth, calmed or not.
        """
        if self.inlay is None:
            return drawn
        wanted = resized_points(self.wanted[number], self.factor)
        own = wanted.copy()
        own[MOUTH] = resized_points(self.own_mouths[number], self.factor)
        x0, y0, x1, y1 = self.mouths.warp.box
        result = crop.copy()
        result[y0:y1, x0:x1] = self.inlay(crop, drawn[y0:y1, x0:x1], own, wanted)
        return result


def frames_of_footage(
    info: VideoInfo, wanted: Iterable[int]
) -> Iterator[tuple[int, UInt8[np.ndarray, "height width 3"]]]:
    """Decode a video once and give some of its frames, in order."""
    left = set(wanted)
    for number, frame in enumerate(iter_frames(info.path, info.fps)):
        if not left:
            return
        if number in left:
            left.remove(number)
            yield number, frame.image
