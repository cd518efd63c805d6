"""What a user should know about a fit, in words: which frames, and why."""

import numpy as np

from talkin.face3d.parameters import FaceParameters
from talkin.footage.track_notes import TrackNotes

_PROFILE_DEG = 65.0  # beyond it half of the mouth is hidden
_STILL = 0.003  # of the interocular distance: below it only the video's coding moves points
_FEWEST_FRAMES = 10  # fewer may be still by chance


def remarks(face: FaceParameters) -> list[str]:
    """A line for each run of frames whose fit needs care, and for a face that never moves.

    Args:
        face: What `fit_clip` found.

    Returns:
        Lines such as "frames 3-7: ...", for frames with landmarks only: why others have none is
        in the notes of the landmark track.
    """
    notes = TrackNotes()
    is_seen = np.isfinite(face.landmarks).all(axis=(1, 2))
    if _is_still(face, is_seen):
        notes.say("the face never moves, as in a still image: there is no speech to learn from")
    for frame in np.flatnonzero(is_seen & ~face.is_valid):
        notes.mark(
            int(frame),
            "the points fit no face, so the fit is not to be trusted (is_valid is False)",
        )
    turned = np.abs(np.degrees(face.rotation[:, 1])) > _PROFILE_DEG
    for frame in np.flatnonzero(is_seen & face.is_valid & turned):
        notes.mark(
            int(frame),
            f"a profile (turned by more than {_PROFILE_DEG:.0f} degrees), its hidden half a guess",
        )
    return notes.lines()


def _is_still(face: FaceParameters, is_seen: np.ndarray) -> bool:
    if is_seen.sum() < _FEWEST_FRAMES:
        return False
    points = face.landmarks[is_seen]
    moved = np.linalg.norm(points - np.median(points, axis=0), axis=2)
    return bool(moved.mean(axis=1).max() < _STILL * np.median(face.interocular_px[is_seen]))
