"""The `face-alignment` package (FAN, 68 points) as a landmark source.

It downloads its own weights on first use, about 180 MB; slow on a CPU, precise on a GPU.
"""

from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np

from talkin.errors import FaceModelError
from talkin.footage.detection import REGION_PER_BOX, FaceRegion, Image, Landmarks, region_around_68

_WEIGHTS = ("s3fd-619a316812.pth", "2DFAN4-11f355bf06.pth.tar")
_WHERE = "https://www.adrianbulat.com/downloads/python-fan/"


class FaceAlignmentDetector:
    """68 points a face by FAN-4, faces by S3FD."""

    scheme = "ibug68"

    def __init__(self, min_score: float = 0.5, device: str | None = None) -> None:
        """Load the nets, downloading their weights where they are missing.

        Args:
            min_score: Least score at which a face counts as found.
            device: "cpu", "cuda" ...; None for a GPU where there is one.

        Raises:
            FaceModelError: If the weights are missing and cannot be downloaded, or are damaged.
        """
        import torch

        self.min_score = min_score
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self._fan = _load(device)

    def find_faces(self, image: Image, thorough: bool = False) -> list[FaceRegion]:
        """All faces, best first; S3FD is always thorough."""
        boxes = self._fan.face_detector.detect_from_image(image.copy())
        regions = [
            FaceRegion(
                x=float(box[0] + box[2]) / 2,
                y=float(box[1] + box[3]) / 2,
                size=REGION_PER_BOX * float(max(box[2] - box[0], box[3] - box[1])),
                angle=0.0,
                score=float(box[4]),
            )
            for box in boxes
            if box[4] >= self.min_score
        ]
        return sorted(regions, key=lambda region: -region.score)

    def place_points(self, image: Image, region: FaceRegion) -> Landmarks:
        """The 68 points of the face in a region."""
        half = region.size / REGION_PER_BOX / 2
        box = np.array([region.x - half, region.y - half, region.x + half, region.y + half])
        points, scores, _ = self._fan.get_landmarks_from_image(
            image, detected_faces=[box], return_landmark_score=True
        )
        placed = np.asarray(points[0], dtype=np.float32)
        # Peaks of FAN's heatmaps lie well under 1 even on clear faces: 0.5 is a good one.
        score = float(np.clip(2 * np.asarray(scores[0]).mean(), 0, 1))
        return Landmarks(placed, score, region_around_68(placed, score))


def _load(device: str) -> Any:
    import face_alignment

    try:
        return face_alignment.FaceAlignment(
            face_alignment.LandmarksType.TWO_D, device=device, flip_input=False, compile=False
        )
    except (URLError, OSError, RuntimeError, EOFError) as error:
        raise FaceModelError(_missing(error)) from error


def _missing(error: Exception) -> str:
    import torch

    folder = Path(torch.hub.get_dir()) / "checkpoints"
    return (
        f"the weights of face-alignment cannot be loaded ({error}); put {_WEIGHTS[0]} and "
        f"{_WEIGHTS[1]} from {_WHERE} into {folder}, or set detection.backend to mediapipe"
    )
