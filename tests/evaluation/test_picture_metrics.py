import cv2
import numpy as np
import pytest
from skimage.data import astronaut
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from talkin.evaluation.picture_metrics import (
    MAX_PSNR_DB,
    flicker,
    frame_psnr,
    frame_ssim,
    psnr,
    region,
    sharpness,
    ssim,
)


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    face = astronaut()[20:148, 150:278]
    return np.stack([np.roll(face, shift, axis=1)[16:112, 16:112] for shift in range(5)])


def _noisy(frames: np.ndarray, sigma: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(scale=sigma, size=frames.shape)
    return np.clip(frames + noise, 0, 255).astype(np.uint8)


def test_psnr_of_a_constant_error_is_what_the_formula_says() -> None:
    true = np.full((2, 16, 16, 3), 100, np.uint8)
    assert psnr(true + np.uint8(5), true) == pytest.approx(20 * np.log10(255 / 5))


def test_psnr_and_ssim_agree_with_scikit_image_frame_by_frame(frames: np.ndarray) -> None:
    noisy = _noisy(frames, 12)
    expected_psnr = [peak_signal_noise_ratio(t, g) for t, g in zip(frames, noisy, strict=True)]
    expected_ssim = [
        structural_similarity(t, g, channel_axis=2) for t, g in zip(frames, noisy, strict=True)
    ]
    np.testing.assert_allclose(frame_psnr(noisy, frames), expected_psnr)
    np.testing.assert_allclose(frame_ssim(noisy, frames), expected_ssim)


def test_the_truth_itself_gets_the_best_score_and_it_is_finite(frames: np.ndarray) -> None:
    assert psnr(frames, frames) == MAX_PSNR_DB
    assert ssim(frames, frames) == pytest.approx(1.0)


def test_more_noise_lowers_both(frames: np.ndarray) -> None:
    a_little, a_lot = _noisy(frames, 4), _noisy(frames, 25)
    assert psnr(a_little, frames) > psnr(a_lot, frames) + 10
    assert ssim(a_little, frames) > ssim(a_lot, frames) + 0.1


def test_the_untouched_background_flatters_the_whole_frame(frames: np.ndarray) -> None:
    box = (30, 40, 66, 80)
    edited = frames.copy()
    region(edited, box)[:] = 255 - region(edited, box)
    assert psnr(region(edited, box), region(frames, box)) < psnr(edited, frames) - 5
    assert region(frames, box).shape == (5, 40, 36, 3)


def test_blurring_lowers_sharpness(frames: np.ndarray) -> None:
    blurred = np.stack([cv2.GaussianBlur(frame, (0, 0), 2.0) for frame in frames])
    assert sharpness(blurred) < 0.2 * sharpness(frames)
    assert sharpness(np.full((2, 20, 20, 3), 80, np.uint8)) == 0.0


def test_steady_motion_is_not_flicker_but_changing_brightness_is(frames: np.ndarray) -> None:
    gains = np.array([1.0, 0.9, 1.0, 0.9, 1.0])[:, None, None, None]
    flickering = (frames * gains).astype(np.uint8)
    plain = np.abs(np.diff(frames.astype(float), axis=0)).mean()
    assert flicker(frames, frames) < 0.5 * plain
    assert flicker(flickering, frames) > flicker(frames, frames) + 4
    assert flicker(frames[:1], frames[:1]) == 0.0


def test_frames_of_different_size_are_refused(frames: np.ndarray) -> None:
    with pytest.raises(ValueError, match="shapes differ"):
        psnr(frames[:, 1:], frames)
