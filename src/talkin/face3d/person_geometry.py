"""The one geometry of a person as a file: found once from their clips, used in every fit."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from jaxtyping import Float

from talkin.errors import FaceModelError
from talkin.face3d.model import MorphableModel
from talkin.face3d.parameters import FaceParameters
from talkin.files import one_line, replace_when_whole

_LARGEST_BYTES = 1 << 20
_FARTHEST = 20.0  # standard deviations: nobody's face


@dataclass(frozen=True, eq=False)
class PersonGeometry:
    """Whose face it is, in one morphable model.

    Attributes:
        face_model: The model's name.
        clips: From which clips it was found.
        geometry: Standard deviations.
    """

    face_model: str
    clips: tuple[str, ...]
    geometry: Float[np.ndarray, "g"]

    def of_model(self, model: MorphableModel, where: str) -> Float[np.ndarray, "g"]:
        """The geometry, if it is one of this model.

        Args:
            model: The model of the fit.
            where: How to call what it came from, in messages.

        Raises:
            FaceModelError: If it is another model's.
        """
        if self.face_model != model.name or len(self.geometry) != model.n_geometry:
            raise FaceModelError(
                f"{where}: this geometry is of face model {self.face_model} "
                f"({len(self.geometry)} modes), not of {model.name} ({model.n_geometry}); find it "
                "again: talkin face geometry"
            )
        return self.geometry

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it, to a millionth: the last bits are the processor's."""
        rounded = (np.round(self.geometry.astype(np.float64), 6) + 0.0).tolist()
        return {"face_model": self.face_model, "clips": list(self.clips), "geometry": rounded}

    @classmethod
    def from_dict(cls, content: Any) -> Self:
        """Inverse of `to_dict`.

        Raises:
            FaceModelError: If it holds something else.
        """
        try:
            geometry = np.array(content["geometry"], dtype=np.float64)
            name, clips = str(content["face_model"]), tuple(map(str, content["clips"]))
        except (KeyError, TypeError, ValueError) as error:
            raise FaceModelError("it holds no geometry of a person") from error
        if geometry.ndim != 1 or not (np.abs(geometry) <= _FARTHEST).all():
            raise FaceModelError("its geometry is no list of standard deviations of a face")
        return cls(name, clips, geometry)

    def save(self, path: Path) -> None:
        """Write as JSON, whole or not at all."""
        with replace_when_whole(path) as part:
            part.write_text(json.dumps(self.to_dict(), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read JSON that `save` or preparation wrote, or the Parquet file of a fitted clip.

        Raises:
            FaceModelError: If the file is missing, damaged or something else.
        """
        if path.suffix.lower() == ".parquet":
            fitted = FaceParameters.load(path)
            return cls(fitted.model_name, (path.stem,), fitted.geometry.astype(np.float64))
        try:
            if path.stat().st_size > _LARGEST_BYTES:
                raise FaceModelError("it is larger than any geometry")
            return cls.from_dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, RecursionError, FaceModelError) as error:
            raise FaceModelError(
                f"geometry {path} cannot be read: {one_line(error)}; give what `talkin face "
                "geometry` wrote, a file of data/03_primary/speaker_geometry, or the Parquet file "
                "of `talkin fit`"
            ) from error
