"""What comes of footage that no fit can like: a defined result, and words that name the frames."""

from dataclasses import replace

import numpy as np
import pytest

from talkin.errors import NoFaceError
from talkin.face3d.fitting import fit_clip
from talkin.face3d.remarks import remarks

RUBBISH = "the points fit no face, so the fit is not to be trusted (is_valid is False)"


@pytest.fixture
def points(model, plant):
    return plant(40, seed=60).landmarks(model)


def test_good_footage_needs_no_remark(model, as_track, points):
    assert remarks(fit_clip(as_track(points), model)) == []


def test_no_face_is_refused_with_the_clip_and_what_tracking_said(model, as_track, points):
    track = replace(as_track(np.full_like(points, np.nan)), notes=["frames 0-39: no face found"])
    with pytest.raises(NoFaceError, match=r"talk\.mp4: no face .*40 frames \(frames 0-39"):
        fit_clip(track, model, clip="talk.mp4")


def test_frames_without_a_face_are_left_to_the_tracks_notes(model, as_track, points):
    points[10:20] = np.nan
    face = fit_clip(as_track(points), model)
    assert face.is_valid.tolist() == [True] * 10 + [False] * 10 + [True] * 20
    assert remarks(face) == []


def test_points_of_no_face_are_named(model, as_track, points):
    random = np.random.default_rng(1)
    points[[7, 8, 20]] = random.uniform(100, 500, (3, 68, 2))
    face = fit_clip(as_track(points), model)
    assert not face.is_valid[[7, 8, 20]].any()
    assert remarks(face) == [f"frames 7-8: {RUBBISH}", f"frame 20: {RUBBISH}"]


def test_a_clip_of_rubbish_alone_has_no_valid_frame_and_breaks_nothing(model, as_track):
    random = np.random.default_rng(2)
    face = fit_clip(as_track(random.uniform(100, 500, (12, 68, 2))), model)
    assert np.isfinite(face.expression).all()
    assert not face.is_valid.any()
    assert remarks(face) == [f"frames 0-11: {RUBBISH}"]


def test_a_profile_is_fitted_and_remarked(model, plant, as_track):
    planted = plant(30, seed=61, view=(0.0, np.radians(70.0)))
    face = fit_clip(as_track(planted.landmarks(model)), model)
    assert face.is_valid.all()
    assert np.degrees(np.abs(face.rotation[:, 1] - planted.rotation[:, 1])).mean() < 2.0
    said = remarks(face)
    assert said
    assert all("a profile (turned by more than 65 degrees)" in remark for remark in said)


def test_a_still_image_gives_a_still_face_and_is_said(model, as_track, points):
    coding = np.random.default_rng(3).normal(size=points.shape) * 0.05
    face = fit_clip(as_track(points[:1] + coding), model)
    assert face.is_valid.all()
    assert np.ptp(face.rotation, axis=0).max() < np.radians(0.5)
    assert remarks(face) == [
        "the face never moves, as in a still image: there is no speech to learn from"
    ]


def test_one_frame_is_a_clip_and_not_called_still(model, as_track, points):
    face = fit_clip(as_track(points[:1]), model)
    assert len(face) == 1
    assert face.is_valid.all()
    assert remarks(face) == []


def test_a_cut_changes_the_pose_at_once_and_nothing_else(model, plant, as_track, points):
    points[20:] = plant(40, seed=60, view=(0.0, 0.5)).landmarks(model)[20:] + 40.0
    face = fit_clip(replace(as_track(points), cuts=(20,)), model)
    assert face.is_valid.all()
    assert face.rotation[20, 1] - face.rotation[19, 1] > 0.4
    assert np.abs(np.diff(face.rotation[:20, 1])).max() < 0.1


def test_a_face_of_ten_px_is_fitted_where_points_are_given(model, as_track, points):
    face = fit_clip(as_track(points / 35), model)
    assert np.ptp(points[0, :, 1]) / 35 < 12
    assert face.is_valid.all()
    np.testing.assert_allclose(face.interocular_px, face.interocular_px[0], rtol=0.1)
