"""Published weights from a local file, checked before use and never unpickled as code."""

import hashlib
import pickle
import re
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from talkin.errors import ConfigurationError

_HASH_IN_NAME = re.compile(r"-([0-9a-f]{8,64})\.")


def read_weights(
    path: Path | None, sha256: str | None, key: str, way_out: str
) -> dict[str, Tensor]:
    """Read a state dict from .safetensors, or from .pth by torch's weights-only reader.

    Args:
        path: The file.
        sha256: Its checksum or the beginning of it; if None, the one in its name, where torch's
            published files carry it, is checked.
        key: The configuration's key, for messages.
        way_out: What the user can do, for messages.

    Raises:
        ConfigurationError: If there is no file, it is another one, or it holds more than tensors.
    """
    if path is None or not path.is_file():
        named = "is not set" if path is None else f"names {path}, which is no file"
        raise ConfigurationError(f"{key} {named}; {way_out}")
    in_name = _HASH_IN_NAME.search(path.name)
    expected = (sha256 or (in_name.group(1) if in_name else "")).lower()
    with path.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").hexdigest()
    if not found.startswith(expected):
        raise ConfigurationError(
            f"{key}: {path} has SHA-256 {found}, not {expected}: it is damaged or another file; "
            f"{way_out}"
        )
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        weights = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
        raise ConfigurationError(f"{key}: {path} cannot be read as weights; {way_out}") from error
    if not isinstance(weights, dict) or not all(isinstance(v, Tensor) for v in weights.values()):
        raise ConfigurationError(f"{key}: {path} holds no state dict; {way_out}")
    return weights
