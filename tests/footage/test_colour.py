import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace, Interpolation

from talkin.footage.colour import rgb_picture, video_frame


def smooth_picture(height=96, width=128, seed=0):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 16, width // 16, 3), dtype=np.uint8)
    return np.kron(coarse, np.ones((16, 16, 1), np.uint8))


@pytest.mark.parametrize("matrix", [Colorspace.ITU709, Colorspace.ITU601])
@pytest.mark.parametrize("is_full", [False, True])
def test_colours_agree_with_ffmpegs_exact_conversion(matrix, is_full):
    frame = av.VideoFrame.from_ndarray(smooth_picture(), format="rgb24").reformat(
        format="yuv420p",
        dst_colorspace=matrix,
        dst_color_range=ColorRange.JPEG if is_full else ColorRange.MPEG,
    )
    frame.colorspace = matrix
    frame.color_range = ColorRange.JPEG if is_full else ColorRange.MPEG
    exact = Interpolation.POINT | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
    expected = frame.reformat(format="rgb24", interpolation=exact).to_ndarray()
    difference = rgb_picture(frame).astype(int) - expected
    assert np.abs(difference).max() <= 2
    assert abs(difference.mean()) < 0.3


def test_what_was_read_is_written_back_as_it_was():
    once = rgb_picture(video_frame(smooth_picture()))
    frame = video_frame(once)
    twice = rgb_picture(frame)
    assert np.abs(twice.astype(int) - once).max() <= 2
    assert np.abs(twice.astype(float) - once).mean() < 0.5


def test_grey_stays_grey_from_black_to_white():
    for level in (0, 1, 64, 128, 254, 255):
        picture = rgb_picture(video_frame(np.full((16, 16, 3), level, np.uint8)))
        assert np.abs(picture.astype(int) - level).max() <= 1


@pytest.mark.parametrize("name", ["yuv422p", "yuv444p", "yuv420p10le", "rgb24", "gray", "nv12"])
def test_other_formats_are_read_too(name):
    picture = smooth_picture()
    if name == "gray":
        picture[:] = picture[..., :1]
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(
        format=name, dst_colorspace=Colorspace.ITU601
    )
    difference = rgb_picture(frame).astype(float) - picture
    assert np.abs(difference.reshape(6, 16, 8, 16, 3)[:, 4:12, :, 4:12]).max() <= 6


def test_untagged_footage_is_taken_by_its_height():
    def green_of(height):
        planes = np.full((height * 3 // 2, 32), 128, np.uint8)
        planes[height * 5 // 4 :] = 90  # Cr
        return rgb_picture(av.VideoFrame.from_ndarray(planes, format="yuv420p"))[0, 0, 1]

    assert green_of(720) == pytest.approx(1.164 * 112 + 0.533 * 38, abs=1)  # BT.709
    assert green_of(576) == pytest.approx(1.164 * 112 + 0.813 * 38, abs=1)  # BT.601
