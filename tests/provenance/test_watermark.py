import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from provenance_footage import pictures, write_clip

from talkin.footage.video import iter_frames
from talkin.provenance.watermark import Watermark, WatermarkConfig, detect

SIZE = (320, 240)
QUICK = WatermarkConfig(smallest_scale=0.7, largest_scale=1.2)


@pytest.fixture(scope="module")
def plain():
    return list(pictures(25, *SIZE))


@pytest.fixture(scope="module")
def marked(plain):
    mark = Watermark(*SIZE)
    return [mark.embed(image) for image in plain]


def encoded(folder, images, crf):
    path = write_clip(folder / "clip.mp4", images, crf=crf, sound=False)
    return [frame.image for frame in iter_frames(path)]


def test_the_mark_is_found_at_its_own_size_and_not_where_there_is_none(plain, marked):
    found = detect(marked)
    assert found.found
    assert found.scale == pytest.approx(1, abs=0.01)
    assert found.n_frames == 25
    assert not detect(plain).found


@pytest.mark.parametrize("crf", [18, 23, 28])
def test_the_mark_outlives_encoding_anew(tmp_path, marked, crf):
    assert detect(encoded(tmp_path, marked, crf), QUICK).found


def test_the_mark_outlives_resizing_and_tells_by_how_much(tmp_path, marked):
    smaller = [cv2.resize(image, (240, 180), interpolation=cv2.INTER_AREA) for image in marked]
    found = detect(encoded(tmp_path, smaller, 20))
    assert found.found
    assert found.scale == pytest.approx(0.75, abs=0.02)


@pytest.mark.parametrize("corner", [(17, 11), (1, 30)])
def test_the_mark_outlives_cropping_anywhere(tmp_path, marked, corner):
    x, y = corner
    part = [np.ascontiguousarray(image[y : y + 206, x : x + 286]) for image in marked]
    assert detect(encoded(tmp_path, part, 23), QUICK).found


def test_another_key_does_not_find_it(marked):
    assert not detect(marked, WatermarkConfig(key="another")).found


def test_the_mark_costs_little_and_keeps_the_given_frame(plain):
    config = WatermarkConfig(strength=1.5)
    before = plain[0].copy()
    marked = Watermark(*SIZE, config).embed(plain[0])
    assert np.array_equal(plain[0], before)
    change = marked.astype(int) - before
    assert 44 < 10 * np.log10(255**2 / np.mean(np.square(change))) < 46
    inner = (before > 10) & (before < 245)
    assert abs(change[inner].mean()) < 0.05  # nothing gets brighter or darker as a whole


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 300), st.integers(1, 300), st.sampled_from([0, 1, 254, 255]))
def test_any_size_and_level_is_marked_without_wrapping_around(width, height, level):
    image = np.full((height, width, 3), level, np.uint8)
    marked = Watermark(width, height).embed(image)
    assert marked.shape == image.shape
    assert np.abs(marked.astype(int) - level).max() <= 12


def test_frames_without_any_content_hold_no_mark():
    assert detect([]).score == 0
    flat = detect([np.full((64, 80, 3), 90, np.uint8)] * 3)
    assert not flat.found
    assert np.isfinite(flat.score)


def test_no_more_frames_are_taken_than_wanted(plain):
    taken = []

    def watched():
        for image in plain:
            taken.append(1)
            yield image

    assert detect(watched(), WatermarkConfig(max_frames=4)).n_frames == 4
    assert len(taken) == 4
