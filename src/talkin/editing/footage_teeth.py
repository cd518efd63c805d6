"""Collecting the open mouths of a whole video for the teeth proxy (appendix F)."""

import numpy as np

from talkin.editing.shots import crop_transforms_of_shots
from talkin.editing.teeth import TeethConfig, TeethDatabase
from talkin.editing.unfinished import FollowedFace
from talkin.face3d.model import MorphableModel
from talkin.footage.video import VideoInfo, iter_frames
from talkin.samples.alignment import CropConfig, crop_frame


def teeth_of_footage(
    info: VideoInfo,
    face: FollowedFace,
    face_model: MorphableModel,
    crop: CropConfig,
    config: TeethConfig,
) -> TeethDatabase:
    """Collect the footage's open mouths, evenly over its length.

    Args:
        info: The footage.
        face: Followed through it.
        face_model: The face model of the fit.
        crop: Geometry of the crops.
        config: How many mouths, and which are open.
    """
    database = TeethDatabase(crop.px_per_mm, config)
    transforms = crop_transforms_of_shots(face.parameters, crop, face.cuts)
    points = face.parameters.in_crop(transforms).mouth_landmarks(face_model)
    is_open = face.parameters.is_valid & database.shows_teeth(points)
    found = np.flatnonzero(is_open)
    wanted = set(found[:: max(1, -(-len(found) // config.entries))].tolist())
    for number, frame in enumerate(iter_frames(info.path, info.fps)):
        if number in wanted:
            database.add(crop_frame(frame.image, transforms[number], crop.size_px), points[number])
    return database
