"""Drawing one picture's mouth in the shape of another moment, for the same person.

The fitted face says where the same points of a head lie in two crops. A thin plate spline through
them carries every pixel between (Bookstein 1989). What the fit places wrong it places wrong in both
crops alike, so most of its error cancels, and lips, teeth and skin stay as sharp as they were
filmed.
"""

import cv2
import numpy as np
from jaxtyping import Float, Float32, UInt8

from talkin.face3d.model import MorphableModel
from talkin.face3d.parameters import FaceParameters
from talkin.samples.alignment import CropConfig, mask_box

# What does not move with the mouth: ends of the jaw's outline, nose, eye corners (iBUG numbers).
_HEAD_LANDMARKS = [0, 1, 2, 14, 15, 16, *range(27, 36), 36, 39, 42, 45]
_STIFFNESS_MM2 = 4.0  # lets points that jitter, or lips that meet, be passed by instead of folded
_GRID_MM = 2.5

MOUTH = slice(0, 39)
HEAD = slice(39, 58)
WARPED = slice(0, 58)
RESTING_MOUTH = slice(58, 97)
"""What the rows of `face_points` are; a warp carries the first 58."""


def face_points(
    parameters: FaceParameters,
    model: MorphableModel,
    mouth: Float[np.ndarray, "frames 39 2"] | None = None,
) -> Float32[np.ndarray, "frames 97 2"]:
    """The points by which mouths are compared and warped.

    Args:
        parameters: The face in crop px.
        model: The model it was fitted with.
        mouth: Other mouth landmarks for the same head, crop px; the fitted ones if None.

    Returns:
        The 39 mouth-region points, 19 points of the head, and where the 39 were if the face were
        at rest; what the mouth does moves the first alone. Crop px.
    """
    if mouth is None:
        mouth = parameters.mouth_landmarks(model)
    resting = parameters.with_expression(np.zeros_like(parameters.expression))
    vertices = np.concatenate([model.landmarks68[_HEAD_LANDMARKS], model.mouth39])
    return np.concatenate([mouth, resting.project(model, vertices)], axis=1).astype(np.float32)


class MouthWarp:
    """Draws what lies under the mouth mask of one crop from another crop of the same person."""

    def __init__(self, crop: CropConfig) -> None:
        """Plan for crops of one geometry."""
        self.box = mask_box(crop)
        self._px_per_mm = crop.px_per_mm
        x0, y0, x1, y1 = self.box
        self._corner = np.array([x0, y0], dtype=np.float32)
        self.shape = (y1 - y0, x1 - x0, 3)
        self._step = max(1, round(_GRID_MM * crop.px_per_mm))
        across, down = (np.arange(a, b + self._step, self._step) for a, b in ((x0, x1), (y0, y1)))
        self._grid = np.stack(np.meshgrid(across, down), axis=-1).astype(np.float64)
        rows, columns = np.mgrid[0 : y1 - y0, 0 : x1 - x0].astype(np.float32)
        self._pixels = np.stack([columns, rows], axis=-1)

    def __call__(
        self,
        picture: UInt8[np.ndarray, "size size 3"],
        shown: Float[np.ndarray, "97 2"],
        wanted: Float[np.ndarray, "97 2"],
    ) -> UInt8[np.ndarray, "height width 3"]:
        """Draw the mask's square.

        Args:
            picture: A crop of the person at another moment.
            shown: Its `face_points`, px of that picture.
            wanted: Where they shall lie, crop px.

        Returns:
            The pixels of the mask's square alone.
        """
        return self.drawn_by(picture, self.displacement(shown, wanted))

    def drawn_by(
        self,
        picture: UInt8[np.ndarray, "size size 3"],
        displacement: Float32[np.ndarray, "height width 2"],
    ) -> UInt8[np.ndarray, "height width 3"]:
        """Draw the mask's square; `displacement` leads from its pixels to the picture's."""
        place = displacement + self._pixels + self._corner
        return cv2.remap(picture, place, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)

    def displacement(
        self, shown: Float[np.ndarray, "97 2"], wanted: Float[np.ndarray, "97 2"]
    ) -> Float32[np.ndarray, "height width 2"]:
        """From each pixel of the mask's square to what is drawn there, px."""
        shown, wanted = (p[WARPED].astype(np.float64) / self._px_per_mm for p in (shown, wanted))
        weights, plane = _spline(wanted, shown - wanted)
        grid = self._grid / self._px_per_mm
        found = _kernel(grid[..., None, :] - wanted) @ weights + plane[0] + grid @ plane[1:]
        coarse = (found * self._px_per_mm).astype(np.float32)
        return cv2.remap(
            coarse, self._pixels / self._step, None, cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE
        )


def _spline(
    points: Float[np.ndarray, "n 2"], values: Float[np.ndarray, "n 2"]
) -> tuple[Float[np.ndarray, "n 2"], Float[np.ndarray, "3 2"]]:
    """Weights of the kernel at each point, and of the plane 1, x, y."""
    n = len(points)
    plane = np.column_stack([np.ones(n), points])
    system = np.zeros((n + 3, n + 3))
    system[:n, :n] = _kernel(points[:, None] - points) + _STIFFNESS_MM2 * np.eye(n)
    system[:n, n:], system[n:, :n] = plane, plane.T
    solved = np.linalg.solve(system, np.concatenate([values, np.zeros((3, 2))]))
    return solved[:n], solved[n:]


def _kernel(apart: Float[np.ndarray, "*batch 2"]) -> Float[np.ndarray, "*batch"]:
    squared = np.einsum("...i,...i->...", apart, apart)
    return 0.5 * squared * np.log(np.maximum(squared, 1e-12))
