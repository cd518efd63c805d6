"""A model on disk: weights as safetensors, its configuration as JSON, nothing pickled."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from talkin.errors import ConfigurationError
from talkin.face3d.model import load_model_file
from talkin.files import replace_when_whole
from talkin.networks.talking_face_config import TalkingFaceConfig

if TYPE_CHECKING:
    from talkin.networks.talking_face import TalkingFace

LAYOUT = "talkin-talking-face-1"


def save_talking_face(
    model: "TalkingFace", folder: Path, notes: dict[str, str] | None = None
) -> None:
    """Write a model's folder; `config.json` comes last, so a folder with it is whole."""
    model.face_model.save(folder / "face_model.safetensors")
    save_weights(model, folder / "weights.safetensors")
    header = {
        "layout": LAYOUT,
        "face_model": model.face_model.name,
        "config": model.config.model_dump(mode="json"),
        "notes": notes or {},
    }
    write_json(folder / "config.json", header)


def load_talking_face(folder: Path) -> "TalkingFace":
    """Read a model's folder.

    Raises:
        ConfigurationError: If a file is missing, damaged or does not fit the others.
        FaceModelError: If the face model cannot be read.
    """
    from talkin.networks.talking_face import TalkingFace

    header = read_json(folder / "config.json", "the folder of a trained model")
    if header.get("layout") != LAYOUT:
        raise ConfigurationError(
            f"{folder} is no talking-face model (its layout is {header.get('layout')!r}, {LAYOUT} "
            "was expected); train again with this version"
        )
    try:
        config = TalkingFaceConfig.model_validate(header["config"])
    except (KeyError, ValidationError) as error:
        raise ConfigurationError(
            f"{folder / 'config.json'} does not fit this version of talkin: {error}"
        ) from error
    face_model = load_model_file(folder / "face_model.safetensors")
    if face_model.name != header.get("face_model"):
        raise ConfigurationError(
            f"{folder}: config.json was written with face model {header.get('face_model')}, but "
            f"face_model.safetensors is {face_model.name}; copy the folder as a whole"
        )
    model = TalkingFace(config, face_model)
    load_weights(model, folder / "weights.safetensors")
    return model.eval()


def save_weights(module: nn.Module, path: Path) -> None:
    """Write a module's parameters and buffers, whole or not at all."""
    with replace_when_whole(path) as part:
        save_file(plain_tensors(module.state_dict()), part)


def load_weights(module: nn.Module, path: Path) -> None:
    """Read a module's parameters and buffers.

    Raises:
        ConfigurationError: If the file is missing, damaged, or of other networks.
    """
    try:
        weights = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ConfigurationError(f"weights {path} cannot be read: {error}") from error
    wanted = module.state_dict()
    differing = sorted(
        key
        for key in wanted.keys() | weights.keys()
        if key not in wanted or key not in weights or wanted[key].shape != weights[key].shape
    )
    if differing:
        shown = ", ".join(_difference(key, wanted, weights) for key in differing[:3])
        raise ConfigurationError(
            f"weights {path} belong to another configuration: {len(differing)} tensors differ "
            f"({shown}{' ...' if len(differing) > 3 else ''}); use the config.json they were "
            "saved with"
        )
    module.load_state_dict(weights)


def plain_tensors(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Tensors as safetensors wants them: on the CPU, in plain memory order, none shared."""
    return {key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()}


def write_json(path: Path, content: Mapping[str, object]) -> None:
    """Write JSON, whole or not at all."""
    with replace_when_whole(path) as part:
        part.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n")


def read_json(path: Path, what: str) -> dict[str, object]:
    """Read JSON.

    Raises:
        ConfigurationError: If it is missing or damaged.
    """
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read; is {path.parent} {what}?") from error
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path} holds no JSON object; is {path.parent} {what}?")
    return content


def _difference(key: str, wanted: dict[str, Tensor], found: dict[str, Tensor]) -> str:
    sizes = [tuple(side[key].shape) if key in side else "nothing" for side in (wanted, found)]
    return f"{key}: {sizes[0]} wanted, {sizes[1]} found"
