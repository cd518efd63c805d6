import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from talkin.editing.rendering import WindowedRenderer, WindowingConfig

POINTS = np.zeros((39, 2))


def crop_of(t: int) -> np.ndarray:
    return np.full((4, 4, 3), t, np.uint8)


class Echo:
    """A renderer that returns what it is shown and remembers its windows."""

    def __init__(self, outputs: int = 7) -> None:  # noqa: D107
        self.windows: list[list[int]] = []
        self.outputs = outputs

    def __call__(self, crops, landmarks):
        self.windows.append(crops[:, 0, 0, 0].tolist())
        return crops[-self.outputs :].astype(np.float32)


def run(n_frames, render, config):
    windows, given = WindowedRenderer(render, config), []
    for t in range(n_frames):
        given += list(windows.push(crop_of(t), POINTS))
    return [picture[0, 0, 0] for picture in given + list(windows.flush())]


@given(st.integers(0, 40), st.integers(1, 7), st.sampled_from(["last", "average"]))
@settings(max_examples=60)
def test_every_frame_comes_out_once_in_order(n_frames, stride, overlap):
    config = WindowingConfig(stride=stride, overlap=overlap)
    assert run(n_frames, Echo(), config) == list(range(n_frames))


@given(st.integers(7, 40), st.integers(1, 7))
def test_windows_are_causal_and_as_many_as_the_stride_says(n_frames, stride):
    render = Echo()
    run(n_frames, render, WindowingConfig(stride=stride))
    assert len(render.windows) == 1 + -(-(n_frames - 7) // stride)
    for window in render.windows:
        assert window == list(range(window[0], window[0] + 7))


def test_with_stride_one_each_frame_is_the_last_of_its_own_window():
    def numbered(crops, landmarks):
        position = np.arange(7, dtype=np.float32)[:, None, None, None]
        return np.broadcast_to(position * 10, crops.shape).copy()

    assert run(12, numbered, WindowingConfig(stride=1, overlap="last"))[7:] == [60] * 5


def test_the_average_is_that_of_all_windows_that_show_the_frame():
    def numbered(crops, landmarks):
        position = np.arange(7, dtype=np.float32)[:, None, None, None]
        return np.broadcast_to(position * 10, crops.shape).copy()

    config = WindowingConfig(stride=1, overlap="average")
    assert run(20, numbered, config)[8:12] == [30] * 4


def test_memory_holds_no_more_than_two_windows():
    windows = WindowedRenderer(Echo(), WindowingConfig(stride=7, overlap="average"))
    for t in range(100):
        list(windows.push(crop_of(t), POINTS))
        assert len(windows._held) <= 14


def test_a_renderer_of_last_frames_alone_leaves_the_first_ones_as_they_were():
    assert run(10, Echo(outputs=1), WindowingConfig().of_model(7, n_outputs=1)) == list(range(10))


def test_a_stride_that_skips_frames_is_refused():
    with pytest.raises(ValidationError, match="skips frames"):
        WindowingConfig(stride=8)


def test_windows_are_as_long_as_the_model_wants_and_no_stride_skips_their_frames():
    short = WindowingConfig(stride=7, overlap="average").of_model(3)
    assert (short.frames, short.stride, short.overlap) == (3, 3, "average")
    assert run(10, Echo(), short) == list(range(10))
