import json
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file, save_file
from toy_corpus import N_MFCC, SIZE, toy_config, toy_dataset, toy_face_model

from talkin.errors import ConfigurationError
from talkin.networks.talking_face import TalkingFace
from talkin.samples.sample import frames_to_unit


@pytest.fixture
def model() -> TalkingFace:
    torch.manual_seed(0)
    model = TalkingFace(toy_config(), toy_face_model())
    model.mfcc_scale.fit(torch.randn(50, N_MFCC) * 3 + 1)
    model.output_scale.fit(torch.randn(50, 4) * 2 - 1)
    torch.nn.init.normal_(model.identity_remover.to_weights.weight, std=0.3)
    return model.eval()


def test_sound_becomes_one_expression_a_window_whatever_the_leading_axes(
    model: TalkingFace,
) -> None:
    windows = torch.randn(2, 7, 100, N_MFCC)
    together = model.expression_from_audio(windows)
    assert together.shape == (2, 7, 4)
    torch.testing.assert_close(together[1], model.expression_from_audio(windows[1]))


def test_landmarks_of_true_expressions_are_those_of_the_face_model(model: TalkingFace) -> None:
    batch = toy_dataset().batch([0, 20])
    found = model.mouth_landmarks(batch.expression, batch.geometry, batch.pose)
    torch.testing.assert_close(found, batch.mouth_landmarks, atol=1e-3, rtol=1e-4)


def test_the_mask_hides_the_mouth_and_nothing_else(model: TalkingFace) -> None:
    frames = torch.rand(1, 7, 3, SIZE, SIZE) * 2 - 1
    x0, y0, x1, y1 = model.config.mask_box
    masked = model.mask_frames(frames)
    inside = torch.zeros(SIZE, SIZE, dtype=torch.bool)
    inside[y0:y1, x0:x1] = True
    assert torch.equal(masked[..., ~inside], frames[..., ~inside])
    assert (masked[..., inside] != frames[..., inside]).float().mean() > 0.99
    assert masked.abs().max() <= 1


def test_what_the_mask_covers_cannot_be_seen_by_the_renderer(model: TalkingFace) -> None:
    batch = toy_dataset().batch([3])
    frames = frames_to_unit(batch.frames)
    x0, y0, x1, y1 = model.config.mask_box
    other = frames.clone()
    other[..., y0:y1, x0:x1] = 0.3
    a = model.render(frames, batch.mouth_landmarks)
    b = model.render(other, batch.mouth_landmarks)
    assert torch.equal(a.raw, b.raw)
    assert torch.equal(a.pasted, b.pasted) is True


def test_the_generated_square_is_pasted_into_the_untouched_frame(model: TalkingFace) -> None:
    batch = toy_dataset().batch([3])
    frames = frames_to_unit(batch.frames)
    raw, pasted = model.render(frames, batch.mouth_landmarks)
    x0, y0, x1, y1 = model.config.mask_box
    assert torch.equal(pasted[..., y0:y1, x0:x1], raw[..., y0:y1, x0:x1])
    restored = pasted.clone()
    restored[..., y0:y1, x0:x1] = frames[..., y0:y1, x0:x1]
    assert torch.equal(restored, frames)


def reference_model() -> TalkingFace:
    renderer = {"width": 4, "depth": 2, "is_residual": True}
    config = toy_config(mask_fill="reference", renderer=renderer)
    return TalkingFace(config, toy_face_model()).eval()


def test_an_untrained_residual_renderer_gives_what_it_was_lent() -> None:
    model, batch = reference_model(), toy_dataset().batch([3])
    x0, y0, x1, y1 = model.config.mask_box
    frames, fill = frames_to_unit(batch.frames), torch.rand(1, 7, 3, y1 - y0, x1 - x0)
    raw, pasted = model.render(frames, batch.mouth_landmarks, fill=fill)
    assert torch.equal(pasted[..., y0:y1, x0:x1], fill)
    assert torch.equal(raw, pasted)


def test_a_model_that_is_lent_mouths_refuses_to_go_without() -> None:
    model, batch = reference_model(), toy_dataset().batch([3])
    with pytest.raises(ConfigurationError, match="other pictures of the same person"):
        model.render(frames_to_unit(batch.frames), batch.mouth_landmarks)


def test_the_full_face_variant_has_no_mask_to_fill() -> None:
    for changes in ({"mask_fill": "reference"}, {"mask_fill": "noise"}):
        renderer = {"width": 4, "depth": 2, "is_full_face": True}
        renderer |= {"is_residual": changes["mask_fill"] == "noise"}
        with pytest.raises(ValidationError, match="is_full_face"):
            toy_config(renderer=renderer, **changes)


def test_a_model_saved_before_masks_could_be_lent_mouths_is_still_read(
    model: TalkingFace, tmp_path: Path
) -> None:
    model.save(tmp_path)
    header = json.loads((tmp_path / "config.json").read_text())
    del header["config"]["mask_fill"], header["config"]["renderer"]["is_residual"]
    (tmp_path / "config.json").write_text(json.dumps(header))
    assert TalkingFace.load(tmp_path).config == model.config


