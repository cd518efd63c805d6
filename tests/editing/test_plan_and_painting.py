from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from talkin.editing import driving as driving_module
from talkin.editing import plan as plan_module
from talkin.editing.driving import (
    DrivingConfig,
    close_in_silence,
    closed_mouth,
    mouth_of_speech,
    output_times,
)
from talkin.editing.painting import MouthPainter, PaintingConfig
from talkin.editing.plan import plan_edit
from talkin.editing.report import StageClock, unedited_ranges
from talkin.editing.timing import TimingConfig
from talkin.errors import FootageError
from talkin.footage.audio import Audio
from talkin.samples.alignment import CropConfig

CROP = CropConfig(size_px=96)


def speech(seconds: float = 1.0, silent_from: float = 9.0) -> Audio:
    t = np.arange(int(16000 * seconds)) / 16000
    return Audio((0.2 * np.sin(2 * np.pi * 200 * t) * (t < silent_from)).astype(np.float32), 16000)


@pytest.fixture
def talking(monkeypatch):
    """A model whose mouth opens and closes three times a second whatever it hears."""
    monkeypatch.setattr(
        "talkin.editing.driving.expression_of_speech",
        lambda sound, times, model: (1 + np.sin(6 * np.pi * times))[:, None].astype(np.float32),
    )
    return SimpleNamespace(config=SimpleNamespace(crop=CROP))


def plan(talking, toy_model, parameters, sound, timing=None, cuts=()):
    driving = DrivingConfig()
    mouth = mouth_of_speech(sound, parameters, talking, toy_model, driving)
    timing = timing or TimingConfig()
    return plan_edit(parameters, mouth, toy_model, CROP, driving.smoothing, timing, cuts)


def test_the_mouth_is_shut_and_still_soon_after_the_sound_ends(
    monkeypatch, talking, toy_model, toy_parameters
):
    rng = np.random.default_rng(0)
    monkeypatch.setattr(
        "talkin.editing.driving.expression_of_speech",
        lambda sound, times, model: rng.normal(1.5, 0.5, (len(times), 1)).astype(np.float32),
    )
    for fps in (25.0, 29.97, 50.0):
        n_frames = round(2 * fps)
        closed = np.full((n_frames, 1), -0.1, np.float32)
        clip = replace(toy_parameters(n_frames, expression=closed), fps=fps)
        room = Audio(rng.normal(0, 2e-4, 32000).astype(np.float32), 16000)
        heard = Audio(speech(2.0, silent_from=1.0).samples + room.samples, 16000)
        made = plan(talking, toy_model, clip, heard)
        times = np.arange(n_frames) / fps
        silent = times >= 1.0 + 0.2
        assert made.expression[silent] == pytest.approx(-0.1, abs=0.03 * 1.6)
        step_px = np.linalg.norm(np.diff(made.new_points[silent], axis=0), axis=-1)
        assert step_px[times[silent][1:] > 1.3].max() < 0.01
        assert made.expression[times < 0.9].mean() > 1.0


def test_a_clip_planned_in_parts_is_planned_as_in_one(
    monkeypatch, talking, toy_model, toy_parameters
):
    rng = np.random.default_rng(0)
    heard = rng.normal(0, 0.2, (50, 1)).astype(np.float32)
    monkeypatch.setattr("talkin.editing.driving.expression_of_speech", lambda *_: heard)
    expression = rng.normal(0, 1, (40, 1)).astype(np.float32)
    turned = rng.normal(0, 0.1, (40, 3)).astype(np.float32)
    clip = toy_parameters(40, expression=expression, rotation=turned)
    whole = plan(talking, toy_model, clip, speech(2.0))  # 50 frames: it plays back again
    monkeypatch.setattr(driving_module, "_FACES_AT_ONCE", 7)
    monkeypatch.setattr(plan_module, "_FRAMES_AT_ONCE", 7)
    in_parts = plan(talking, toy_model, clip, speech(2.0))
    for name in ("expression", "old_points", "new_points", "transforms"):
        assert getattr(in_parts, name) == pytest.approx(getattr(whole, name), abs=1e-4)


