"""MediaPipe's face detector and face mesh through OpenCV's network engine.

Two small Apache-2.0 nets (BlazeFace short range, 128 px; face mesh, 192 px, 468 points) whose
files `nets` fetches. No part of the mediapipe package is installed or imported.
"""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from talkin.errors import FaceModelError
from talkin.footage.detection import REGION_PER_BOX, FaceRegion, Landmarks
from talkin.footage.nets import net_paths

_DETECTOR_SIZE = 128
_MESH_SIZE = 192
_EYE_CORNERS = (33, 263)
# A faint face is proposed from this score on when searching thoroughly; the mesh net then decides.
_FAINT_SCORE = 0.15
_TILE_SCORE = 0.4
_SMALLEST_TILE_PX = 120

Image = UInt8[np.ndarray, "height width 3"]


class MediapipeDetector:
    """468 points a face, about 200 pictures a second on one core.

    The nets keep scratch memory, so one object serves one thread.
    """

    scheme = "mediapipe468"

    def __init__(self, folder: Path | None = None, min_score: float = 0.5) -> None:
        """Load the nets.

        Args:
            folder: Where they are; None for the user's cache.
            min_score: Least score at which a face counts as found.

        Raises:
            FaceModelError: If a net is missing, damaged, or cannot be run by this OpenCV.
        """
        self.min_score = min_score
        paths = net_paths(folder)
        self._detector = _load(paths["face_detection_short_range.tflite"])
        self._mesh = _load(paths["face_landmark.tflite"])
        self._anchors = _anchors()

    def find_faces(self, image: Image, thorough: bool = False) -> list[FaceRegion]:
        """All faces, best first; `thorough` adds small ones (tile by tile) and faint ones.

        Found down to about a fortieth of the picture's short side.
        """
        found = self._in_square(image, (0, 0, max(image.shape[:2])), self.min_score)
        if found or not thorough:
            return found
        height, width = image.shape[:2]
        for side in _tile_sides(height, width):
            for tile in _tiles(height, width, side):
                found += self._in_square(image, tile, _TILE_SCORE)
            if found:
                break
        found = found or self._in_square(image, (0, 0, max(image.shape[:2])), _FAINT_SCORE)
        return _without_doubles(found)

    def place_points(self, image: Image, region: FaceRegion) -> Landmarks:
        """The 468 points of the face in a region, and the region to look in next."""
        crop, to_footage = _turned_crop(image, region, _MESH_SIZE)
        self._mesh.setInput(_blob(crop, 1 / 255, 0.0))
        flag, flat = self._mesh.forward(["conv2d_31", "conv2d_21"])
        local = flat.reshape(-1, 3)[:, :2]
        points = (local @ to_footage[:, :2].T + to_footage[:, 2]).astype(np.float32)
        score = float(_sigmoid(flag.reshape(-1)[0]))
        return Landmarks(points, score, _region_around(points, score))

    def _in_square(
        self, image: Image, square: tuple[int, int, int], min_score: float
    ) -> list[FaceRegion]:
        x0, y0, side = square
        part = image[y0 : y0 + side, x0 : x0 + side]
        height, width = part.shape[:2]
        factor = _DETECTOR_SIZE / max(height, width)
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        shrunk = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
        padded = np.zeros((_DETECTOR_SIZE, _DETECTOR_SIZE, 3), np.uint8)
        left, top = (_DETECTOR_SIZE - size[0]) // 2, (_DETECTOR_SIZE - size[1]) // 2
        padded[top : top + size[1], left : left + size[0]] = shrunk
        self._detector.setInput(_blob(padded, 1 / 127.5, 1.0))
        logits, raw = self._detector.forward(["classificators", "regressors"])
        scores = _sigmoid(logits.reshape(-1))
        is_face = scores >= min_score
        if not is_face.any():
            return []
        places = raw.reshape(-1, 8, 2)[is_face] / _DETECTOR_SIZE
        anchors = self._anchors[is_face]
        # Columns: centre, width and height, six key points (the eyes first).
        places[:, 0] += anchors
        places[:, 2:] += anchors[:, None]
        shift = np.array([left, top]) / _DETECTOR_SIZE
        places[:, [0, 2, 3, 4, 5, 6, 7]] -= shift
        places *= _DETECTOR_SIZE / factor
        places[:, [0, 2, 3, 4, 5, 6, 7]] += (x0, y0)
        return [_region(place, score) for place, score in _merged(places, scores[is_face])]


def _load(path: Path) -> "cv2.dnn.Net":
    try:
        # OpenCV 5's newer engine gives only one of each net's two outputs.
        return cv2.dnn.readNetFromTFLite(str(path), engine=cv2.dnn.ENGINE_CLASSIC)
    except (cv2.error, AttributeError) as error:
        raise FaceModelError(
            f"{path} cannot be run by OpenCV {cv2.__version__}: {error}; "
            "install opencv-python 5 as constraints.txt names it"
        ) from error


