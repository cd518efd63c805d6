"""Whose face `talkin edit` and `talkin fit` take for granted: a file's, or what a project found."""

from pathlib import Path
from typing import TYPE_CHECKING

from talkin.cli.filmed import filmed_in

if TYPE_CHECKING:
    import numpy as np

    from talkin.face3d.model import MorphableModel

OWN = "own"
_FOLDER = "03_primary/speaker_geometry"


def geometry_of_edit(
    asked: str | None,
    video: Path,
    speaker: str | None,
    data: Path,
    model: "MorphableModel",
) -> "tuple[np.ndarray | None, str]":
    """The geometry of the person in the footage, as far as other clips have told it.

    Args:
        asked: A file, `own` for what this video alone tells, None for what the project knows.
        video: The footage.
        speaker: Who is in it, where that is said.
        data: The project's data folder.
        model: The morphable model of the fit.

    Returns:
        Standard deviations, or None; and a note for the user, or "".

    Raises:
        FaceModelError: If the file cannot be used.
    """
    from talkin.errors import FaceModelError
    from talkin.face3d.person_geometry import PersonGeometry

    if asked == OWN:
        return None, ""
    if asked is not None:
        known = PersonGeometry.load(Path(asked))
        return known.of_model(model, asked), f"the face has the geometry of {asked}"
    speaker = speaker or _filmed_speaker(video, data / "01_raw/footage")
    if speaker is None or not _is_name(speaker):
        return None, ""
    place = data / _FOLDER / f"{speaker}.json"
    if not place.is_file():
        return None, ""
    try:
        known = PersonGeometry.load(place)
        geometry = known.of_model(model, str(place))
    except FaceModelError as error:
        return None, f"the face's geometry is found in this video alone: {error}"
    n = len(known.clips)
    clips = "a prepared clip" if n == 1 else f"{n} prepared clips"
    return geometry, f"the face has the geometry that {clips} of {speaker} told"


def _is_name(speaker: str) -> bool:
    from talkin.errors import ConfigurationError
    from talkin.files import checked_name

    try:
        checked_name(speaker, "speaker")
    except ConfigurationError:
        return False
    return True


def _filmed_speaker(video: Path, footage: Path) -> str | None:
    """Whose clip a video is by the project's manifest; None where it shows several people."""
    by_file, _ = filmed_in(footage)
    speakers = {str(row["speaker"]) for row in by_file.get(video.resolve(), ())}
    return speakers.pop() if len(speakers) == 1 else None
