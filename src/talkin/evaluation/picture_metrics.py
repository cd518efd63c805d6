"""How far generated pictures are from the true ones, and what is wrong with them without a truth.

Pictures are RGB bytes (0 to 255). PSNR and SSIM are scikit-image's. Give the mouth crop beside the
whole frame (`region`): the untouched background alone raises the whole frame's figure by several
decibels.
"""

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

MAX_PSNR_DB = 100.0
Frames = UInt8[np.ndarray, "frames height width 3"]


def region(frames: Frames, box: tuple[int, int, int, int]) -> Frames:
    """Cut a box (x0, y0, x1, y1; px, the last two exclusive) out of every frame."""
    x0, y0, x1, y1 = box
    return frames[:, y0:y1, x0:x1]


def frame_psnr(generated: Frames, true: Frames) -> Float[np.ndarray, "frames"]:
    """Peak signal-to-noise ratio of each frame, dB.

    Equal frames, whose ratio is infinite, get `MAX_PSNR_DB`, so that a mean stays finite.

    Raises:
        ValueError: If the shapes differ.
    """
    _check(generated, true)
    with np.errstate(divide="ignore"):
        values = [
            peak_signal_noise_ratio(t, g, data_range=255)
            for t, g in zip(true, generated, strict=True)
        ]
    return np.minimum(np.array(values, dtype=np.float64), MAX_PSNR_DB)


def frame_ssim(generated: Frames, true: Frames) -> Float[np.ndarray, "frames"]:
    """Structural similarity of each frame (uniform 7 x 7 window, mean over colour channels).

    Raises:
        ValueError: If the shapes differ.
    """
    _check(generated, true)
    return np.array(
        [
            structural_similarity(t, g, channel_axis=-1, data_range=255)
            for t, g in zip(true, generated, strict=True)
        ],
        dtype=np.float64,
    )


def psnr(generated: Frames, true: Frames) -> float:
    """Mean of `frame_psnr`, dB."""
    return float(frame_psnr(generated, true).mean())


def ssim(generated: Frames, true: Frames) -> float:
    """Mean of `frame_ssim`."""
    return float(frame_ssim(generated, true).mean())


def sharpness(frames: Frames) -> float:
    """Variance of the Laplacian of the luma, mean over frames; blurring lowers it.

    It depends on what is shown: compare with the truth's, not with another clip's.
    """
    return float(np.mean([cv2.Laplacian(_luma(frame), cv2.CV_64F).var() for frame in frames]))


def flicker(frames: Frames, guide: Frames) -> float:
    """Change between neighbouring frames that motion does not explain, grey levels.

    Each frame is warped onto the next by the optical flow of `guide` (Farneback); what then still
    differs is flicker. With the truth as the guide, generated frames are not forgiven for moving
    where the truth does not.

    Args:
        frames: Frames in order, without gaps.
        guide: As many true frames of the same size.

    Returns:
        Mean absolute difference; 0 for fewer than two frames.

    Raises:
        ValueError: If the shapes differ.
    """
    _check(frames, guide)
    differences = []
    for t in range(1, len(frames)):
        flow = _flow(guide[t], guide[t - 1])
        warped = _warp(frames[t - 1], flow)
        differences.append(np.abs(warped.astype(np.float64) - frames[t]).mean())
    return float(np.mean(differences)) if differences else 0.0


def _flow(later: np.ndarray, earlier: np.ndarray) -> np.ndarray:
    """Where each pixel of the later frame was in the earlier one."""
    start = np.zeros((*later.shape[:2], 2), dtype=np.float32)
    return cv2.calcOpticalFlowFarneback(
        _luma(later), _luma(earlier), start, 0.5, 3, 15, 3, 5, 1.2, 0
    )


def _warp(frame: np.ndarray, flow: np.ndarray) -> np.ndarray:
    height, width = frame.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return cv2.remap(
        frame, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def _luma(frame: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY)


def _check(generated: np.ndarray, true: np.ndarray) -> None:
    if generated.shape != true.shape:
        raise ValueError(f"shapes differ: {generated.shape} and {true.shape}")
