import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from talkin.face3d.camera import euler_angles, project, rotation_matrix
from talkin.face3d.fitting_start import (
    rotation_from_vector,
    scaled_orthography,
    vector_from_rotation,
)
from talkin.face3d.projection import rotation_matrix_torch

angles = st.tuples(
    st.floats(-3.1, 3.1), st.floats(-1.5, 1.5), st.floats(-3.1, 3.1)
)  # fmt: skip


@given(angles)
def test_euler_angles_invert_the_rotation_matrix(turn):
    matrix = rotation_matrix(np.array(turn))
    np.testing.assert_allclose(rotation_matrix(euler_angles(matrix)), matrix, atol=1e-9)


@given(angles)
def test_rotation_matrices_are_rotations_and_the_torch_twin_agrees(turn):
    matrix = rotation_matrix(np.array(turn))
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(matrix) > 0
    twin = rotation_matrix_torch(torch.tensor(turn, dtype=torch.float64)).numpy()
    np.testing.assert_allclose(twin, matrix, atol=1e-12)


def test_axes_are_as_documented():
    point, still, size = np.array([[0.0, 0.0, 10.0]]), np.zeros(2), np.array(2.0)
    right_turn = project(point, np.array([0.0, 0.3, 0.0]), still, size)
    nod_down = project(point, np.array([0.3, 0.0, 0.0]), still, size)
    assert right_turn[0, 0] > 0, "positive yaw turns the nose to the picture's right"
    assert nod_down[0, 1] > 0, "positive pitch lowers the nose (picture y is down)"


@given(st.tuples(*[st.floats(-0.8, 0.8)] * 3))
def test_rotation_vectors_round_trip(vector):
    vectors = np.array([vector])
    np.testing.assert_allclose(
        vector_from_rotation(rotation_from_vector(vectors)), vectors, atol=1e-9
    )


def test_scaled_orthography_recovers_an_exact_pose():
    random = np.random.default_rng(0)
    face = random.normal(size=(30, 3)) * 40
    turns = random.uniform(-0.9, 0.9, size=(5, 3))
    shifts, sizes = random.normal(size=(5, 2)) * 100, random.uniform(0.5, 3.0, 5)
    picture = project(np.broadcast_to(face, (5, 30, 3)), turns, shifts, sizes)
    weights = np.ones((5, 30))
    weights[2, :12] = 0.0
    picture[2, :12] = 1e4
    pose = scaled_orthography(picture, weights, face)
    np.testing.assert_allclose(pose.rotation, rotation_matrix(turns), atol=1e-6)
    np.testing.assert_allclose(pose.scale, sizes, rtol=1e-6)
    np.testing.assert_allclose(pose.translation, shifts, atol=1e-4)
