"""The renderer run on what is shown alone gives what the whole one gives."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from talkin.editing.engine import Engine, EngineConfig, ShownRenderer, engine_of
from talkin.editing.rendering import WindowedRenderer, WindowingConfig, renderer_of
from talkin.networks.renderer import Renderer, RendererConfig
from talkin.samples.alignment import mask_box

SIZE = 64


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    torch.set_num_threads(1)
    return Renderer(7, RendererConfig(width=3, depth=5)).eval()


@given(st.tuples(*[st.integers(0, SIZE - 1)] * 2, *[st.integers(1, SIZE)] * 2), st.integers(1, 7))
@settings(max_examples=40, deadline=None)
def test_any_box_and_any_number_of_last_frames_equal_the_whole(network, corners, n_last):
    x0, y0 = corners[:2]
    x1, y1 = (min(SIZE, low + side) for low, side in zip(corners[:2], corners[2:], strict=True))
    frames = torch.rand(1, 7, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1)) * 2 - 1
    maps = torch.rand(1, 7, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        whole = network(frames, maps)[0, -n_last:, :, y0:y1, x0:x1]
        laid = torch.cat([frames, maps], dim=2).flatten(1, 2)
        shown = ShownRenderer(network, SIZE, (x0, y0, x1, y1))(laid, n_last)[0]
    assert shown.unflatten(0, (n_last, 3)).numpy() == pytest.approx(whole.numpy(), abs=2e-5)


@pytest.fixture(scope="module", params=["noise", "reference"])
def model(request):
    from talkin.face3d.model import MorphableModel
    from talkin.networks.talking_face import TalkingFace
    from talkin.networks.talking_face_config import TalkingFaceConfig

    rng = np.random.default_rng(7)
    face_model = MorphableModel(
        name="toy",
        mean=rng.normal(0, 25, (68, 3)).astype(np.float32),
        geometry_basis=rng.normal(0, 2, (68, 3, 5)).astype(np.float32),
        expression_basis=rng.normal(0, 6, (68, 3, 4)).astype(np.float32),
        triangles=np.array([[0, 1, 2]]),
        landmarks68=np.arange(68),
        mouth39=np.arange(39),
        mesh468=np.full(468, -1),
    )
    torch.manual_seed(0)
    changes = {"crop": {"size_px": SIZE}, "n_geometry": 5, "n_expression": 4}
    is_residual = request.param == "reference"
    changes |= {"renderer": {"width": 4, "depth": 4, "is_residual": is_residual}}
    changes |= {"mask_fill": request.param}
    made = TalkingFace(TalkingFaceConfig.model_validate(changes), face_model).eval()
    if is_residual:  # which is nothing at all before training
        torch.nn.init.normal_(made.renderer.decoder[-1][0].weight, std=0.02)
    return made


def a_window():
    rng = np.random.default_rng(0)
    crops = rng.integers(0, 256, (7, SIZE, SIZE, 3)).astype(np.uint8)
    return crops, rng.uniform(10, 50, (7, 39, 2))


def test_an_engine_draws_what_the_model_renders(model):
    crops, points = a_window()
    box = mask_box(model.config.crop)
    engine = engine_of(model, EngineConfig(precision="float32"), box)
    assert engine(crops, points) == pytest.approx(renderer_of(model)(crops, points), abs=1e-3)
    assert engine(crops, points, 2) == pytest.approx(engine(crops, points)[-2:], abs=1e-3)


def test_half_precision_stays_within_a_level_on_average(model):
    crops, points = a_window()
    box = mask_box(model.config.crop)
    exact, rough = (
        Engine(model, EngineConfig(precision=precision), box)(crops, points)
        for precision in ("float32", "bfloat16")
    )
    assert np.abs(rough - exact).mean() < 1.0


def test_an_engine_can_be_switched_off(model):
    crops, points = a_window()
    given = engine_of(model, EngineConfig(only_what_is_shown=False), mask_box(model.config.crop))
    assert not isinstance(given, Engine)
    assert np.array_equal(given(crops, points), renderer_of(model)(crops, points))


@pytest.mark.parametrize(("stride", "wanted"), [(1, [7, 1, 1, 1]), (3, [7, 3, 3]), (7, [7, 5])])
def test_only_the_frames_that_will_be_shown_are_asked_for(stride, wanted):
    asked = []
    windows: WindowedRenderer

    def render(crops, landmarks):
        asked.append(windows.n_wanted)
        return crops.astype(np.float32)

    windows = WindowedRenderer(render, WindowingConfig(stride=stride, overlap="last"))
    n_frames = {1: 10, 3: 13, 7: 12}[stride]
    for _ in range(n_frames):
        list(windows.push(np.zeros((4, 4, 3), np.uint8), np.zeros((39, 2))))
    list(windows.flush())
    assert asked == wanted