def test_a_pause_between_words_is_closed_where_it_is_long_enough(
    talking, toy_model, toy_parameters
):
    sound = speech(3.0)
    sound.samples[16000:32000] = 0
    made = plan(talking, toy_model, toy_parameters(75), sound)
    gap = made.new_points[:, 18, 1] - made.new_points[:, 14, 1]
    assert np.ptp(gap[31:44]) < 0.01
    assert np.ptp(gap[52:]) > 5


def paint(the_plan, images, render, config=None):
    painter = MouthPainter(the_plan, render, CROP, config or PaintingConfig(), StageClock())
    return list(painter.paint(images))


def same(crops, landmarks):
    return crops.astype(np.float32)


def red(crops, landmarks):
    return np.broadcast_to(np.float32([255, 0, 0]), crops.shape).copy()


def test_the_plan_is_as_long_as_the_sound(talking, toy_model, toy_parameters):
    for seconds in (0.3, 0.99, 2.02):
        made = plan(talking, toy_model, toy_parameters(20), speech(seconds))
        assert abs(len(made) - seconds * 25) <= 0.5


def test_a_sound_shorter_than_a_frame_is_refused():
    with pytest.raises(FootageError, match="shorter than one frame"):
        output_times(100 / 16000, 25.0)


def test_the_mouth_follows_the_sound_and_rests_in_silence(talking, toy_model, toy_parameters):
    made = plan(talking, toy_model, toy_parameters(60), speech(2.0, silent_from=1.0))
    gap = made.new_points[:, 18, 1] - made.new_points[:, 14, 1]
    assert np.ptp(gap[:24]) > 5
    assert np.ptp(gap[30:]) < 0.01
    assert gap[35] == pytest.approx(made.old_points[35, 18, 1] - made.old_points[35, 14, 1])


def test_a_silent_sound_is_noted(talking, toy_model, toy_parameters):
    silent = Audio(np.zeros(16000, np.float32), 16000)
    made = plan(talking, toy_model, toy_parameters(30), silent)
    assert any("silent" in note for note in made.notes)


def test_back_and_forth_play_is_noted(talking, toy_model, toy_parameters):
    made = plan(talking, toy_model, toy_parameters(10), speech(1.0))
    assert any("back and forth" in note for note in made.notes)


def test_an_identity_rendering_leaves_every_frame_unchanged(
    talking, toy_model, toy_parameters, textured_frame
):
    made = plan(talking, toy_model, toy_parameters(20, scale=0.45), speech(0.8))
    config = PaintingConfig(use_deflicker=False)  # each frame has a texture of its own
    images = [textured_frame(t) for t in range(20)]
    for image, frame in zip(images, paint(made, images, same, config), strict=True):
        assert np.abs(frame.edited.astype(int) - image).max() <= 1


def test_a_red_rendering_reddens_the_mouth_alone(
    talking, toy_model, toy_parameters, textured_frame
):
    made = plan(talking, toy_model, toy_parameters(10, scale=0.45), speech(0.4))
    images = [textured_frame(t) for t in range(10)]
    config = PaintingConfig.model_validate({"compositing": {"poisson": False}})
    for image, frame in zip(images, paint(made, images, red, config), strict=True):
        mouth = (80, round(50 + 75 * 0.45))
        assert frame.edited[mouth[1], mouth[0]].tolist() == [255, 0, 0]
        assert np.array_equal(frame.edited[:50], image[:50])
        assert np.array_equal(frame.footage, image)


def test_frames_without_a_face_pass_through_and_are_listed(
    talking, toy_model, toy_parameters, textured_frame
):
    found = np.ones(20, bool)
    found[5:9] = False
    made = plan(talking, toy_model, toy_parameters(20, scale=0.45, is_valid=found), speech(0.8))
    images = [textured_frame(t) for t in range(20)]
    painted = paint(made, images, red)
    unchanged = [np.array_equal(f.edited, i) for f, i in zip(painted, images, strict=True)]
    assert np.flatnonzero(unchanged).tolist() == [5, 6, 7, 8]
    (missing,) = unedited_ranges(made.is_edited, "no face")
    assert (missing.start, missing.stop) == (5, 9)