def test_rendering_is_repeatable_and_follows_its_generator(model: TalkingFace) -> None:
    batch = toy_dataset().batch([3])
    frames = frames_to_unit(batch.frames)
    points = batch.mouth_landmarks
    assert torch.equal(model.render(frames, points).raw, model.render(frames, points).raw)
    other = model.render(frames, points, generator=torch.Generator().manual_seed(5)).raw
    assert not torch.equal(model.render(frames, points).raw, other)


def test_pictures_send_gradients_back_to_every_weight_that_hears(model: TalkingFace) -> None:
    batch = toy_dataset().batch([3, 9])
    expression = model.expression_from_audio(batch.mfcc)
    landmarks = model.mouth_landmarks(expression, batch.geometry, batch.pose)
    frames = frames_to_unit(batch.frames)
    (model.render(frames, landmarks).raw - frames).abs().mean().backward()
    silent = [
        name
        for name, parameter in model.audio_networks.named_parameters()
        if parameter.grad is None or parameter.grad.abs().max() == 0
    ]
    assert silent == []


def test_the_2d_ablation_gives_landmarks_and_refuses_expressions() -> None:
    torch.manual_seed(0)
    model = TalkingFace(toy_config(predict="landmarks"), toy_face_model())
    windows = torch.randn(1, 7, 100, N_MFCC)
    outputs = model.translate(model.without_identity(windows))
    points = model.landmarks_from_outputs(outputs, torch.zeros(1, 5), torch.zeros(1, 7, 6))
    assert points.shape == (1, 7, 39, 2)
    assert torch.equal(points[0, 2, 5], outputs[0, 2, 10:12])
    with pytest.raises(ConfigurationError, match="predict: landmarks"):
        model.expression_from_audio(windows)


def test_without_identity_removal_the_sound_is_only_normalised() -> None:
    model = TalkingFace(toy_config(identity_removal={"is_used": False}), toy_face_model())
    windows = torch.randn(1, 100, N_MFCC)
    assert torch.equal(model.without_identity(windows), model.normalised_mfcc(windows))


def test_a_saved_model_is_the_same_model(model: TalkingFace, tmp_path: Path) -> None:
    model.save(tmp_path / "model", {"data": "toy"})
    loaded = TalkingFace.load(tmp_path / "model")
    assert loaded.config == model.config
    assert not loaded.training
    batch = toy_dataset().batch([3])
    frames = frames_to_unit(batch.frames)
    for one, other in ((model, loaded), (loaded, model)):
        assert torch.equal(
            one.expression_from_audio(batch.mfcc), other.expression_from_audio(batch.mfcc)
        )
    assert torch.equal(
        model.render(frames, batch.mouth_landmarks).pasted,
        loaded.render(frames, batch.mouth_landmarks).pasted,
    )
    names = {path.name for path in (tmp_path / "model").iterdir()}
    assert names == {"weights.safetensors", "config.json", "face_model.safetensors"}


def test_weights_of_other_sizes_are_refused_by_name(model: TalkingFace, tmp_path: Path) -> None:
    model.save(tmp_path)
    header = json.loads((tmp_path / "config.json").read_text())
    header["config"]["renderer"]["width"] = 8
    (tmp_path / "config.json").write_text(json.dumps(header))
    with pytest.raises(ConfigurationError, match=r"tensors differ.*renderer.*wanted"):
        TalkingFace.load(tmp_path)


def test_a_setting_that_this_version_does_not_know_is_named(
    model: TalkingFace, tmp_path: Path
) -> None:
    model.save(tmp_path)
    header = json.loads((tmp_path / "config.json").read_text())
    header["config"]["colour"] = "blue"
    (tmp_path / "config.json").write_text(json.dumps(header))
    with pytest.raises(ConfigurationError, match="colour"):
        TalkingFace.load(tmp_path)


def test_a_damaged_weights_file_is_named(model: TalkingFace, tmp_path: Path) -> None:
    model.save(tmp_path)
    whole = (tmp_path / "weights.safetensors").read_bytes()
    (tmp_path / "weights.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ConfigurationError, match=r"weights.safetensors cannot be read"):
        TalkingFace.load(tmp_path)


def test_a_missing_tensor_is_named(model: TalkingFace, tmp_path: Path) -> None:
    model.save(tmp_path)
    weights = load_file(tmp_path / "weights.safetensors")
    del weights["mfcc_scale.mean"]
    save_file(weights, tmp_path / "weights.safetensors")
    with pytest.raises(ConfigurationError, match=r"mfcc_scale.mean: \(6,\) wanted, nothing found"):
        TalkingFace.load(tmp_path)


def test_a_folder_without_a_model_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"config.json cannot be read; is .* trained"):
        TalkingFace.load(tmp_path)


def test_a_face_model_of_other_sizes_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="5 geometry and 4 expression"):
        TalkingFace(toy_config(n_expression=29), toy_face_model())


def test_a_crop_that_cannot_be_halved_that_often_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"crop.size_px 100 does not divide by 128"):
        toy_config(crop={"size_px": 100}, renderer={})