def _anchors() -> Float[np.ndarray, "896 2"]:
    """Centres of the detector's cells in units of its input, in the order of its output."""
    grids = []
    for cells, each in ((16, 2), (8, 6)):
        centre = (np.arange(cells) + 0.5) / cells
        x, y = np.meshgrid(centre, centre)
        grids.append(np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), each, axis=0))
    return np.concatenate(grids).astype(np.float32)


def _blob(image: np.ndarray, factor: float, minus: float) -> np.ndarray:
    scaled = image.astype(np.float32) * np.float32(factor) - np.float32(minus)
    return np.ascontiguousarray(scaled.transpose(2, 0, 1)[None])


def _sigmoid(logit: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(logit, -80, 80)))


def _merged(places: np.ndarray, scores: np.ndarray) -> Iterator[tuple[np.ndarray, float]]:
    """Average the overlapping proposals of each face, weighted by score."""
    low, high = places[:, 0] - places[:, 1] / 2, places[:, 0] + places[:, 1] / 2
    left = np.argsort(-scores)
    while len(left):
        best = left[0]
        shared = np.minimum(high[best], high[left]) - np.maximum(low[best], low[left])
        shared_area = np.prod(np.maximum(shared, 0), axis=1)
        area = np.prod(places[left, 1], axis=1)
        is_same = shared_area / (area[0] + area - shared_area + 1e-9) > 0.3
        is_same[0] = True
        same = left[is_same]
        yield np.average(places[same], axis=0, weights=scores[same]), float(scores[best])
        left = left[~is_same]


def _region(place: np.ndarray, score: float) -> FaceRegion:
    right_eye, left_eye = place[2], place[3]
    turn = np.arctan2(left_eye[1] - right_eye[1], left_eye[0] - right_eye[0])
    size = REGION_PER_BOX * float(place[1].max())
    return FaceRegion(float(place[0, 0]), float(place[0, 1]), size, float(turn), score)


def _region_around(points: np.ndarray, score: float) -> FaceRegion:
    """The square that the mesh net wants for this face: 1.5 x its box, turned with the eyes."""
    across = points[_EYE_CORNERS[1]] - points[_EYE_CORNERS[0]]
    turn = float(np.arctan2(across[1], across[0]))
    cos, sin = np.cos(turn), np.sin(turn)
    level = np.array([[cos, sin], [-sin, cos]], dtype=np.float32)
    turned = points @ level.T
    low, high = turned.min(axis=0), turned.max(axis=0)
    x, y = (low + high) / 2 @ level
    size = REGION_PER_BOX * float((high - low).max())
    return FaceRegion(float(x), float(y), size, turn, score)


def _turned_crop(image: Image, region: FaceRegion, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The region as an upright square, and the affine map from its px to footage px."""
    factor = max(region.size, 1.0) / size
    cos, sin = np.cos(region.angle) * factor, np.sin(region.angle) * factor
    linear = np.array([[cos, -sin], [sin, cos]])
    shift = np.array([region.x, region.y]) - linear @ np.full(2, (size - 1) / 2)
    to_footage = np.concatenate([linear, shift[:, None]], axis=1)
    part, to_part = image, to_footage
    if factor >= 2:
        part, to_part = _shrunk_around(image, region, to_footage, int(factor))
    crop = cv2.warpAffine(
        part, to_part, (size, size), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )
    return crop, to_footage


def _shrunk_around(
    image: Image, region: FaceRegion, to_footage: np.ndarray, factor: int
) -> tuple[np.ndarray, np.ndarray]:
    # Sampling every second pixel or fewer would alias, and aliasing makes points tremble.
    reach = region.size * 0.75  # half the diagonal and a little
    x0, y0 = max(0, int(region.x - reach)), max(0, int(region.y - reach))
    part = image[y0 : max(y0 + 1, int(region.y + reach)), x0 : max(x0 + 1, int(region.x + reach))]
    if min(part.shape[:2]) < factor:
        return image, to_footage
    height, width = part.shape[0] // factor, part.shape[1] // factor
    part = part[: height * factor, : width * factor]
    shrunk = cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA)
    to_part = to_footage.copy()
    to_part[:, 2] -= (x0 + (factor - 1) / 2, y0 + (factor - 1) / 2)
    return shrunk, to_part / factor


def _tile_sides(height: int, width: int) -> list[int]:
    short = min(height, width)
    return [side for side in (short, short // 2, short // 4) if side >= _SMALLEST_TILE_PX]


def _tiles(height: int, width: int, side: int) -> Iterator[tuple[int, int, int]]:
    """Squares (x, y, side) that cover the picture, half overlapping."""
    for y in _steps(height, side):
        for x in _steps(width, side):
            yield x, y, side


def _steps(length: int, side: int) -> list[int]:
    count = 1 + int(np.ceil(max(0, length - side) / (side / 2)))
    return [round(at) for at in np.linspace(0, max(0, length - side), count)]


def _without_doubles(regions: list[FaceRegion]) -> list[FaceRegion]:
    kept: list[FaceRegion] = []
    for region in sorted(regions, key=lambda region: -region.score):
        if all(region.overlap(other) < 0.3 for other in kept):
            kept.append(region)
    return kept
