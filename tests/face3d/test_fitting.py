import numpy as np
import pytest

from talkin.errors import FaceModelError, NoFaceError
from talkin.face3d.camera import rotation_matrix
from talkin.face3d.fitting import FitConfig, fit_clip

FRAMES = 80
# These dense points are projected, not detected: no net misplaced them, and they do not err alike.
PROJECTED = FitConfig(detector_habits="off", dense_noise=0.0004)


def turn_error_deg(fitted, true):
    relative = rotation_matrix(fitted) @ np.swapaxes(rotation_matrix(true), -1, -2)
    cosine = (np.trace(relative, axis1=-2, axis2=-1) - 1) / 2
    return np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean()


def lip_motion_r2(model, fitted, true):
    def motion(expression):
        lips = model.expression_basis[model.mouth39[:20]].astype(float)
        moved = np.einsum("vce,te->tvc", lips, expression)
        return moved - moved.mean(0)

    wanted, found = motion(true), motion(fitted)
    return 1 - ((found - wanted) ** 2).sum() / (wanted**2).sum()


def error_share(parameters):
    return parameters.reprojection_error_px / parameters.interocular_px


@pytest.mark.parametrize("view", [(0.0, 0.0), (0.0, 1.05), (0.0, -0.52), (0.52, 0.0)])
def test_a_planted_face_is_recovered_from_exact_landmarks(model, plant, as_track, view):
    planted = plant(FRAMES, view=view)
    fitted = fit_clip(as_track(planted.landmarks(model)), model)
    assert turn_error_deg(fitted.rotation, planted.rotation) < 0.5
    assert lip_motion_r2(model, fitted.expression, planted.expression) > 0.97
    assert error_share(fitted).mean() < 0.001
    assert fitted.is_valid.all()


def test_noise_of_a_detectors_size_leaves_the_lips_readable(model, plant, as_track):
    planted = plant(FRAMES, seed=1)
    points = planted.landmarks(model)
    points += np.random.default_rng(2).normal(size=points.shape) * 0.015 * 178
    fitted = fit_clip(as_track(points), model)
    assert turn_error_deg(fitted.rotation, planted.rotation) < 2.0
    assert lip_motion_r2(model, fitted.expression, planted.expression) > 0.9
    assert np.sqrt((fitted.geometry**2).mean()) < 0.8, "noise must not be read as geometry"


def test_smoothing_helps_under_noise(model, plant, as_track):
    planted = plant(FRAMES, seed=1)
    points = planted.landmarks(model)
    points += np.random.default_rng(2).normal(size=points.shape) * 0.02 * 178
    rough, smooth = (
        fit_clip(as_track(points), model, FitConfig(expression_smoothness=weight))
        for weight in (0.0, 4.0)
    )
    scores = [lip_motion_r2(model, fit.expression, planted.expression) for fit in (rough, smooth)]
    assert scores[1] > scores[0]


def test_frames_without_a_face_are_interpolated_and_marked(model, plant, as_track):
    planted = plant(FRAMES, seed=3)
    points = planted.landmarks(model)
    points[:4] = points[30:41] = points[-3:] = np.nan
    missing = np.isnan(points).any((1, 2))
    fitted = fit_clip(as_track(points), model)
    np.testing.assert_array_equal(fitted.is_valid, ~missing)
    for name in ("expression", "rotation", "translation", "scale", "interocular_px"):
        assert np.isfinite(getattr(fitted, name)).all()
    assert np.isnan(fitted.landmarks[missing]).all()
    middle = (fitted.translation[29] + fitted.translation[41]) / 2
    np.testing.assert_allclose(fitted.translation[35], middle, atol=0.1)
    np.testing.assert_array_equal(fitted.rotation[0], fitted.rotation[4])


def test_single_missing_points_are_left_out(model, plant, as_track):
    planted = plant(20, seed=4)
    points = planted.landmarks(model)
    hidden = np.random.default_rng(1).random(points.shape[:2]) < 0.15
    points[hidden] = np.nan
    fitted = fit_clip(as_track(points), model)
    assert fitted.is_valid.all()
    assert turn_error_deg(fitted.rotation, planted.rotation) < 1.0
    full = fitted.project(model, model.landmarks68)
    away = np.linalg.norm(full - planted.landmarks(model), axis=2)
    assert np.median(away[hidden]) < 0.02 * 178


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_the_shortest_clips_work(model, plant, as_track, frames):
    planted = plant(frames, seed=5)
    fitted = fit_clip(as_track(planted.landmarks(model)), model)
    assert len(fitted) == frames
    assert fitted.is_valid.all()
    assert turn_error_deg(fitted.rotation, planted.rotation) < 3.0


