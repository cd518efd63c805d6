import numpy as np
import pytest

from talkin.editing import timing
from talkin.editing.timing import TimingConfig, frames_in_order, plan_frames
from talkin.errors import FootageError
from talkin.footage.video import Frame


@pytest.fixture
def footage(monkeypatch):
    """Twenty frames, each of its own grey."""

    def numbered(video, fps=None):
        for t in range(20):
            yield Frame(t / 25, np.full((16, 16, 3), t * 10, np.uint8))

    monkeypatch.setattr(timing, "iter_frames", numbered)


def shown(order, tmp_path):
    pictures = frames_in_order(tmp_path / "v.mp4", np.array(order), 25.0, tmp_path)
    return [round(int(picture[0, 0, 0]) / 10) for picture in pictures]


@pytest.mark.parametrize(
    "order",
    [
        [0, 1, 2, 3],
        [5, 6, 6, 7, 8, 8],
        [0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2],
        [*range(20), *range(18, -1, -1), *range(1, 10)],
    ],
)
def test_frames_come_in_the_planned_order(footage, tmp_path, order):
    assert shown(order, tmp_path) == order


def test_no_temporary_file_stays(footage, tmp_path):
    shown([0, 1, 2, 1, 0], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_footage_that_decodes_fewer_frames_than_tracked_repeats_its_last(footage, tmp_path):
    assert shown([18, 19, 20, 21], tmp_path) == [18, 19, 19, 19]


def test_keeping_the_timing_starts_at_the_first_frame(toy_model, toy_parameters):
    order = plan_frames(toy_parameters(20), toy_model, np.ones(12, bool), TimingConfig())
    assert order.tolist() == list(range(12))


def test_long_speech_plays_short_footage_back_and_forth_or_is_refused(toy_model, toy_parameters):
    speaking = np.ones(7, bool)
    order = plan_frames(toy_parameters(3), toy_model, speaking, TimingConfig())
    assert order.tolist() == [0, 1, 2, 1, 0, 1, 2]
    strict = TimingConfig(when_footage_is_short="refuse")
    with pytest.raises(FootageError, match="back and forth"):
        plan_frames(toy_parameters(3), toy_model, speaking, strict)


def test_selection_avoids_frames_without_a_face(toy_model, toy_parameters):
    found = np.ones(40, bool)
    found[:20] = False
    clip = toy_parameters(40, is_valid=found)
    order = plan_frames(clip, toy_model, np.ones(10, bool), TimingConfig(mode="select"))
    assert order.min() >= 20
