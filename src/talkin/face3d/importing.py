"""Import a licensed morphable model once, into the project's own safetensors layout.

Understood: Basel Face Model 2009 with 3DDFA's 29-component expression basis, Basel Face Model
2017, FLAME, and ICT FaceKit. None of them comes with the project: each has a licence that its
user accepts. Where it came from and under which terms is kept in the imported file.
"""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from talkin.errors import FaceModelError
from talkin.face3d.foreign_model import ForeignModel, adopt
from talkin.face3d.loading import load_face_model
from talkin.face3d.model import MorphableModel

ModelKind = Literal["auto", "bfm2009", "bfm2017", "flame", "ict-facekit"]

_KIND_OF_SUFFIX: dict[str, ModelKind] = {
    ".mat": "bfm2009",
    ".npy": "bfm2009",
    ".h5": "bfm2017",
    ".hdf5": "bfm2017",
    ".pkl": "flame",
    ".npz": "ict-facekit",
}
_CHUNK = 1 << 20


class FaceImportConfig(BaseModel):
    """What kind of file it is and how much of it to keep."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ModelKind = Field(default="auto", description="`auto` judges by the suffix")
    expression: Path | None = Field(
        default=None, description="BFM 2009: the file of expressions (Model_Expression.mat)"
    )
    landmarks: Path | None = Field(default=None, description="FLAME: the landmark embedding")
    max_geometry: int = Field(
        default=199, ge=1, description="Geometry modes to keep at most, the strongest"
    )
    max_expression: int = Field(
        default=64, ge=1, description="Expression modes to keep at most, the strongest"
    )


def import_face_model(path: Path, config: FaceImportConfig | None = None) -> MorphableModel:
    """Read a model of another project, check it and bring it into this one's layout.

    Args:
        path: The licensed file (or, for 3DDFA's arrays, their folder).
        config: What kind it is.

    Returns:
        The model, with `licence`, `source` and `source_sha256` in its notes; save it with
        `MorphableModel.save` and name that file in `FaceModelConfig.file`.

    Raises:
        FaceModelError: If the file is missing, damaged, unsafe or not what its kind promises.
    """
    config = config or FaceImportConfig()
    if not path.exists():
        raise FaceModelError(f"{path} does not exist")
    kind = _kind_of(path) if config.kind == "auto" else config.kind
    model = adopt(
        _read(path, kind, config), load_face_model(), config.max_geometry, config.max_expression
    )
    origin = {"source": path.name, "source_sha256": _digest(path)}
    return replace(model, notes={**model.notes, **origin})


def _kind_of(path: Path) -> ModelKind:
    kind = "bfm2009" if path.is_dir() else _KIND_OF_SUFFIX.get(path.suffix.lower())
    if kind is None:
        raise FaceModelError(
            f"{path} has the suffix of no known face model ({', '.join(_KIND_OF_SUFFIX)}); say "
            "what it is with --kind"
        )
    return kind


def _read(path: Path, kind: ModelKind, config: FaceImportConfig) -> ForeignModel:
    if kind == "bfm2009":
        from talkin.face3d.basel_models import read_bfm2009

        return read_bfm2009(path, config.expression)
    if kind == "bfm2017":
        from talkin.face3d.basel_models import read_bfm2017

        return read_bfm2017(path)
    if kind == "flame":
        from talkin.face3d.flame_model import read_flame

        return read_flame(path, config.landmarks)
    from talkin.face3d.ict_model import read_ict

    return read_ict(path)


def _digest(path: Path) -> str:
    """SHA-256 of the file, or of a folder's arrays one after the other."""
    digest = hashlib.sha256()
    for part in sorted(path.glob("*.npy")) if path.is_dir() else [path]:
        with part.open("rb") as opened:
            while chunk := opened.read(_CHUNK):
                digest.update(chunk)
    return digest.hexdigest()
