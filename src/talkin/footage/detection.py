"""What finds faces and points in a picture, and which of them to load."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, UInt8
from pydantic import BaseModel, ConfigDict, Field

from talkin.errors import ConfigurationError
from talkin.footage.landmarks import LandmarkTrack
from talkin.footage.nets import NetFile, fetch_nets, find_nets

if TYPE_CHECKING:
    from talkin.footage.tracking import TrackingConfig

__all__ = [
    "REGION_PER_BOX",
    "ClipLandmarks",
    "DetectionConfig",
    "FaceDetector",
    "FaceRegion",
    "LandmarkSource",
    "Landmarks",
    "NetFile",
    "fetch_nets",
    "find_nets",
    "load_detector",
    "region_around_68",
]

Image = UInt8[np.ndarray, "height width 3"]
_OUTER_EYE_CORNERS = (36, 45)
REGION_PER_BOX = 1.5
"""Side of a `FaceRegion` over that of the face: the mesh net was trained on such crops."""


class DetectionConfig(BaseModel):
    """Which landmark source, and where its files are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    backend: Literal["mediapipe", "face-alignment", "dlib", "file"] = Field(
        default="mediapipe",
        description="mediapipe: 468 points, two small nets; face-alignment: 68 points, downloads "
        "its own weights; dlib: 68 points, where it is installed; file: landmarks computed "
        "elsewhere",
    )
    min_score: float = Field(
        default=0.5, gt=0, lt=1, description="Least score at which a face counts as found"
    )
    nets_folder: Path | None = Field(
        default=None, description="Folder of the two nets; None for the user's cache"
    )
    dlib_weights: Path | None = Field(
        default=None,
        description="File of dlib's 68-point predictor; None for that of the installed package "
        "face_recognition_models",
    )
    landmarks_folder: Path | None = Field(
        default=None, description="Folder of <clip>.parquet files for the backend `file`"
    )


@dataclass(frozen=True)
class FaceRegion:
    """Where a face is: a square that is turned with it.

    Attributes:
        x: Centre, px.
        y: Centre, px.
        size: Side of the square, about 1.5 times the face, px.
        angle: Turn of the eye line in the picture, radians clockwise as seen (y is down).
        score: How sure the source is, 0 to 1.
    """

    x: float
    y: float
    size: float
    angle: float
    score: float

    def overlap(self, other: "FaceRegion") -> float:
        """Intersection over union of the two squares, their turns left aside."""
        wide = min(self.x + self.size / 2, other.x + other.size / 2)
        wide -= max(self.x - self.size / 2, other.x - other.size / 2)
        high = min(self.y + self.size / 2, other.y + other.size / 2)
        high -= max(self.y - self.size / 2, other.y - other.size / 2)
        shared = max(0.0, wide) * max(0.0, high)
        return shared / (self.size**2 + other.size**2 - shared)


@dataclass(frozen=True, eq=False)
class Landmarks:
    """Points of one face in one picture.

    Attributes:
        points: Footage px.
        score: How sure the source is that this is a face, 0 to 1.
        region: Where to look for the same face in the next picture.
    """

    points: Float[np.ndarray, "points 2"]
    score: float
    region: FaceRegion


class FaceDetector(Protocol):
    """A landmark source that works picture by picture."""

    @property
    def scheme(self) -> str:
        """Layout of the points: "ibug68" or "mediapipe468"."""

    @property
    def min_score(self) -> float:
        """Least score at which a face counts as found."""

    def find_faces(self, image: Image, thorough: bool = False) -> list[FaceRegion]:
        """All faces in the picture, best first; `thorough` also finds small and faint ones."""

    def place_points(self, image: Image, region: FaceRegion) -> Landmarks:
        """Points of the face in a region."""


@runtime_checkable
class ClipLandmarks(Protocol):
    """A landmark source that knows whole clips, such as a folder of landmark files."""

    def track(
        self,
        path: Path,
        config: "TrackingConfig",
        fps: float | Fraction | None,
        progress: Callable[[int], None] | None,
    ) -> LandmarkTrack:
        """Landmarks of one clip; see `tracking.track_landmarks`."""


LandmarkSource = FaceDetector | ClipLandmarks
"""Whatever `tracking.track_landmarks` can take landmarks from."""


def region_around_68(points: Float[np.ndarray, "68 2"], score: float) -> FaceRegion:
    """The square around 68 points; they end at the brows, so it reaches up for the forehead."""
    low, high = points.min(axis=0), points.max(axis=0)
    low = low - np.array([0.0, 0.25 * (high[1] - low[1])])
    across = points[_OUTER_EYE_CORNERS[1]] - points[_OUTER_EYE_CORNERS[0]]
    x, y = (low + high) / 2
    size = REGION_PER_BOX * float((high - low).max())
    return FaceRegion(float(x), float(y), size, float(np.arctan2(across[1], across[0])), score)


def load_detector(config: DetectionConfig | None = None) -> LandmarkSource:
    """Load the configured landmark source.

    Raises:
        FaceModelError: If its files are missing, damaged, or cannot be downloaded.
        ConfigurationError: If the backend `file` has no folder.
    """
    config = config or DetectionConfig()
    if config.backend == "mediapipe":
        from talkin.footage.mediapipe import MediapipeDetector

        return MediapipeDetector(config.nets_folder, config.min_score)
    if config.backend == "face-alignment":
        from talkin.footage.face_alignment_backend import FaceAlignmentDetector

        return FaceAlignmentDetector(config.min_score)
    if config.backend == "dlib":
        from talkin.footage.dlib_backend import DlibDetector

        return DlibDetector(config.dlib_weights, config.min_score)
    if config.landmarks_folder is None:
        raise ConfigurationError(
            "detection.landmarks_folder is not set, but detection.backend is 'file': name the "
            "folder that holds <clip>.parquet"
        )
    from talkin.footage.landmarks_file import SavedLandmarks

    return SavedLandmarks(config.landmarks_folder)
