"""Score any finished clip against the real one that it imitates, whoever made it.

The real clip's face is fitted; the imitation's is fitted with the same geometry, for it shall be
the same person. Both are carried into the real face's crop of 384 px by the real face's own
transforms, so that a face that sits elsewhere or moved otherwise counts as wrong.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from pydantic import BaseModel, ConfigDict, Field

from talkin.editing.shots import cuts_of
from talkin.errors import FootageError, NoFaceError
from talkin.evaluation import metrics, picture_metrics
from talkin.evaluation.articulation import lip_gap
from talkin.evaluation.blur import cpbd
from talkin.evaluation.clip_scores import ClipScores
from talkin.evaluation.held_out_windows import reencoded
from talkin.evaluation.lip_sync import LipSyncConfig, measure_lip_sync
from talkin.face3d.fitting import fit_clip
from talkin.face3d.model import MorphableModel
from talkin.face3d.parameters import FaceParameters
from talkin.footage.audio import Audio, read_audio
from talkin.footage.detection import LandmarkSource
from talkin.footage.tracking import track_landmarks
from talkin.footage.video import VideoInfo, iter_frames, probe_video
from talkin.samples.alignment import CropConfig, crop_frame, crop_transforms, mask_box

REAL, FAKE, REENCODED = "real", "fake", "real_reencoded"
_LARGEST_STRETCH = 1.02


class PairConfig(BaseModel):
    """How a pair of clips is compared."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    crop: CropConfig = Field(default=CropConfig(), description="Face crop; the paper's 384 px.")
    max_frames: int | None = Field(
        default=1500, ge=2, description="Only so many frames from the start; none for all."
    )
    sync: LipSyncConfig = LipSyncConfig()


class Watch(Protocol):
    """Further figures of a pair of clips."""

    def __call__(
        self, real: np.ndarray, fake: np.ndarray, sounds: Sequence[Audio]
    ) -> Mapping[str, Mapping[str, float]]:
        """System -> metric -> value, of face crops (frames, size, size, 3) and their sounds."""
        ...


@dataclass(frozen=True, eq=False)
class _Pictures:
    """Frames of both clips: whole-frame figures, and crops of both."""

    psnr: Float[np.ndarray, "frames"]
    ssim: Float[np.ndarray, "frames"]
    real: UInt8[np.ndarray, "frames size size 3"]
    fake: UInt8[np.ndarray, "frames size size 3"]


def score_pair(
    name: str,
    real: Path,
    fake: Path,
    detector: LandmarkSource,
    face_model: MorphableModel,
    config: PairConfig | None = None,
    watch: Watch | None = None,
) -> ClipScores:
    """Score one clip against the real one.

    Args:
        name: Of the pair.
        real: The footage.
        fake: The clip that imitates it, frame by frame from the start.
        detector: Finds the landmarks of both.
        face_model: Explains them.
        config: How.
        watch: Gives further figures, such as LPIPS.

    Returns:
        Scores of the systems `real` (what needs no reference), `fake`, and `real_reencoded`
        (the real face crops encoded once more: the best to hope for).

    Raises:
        FootageError: If a clip cannot be read, shows no face, or has another shape of picture.
    """
    config = config or PairConfig()
    infos = probe_video(real), probe_video(fake)
    stretch = _stretch(*infos, fake)
    true = _face(real, infos[0].fps, detector, face_model, None)
    made = _face(fake, infos[0].fps, detector, face_model, true.geometry)
    n = min(len(true), len(made), config.max_frames or len(true))
    transforms = crop_transforms(true, config.crop)
    enlarged = np.tile(np.array([[stretch, 0, 0], [0, stretch, 0.0]]), (len(made), 1, 1))
    rows = np.flatnonzero(true.is_valid[:n] & made.is_valid[:n])
    if not len(rows):
        raise NoFaceError(f"{name}: in no frame a face is found in both clips")
    faces = [face.select(np.arange(n)) for face in (true, made.in_crop(enlarged))]
    cropped = [face.in_crop(transforms[:n]).select(rows) for face in faces]
    pictures = _pictures(real, fake, infos[0], transforms, rows, config)
    points = [face.mouth_landmarks(face_model) for face in cropped]
    systems = _face_scores(points, cropped, config.crop.size_px)
    _add_picture_scores(systems, pictures, mask_box(config.crop), infos[0].fps)
    _add_sync_scores(systems, faces, face_model, (real, fake), infos, config.sync)
    if watch is not None:
        sounds = [
            read_audio(path) for path, i in zip((real, fake), infos, strict=True) if i.has_audio
        ]
        for system, values in watch(pictures.real, pictures.fake, sounds).items():
            systems.setdefault(system, {}).update(values)
    return ClipScores(
        clip=name,
        speaker=name,
        n_frames=len(rows),
        n_pictures=len(rows),
        systems=systems,
        time_s=cropped[0].time_s,
        curves={
            "true_opening": metrics.mouth_opening(points[0]),
            "audio_opening": metrics.mouth_opening(points[1]),
            "landmark_error": metrics.landmark_distances(points[1], points[0]),
        },
    )


