import numpy as np
import pytest
import torch

from talkin.face3d.overlay import mesh_overlay
from talkin.face3d.projection import MouthProjector


@pytest.fixture(scope="module")
def projector(model):
    return MouthProjector(model)


def as_tensors(planted):
    pose = np.concatenate([planted.rotation, planted.translation, planted.scale[:, None]], axis=1)
    return [
        torch.tensor(array[None], dtype=torch.float32)
        for array in (planted.geometry, planted.expression, pose)
    ]


def test_torch_and_numpy_project_alike(model, projector, plant):
    from talkin.face3d.camera import project

    planted = plant(5, view=(0.3, 0.6))
    points = model.points(model.mouth39, planted.geometry, planted.expression)
    expected = project(points, planted.rotation, planted.translation, planted.scale)
    found = projector(*as_tensors(planted))
    assert found.shape == (1, 5, 39, 2)
    np.testing.assert_allclose(found[0].numpy(), expected, atol=2e-3)


def test_gradients_are_true(projector, plant):
    double = MouthProjector.__new__(MouthProjector)
    double.__dict__ = {**projector.__dict__}
    double._buffers = {name: value.double() for name, value in projector._buffers.items()}
    inputs = [tensor.double().requires_grad_() for tensor in as_tensors(plant(2))]
    assert torch.autograd.gradcheck(double, inputs, eps=1e-5, atol=1e-4, fast_mode=True)


def test_landmarks_are_linear_in_expression(projector, plant):
    geometry, expression, pose = as_tensors(plant(4))
    still = projector(geometry, torch.zeros_like(expression), pose)
    once = projector(geometry, expression, pose) - still
    twice = projector(geometry, 2 * expression, pose) - still
    torch.testing.assert_close(twice, 2 * once, atol=5e-3, rtol=1e-3)


def test_the_face_model_stays_out_of_the_weights(projector):
    assert projector.state_dict() == {}


def test_the_overlay_marks_the_face_and_leaves_the_rest(model, plant, as_track):
    from talkin.face3d.fitting import fit_clip

    planted = plant(3)
    parameters = fit_clip(as_track(planted.landmarks(model)), model)
    image = np.full((480, 640, 3), 100, dtype=np.uint8)
    drawn = mesh_overlay(image, parameters, model, 1)
    assert drawn.shape == image.shape
    assert (image == 100).all(), "the given picture is not drawn on"
    changed = (np.abs(drawn.astype(int) - 100) > 8).any(2)
    assert changed[200:400, 250:390].mean() > 0.1
    assert not changed[:, :60].any()
