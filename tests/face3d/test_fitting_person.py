from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import least_squares

from talkin.errors import FaceModelError, NoFaceError
from talkin.face3d.fitting import FitConfig, fit_clip
from talkin.face3d.fitting_person import fit_geometry
from talkin.face3d.fitting_solver import NoiseModel, Priors, solve_geometry
from talkin.face3d.fitting_start import HeadPose, rotation_from_vector
from talkin.face3d.fitting_terms import FaceBasis, Observations
from talkin.face3d.fitting_track import solver_of

NOISE_PX = 0.015 * 178


def clips_of_one_person(plant, model, count, seed=20):
    """Planted clips with the geometry of the first, and their noisy landmarks."""
    planted = [plant(50, seed=seed + number) for number in range(count)]
    planted = [replace(clip, geometry=planted[0].geometry) for clip in planted]
    random = np.random.default_rng(seed)
    points = [clip.landmarks(model) for clip in planted]
    return planted, [p + random.normal(size=p.shape) * NOISE_PX for p in points]


def off_mm(model, geometry, true):
    front = model.mean[:, 2] > -60
    off = np.einsum("vcg,g->vc", model.geometry_basis[front], geometry - true)
    return np.sqrt((off**2).sum(1).mean())


def test_clips_of_one_person_say_more_together_than_alone(model, plant, as_track):
    planted, points = clips_of_one_person(plant, model, 6)
    tracks = [as_track(p) for p in points]
    shared = fit_geometry(tracks, model, n_tracks=len(tracks))
    alone = [fit_clip(track, model).geometry for track in tracks]
    true = planted[0].geometry
    assert off_mm(model, shared, true) < np.mean([off_mm(model, one, true) for one in alone]) - 0.1


def test_what_is_constant_in_a_face_is_geometry_and_not_expression(model, plant, as_track):
    clip = plant(60, seed=30)
    resting = replace(clip, expression=clip.expression - clip.expression.mean(0))
    track = as_track(resting.landmarks(model))
    loose, tied = (
        fit_clip(track, model, FitConfig(mean_expression_prior=weight)) for weight in (0.001, 30.0)
    )
    lips = model.expression_basis[model.mouth39].astype(float)
    constant = [
        np.linalg.norm(lips @ fit.expression.mean(0), axis=1).mean() for fit in (loose, tied)
    ]
    assert constant[1] < 0.75 * constant[0]
    assert tied.reprojection_error_px.mean() < 1.5 * loose.reprojection_error_px.mean() + 0.01


def test_the_shared_geometry_is_that_of_plain_least_squares():
    random = np.random.default_rng(3)
    n_frames, n_points, n_geometry, n_expression = 4, 14, 3, 2
    basis = FaceBasis(
        random.normal(size=(n_points, 3)) * 40,
        random.normal(size=(n_points, 3, n_geometry)) * 5,
        random.normal(size=(n_points, 3, n_expression)) * 5,
    )
    geometry = random.normal(size=n_geometry)
    expression = random.normal(size=(n_frames, n_expression)) + 1.0
    turn = random.normal(size=(n_frames, 3)) * 0.2
    pose = HeadPose(
        rotation_from_vector(turn), np.full(n_frames, 2.0), random.normal(size=(n_frames, 2)) * 9
    )

    def pictured(shape, faces, seen_from):
        points = basis.shaped(shape) + np.einsum("kce,te->tkc", basis.expression, faces)
        return points @ np.swapaxes(seen_from.camera(), 1, 2) + seen_from.translation[:, None]

    picture = pictured(geometry, expression, pose) + random.normal(size=(n_frames, n_points, 2))
    priors = Priors(0.25, 10.0, 1.0, 4.0, (1.0, 1.0, 1.0))
    noise = NoiseModel(np.full(n_frames, 100.0), 0.02, 0.02)
    seen = noise.weighed(Observations(picture, np.ones((n_frames, n_points)), np.ones(n_frames)))

    def residuals(unknown):
        shape, rest = unknown[:n_geometry], unknown[n_geometry:].reshape(n_frames, -1)
        moved = HeadPose(rotation_from_vector(rest[:, :3]), np.exp(rest[:, 3]), rest[:, 4:6])
        faces = rest[:, 6:]
        return np.concatenate(
            [
                ((pictured(shape, faces, moved) - picture) / 2.0).ravel(),  # 0.02 * 100 px
                np.sqrt(0.25 * n_frames) * shape,
                faces.ravel(),
                np.sqrt(10.0 * n_frames) * faces.mean(0),
            ]
        )

    start = np.concatenate([turn, np.full((n_frames, 1), np.log(2.0)), pose.translation], axis=1)
    start = np.concatenate([start, expression], axis=1)
    best = least_squares(residuals, np.concatenate([geometry, start.ravel()]), xtol=1e-12)
    found = solve_geometry(seen, basis, priors, noise, 30)
    np.testing.assert_allclose(found, best.x[:n_geometry], atol=1e-3)


def test_tracks_are_read_one_by_one(model, plant, as_track):
    held = []

    def reading():
        for number in range(3):
            held.append(number)
            yield as_track(plant(8, seed=number).landmarks(model))

    fit_geometry(reading(), model, FitConfig(n_person_keyframes=6), n_tracks=3)
    assert held == [0, 1, 2]


def test_clips_without_a_face_do_not_disturb_the_others(model, plant, as_track):
    seen = as_track(plant(30, seed=40).landmarks(model))
    empty = as_track(np.full((30, 68, 2), np.nan))
    both = fit_geometry([seen, empty], model, n_tracks=2)
    alone = fit_geometry([seen], model, FitConfig(n_person_keyframes=80), n_tracks=1)
    np.testing.assert_array_equal(both, alone)
    with pytest.raises(NoFaceError, match=r"speaker ada.*2 clips"):
        fit_geometry([empty, empty], model, n_tracks=2, name="speaker ada")


def test_landmarks_of_two_layouts_are_not_mixed(model, plant, as_track):
    seen = as_track(plant(10, seed=41).landmarks(model))
    dense = as_track(np.full((10, 468, 2), 50.0), scheme="mediapipe468")
    with pytest.raises(FaceModelError, match="ibug68, mediapipe468"):
        fit_geometry([seen, dense], model, n_tracks=2)


def test_a_geometry_is_nearer_to_the_truth_where_trembling_is_averaged_away(model, plant, as_track):
    off = {1.0: [], 0.004: []}
    for seed in (50, 51, 52):
        planted = plant(60, seed=seed)
        points = planted.landmarks(model)
        points += np.random.default_rng(seed).normal(size=points.shape) * NOISE_PX
        for noise, found in off.items():
            fitted = fit_clip(as_track(points), model, FitConfig(keyframe_noise=noise))
            found.append(off_mm(model, fitted.geometry, planted.geometry))
    assert np.mean(off[0.004]) < np.mean(off[1.0]) - 0.1


def test_nothing_is_averaged_across_a_jump_of_the_face_or_a_missing_point(model, plant, as_track):
    still = plant(1, seed=53).landmarks(model)[0]
    points = still + np.random.default_rng(54).normal(size=(60, 68, 2)) * NOISE_PX
    points[30:] += 90.0
    points[45, 40] = np.nan
    solver = solver_of(as_track(points), model, FitConfig(), ())
    picture, _ = solver.keyframes(np.arange(60), 60)  # frame 45 is left out
    away = np.linalg.norm(
        picture[[10, 29, 30, 49]] - still - [[[0]], [[0]], [[90]], [[90]]], axis=2
    )
    assert (np.sqrt((away**2).mean(1)) < 0.6 * np.sqrt(2) * NOISE_PX).all()