def test_a_still_picture_gives_a_still_face(model, plant, as_track):
    one = plant(1, seed=6).landmarks(model)
    fitted = fit_clip(as_track(np.repeat(one, 12, axis=0)), model)
    assert np.ptp(fitted.expression, axis=0).max() < 1e-3
    assert np.ptp(fitted.rotation, axis=0).max() < 1e-4


def test_nothing_is_smoothed_across_a_cut(model, plant, as_track):
    first = plant(25, seed=7)
    points = first.landmarks(model)
    cut = points.copy()
    cut[12:] = (cut[12:] - 320) * 0.6 + 150
    kept = fit_clip(as_track(points), model, FitConfig(landmark_noise=0.002))
    parted = fit_clip(as_track(cut), model, FitConfig(landmark_noise=0.002))
    assert parted.is_valid.all()
    np.testing.assert_allclose(parted.rotation, kept.rotation, atol=0.02)
    np.testing.assert_allclose(parted.scale[12:] / kept.scale[12:], 0.6, rtol=0.02)


def test_a_frame_of_rubbish_is_not_trusted_and_does_not_spread(model, plant, as_track):
    planted = plant(40, seed=8)
    points = planted.landmarks(model)
    clean = fit_clip(as_track(points), model)
    points[20] = np.random.default_rng(3).uniform(100, 500, (68, 2))
    fitted = fit_clip(as_track(points), model)
    assert not fitted.is_valid[20]
    assert fitted.is_valid.sum() == 39
    assert np.abs(fitted.rotation[19] - clean.rotation[19]).max() < np.radians(1.5)


def test_footage_without_a_face_is_named(model, as_track):
    with pytest.raises(NoFaceError, match="interview-3"):
        fit_clip(as_track(np.full((9, 68, 2), np.nan)), model, clip="interview-3")


def test_an_unknown_landmark_layout_is_refused(model, as_track):
    with pytest.raises(FaceModelError, match="aflw21"):
        fit_clip(as_track(np.zeros((2, 21, 2)), scheme="aflw21"), model)


def test_a_dense_mesh_without_calibration_is_read_by_its_68_points(model, plant, as_track):
    from dataclasses import replace

    from talkin.footage.landmarks import IBUG68_IN_MEDIAPIPE468

    planted = plant(10, seed=9)
    dense = np.zeros((10, 468, 2))
    # Two inner-lip points share a mesh point with outer ones: leave room for that.
    dense[:, IBUG68_IN_MEDIAPIPE468] = planted.landmarks(model)
    plain = replace(model, mesh468=np.full(468, -1))
    fitted = fit_clip(as_track(dense, scheme="mediapipe468"), plain, PROJECTED)
    np.testing.assert_allclose(fitted.landmarks, dense[:, IBUG68_IN_MEDIAPIPE468], atol=1e-3)
    assert turn_error_deg(fitted.rotation, planted.rotation) < 3.0


def test_calibrated_mesh_points_are_all_used(model, plant, as_track):
    from dataclasses import replace

    random = np.random.default_rng(0)
    seen = random.choice(2000, 468, replace=False)
    calibrated = replace(
        model,
        mesh468=np.where(np.arange(468) % 9 == 0, -1, seen),
        mesh468_offset=None,
        mesh468_error=None,
    )
    planted = plant(30, seed=10)
    points = model.points(seen, planted.geometry, planted.expression)
    from talkin.face3d.camera import project

    picture = project(points, planted.rotation, planted.translation, planted.scale)
    fitted = fit_clip(as_track(picture, scheme="mediapipe468"), calibrated, PROJECTED)
    assert turn_error_deg(fitted.rotation, planted.rotation) < 0.5
    assert error_share(fitted).mean() < 0.003


def test_known_geometry_is_kept(model, plant, as_track):
    planted = plant(10, seed=11)
    fitted = fit_clip(as_track(planted.landmarks(model)), model, geometry=planted.geometry)
    np.testing.assert_allclose(fitted.geometry, planted.geometry, rtol=1e-6)
    assert lip_motion_r2(model, fitted.expression, planted.expression) > 0.97


