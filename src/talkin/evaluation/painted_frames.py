"""What the renderer paints of a held-out clip: from true, heard and still landmarks."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import UInt8

from talkin.editing.deflicker import deflicker
from talkin.evaluation import picture_metrics
from talkin.evaluation.blur import cpbd
from talkin.evaluation.heard_faces import HeardFaces
from talkin.evaluation.held_out_windows import HeldOutWindows, reencoded
from talkin.evaluation.lent_frames import lent_frames
from talkin.networks.talking_face import TalkingFace
from talkin.samples.dataset import PreparedClip

WARPED = {"renderer": "warp", "audio_deflickered": "audio_warp"}
"""Systems whose landmarks are also drawn without a network, and what that is called."""
_FRAMES_AT_ONCE = 160  # of 384 px drawn by seven systems: 500 MB


@dataclass(frozen=True, eq=False)
class ShownFrame:
    """A frame as every system drew it, beside the truth.

    Attributes:
        frame: Its number in the clip.
        judged: The system for whose sake it is shown, and of which `mouth_psnr_db` is.
        mouth_psnr_db: PSNR of the mouth.
        true: The footage's crop.
        by_system: System -> the crop it drew.
    """

    frame: int
    judged: str
    mouth_psnr_db: float
    true: UInt8[np.ndarray, "size size 3"]
    by_system: dict[str, UInt8[np.ndarray, "size size 3"]]


@dataclass(frozen=True, eq=False)
class PaintedFrames:
    """True and generated frames of a clip, in order.

    Attributes:
        frames: Their numbers.
        true: The footage's crops.
        by_system: System -> generated crops.
    """

    frames: np.ndarray
    true: np.ndarray
    by_system: dict[str, np.ndarray]

    def scores(self, box: tuple[int, int, int, int]) -> dict[str, dict[str, float]]:
        """System -> metric -> value; `box` is the mouth mask, crop px."""
        true_mouth = picture_metrics.region(self.true, box)
        found = {"truth": self._without_reference(self.true, true_mouth, box)}
        for system, generated in self.by_system.items():
            mouth = picture_metrics.region(generated, box)
            found[system] = {
                "psnr": picture_metrics.psnr(generated, self.true),
                "ssim": picture_metrics.ssim(generated, self.true),
                "mouth_psnr": picture_metrics.psnr(mouth, true_mouth),
                "mouth_ssim": picture_metrics.ssim(mouth, true_mouth),
                **self._without_reference(generated, true_mouth, box),
            }
        return found

    def _without_reference(
        self, pictures: np.ndarray, true_mouth: np.ndarray, box: tuple[int, int, int, int]
    ) -> dict[str, float]:
        mouth = picture_metrics.region(pictures, box)
        runs = _runs(self.frames)
        flickers = [picture_metrics.flicker(mouth[run], true_mouth[run]) for run in runs]
        sharp_share = cpbd(mouth)
        return {
            "mouth_sharpness": picture_metrics.sharpness(mouth),
            **({} if np.isnan(sharp_share) else {"mouth_cpbd": sharp_share}),
            "mouth_flicker": float(np.average(flickers, weights=[len(run) for run in runs])),
        }

    def worst(self, box: tuple[int, int, int, int], n: int, judged: str) -> list[ShownFrame]:
        """The `n` frames whose mouth the system `judged` drew worst, worst first."""
        psnr = picture_metrics.frame_psnr(
            picture_metrics.region(self.by_system[judged], box),
            picture_metrics.region(self.true, box),
        )
        return [
            ShownFrame(
                frame=int(self.frames[row]),
                judged=judged,
                mouth_psnr_db=float(psnr[row]),
                true=self.true[row].copy(),  # a view would keep every picture of the clip
                by_system={name: drawn[row].copy() for name, drawn in self.by_system.items()},
            )
            for row in np.argsort(psnr)[:n]
        ]


def paint_clip(
    prepared: PreparedClip, model: TalkingFace, faces: HeardFaces, at_most: int | None
) -> Iterator[PaintedFrames]:
    """Run the renderer over a clip, and the truth through the video encoder.

    Args:
        prepared: The clip.
        model: Trained networks.
        faces: What to paint.
        at_most: So many windows, evenly spread; None for all.

    Yields:
        One stretch of the clip after another, so that memory does not grow with its length;
        nothing where the clip never has a whole window of valid frames.

    Raises:
        ConfigurationError: If the clip has no pictures.
    """
    windows = HeldOutWindows.of(prepared, model.config.frames, at_most)
    for ends in windows.stretches(_FRAMES_AT_ONCE, model.config.renderer.is_full_face):
        yield _painted(prepared, replace(windows, ends=ends), model, faces)


def _painted(
    prepared: PreparedClip, windows: HeldOutWindows, model: TalkingFace, faces: HeardFaces
) -> PaintedFrames:
    row_of = np.full(len(prepared.parameters), -1)
    row_of[faces.frames] = np.arange(len(faces.frames))
    landmarks = {"renderer": faces.true, "audio": faces.audio, "still_mouth": faces.still}
    is_full_face = model.config.renderer.is_full_face
    if not is_full_face:  # B.3: the full-face variant has no post-processing
        landmarks["audio_deflickered"] = faces.smoothed
    is_filled = model.config.mask_fill == "reference"
    wanted = (
        landmarks if is_filled else {name: landmarks[name] for name in WARPED if name in landmarks}
    )
    lent = _lent(prepared, windows, model, wanted, faces.frames, row_of)
    needed = lent if is_filled else {}
    generated = {
        system: windows.rendered(model, points, row_of, needed.get(system))
        for system, points in landmarks.items()
    }
    kept = windows.kept_frames(is_full_face)
    true = windows.true_frames(is_full_face)
    if not is_full_face:
        points = faces.smoothed[row_of[kept]]
        generated["audio_deflickered"] = _deflickered(
            generated["audio_deflickered"], points, kept, model
        )
    for system, warped in WARPED.items():
        if system in lent:
            generated[warped] = np.stack([lent[system][int(frame)] for frame in kept])
    generated["truth_reencoded"] = reencoded(true, prepared.parameters.fps)
    return PaintedFrames(frames=kept, true=true, by_system=generated)


def _lent(
    prepared: PreparedClip,
    windows: HeldOutWindows,
    model: TalkingFace,
    landmarks: dict[str, np.ndarray],
    valid: np.ndarray,
    row_of: np.ndarray,
) -> dict[str, dict[int, np.ndarray]]:
    """System -> frame -> the crop with a lent mouth, for the frames that are painted."""
    frames = np.intersect1d(windows.kept_frames(is_last_only=False), valid)
    return {
        system: lent_frames(
            prepared,
            windows.crops,
            model.face_model,
            model.config.crop,
            points[row_of[frames]],
            frames,
        )
        for system, points in landmarks.items()
    }


def _deflickered(
    pictures: np.ndarray, points: np.ndarray, frames: np.ndarray, model: TalkingFace
) -> np.ndarray:
    """Each stretch of neighbouring frames, deflickered as editing does (appendix G)."""
    box, px_per_mm = model.config.mask_box, model.config.crop.px_per_mm
    return np.concatenate(
        [deflicker(pictures[run], points[run], box, px_per_mm) for run in _runs(frames)]
    )


def _runs(frames: np.ndarray) -> list[np.ndarray]:
    """Rows of frames that follow one another without a gap."""
    return np.split(np.arange(len(frames)), np.flatnonzero(np.diff(frames) != 1) + 1)
