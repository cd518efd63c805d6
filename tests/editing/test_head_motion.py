import numpy as np
import pytest

from talkin.editing.head_motion import head_motion, is_blink


def eyes(openness):
    """68 points a frame whose eyes are 20 px wide and 20 * openness px high."""
    points = np.zeros((len(openness), 68, 2))
    for first, x in ((36, 0), (42, 60)):
        for k, (dx, dy) in enumerate([(0, 0), (6, -1), (14, -1), (20, 0), (14, 1), (6, 1)]):
            points[:, first + k, 0] = x + dx
            points[:, first + k, 1] = dy * 10 * np.asarray(openness)
    return points


def test_a_head_that_slides_evenly_has_its_speed_in_eye_distances_a_second(
    toy_model, toy_parameters
):
    path = np.column_stack([np.arange(20) * 2.0, np.zeros(20)])
    moving = toy_parameters(20, translation=path)
    assert head_motion(moving, toy_model) == pytest.approx(2.0 * 25 / 50)


def test_an_opening_mouth_is_no_head_motion(toy_model, toy_parameters):
    speaking = toy_parameters(20, expression=np.random.default_rng(0).normal(size=(20, 1)))
    assert head_motion(speaking, toy_model) == pytest.approx(0.0, abs=1e-4)


def test_a_clip_of_one_frame_does_not_move(toy_model, toy_parameters):
    assert head_motion(toy_parameters(1), toy_model).tolist() == [0.0]


def test_a_blink_is_found_in_wide_and_in_narrow_eyes():
    for usual in (0.4, 0.15):
        openness = np.full(50, usual)
        openness[20:24] = usual * 0.3
        assert np.flatnonzero(is_blink(eyes(openness))).tolist() == [20, 21, 22, 23]


def test_a_rolled_head_does_not_blink():
    openness = np.full(40, 0.3)
    openness[10] = 0.05
    points = eyes(openness)
    turn = np.array([[np.cos(0.6), -np.sin(0.6)], [np.sin(0.6), np.cos(0.6)]])
    assert np.array_equal(is_blink(points @ turn.T), is_blink(points))


def test_frames_without_a_face_do_not_blink():
    points = eyes(np.full(10, 0.3))
    points[4:6] = np.nan
    assert not is_blink(points).any()
    assert not is_blink(points * np.nan).any()
