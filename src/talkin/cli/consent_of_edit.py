"""Whose leave `talkin edit` asks for before it edits."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from talkin.cli.filmed import MANIFEST, filmed_in
from talkin.errors import ConfigurationError, ConsentError

if TYPE_CHECKING:
    from talkin.provenance.consent import ConsentRegister, Purpose

_REGISTER = "consent.csv"


def checked_consent(
    speaker: str | None,
    voice: str | None,
    register: Path | None,
    faces: Iterable[Path],
    voices: Iterable[Path],
    footage: Path,
) -> str:
    """Check whoever is named, and whoever a manifest knows in the given files.

    Args:
        speaker: Whose face is edited, as the register names them.
        voice: Whose voice is heard.
        register: Who agreed to what; must be given where somebody is named.
        faces: Files whose faces are edited or drive the edit.
        voices: Files whose sound is used.
        footage: The project's footage folder, which may hold a manifest and a register. Folders
            above the files are asked too, where they hold both.

    Returns:
        What was found, or what is expected of the user where nobody is known.

    Raises:
        ConsentError: If somebody is known and did not agree, or a file of the footage folder may be
            that of a wrong line of the manifest.
        ConfigurationError: If options are missing that belong together.
    """
    people: tuple[tuple[str | None, Purpose], ...] = (
        (speaker, "edit-face"),
        (voice, "edit-voice"),
    )
    named = [(name, purpose) for name, purpose in people if name is not None]
    if bool(named) != (register is not None) or (voice and not speaker):
        raise ConfigurationError(
            "--speaker, --voice and --consent-register belong together: the register is searched "
            "for the speaker's leave to edit their face and the voice's to be used"
        )
    files: dict[Purpose, list[Path]] = {"edit-face": [*faces], "edit-voice": [*voices]}
    folders = {footage.resolve(), *_footage_folders([*files["edit-face"], *files["edit-voice"]])}
    said = [_check_filmed(folder, register, files) for folder in sorted(folders)]
    filmed = " ".join(filter(None, said))
    if register is None:
        return filmed or (
            "No consent record was checked (--speaker NAME --voice NAME --consent-register FILE): "
            "edit only people who agreed to it, and label the result as edited."
        )
    from talkin.provenance.consent import read_consent, require_consent

    records = read_consent(register)
    for name, purpose in named:
        require_consent([name], records, purpose=purpose)
    checked = " and ".join(f"{name} ({purpose})" for name, purpose in named)
    unchecked = "" if voice else " Whose voice it is was not checked (--voice NAME)."
    return f"The consent register {register} allows {checked}.{unchecked}"


def _footage_folders(files: Iterable[Path]) -> Iterator[Path]:
    """Folders above the files in which a manifest lies beside a register."""
    for file in files:
        for folder in file.resolve().parents:
            if (folder / MANIFEST).is_file() and (folder / _REGISTER).is_file():
                yield folder


def _check_filmed(footage: Path, register: Path | None, files: "dict[Purpose, list[Path]]") -> str:
    """Ask for the leave of those whom the manifest shows in the files; says who they are."""
    from talkin.provenance.consent import read_consent, require_consent

    by_file, wrong = filmed_in(footage)
    records: ConsentRegister | None = None
    checked: list[str] = []
    for purpose, paths in files.items():
        places = [path.resolve() for path in paths]
        known = [row for place in places if place in by_file for row in by_file[place]]
        for place in places if wrong else ():
            if place not in by_file and place.is_relative_to(footage.resolve()):
                raise ConsentError(
                    f"{place}: who is in it is not known, for the manifest cannot be read whole: "
                    f"{next(iter(wrong.values()))}"
                )
        if known:
            records = records or read_consent(register or footage / _REGISTER)
            require_consent(known, records, purpose=purpose)
            checked += [f"{row['speaker']} ({purpose})" for row in known]
    if records is None:
        return ""
    return f"The consent register {records.path} allows {' and '.join(dict.fromkeys(checked))}."