def test_after_a_cut_and_a_long_gap_windows_begin_anew(
    talking, toy_model, toy_parameters, textured_frame
):
    found = np.ones(50, bool)
    found[30:42] = False
    found[10] = False
    clip = toy_parameters(50, scale=0.45, is_valid=found)
    made = plan(talking, toy_model, clip, speech(2.0), cuts=[20])
    assert np.flatnonzero(made.starts_anew).tolist() == [0, 20, 30, 42]
    shown = []

    def remember(crops, landmarks):
        shown.append([int(crop[0, 0, 0]) for crop in crops])
        return crops.astype(np.float32)

    images = [np.full((144, 160, 3), 5 * t, np.uint8) for t in range(50)]
    painted = paint(made, images, remember)
    assert [f.footage[0, 0, 0] for f in painted] == [5 * t for t in range(50)]
    runs = np.cumsum(made.starts_anew)
    for window in shown:
        assert len({runs[level // 5] for level in window}) == 1
    drawn = {level // 5 for window in shown for level in window}
    assert drawn == set(range(50)) - set(range(30, 42))
    assert 10 in drawn  # a short gap keeps the history of the frames after it


@pytest.mark.parametrize("switch", ["use_deflicker", "use_teeth"])
def test_optional_steps_run_and_leave_an_identity_edit_nearly_unchanged(
    talking, toy_model, toy_parameters, textured_frame, switch
):
    made = plan(talking, toy_model, toy_parameters(10, scale=0.45), speech(0.4))
    images = [textured_frame(0)] * 10
    config = PaintingConfig.model_validate({switch: True})
    for frame in paint(made, images, same, config):
        assert np.abs(frame.edited.astype(int) - images[0]).mean() < 0.5


def test_the_closed_mouth_is_the_median_of_the_most_closed_frames(toy_model, toy_parameters):
    opening = np.concatenate([np.full(10, -0.2), np.linspace(0.5, 2, 40)])[:, None]
    clip = toy_parameters(50, expression=opening.astype(np.float32))
    assert closed_mouth(clip, toy_model) == pytest.approx(-0.2)


def test_the_closing_ramp_lies_inside_the_pause():
    speaking = np.array([True] * 5 + [False] * 10 + [True] * 5)
    expression = np.ones((20, 1), np.float32)
    closed = close_in_silence(expression, np.zeros(1, np.float32), speaking, 2.0)[:, 0]
    assert (closed[speaking] == 1.0).all()
    assert closed[9:11] == pytest.approx(0.0, abs=0.02)
    assert (np.diff(closed[4:10]) <= 1e-6).all()


def test_frames_at_once_do_not_change_the_expression(monkeypatch):
    import torch

    from talkin.footage.mfcc import MfccConfig
    from talkin.samples.windows import WindowConfig

    class Hearing(torch.nn.Linear):
        config = SimpleNamespace(mfcc=MfccConfig(), window=WindowConfig())

        def expression_from_audio(self, windows):
            return windows.mean(dim=1)[:, :4]

    times = np.arange(30) / 25
    whole = driving_module.expression_of_speech(speech(1.2), times, Hearing(1, 1))
    monkeypatch.setattr(driving_module, "_FRAMES_AT_ONCE", 7)
    parts = driving_module.expression_of_speech(speech(1.2), times, Hearing(1, 1))
    assert whole.shape == (30, 4)
    assert parts == pytest.approx(whole, abs=1e-5)


def test_mfcc_of_pieces_equals_that_of_the_whole(monkeypatch):
    from talkin.footage.mfcc import MfccConfig, compute_mfcc

    monkeypatch.setattr(driving_module, "_ROWS_AT_ONCE", 37)
    rng = np.random.default_rng(0)
    for n_samples in (1100, 5921, 16000, 20479):
        sound = Audio(rng.normal(0, 0.1, n_samples).astype(np.float32), 16000)
        for config in (MfccConfig(), MfccConfig(window_s=0.064)):
            whole = compute_mfcc(sound, config)
            parts = driving_module.mfcc_piece_by_piece(sound, config)
            assert parts == pytest.approx(whole, abs=1e-3)
