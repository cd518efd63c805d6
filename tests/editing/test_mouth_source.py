"""Network or footage: who draws the mouth, and from what."""

from itertools import islice

import numpy as np
import pytest

from talkin.editing.driving import DrivenMouth
from talkin.editing.footage_mouths import FootageMouths, frames_of_footage
from talkin.editing.landmark_smoothing import SmoothingConfig
from talkin.editing.masks import MaskConfig
from talkin.editing.mouth_source import as_lent, native_size_px
from talkin.editing.mouth_trial import Trial, hidden_windows, mouth_error
from talkin.editing.plan import plan_edit
from talkin.editing.timing import TimingConfig
from talkin.editing.unfinished import FollowedFace
from talkin.footage.video import iter_frames, probe_video
from talkin.samples.alignment import CropConfig, mask_box

CROP = CropConfig(size_px=96)
X0, Y0, X1, Y1 = mask_box(CROP)


def face_of(parameters, cuts=()):
    return FollowedFace(parameters, list(cuts), [])


def test_hidden_windows_are_whole_spread_out_and_of_one_shot(toy_parameters):
    is_valid = np.ones(100, bool)
    is_valid[40] = False
    face = face_of(toy_parameters(100, is_valid=is_valid), cuts=[70])
    windows = hidden_windows(face, 7, 6)
    assert len(windows) == 6
    for window in windows:
        assert is_valid[window].all()
        assert not (window[0] < 70 <= window[-1])
    assert windows[0][0] < 20
    assert windows[-1][0] > 75
    assert hidden_windows(face_of(toy_parameters(5)), 7, 6) == []


def trial(seed=0):
    rng = np.random.default_rng(seed)
    true = rng.integers(60, 200, (3, 96, 96, 3)).astype(np.uint8)
    sweep = np.linspace(0, 2 * np.pi, 39, endpoint=False)
    circle = 48 + np.stack([20 * np.cos(sweep), 12 + 18 * np.sin(sweep)], axis=1)
    return Trial(true, np.clip(true + 5.0, 0, 255).astype(np.uint8), np.stack([circle] * 3))


def test_the_error_is_zero_for_the_truth_and_grows_with_offset_and_blur():
    shown = trial()

    def error(draw):
        return mouth_error(draw, [shown], CROP, MaskConfig())

    assert error(lambda *_: shown.true.astype(np.float32)) == 0
    assert error(as_lent) == pytest.approx(5.0, abs=0.3)  # an offset has no gradients of its own
    flat = shown.true.mean(axis=(1, 2), keepdims=True) + 0 * shown.true.astype(np.float32)
    assert error(lambda *_: flat) > 30


def test_what_lies_outside_the_pasted_region_does_not_count():
    shown = trial()
    wrong = shown.true.astype(np.float32).copy()
    wrong[:, :10] = 0
    assert mouth_error(lambda *_: wrong, [shown], CROP, MaskConfig()) == 0


def test_light_is_of_all_moments_in_equal_shares(toy_model):
    points = np.random.default_rng(0).uniform(5, 90, (97, 2)).astype(np.float32)
    mouths = FootageMouths(CROP)
    for moment, level in ((3, 30), (8, 120)):
        mouths.keep(moment, np.full((96, 96, 3), level, np.uint8), points)
    assert len(mouths) == 2
    filled = mouths.filled(np.zeros((96, 96, 3), np.uint8), [3, 3, 8], points)
    assert (filled[Y0:Y1, X0:X1] == 60).all()
    outside = np.ones((96, 96), bool)
    outside[Y0:Y1, X0:X1] = False
    assert (filled[outside] == 0).all()


def test_detail_is_of_the_middle_moment_alone():
    rng = np.random.default_rng(0)
    points = rng.uniform(5, 90, (97, 2)).astype(np.float32)
    fine = rng.normal(0, 15, (96, 96, 3))
    mouths = FootageMouths(CROP)
    mouths.keep(3, np.full((96, 96, 3), 60, np.uint8), points)
    mouths.keep(8, np.clip(np.rint(120 + fine), 0, 255).astype(np.uint8), points)
    drawn = {row: mouths.drawn(row, points).astype(float) for row in ((3, 8, 3), (8, 3, 8))}
    inside = np.s_[10:-10, 10:-10]
    assert drawn[3, 8, 3][inside].mean() == pytest.approx(80, abs=1)
    assert drawn[8, 3, 8][inside].mean() == pytest.approx(100, abs=1)
    assert drawn[3, 8, 3][inside].std() > 0.8 * fine.std()
    assert drawn[8, 3, 8][inside].std() < 0.3 * fine.std()


