import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkin.avatar.motion import VIEWS, blinks, head_motion, upper_face
from talkin.errors import ConfigurationError
from talkin.face3d.camera import rotation_matrix
from talkin.face3d.gaussian_process import build_gaussian_process_model


@pytest.mark.parametrize(
    ("view", "axis", "sign"),
    [
        ("left30", 0, -1),
        ("left60", 0, -1),
        ("right30", 0, 1),
        ("right60", 0, 1),
        ("up30", 1, 1),
        ("down30", 1, -1),
    ],
)
def test_the_face_looks_where_its_view_says(view: str, axis: int, sign: int) -> None:
    motion = head_motion(0, 500, 25, view)  # type: ignore[arg-type]
    gaze = rotation_matrix(motion.rotation)[:, :, 2]
    degrees = np.rad2deg(np.arcsin(gaze[:, axis].mean()))
    assert degrees * sign == pytest.approx(60 if "60" in view else 30, abs=5)


@given(st.integers(0, 10_000), st.sampled_from(sorted(VIEWS)))
def test_heads_move_smoothly_and_stay_in_view(seed: int, view: str) -> None:
    motion = head_motion(seed, 250, 25, view)  # type: ignore[arg-type]
    offset = motion.rotation - np.deg2rad([*VIEWS[view], 0.0])
    assert np.abs(offset).max() < 0.33
    assert np.abs(np.diff(motion.rotation, axis=0)).max() < 0.09
    assert np.abs(motion.translation_px).max() < 7.5
    assert np.abs(motion.scale_factor - 1).max() < 0.025


def test_there_are_moments_of_rest_between_the_movements() -> None:
    speed = np.linalg.norm(np.diff(head_motion(4, 1500, 25).translation_px, axis=0), axis=1)
    assert np.quantile(speed, 0.15) < 0.2 * speed.mean()


def test_motion_is_the_same_for_a_seed_and_another_for_another() -> None:
    one, again, other = (head_motion(seed, 100, 25).rotation for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 0.01
    np.testing.assert_array_equal(upper_face(1, 100, 25), upper_face(1, 100, 25))


def test_an_unknown_view_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="left30"):
        head_motion(0, 10, 25, "behind")  # type: ignore[arg-type]


def test_blinks_shut_fast_open_slower_and_come_every_few_seconds() -> None:
    fps = 1000
    closure = blinks(np.random.default_rng(0), 60 * fps, fps)
    assert closure.max() == pytest.approx(1.0, abs=0.02)
    shut = closure > 0
    begins = np.flatnonzero(np.diff(shut.astype(int)) == 1)
    assert 8 <= len(begins) <= 35
    first = closure[begins[0] + 1 : begins[0] + 260]
    down, total = int(first.argmax()), int((first > 0).sum())
    assert down == pytest.approx(70, abs=3)
    assert total - down == pytest.approx(140, abs=3)


def test_blinking_closes_the_lids_of_the_model() -> None:
    model = build_gaussian_process_model()
    fps, n = 100, 3000
    expression = upper_face(3, n, fps)
    points = model.points(model.landmarks68, np.zeros(model.n_geometry), expression)
    lid_gap_mm = points[:, 37, 1] - points[:, 41, 1]
    closure = blinks(np.random.default_rng([3, 2]), n, fps)
    assert lid_gap_mm[closure > 0.95].max() < 0.35 * lid_gap_mm[closure == 0].min()


def test_the_upper_face_hardly_moves_the_lips() -> None:
    model = build_gaussian_process_model()
    points = model.points(
        model.landmarks68[48:68], np.zeros(model.n_geometry), upper_face(0, 500, 25)
    )
    gap = points[:, 14, 1] - points[:, 18, 1]
    assert np.ptp(gap) < 1.0
