"""Feature vectors of pictures from a local ONNX file, by OpenCV: nothing is unpickled.

Any network from pictures to vectors will do: ArcFace and SFace for identity (112 px), or an
Inception trunk that ends in pool3 for FID (299 px).
"""

import hashlib
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field

from talkin.errors import ConfigurationError
from talkin.evaluation.pretrained_metrics import Frames


class EmbedderConfig(BaseModel):
    """A network and the pictures it wants."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path | None = Field(default=None, description="ONNX file; none: not measured.")
    sha256: str | None = Field(default=None, description="Its checksum, or how it begins.")
    size_px: int = Field(default=112, ge=8, description="Side of the square picture it wants.")
    mean: float = Field(default=127.5, description="Taken from each grey level ...")
    scale: float = Field(default=127.5, gt=0, description="... before dividing by this.")
    is_rgb: bool = Field(default=True, description="False: it wants BGR.")


class OnnxEmbedder:
    """Feature vectors of pictures, by a network in a local file."""

    def __init__(self, config: EmbedderConfig) -> None:
        """Check the file and read it.

        Raises:
            ConfigurationError: If it is missing, another one, or cannot be read.
        """
        path = config.path
        if path is None or not path.is_file():
            named = "is not set" if path is None else f"names {path}, which is no file"
            raise ConfigurationError(
                f"the embedder's path {named}; give an ONNX file with a face embedder, such as "
                "OpenCV's SFace or InsightFace's ArcFace, fetched by you under its licence"
            )
        with path.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
        if not found.startswith((config.sha256 or "").lower()):
            raise ConfigurationError(
                f"{path} has SHA-256 {found}, not {config.sha256}: it is damaged or another file"
            )
        try:
            self._net = cv2.dnn.readNetFromONNX(str(path))
        except cv2.error as error:
            raise ConfigurationError(f"{path} cannot be read as an ONNX network") from error
        self._config = config
        self.name = f"{path.name} ({found[:12]})"

    def __call__(self, frames: Frames) -> Float[np.ndarray, "frames features"]:
        """Embed each picture."""
        config = self._config
        side = (config.size_px, config.size_px)
        vectors = []
        for frame in frames:
            blob = cv2.dnn.blobFromImage(
                np.ascontiguousarray(frame),
                1 / config.scale,
                side,
                (config.mean,) * 3,
                swapRB=not config.is_rgb,
            )
            self._net.setInput(blob)
            vectors.append(np.asarray(self._net.forward(), dtype=np.float64).ravel())
        return np.stack(vectors)