def test_a_kept_moment_is_drawn_as_its_whole_crop_would_be():
    rng = np.random.default_rng(0)
    crop = rng.integers(0, 256, (96, 96, 3)).astype(np.uint8)
    points = rng.uniform(5, 90, (97, 2)).astype(np.float32)
    mouths = FootageMouths(CROP)
    mouths.keep(0, crop, points)
    assert np.array_equal(mouths.drawn([0], points), crop[Y0:Y1, X0:X1])


def test_only_the_wanted_frames_are_given(scene):
    info = probe_video(scene.video(lambda t: [scene.disc(x=40 + t)], 12))
    found = list(frames_of_footage(info, [9, 2, 2]))
    assert [number for number, _ in found] == [2, 9]
    shown = [frame.image for frame in iter_frames(info.path)]
    assert all(np.array_equal(image, shown[number]) for number, image in found)


def test_mouths_are_lent_at_the_resolution_of_the_footage(toy_parameters):
    crop = CropConfig(size_px=96)
    for scale, largest, side in ((2.0, 512, 420), (0.1, 512, 96), (9.0, 512, 512), (2.0, 64, 96)):
        face = face_of(toy_parameters(5, scale=scale))
        assert native_size_px(face, crop, largest) == side


def test_a_plan_says_the_same_in_a_finer_crop(toy_model, toy_parameters):
    clip = toy_parameters(6)
    mouth = DrivenMouth(np.ones((6, 1), np.float32), np.ones(6, bool))
    smoothing = SmoothingConfig()
    coarse, fine = (
        plan_edit(clip, mouth, toy_model, CropConfig(size_px=s), smoothing, TimingConfig())
        for s in (96, 240)
    )
    moved = coarse.in_crop_of(240, 96)
    assert moved.transforms == pytest.approx(fine.transforms, abs=1e-6)
    assert moved.old_points == pytest.approx(fine.old_points, abs=1e-3)
    assert moved.new_points == pytest.approx(fine.new_points, abs=1e-3)


def test_a_network_that_does_not_know_the_person_is_not_taken(scene):
    video = scene.video(lambda t: [scene.disc(x=60 + t / 2)], 40)
    sound = scene.speech(1.0)
    config = {"painting": {"mouth": {"source": "auto"}}}
    report = scene.edit(video, sound, config=config)
    assert any("the target's own" in note and "hidden windows" in note for note in report.notes)
    blueness = [
        (f.image[..., 2].astype(int) - f.image[..., 0]).max() for f in iter_frames(report.output)
    ]
    assert max(blueness) < 60  # the network paints mouths blue


def test_the_network_is_taken_where_it_is_asked_for(scene):
    video = scene.video(lambda t: [scene.disc()], 20)
    report = scene.edit(video, scene.speech(0.6))
    assert not any("hidden windows" in note for note in report.notes)
    blueness = [
        (f.image[..., 2].astype(int) - f.image[..., 0]).max() for f in iter_frames(report.output)
    ]
    assert max(blueness) > 150


def test_footage_too_short_for_a_trial_lends_its_own_mouths(scene):
    config = {"painting": {"mouth": {"source": "auto"}}}
    report = scene.edit(scene.video(lambda t: [scene.disc()], 4), scene.speech(0.16), config=config)
    assert report.n_edited == report.n_frames == 4
    assert any("too short to hide a part" in note for note in report.notes)


def test_what_lies_past_the_jaw_is_the_frames_own_though_another_moment_lends_the_mouth(scene):
    video = scene.video(lambda t: [scene.disc()], 40)  # the stripes behind the face drift
    config = {"painting": {"mouth": {"source": "warp"}, "use_deflicker": False}}
    report = scene.edit(video, scene.speech(1.0), config=config)
    filmed, edited = (
        np.stack([f.image.astype(float) for f in islice(iter_frames(path), 25)])
        for path in (video, report.output)
    )
    rows, columns = np.mgrid[: filmed.shape[1], : filmed.shape[2]]
    away = np.hypot(columns - 80, rows - 60) - 30
    past = (away > 2) & (away < 12) & (rows > 60)
    assert np.abs(edited - filmed)[:, past].mean() < 6.0  # 7.4 where all is lent