def test_points_that_all_lie_in_one_place_are_not_trusted_and_break_nothing(model, plant, as_track):
    points = plant(12, seed=12).landmarks(model)
    points[5] = points[5].mean(0)
    fitted = fit_clip(as_track(points), model)
    assert np.isfinite(fitted.rotation).all()
    assert fitted.is_valid.sum() >= 11
    fit_clip(as_track(np.full((3, 68, 2), 100.0)), model)


def test_measured_offsets_place_the_points_of_a_dense_mesh(model, plant, as_track):
    from dataclasses import replace

    from talkin.face3d.camera import project

    random = np.random.default_rng(5)
    seen = random.choice(2000, 468, replace=False)
    ways = random.normal(size=(468, 3)) * 2.0
    measured = replace(model, mesh468=seen, mesh468_offset=ways, mesh468_error=np.full(468, 0.02))
    blind = replace(measured, mesh468_offset=None)
    planted = plant(30, seed=13)
    points = model.points(seen, planted.geometry, planted.expression) + ways
    picture = project(points, planted.rotation, planted.translation, planted.scale)
    track = as_track(picture, scheme="mediapipe468")
    assert error_share(fit_clip(track, measured, PROJECTED)).mean() < 0.003
    assert error_share(fit_clip(track, blind, PROJECTED)).mean() > 0.01


def test_points_measured_to_be_unreliable_say_less(model, plant, as_track):
    from dataclasses import replace

    from talkin.face3d.camera import project

    random = np.random.default_rng(6)
    seen = random.choice(2000, 468, replace=False)
    is_bad = np.arange(468) % 2 == 0
    planted = plant(30, seed=14)
    points = model.points(seen, planted.geometry, planted.expression)
    picture = project(points, planted.rotation, planted.translation, planted.scale)
    picture += random.normal(size=(468, 2)) * np.where(is_bad, 0.08, 0.0)[:, None] * 178
    track = as_track(picture, scheme="mediapipe468")
    plain = replace(model, mesh468=seen, mesh468_offset=None, mesh468_error=None)
    told = replace(plain, mesh468_error=np.where(is_bad, 0.08, 0.004))
    bold = PROJECTED.model_copy(update={"largest_error": 1.0})
    errors = [
        turn_error_deg(fit_clip(track, used, bold).rotation, planted.rotation)
        for used in (plain, told)
    ]
    assert errors[1] < 0.5 * errors[0]


@pytest.mark.parametrize(
    ("noise", "is_steadied", "most"),
    [(0.01, False, (1e-3, 1e-5)), (0.0, True, (1e-3, 1e-5)), (0.01, True, (0.1, 3e-3))],
)
def test_blocks_of_a_long_clip_join_without_a_seam(
    model, plant, as_track, monkeypatch, noise, is_steadied, most
):
    from talkin.face3d import fitting_chain, fitting_clip

    if not is_steadied:
        monkeypatch.setattr(fitting_chain, "steadiness", lambda jump, *_: np.zeros_like(jump))
    planted = plant(160, seed=15)
    points = planted.landmarks(model)
    points += np.random.default_rng(4).normal(size=points.shape) * noise * 178
    track = as_track(points)
    whole = fit_clip(track, model)
    monkeypatch.setattr(fitting_clip, "_BLOCK", 60)
    told = []
    pieces = fit_clip(track, model, progress=told.append)
    assert told == [60, 120, 160]
    # Each block measures for itself how the head trembles, so that part alone may differ more.
    np.testing.assert_allclose(pieces.expression, whole.expression, atol=most[0])
    np.testing.assert_allclose(pieces.rotation, whole.rotation, atol=most[1])


def test_the_cuts_of_a_track_part_its_frames(model, plant, as_track):
    from dataclasses import replace

    points = plant(24, seed=16).landmarks(model)
    points[12:] = plant(24, seed=16, view=(0.0, 0.25)).landmarks(model)[12:]
    config = FitConfig(landmark_noise=0.03, turn_change=0.002)
    track = as_track(points)
    dragged, parted = (
        fit_clip(used, model, config) for used in (track, replace(track, cuts=(12,)))
    )
    turns = [abs(fit.rotation[12, 1] - fit.rotation[11, 1]) for fit in (dragged, parted)]
    assert turns[1] > 2 * turns[0]


def test_a_clip_without_a_face_is_told_why(model, as_track):
    from dataclasses import replace

    track = replace(
        as_track(np.full((3, 68, 2), np.nan)), notes=["frames 0-2: face only 9 px high: too small"]
    )
    with pytest.raises(NoFaceError, match="frames 0-2: face only 9 px high"):
        fit_clip(track, model)