def _stretch(real: VideoInfo, fake: VideoInfo, path: Path) -> float:
    """Real px a pixel of the imitation."""
    across, down = real.width / fake.width, real.height / fake.height
    if not 1 / _LARGEST_STRETCH <= across / down <= _LARGEST_STRETCH:
        raise FootageError(
            f"{path}: {fake.width} x {fake.height} px is another shape of picture than the real "
            f"clip's {real.width} x {real.height}; cut both to the same region first"
        )
    return (across + down) / 2


def _face(
    path: Path,
    fps: float,
    detector: LandmarkSource,
    model: MorphableModel,
    geometry: np.ndarray | None,
) -> FaceParameters:
    track = track_landmarks(path, detector, fps=fps)
    return fit_clip(track, model, cuts=cuts_of(track), geometry=geometry, clip=str(path))


def _face_scores(
    points: list[np.ndarray], faces: list[FaceParameters], size_px: int
) -> dict[str, dict[str, float]]:
    true, heard = points
    openings = [metrics.mouth_opening(of) for of in points]
    error = metrics.landmark_error(heard, true)
    lips = metrics.landmark_distance(heard[:, :20], true[:, :20])
    return {
        FAKE: {
            "landmark_error": error,
            "landmark_error_384": metrics.at_paper_size(error, size_px),
            "lip_distance_384": metrics.at_paper_size(lips, size_px),
            "expression_error": metrics.expression_error(faces[1].expression, faces[0].expression),
            "mouth_opening_correlation": metrics.correlation(openings[1], openings[0]),
            "mouth_opening_error": float(np.mean(np.abs(openings[1] - openings[0]))),
        }
    }


def _pictures(
    real: Path,
    fake: Path,
    info: VideoInfo,
    transforms: np.ndarray,
    rows: np.ndarray,
    config: PairConfig,
) -> _Pictures:
    wanted, size = set(rows.tolist()), config.crop.size_px
    figures, crops = [], []
    pairs = zip(iter_frames(real, info.fps), iter_frames(fake, info.fps), strict=False)
    for number, (a, b) in enumerate(islice(pairs, int(rows[-1]) + 1)):
        if number not in wanted:
            continue
        shape = (a.image.shape[1], a.image.shape[0])
        image = b.image if b.image.shape == a.image.shape else cv2.resize(b.image, shape)
        true, made = a.image[None], image[None]
        figures.append((picture_metrics.psnr(made, true), picture_metrics.ssim(made, true)))
        crops.append([crop_frame(of, transforms[number], size) for of in (a.image, image)])
    psnr, ssim = np.array(figures).T
    true_crops, fake_crops = (np.stack([pair[side] for pair in crops]) for side in (0, 1))
    return _Pictures(psnr, ssim, true_crops, fake_crops)


def _add_picture_scores(
    systems: dict[str, dict[str, float]],
    pictures: _Pictures,
    box: tuple[int, int, int, int],
    fps: float,
) -> None:
    again = reencoded(pictures.real, fps)
    true = picture_metrics.region(pictures.real, box)
    for system, crops in ((REAL, pictures.real), (FAKE, pictures.fake), (REENCODED, again)):
        mouth = picture_metrics.region(crops, box)
        found = {
            "mouth_sharpness": picture_metrics.sharpness(mouth),
            "mouth_cpbd": cpbd(mouth),
            "mouth_flicker": picture_metrics.flicker(mouth, true),
        }
        if system != REAL:
            found["mouth_psnr"] = picture_metrics.psnr(mouth, true)
            found["mouth_ssim"] = picture_metrics.ssim(mouth, true)
        known = {metric: value for metric, value in found.items() if np.isfinite(value)}
        systems.setdefault(system, {}).update(known)
    systems[FAKE] |= {"psnr": float(pictures.psnr.mean()), "ssim": float(pictures.ssim.mean())}


def _add_sync_scores(
    systems: dict[str, dict[str, float]],
    faces: list[FaceParameters],
    model: MorphableModel,
    paths: tuple[Path, Path],
    infos: tuple[VideoInfo, VideoInfo],
    config: LipSyncConfig,
) -> None:
    """Of each clip with its own sound; a silent imitation is heard with the real sound."""
    for system, face, own in zip((REAL, FAKE), faces, (0, 1), strict=True):
        source = own if infos[own].has_audio else 0
        if not infos[source].has_audio or np.ptp(face.time_s) < 2 * config.max_offset_s:
            continue
        gap = lip_gap(model.points(model.mouth39, face.geometry, face.expression))
        found = measure_lip_sync(gap, face.time_s, read_audio(paths[source]), config)
        if np.isfinite(found.offset_s):
            values = {"sound_offset_ms": 1000 * found.offset_s, "sync_confidence": found.confidence}
            systems.setdefault(system, {}).update(values)
