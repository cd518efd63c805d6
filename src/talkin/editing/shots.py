"""Shots of the footage: nothing is smoothed, warped or rendered across a cut."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float64, Int

from talkin.face3d.parameters import FaceParameters
from talkin.footage.landmarks import LandmarkTrack
from talkin.samples.alignment import CropConfig, crop_transforms


def cuts_of(track: LandmarkTrack) -> list[int]:
    """Frames with which a new shot begins."""
    return sorted(set(track.cuts))


def shot_numbers(n_frames: int, cuts: Sequence[int]) -> Int[np.ndarray, "frames"]:
    """The shot, counted from 0, that each footage frame belongs to."""
    return np.searchsorted(np.sort(np.asarray(cuts, dtype=int)), np.arange(n_frames), side="right")


def crop_transforms_of_shots(
    parameters: FaceParameters, crop: CropConfig, cuts: Sequence[int]
) -> Float64[np.ndarray, "frames 2 3"]:
    """`crop_transforms` of each shot by itself."""
    shots = shot_numbers(len(parameters), cuts)
    starts = np.flatnonzero(np.diff(shots)) + 1
    if not len(starts):
        return crop_transforms(parameters, crop)  # no copy of a long shot
    return np.concatenate(
        [
            crop_transforms(parameters.select(frames), crop)
            for frames in np.split(np.arange(len(parameters)), starts)
        ]
    )


def bridge_short_gaps(
    flags: Bool[np.ndarray, "frames"], longest: int
) -> Bool[np.ndarray, "frames"]:
    """Fill runs of False up to `longest` frames that lie between frames that are True."""
    bridged = np.array(flags, dtype=bool)
    edges = np.flatnonzero(np.diff(np.concatenate([[True], bridged, [True]]).astype(np.int8)))
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        if start > 0 and stop < len(bridged) and stop - start <= longest:
            bridged[start:stop] = True
    return bridged


def starts_of_runs(*labels: np.ndarray) -> Bool[np.ndarray, "frames"]:
    """True at the first frame and wherever any of the labels changes."""
    starts = np.zeros(len(labels[0]), dtype=bool)
    starts[:1] = True
    for label in labels:
        starts[1:] |= label[1:] != label[:-1]
    return starts
