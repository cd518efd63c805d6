"""Which morphable model to use, and where a built one is kept."""

import hashlib
import logging
import os
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from talkin.errors import FaceModelError
from talkin.face3d.model import MorphableModel, load_model_file

EMBEDDED = "gaussian-process"

_BUILT_FROM = (
    "anatomy.py",
    "surface.py",
    "topology.py",
    "inner_parts.py",
    "identity_modes.py",
    "mouth_frame.py",
    "expression_fields.py",
    "gaussian_process.py",
    "mesh468.json",
)

_logger = logging.getLogger(__name__)


class FaceModelConfig(BaseModel):
    """Which morphable model explains the faces."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(
        default=EMBEDDED,
        description="`gaussian-process`: the embedded model; any other name needs `file`.",
    )
    file: Path | None = Field(
        default=None,
        description="A model in the project's own safetensors layout; it wins over `name`.",
    )


def load_face_model(config: FaceModelConfig | None = None) -> MorphableModel:
    """Read an imported model, or build the embedded one once and read its cache ever after.

    The cache is `$TALKIN_CACHE`, else `$XDG_CACHE_HOME/talkin`, else `~/.cache/talkin`. Any number
    of processes may build at once: a cache file is whole or absent, and a damaged one is rebuilt.

    Raises:
        FaceModelError: If the file is missing, damaged or of another layout, or the name unknown.
    """
    config = config or FaceModelConfig()
    if config.file is not None:
        return load_model_file(config.file)
    if config.name != EMBEDDED:
        raise FaceModelError(
            f"face_model.name is {config.name!r}: only {EMBEDDED!r} is built in; for another model "
            "set face_model.file to its safetensors file"
        )
    return _embedded(cache_folder() / f"{EMBEDDED}-{_source_key()}.safetensors")


def cache_folder() -> Path:
    """Where built models are kept."""
    if chosen := os.environ.get("TALKIN_CACHE"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "talkin"


@lru_cache(maxsize=2)
def _embedded(path: Path) -> MorphableModel:
    if path.exists():
        try:
            return load_model_file(path)
        except FaceModelError as error:
            _logger.warning("%s; it is built anew", error)
    from talkin.face3d.gaussian_process import build_gaussian_process_model

    model = build_gaussian_process_model()
    try:
        model.save(path)
    except OSError as error:
        _logger.warning("the built face model cannot be kept in %s: %s", path.parent, error)
    return model


@lru_cache(maxsize=1)
def _source_key() -> str:
    """Changes with anything that the embedded model is built from."""
    digest = hashlib.sha256()
    for name in _BUILT_FROM:
        source = Path(__file__).with_name(name)
        digest.update(source.read_bytes() if source.exists() else b"absent")
    return digest.hexdigest()[:16]
