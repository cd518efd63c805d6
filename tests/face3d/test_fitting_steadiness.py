import numpy as np
import pytest

from talkin.face3d.camera import rotation_matrix
from talkin.face3d.fitting import fit_clip
from talkin.face3d.fitting_steadiness import steadiness, usual_jump

FRAMES = 150


def wandering(noise, frames=400, seed=0):
    """Jumps of a turn whose velocity changes by random steps of 1, seen with some noise."""
    random = np.random.default_rng(seed)
    turn = np.cumsum(np.cumsum(random.normal(size=frames))) + noise * random.normal(size=frames)
    return np.diff(turn)[:, None], np.ones(frames - 1)


def turned(plant, extra, seed=3):
    from dataclasses import replace

    planted = plant(FRAMES, seed=seed)
    rotation = 0.1 * planted.rotation
    rotation[:, 1] += extra
    return replace(planted, rotation=rotation)


def turn_errors_deg(fitted, true):
    relative = rotation_matrix(fitted) @ np.swapaxes(rotation_matrix(true), -1, -2)
    cosine = (np.trace(relative, axis1=-2, axis2=-1) - 1) / 2
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def seen(planted, model, as_track, noise):
    points = planted.landmarks(model)
    points += np.random.default_rng(5).normal(size=points.shape) * noise * 178
    return as_track(points)


def test_the_more_a_head_trembles_the_stiffer_it_is_held():
    variance = np.ones(1)
    held = [np.median(steadiness(*wandering(noise), variance)) for noise in (10.0, 30.0)]
    # Velocity steps of 1 and white noise of 10: 10^2 / (1^2 * 2) of a frame's information.
    assert held[0] == pytest.approx(50, rel=0.6)
    assert held[1] / held[0] == pytest.approx(9, rel=0.6)


def test_what_does_not_tremble_is_not_held():
    smooth = np.diff(np.sin(np.linspace(0, 12, 200)))[:, None]
    assert steadiness(smooth, np.ones(199), np.ones(1)).max() < 1e-3
    assert not steadiness(np.zeros((199, 1)), np.ones(199), np.ones(1)).any()


def test_a_clip_too_short_to_tell_is_left_alone():
    jump, links = wandering(10.0, frames=30)
    assert not steadiness(jump, links, np.ones(1)).any()


def test_an_even_turn_is_usual_and_no_cut_is_leaned_across():
    jump, links = np.full((40, 1), 0.5), np.ones(40)
    links[20] = 0.0
    jump[20:] = -2.0
    usual = usual_jump(jump, links)
    np.testing.assert_allclose(usual[:20], 0.5)
    np.testing.assert_allclose(usual[21:], -2.0)
    assert usual[20] == 0.0


def test_a_calm_head_trembles_less_than_its_landmarks(model, plant, as_track):
    planted = turned(plant, 0.1 * np.sin(np.arange(FRAMES) / 15))
    fitted = fit_clip(seen(planted, model, as_track, 0.015), model, geometry=planted.geometry)
    assert turn_errors_deg(fitted.rotation, planted.rotation).mean() < 0.3
    assert np.degrees(np.abs(np.diff(fitted.rotation, 2, axis=0))).mean() < 0.1


@pytest.mark.parametrize(("noise", "most_deg"), [(0.0, 0.02), (0.003, 0.3)])
def test_a_quick_shake_of_the_head_is_not_smeared(model, plant, as_track, noise, most_deg):
    seconds = np.arange(FRAMES) / 25
    is_shaken = (seconds > 2) & (seconds < 3)
    planted = turned(plant, np.radians(10) * np.sin(2 * np.pi * 2.5 * seconds) * is_shaken)
    fitted = fit_clip(seen(planted, model, as_track, noise), model, geometry=planted.geometry)
    assert turn_errors_deg(fitted.rotation, planted.rotation)[is_shaken].mean() < most_deg
