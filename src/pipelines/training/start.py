"""The trained model from which fine-tuning goes on."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from talkin.networks.talking_face import TalkingFace
    from talkin.networks.talking_face_config import TalkingFaceConfig

_REGISTERED = re.compile(r"models:/(?P<name>[^/@]+)[/@](?P<which>.+)")


def model_to_start_from(where: str) -> "TalkingFace":
    """Load a model from its folder, or from the registry by `models:/...`.

    Raises:
        ConfigurationError: If there is none, or it is damaged.
    """
    from talkin.networks.talking_face import TalkingFace

    registered = _REGISTERED.fullmatch(where)
    if registered is None:
        return TalkingFace.load(Path(where))
    from pipelines.model_versions import find_version, weights_folder

    return TalkingFace.load(weights_folder(find_version(registered["name"], registered["which"])))


def check_preparation(shape: "TalkingFaceConfig", prepared: dict[str, dict[str, Any]]) -> None:
    """Refuse footage that was prepared otherwise than the model's own.

    Args:
        shape: The model's configuration.
        prepared: `crop` and `mfcc` as preparation used them.

    Raises:
        ConfigurationError: If a setting differs; the message names all that do.
    """
    from talkin.errors import ConfigurationError

    known = shape.model_dump()
    differing = [
        f"preprocess.{part}.{key} is {value!r}, the model has {known[part].get(key)!r}"
        for part, settings in prepared.items()
        for key, value in settings.items()
        if known[part].get(key) != value
    ]
    if differing:
        raise ConfigurationError(
            f"training.train.start_from: the footage was prepared otherwise than the model's "
            f"({'; '.join(differing)}); give preprocess the model's settings and run it again"
        )
