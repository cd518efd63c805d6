import numpy as np
import pytest

from talkin.avatar.calibration import Sightings, way_to_points, with_meeting_lips
from talkin.avatar.person import face_model
from talkin.face3d.camera import project


@pytest.fixture
def planted():
    """Sightings of points that lie a planted way beside their vertices."""
    random = np.random.default_rng(0)
    places = random.normal(size=(600, 3)) * 40
    vertices = random.choice(600, 468)
    ways = random.normal(size=(468, 3)) * 3
    rotation = random.normal(size=(60, 3)) * np.array([0.2, 0.4, 0.1])
    scale = random.uniform(1.5, 3.0, 60)
    middle = np.full((60, 2), 200.0)
    every = np.broadcast_to(places, (60, 600, 3))
    projected = project(every, rotation, middle, scale)
    detected = project(every[:, vertices] + ways, rotation, middle, scale)
    detected += random.normal(size=detected.shape) * 0.5
    return Sightings(detected, projected, 89 * scale, rotation, scale), vertices, ways


def test_the_way_from_vertex_to_point_is_recovered(planted):
    sightings, vertices, ways = planted
    found, strays = way_to_points(sightings, vertices)
    np.testing.assert_allclose(found, ways, atol=0.9)
    assert np.abs(found - ways)[:, :2].mean() < 0.1
    np.testing.assert_allclose(strays, np.sqrt(2) * 0.5 / (89 * 2.25), rtol=0.6)


def test_inner_lips_of_the_points_touch_when_those_of_the_model_do():
    model = face_model()
    random = np.random.default_rng(1)
    ways = random.normal(size=(468, 3)) * 2
    vertices, kept = with_meeting_lips(model.mesh468, ways)
    placed = model.mean[vertices] + kept
    rest = model.mean[62, 1] - model.mean[66, 1]
    assert placed[13, 1] - placed[14, 1] == pytest.approx(rest + 0.5, abs=0.15)
    unpaired = [i for i in range(468) if i not in (191, 95, 80, 88, 81, 178, 82, 87, 13, 14)]
    others = [i for i in unpaired if i not in (312, 317, 311, 402, 310, 318, 415, 324)]
    np.testing.assert_array_equal(kept[others], ways[others])
