"""What half precision and compilation may change: the time of a step, and nothing else."""

from pathlib import Path

import pytest
import torch
from toy_corpus import toy_config, toy_dataset, toy_training

from talkin.networks.talking_face import TalkingFace
from talkin.samples.heatmaps import landmark_heatmap
from talkin.training import stage as stages
from talkin.training.joint import JointStage, train_jointly
from talkin.training.renderer import train_renderer
from talkin.training.stage import chosen_precision
from talkin.training.whole import new_talking_face, train_talking_face

_compile = torch.nn.Module.compile


@pytest.fixture
def without_code_generation(monkeypatch: pytest.MonkeyPatch) -> list[torch.nn.Module]:
    """Traced like any compiled network, but run by torch's own kernels; tells what was compiled."""
    compiled: list[torch.nn.Module] = []

    def traced(network: torch.nn.Module, **options: object) -> None:
        compiled.append(network)
        _compile(network, backend="eager", **options)

    monkeypatch.setattr(torch.nn.Module, "compile", traced)
    return compiled


def trained(folder: Path, **changes: object) -> TalkingFace:
    dataset = toy_dataset()
    model = new_talking_face(toy_config(), dataset)
    return train_talking_face(
        model, dataset, toy_training(**changes), folder, validation=toy_dataset(1, 5)
    )[0]


def assert_equal(one: TalkingFace, other: TalkingFace) -> None:
    a, b = one.state_dict(), other.state_dict()
    assert list(a) == list(b)
    assert [key for key in a if not torch.equal(a[key], b[key])] == []


def first_terms(precision: str) -> dict[str, torch.Tensor]:
    dataset = toy_dataset()
    model = new_talking_face(toy_config(), dataset)
    stage = JointStage(model, None, dataset, None, toy_training(precision=precision))
    _, _, terms = next(stage.losses(0))
    stage.end()
    return dict(terms)


def test_in_half_precision_hearing_and_landmarks_stay_as_they_are() -> None:
    half, whole = first_terms("bf16"), first_terms("fp32")
    for term in ("mouth_shape", "lip_closure", "expression"):
        assert torch.equal(half[term], whole[term]), term
    assert not torch.equal(half["reconstruction"], whole["reconstruction"])
    torch.testing.assert_close(half["reconstruction"], whole["reconstruction"], rtol=0.01, atol=0)


def test_half_precision_does_not_blur_the_place_of_a_landmark() -> None:
    points = torch.tensor([[[101.3, 200.7], [102.1, 203.2]]])
    wanted = landmark_heatmap(points, 256, 3.0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(landmark_heatmap(points, 256, 3.0), wanted)


def test_in_half_precision_weights_stay_whole_and_a_stop_changes_nothing(tmp_path: Path) -> None:
    one = trained(tmp_path / "one", precision="bf16")
    assert {value.dtype for value in one.state_dict().values()} == {torch.float32}
    for steps in (2, 4):
        two = trained(tmp_path / "two", precision="bf16", joint={"steps": steps, "batch_size": 2})
    assert_equal(one, two)


@pytest.mark.parametrize("is_fast", [True, False])
def test_auto_is_half_precision_where_the_device_multiplies_it(
    monkeypatch: pytest.MonkeyPatch, is_fast: bool
) -> None:
    monkeypatch.setattr(stages, "has_fast_bfloat16", lambda device: is_fast)
    found = chosen_precision(toy_training(precision="auto"), torch.device("cpu"))
    assert found == ("bf16" if is_fast else "fp32")


@pytest.mark.parametrize("processor_has_it", [True, False])
def test_a_stage_begun_in_one_precision_is_not_gone_on_with_in_another(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, processor_has_it: bool
) -> None:
    dataset = toy_dataset()
    for is_fast in (True, processor_has_it):
        monkeypatch.setattr(stages, "has_fast_bfloat16", lambda device, is_fast=is_fast: is_fast)
        model = new_talking_face(toy_config(), dataset)
        train_renderer(model, dataset, toy_training(precision="auto"), tmp_path)
    assert len(list(tmp_path.glob("renderer-*"))) == (1 if processor_has_it else 2)


def test_compiled_training_gives_the_same_model_under_the_same_names(
    tmp_path: Path, without_code_generation: list[torch.nn.Module]
) -> None:
    plain = trained(tmp_path / "plain")
    assert without_code_generation == []
    for steps in (2, 4):  # stopped and gone on with
        joint = {"steps": steps, "batch_size": 2}
        compiled = trained(tmp_path / "compiled", is_compiled=True, validate_every=2, joint=joint)
    assert set(without_code_generation) >= {compiled.renderer}
    assert_equal(plain, compiled)


def test_only_training_steps_are_compiled(
    tmp_path: Path, without_code_generation: list[torch.nn.Module]
) -> None:
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    dataset = toy_dataset()
    model = new_talking_face(toy_config(), dataset)
    config = toy_training(is_compiled=True, validate_every=1)
    train_jointly(model, dataset, config, tmp_path, validation=toy_dataset(1, 5))
    assert without_code_generation == [model.renderer]
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 1
    model.render(torch.zeros(1, 7, 3, 16, 16), torch.zeros(1, 7, 39, 2))  # another shape
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 1
