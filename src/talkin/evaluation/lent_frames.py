"""Mouths of a held-out clip drawn from its other moments, as an edit draws them."""

import numpy as np
from jaxtyping import Float, Int, UInt8

from talkin.editing.footage_mouths import FootageMouths
from talkin.editing.lending import LendingConfig, cross_faded, steady_choice
from talkin.face3d.model import MorphableModel
from talkin.samples.alignment import CropConfig
from talkin.samples.dataset import FaceCrops, PreparedClip
from talkin.samples.lent_mouths import LentMouthsConfig, may_lend, mouth_distance
from talkin.samples.mouth_warp import MOUTH, face_points


def lent_frames(
    prepared: PreparedClip,
    crops: FaceCrops,
    face_model: MorphableModel,
    crop: CropConfig,
    landmarks: Float[np.ndarray, "rows 39 2"],
    frames: Int[np.ndarray, "rows"],
) -> dict[int, UInt8[np.ndarray, "size size 3"]]:
    """Crops whose mouth mask shows another moment's mouth, warped to the wanted landmarks.

    An edit of a clip has the whole clip to draw from, but what is scored here must not: moments
    within 0.4 s of a frame hold its truth and lend it nothing.

    Args:
        prepared: The clip.
        crops: Its pictures.
        face_model: What it was fitted with.
        crop: Geometry of the crops.
        landmarks: Wanted mouths, crop px.
        frames: The frame of each row, rising.

    Returns:
        The crop of each of `frames`.
    """
    parameters, config = prepared.parameters, LendingConfig()
    shown = face_points(parameters, face_model)
    wanted = shown[frames].copy()
    wanted[:, MOUTH] = landmarks
    gap = round(LentMouthsConfig().gap_s * parameters.fps)
    allowed = np.stack([may_lend(parameters.is_valid, np.array([t]), gap) for t in frames])
    # More unlike than any mouth, but finite: what is added up must stay comparable.
    unlike = np.where(allowed, mouth_distance(wanted, shown, crop.px_per_mm), 1e4)
    starts_anew = np.diff(frames, prepend=frames[0]) > 1
    chosen = steady_choice(unlike, config.change_mm, starts_anew)
    lenders = cross_faded(chosen, starts_anew, config.fade_frames)
    mouths = FootageMouths(crop)
    for moment in np.unique(lenders):
        mouths.keep(int(moment), crops.window(int(moment), 1)[0], shown[moment])
    return {
        int(frame): mouths.filled(crops.window(int(frame), 1)[0], lenders[row], wanted[row])
        for row, frame in enumerate(frames)
    }
