"""One edit; called in worker processes."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from talkin.editing.edit_clip import EditConfig
    from talkin.footage.detection import DetectionConfig, LandmarkSource
    from talkin.footage.landmarks import LandmarkTrack
    from talkin.networks.talking_face import TalkingFace

_SAME_RATE = 1e-3  # frames/s; over ten minutes less than one frame
_EDIT_LISTS = (".yml", ".yaml", ".csv")


def edited_clip(  # noqa: PLR0913, PLR0917 - a task's arguments, by name
    job: str,
    target: str,
    audio: str,
    driven_by: str,
    model_folder: str,
    scratch: str,
    detection: "DetectionConfig",
    edit: "EditConfig",
    truth: dict[str, Any] | None,
    landmarks: Callable[[], "LandmarkTrack"] | None,
    geometry: list[float] | None,
) -> tuple[Path, Path | None, Path, dict[str, Any]]:
    """Make one edit and what goes with it.

    Args:
        job: Its name.
        target: Footage of who shall speak.
        audio: A file with the new speech, an edit list, or a text.
        driven_by: `face` where the face of the video `audio` drives, else its sound does.
        model_folder: The trained model.
        scratch: Where finished files are put.
        detection: Finds landmarks in the target.
        edit: How to edit.
        truth: `plan` of a synthetic target, its `corpus`, and the true `expression` that goes with
            the speech, (frames, coefficients); None where the truth cannot be known.
        landmarks: Reads what preparation found in the target; None where it is no prepared clip.
        geometry: Of the person in the target, standard deviations; None where it is not known.

    Returns:
        The edited clip, its truth or None, both beside the target, and what was done.
    """
    from talkin.cli.new_speech import new_speech
    from talkin.editing.edit_clip import credential_of, edit_clip
    from talkin.editing.side_by_side import write_side_by_side
    from talkin.provenance.credentials import Ingredient, signed_when_whole

    model, folder = _model(model_folder), Path(scratch)
    edited = folder / f"{job}.edited.mp4"
    made = folder / job
    made.mkdir()
    speech = new_speech(_way(audio, driven_by), "en-us", made)
    ingredients = (Ingredient(role="target", path=Path(target)), *speech.sources)
    report = edit_clip(
        Path(target),
        speech.driver,
        edited,
        model,
        model.face_model,
        _detector(detection),
        edit,
        ingredients=ingredients,
        track=None if landmarks is None else _at_own_rate(landmarks(), Path(target)),
        geometry=None if geometry is None else np.array(geometry),
    )
    true_clip = _true_clip(folder / f"{job}.truth.mp4", truth, audio, report.frame_order)
    clips = [("target", Path(target)), ("edited", edited), ("truth", true_clip)]
    shown = [(label, clip) for label, clip in clips if clip is not None]
    beside = folder / f"{job}.beside.mp4"
    credential = credential_of(Path(target), Path(audio), model, ingredients)
    with signed_when_whole(beside, credential) as unsigned:
        clips_shown, labels = [clip for _, clip in shown], [label for label, _ in shown]
        write_side_by_side(clips_shown, labels, unsigned, edited)
    notes = report.to_dict()
    notes.pop("output")
    return edited, true_clip, beside, notes


def listed_files(audio: str) -> tuple[Path, ...]:
    """The recordings that an edit list is cut from; none of any other file."""
    if Path(audio).suffix.lower() not in _EDIT_LISTS:
        return ()
    from talkin.editing.edit_list import read_edit_list

    return tuple(path for path in read_edit_list(Path(audio)).files if path.is_file())


def _at_own_rate(track: "LandmarkTrack", target: Path) -> "LandmarkTrack | None":
    """Prepared landmarks where they have the footage's rate; other footage is followed anew."""
    from talkin.footage.video import probe_video

    return track if abs(track.fps - probe_video(target).fps) < _SAME_RATE else None


def _way(audio: str, driven_by: str) -> dict[str, object]:
    """What `new_speech` shall make of a file."""
    suffix = Path(audio).suffix.lower()
    if driven_by == "face":
        return {"drive": audio}
    if suffix in _EDIT_LISTS:
        return {"edit_list": audio}
    if suffix == ".txt":
        return {"text": Path(audio).read_text(encoding="utf-8")}
    return {"audio": audio}


def _true_clip(
    path: Path, truth: dict[str, Any] | None, audio: str, frame_order: Any
) -> Path | None:
    if truth is None:
        return None
    from talkin.avatar.corpus import render_with_expression

    expression = truth["expression"]
    n = min(len(expression), len(frame_order))  # rounding may make the edit one frame longer
    render_with_expression(
        truth["plan"], truth["corpus"], expression[:n], path, Path(audio), frame_order[:n]
    )
    return path


@lru_cache(maxsize=1)
def _model(folder: str) -> "TalkingFace":
    """Loaded once a worker."""
    from talkin.networks.talking_face import TalkingFace

    return TalkingFace.load(Path(folder))


@lru_cache(maxsize=1)
def _detector(config: "DetectionConfig") -> "LandmarkSource":
    """Loaded once a worker."""
    from talkin.footage.detection import load_detector

    return load_detector(config)
