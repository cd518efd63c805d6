"""One clip's work in each step of preparation; called in worker processes."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np

from talkin.errors import ConfigurationError

if TYPE_CHECKING:
    from talkin.face3d.fitting import FitConfig
    from talkin.face3d.loading import FaceModelConfig
    from talkin.face3d.model import MorphableModel
    from talkin.face3d.parameters import FaceParameters
    from talkin.footage.audio import Audio
    from talkin.footage.detection import DetectionConfig, LandmarkSource
    from talkin.footage.landmarks import LandmarkTrack
    from talkin.footage.mfcc import MfccConfig
    from talkin.footage.tracking import TrackingConfig
    from talkin.samples.alignment import CropConfig

FPS = 25.0
"""Pictures a second in everything that preparation leaves."""


def sound_of_clip(file: str, sample_rate: int) -> tuple["Audio"]:
    """Mono sound whose time 0 is the first picture."""
    from talkin.footage.audio import read_audio

    return (read_audio(Path(file), sample_rate),)


def mfcc_of_clip(sound: Callable[[], "Audio"], config: "MfccConfig") -> tuple[np.ndarray]:
    """MFCC, a hundred rows a second."""
    from talkin.footage.mfcc import compute_mfcc

    return (compute_mfcc(sound(), config),)


def detected_landmarks(
    file: str, detection: "DetectionConfig", tracking: "TrackingConfig"
) -> tuple["LandmarkTrack"]:
    """Landmarks of the face in every frame, found by a detector."""
    from talkin.footage.tracking import track_landmarks

    return (track_landmarks(Path(file), _detector(detection), tracking, fps=FPS),)


def true_landmarks(
    truth: Callable[[], "FaceParameters"], file: str, noise_percent: float, clip: str
) -> tuple["LandmarkTrack"]:
    """Landmarks of a synthetic clip's truth, with noise like a detector's.

    Args:
        truth: Reads the clip's truth.
        file: The clip.
        noise_percent: Standard deviation of each coordinate in percent of the distance of the
            outer eye corners.
        clip: Its name, which seeds the noise.

    Raises:
        ConfigurationError: If the clip has no truth.
    """
    from talkin.footage.landmarks import LandmarkTrack
    from talkin.footage.video import probe_video

    try:
        true = truth()
    except KeyError as error:
        raise ConfigurationError(
            f"clip {clip} has no truth; set preprocess.landmarks.source to detector"
        ) from error
    info = probe_video(Path(file))
    noise = np.random.default_rng(crc32(clip.encode())).normal(size=true.landmarks.shape)
    size = noise_percent / 100 * true.interocular_px[:, None, None]
    found = np.isfinite(true.landmarks).all(axis=(1, 2))
    return (
        LandmarkTrack(
            points=(true.landmarks + noise * size).astype(np.float32),
            scheme="ibug68",
            is_found=found,
            score=found.astype(np.float32),
            time_s=true.time_s,
            fps=true.fps,
            width=info.width,
            height=info.height,
            notes=[f"the corpus' truth with {noise_percent} % noise"],
        ),
    )


def speakers_geometry(
    tracks: Mapping[str, Callable[[], "LandmarkTrack"]],
    face_model: "FaceModelConfig",
    fit: "FitConfig",
    speaker: str,
) -> tuple[dict[str, Any]]:
    """The one geometry of all clips of a speaker, with the clips from which it was found."""
    from talkin.face3d.fitting_person import fit_geometry
    from talkin.face3d.person_geometry import PersonGeometry

    model = _face_model(face_model)
    read = (tracks[clip]() for clip in tracks)
    geometry = fit_geometry(read, model, fit, n_tracks=len(tracks), name=f"speaker {speaker}")
    # Every fingerprint downstream holds what this rounds.
    return (PersonGeometry(model.name, tuple(tracks), geometry).to_dict(),)


def fitted_face(
    track: Callable[[], "LandmarkTrack"],
    face_model: "FaceModelConfig",
    fit: "FitConfig",
    clip: str = "the clip",
    geometry: Sequence[float] | None = None,
) -> tuple["FaceParameters"]:
    """The morphable model's parameters in every frame.

    Args:
        track: Reads the clip's landmarks.
        face_model: The morphable model.
        fit: Steps and priors.
        clip: Its name, for messages.
        geometry: The speaker's, where it is known, in standard deviations.
    """
    from talkin.face3d.fitting import fit_clip

    known = None if geometry is None else np.asarray(geometry)
    return (fit_clip(track(), _face_model(face_model), fit, geometry=known, clip=clip),)


def face_crops(
    file: str,
    face: Callable[[], "FaceParameters"],
    crop: "CropConfig",
    psnr_db: float,
    scratch: str,
    clip: str,
) -> tuple[Path]:
    """Aligned face crops, streamed into a file of `scratch` that is then moved to its place."""
    from talkin.footage.video import iter_frames
    from talkin.samples.alignment import crop_frame, crop_transforms
    from talkin.samples.crops import CropWriter

    transforms = crop_transforms(face(), crop)
    path = Path(scratch) / f"{clip}.arrow"
    notes = {"crop": crop.model_dump_json()}
    with CropWriter(path, crop.size_px, FPS, psnr_db, notes) as writer:
        for frame, transform in zip(iter_frames(Path(file), FPS), transforms, strict=True):
            writer.write(crop_frame(frame.image, transform, crop.size_px), transform)
    return (path,)


@lru_cache(maxsize=1)
def _detector(config: "DetectionConfig") -> "LandmarkSource":
    """Loaded once a worker."""
    from talkin.footage.detection import load_detector

    return load_detector(config)


@lru_cache(maxsize=1)
def _face_model(config: "FaceModelConfig") -> "MorphableModel":
    """Loaded once a worker."""
    from talkin.face3d.loading import load_face_model

    return load_face_model(config)
