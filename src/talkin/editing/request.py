"""What is asked of an edit, refused at once where it would only fail after minutes of work."""

import json
import os
from collections.abc import Sequence
from hashlib import file_digest, sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from talkin.errors import ConfigurationError, FootageError
from talkin.face3d.model import MorphableModel
from talkin.footage.audio import Audio, read_audio
from talkin.footage.sound_track import stated_sound_length

if TYPE_CHECKING:
    from talkin.networks.talking_face import TalkingFace

_SUFFIXES = (".mp4", ".m4v")
_LONGEST_PADDING_S = 0.2


def check_request(
    inputs: Sequence[Path],
    outputs: Sequence[Path | None],
    model: "TalkingFace",
    face_model: MorphableModel,
) -> None:
    """Check where an edit reads and writes, and that networks and face model belong together.

    Raises:
        ConfigurationError: If the face model is not the networks' own.
        FootageError: If an output cannot be written, is no mp4, or is another's input or output.
    """
    if face_model.name != model.face_model.name:
        raise ConfigurationError(
            f"the networks speak face model {model.face_model.name}, but {face_model.name} was "
            "given; use the one in the model's folder"
        )
    taken = {Path(path).resolve() for path in inputs}
    for output in outputs:
        if output is None:
            continue
        _check_output(output, taken)
        taken.add(output.resolve())


def _check_output(output: Path, taken: set[Path]) -> None:
    if output.suffix.lower() not in _SUFFIXES:
        raise FootageError(
            f"{output}: edited video is written as mp4; end the name with {' or '.join(_SUFFIXES)}"
        )
    if output.resolve() in taken:
        raise FootageError(f"{output} would overwrite its own input; choose another name")
    if output.is_dir():
        raise FootageError(f"{output} is a folder; name a file in it")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FootageError(f"{output.parent} cannot be made: {error.strerror}") from error
    if not os.access(output.parent, os.W_OK):
        raise FootageError(f"{output.parent} cannot be written to; choose another folder")


def identity_of_edit(files: Sequence[Path], *settings: object) -> str:
    """A hash of all that an edit's pictures depend on: files by content, settings by value."""
    digest = sha256(version("talkin").encode())
    for path in files:
        with path.open("rb") as file:
            digest.update(file_digest(file, "sha256").digest())
    digest.update(json.dumps(settings, sort_keys=True, default=str).encode())
    return digest.hexdigest()


def read_speech(path: Path, sample_rate: int) -> Audio:
    """Read the new speech, without the padding of its last packet.

    Raises:
        FootageError: If the file cannot be read or holds no sound.
    """
    sound = read_audio(path, sample_rate)
    stated_s = stated_sound_length(path)
    if stated_s is None or not 0 < sound.duration_s - stated_s < _LONGEST_PADDING_S:
        return sound
    return Audio(sound.samples[: round(stated_s * sample_rate)], sample_rate)
