from collections import Counter

import numpy as np
import pytest

from talkin.face3d.face_anatomy import chart_to_uv, uv_to_chart
from talkin.face3d.gaussian_process import (
    action_units,
    build_gaussian_process_model,
    face_anatomy,
)
from talkin.face3d.identity_modes import pose_fields


@pytest.fixture(scope="module")
def anatomy():
    return face_anatomy()


@pytest.fixture(scope="module")
def actions():
    return action_units()


def lip_gaps(model, expression):
    points = model.points(np.arange(60, 68), np.zeros(model.n_geometry), expression)
    return points[[1, 2, 3], 1] - points[[7, 6, 5], 1]


def test_sizes_are_the_papers(model):
    assert (model.n_geometry, model.n_expression) == (199, 29)
    assert len(model.mouth39) == 39
    assert (model.landmarks68 == np.arange(68)).all()


def test_building_twice_gives_the_same_bytes(model):
    again = build_gaussian_process_model()
    for name in ("mean", "geometry_basis", "expression_basis", "triangles"):
        assert getattr(again, name).tobytes() == getattr(model, name).tobytes()


def test_the_mean_face_is_symmetric(model, anatomy):
    skin = anatomy.vertices_of("skin", "lips")
    flipped = model.mean[anatomy.mirror[skin]] * np.array([-1, 1, 1])
    np.testing.assert_allclose(flipped, model.mean[skin], atol=1e-4)


def test_geometry_cannot_imitate_the_camera(model, anatomy):
    skin = anatomy.vertices_of("skin", "lips")
    front = skin[model.mean[skin, 2] > -60]
    fields = pose_fields(model.mean[skin].astype(float))[model.mean[skin, 2] > -60]
    modes = model.geometry_basis[front].reshape(-1, 199).astype(float)
    pose, _ = np.linalg.qr(fields.reshape(-1, 7))
    share = np.linalg.norm(pose.T @ modes, axis=0) / np.linalg.norm(modes, axis=0)
    assert share.max() < 1e-3


def test_geometry_modes_are_ordered_and_independent(model, anatomy):
    skin = anatomy.vertices_of("skin", "lips")
    modes = model.geometry_basis[skin].reshape(-1, 199).astype(float)
    strength = np.linalg.norm(modes, axis=0)
    assert (np.diff(strength) < 1e-3).all()
    cosine = (modes / strength).T @ (modes / strength)
    assert np.abs(cosine - np.eye(199)).max() < 1e-2


def test_the_skin_has_exactly_three_openings_and_one_border(model, anatomy):
    skin = model.triangles[anatomy.triangles_of("skin", "lips")]
    edges = np.sort(np.concatenate([skin[:, [0, 1]], skin[:, [1, 2]], skin[:, [2, 0]]]), axis=1)
    count = Counter(map(tuple, edges.tolist()))
    assert max(count.values()) == 2
    border = {edge for edge, times in count.items() if times == 1}
    loops = [anatomy.curves["eye_l"], anatomy.curves["eye_r"]]
    lips = anatomy.curves["inner_lip_upper"], anatomy.curves["inner_lip_lower"][-2:0:-1]
    loops.append(np.concatenate(lips))
    for loop in loops:
        pairs = np.sort(np.stack([loop, np.roll(loop, -1)], axis=1), axis=1)
        assert {tuple(pair) for pair in pairs.tolist()} <= border
    rim = len(border) - sum(len(loop) for loop in loops)
    assert 40 < rim < 90


def test_every_vertex_is_used_and_triangles_face_outwards(model, anatomy):
    assert len(np.unique(model.triangles)) == len(model.mean)
    corners = model.mean[model.triangles[anatomy.triangles_of("skin", "lips")]].astype(float)
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    outward = ((corners.mean(1) - np.array([0, -20, -80])) * normal).sum(1)
    assert (outward > 0).mean() > 0.995


def test_lips_close(model, actions):
    resting = lip_gaps(model, np.zeros(29))
    assert (resting > 1.0).all()
    assert (np.abs(lip_gaps(model, actions["lips_close"])) < 0.5).all()


def test_closed_lips_win_over_a_slightly_open_jaw(model, actions):
    mixed = 0.1 * actions["jaw_open"] + 1.25 * actions["lips_close"] + 0.35 * actions["press"]
    mixed = mixed + 0.2 * actions["lower_up"]
    assert (lip_gaps(model, mixed) < 0.7).all()


def test_an_open_mouth_is_a_lens_with_still_corners(model, anatomy, actions):
    opened = model.points(slice(None), np.zeros(199), actions["jaw_open"])
    upper, lower = (opened[anatomy.curves[f"inner_lip_{side}"]] for side in ("upper", "lower"))
    gap = upper[:, 1] - lower[:, 1]
    middle = len(gap) // 2
    assert gap[middle] > 12
    assert gap[0] == gap[-1] == 0
    assert (np.diff(gap[: middle - 3]) > 0).all(), "the opening grows from the corner inwards"
    assert gap[2] < 0.6 * gap[middle], "a rectangle would be wide open beside the corner"


def test_a_blink_closes_the_eyes(model, actions):
    def openings(expression):
        points = model.points(slice(None), np.zeros(199), expression)
        return points[[37, 38, 43, 44], 1] - points[[41, 40, 47, 46], 1]

    assert (np.abs(openings(actions["blink"])) < 0.08 * openings(np.zeros(29))).all()
    # A wink is outside the 29 modes; what is left of it must still favour its side.
    wink = openings(actions["blink_l"])
    assert wink[:2].max() < wink[2:].min() + 1.0


def test_the_parts_behind_the_skin_follow_it(model, anatomy):
    random = np.random.default_rng(3)
    geometry = random.normal(size=199)
    moved = model.vertices(geometry, np.zeros(29)) - model.mean
    globe = moved[anatomy.vertices_of("eyeball_r")]
    np.testing.assert_allclose(globe, globe[:1].repeat(len(globe), 0), atol=1e-3)
    np.testing.assert_allclose(globe[0], moved[anatomy.curves["eye_r"]].mean(0), atol=1e-3)


def test_upper_teeth_rest_and_lower_teeth_ride_on_the_jaw(model, anatomy, actions):
    moved = model.vertices(np.zeros(199), actions["jaw_open"]) - model.mean
    assert np.abs(moved[anatomy.vertices_of("teeth_upper")]).max() < 0.3
    assert moved[anatomy.vertices_of("teeth_lower"), 1].mean() < -8


def test_chart_and_texture_coordinates_invert_each_other(anatomy):
    chart = anatomy.chart[anatomy.vertices_of("skin")]
    np.testing.assert_allclose(uv_to_chart(chart_to_uv(chart)), chart, atol=1e-9)
    assert ((anatomy.uv >= 0) & (anatomy.uv <= 1)).all()
