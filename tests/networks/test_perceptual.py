import hashlib
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import save_file

from talkin.errors import ConfigurationError
from talkin.networks.perceptual import PerceptualConfig, PerceptualFeatures, Vgg19

EARLY = ("relu1_1", "relu2_2")


def small_vgg_file(folder: Path, name: str = "vgg19.safetensors") -> Path:
    torch.manual_seed(0)
    path = folder / name
    save_file(dict(Vgg19(EARLY).state_dict()), path)
    return path


def test_filters_see_no_difference_between_equal_pictures_and_pass_gradients() -> None:
    features = PerceptualFeatures(PerceptualConfig(backbone="filters"))
    picture = torch.rand(2, 3, 32, 32, requires_grad=True)
    maps = features(picture)
    assert [m.shape[-1] for m in maps] == [32, 32, 16, 16, 8, 8, 4, 4]
    sum(m.abs().sum() for m in maps).backward()
    assert picture.grad is not None
    assert torch.isfinite(picture.grad).all()


def test_filters_answer_nothing_to_a_plain_picture_and_to_its_brightness() -> None:
    features = PerceptualFeatures(PerceptualConfig(backbone="filters", scales=1))
    responses, energies = features(torch.full((1, 3, 16, 16), 0.7))
    assert responses.abs().max() < 1e-5
    assert energies.max() < 2e-3


def test_the_energy_of_blurred_teeth_is_lower() -> None:
    features = PerceptualFeatures(PerceptualConfig(backbone="filters", scales=1))
    stripes = torch.ones(1, 3, 16, 16)
    stripes[..., ::4] = -1
    sharp, blurred = features(stripes)[1], features(stripes * 0.3)[1]
    assert sharp.mean() > 2 * blurred.mean()


def test_vgg19_reads_weights_under_torchvisions_names(tmp_path: Path) -> None:
    config = PerceptualConfig(weights=small_vgg_file(tmp_path), layers=EARLY)
    maps = PerceptualFeatures(config)(torch.rand(1, 3, 16, 16) * 2 - 1)
    assert [tuple(m.shape[1:]) for m in maps] == [(64, 16, 16), (128, 8, 8)]
    assert all(m.min() >= 0 for m in maps)


def test_vgg19_sees_pictures_normalised_as_it_was_trained(tmp_path: Path) -> None:
    features = PerceptualFeatures(
        PerceptualConfig(weights=small_vgg_file(tmp_path), layers=("relu1_1",))
    )
    network = features.backbone
    mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None].expand(1, 3, 8, 8)
    (found,) = features(mean * 2 - 1)  # the mean picture is zero to the first convolution
    bias = network.features[0].bias.clamp_min(0)[:, None, None]
    torch.testing.assert_close(found, bias.expand_as(found[0])[None], atol=1e-5, rtol=0)


def test_layer_names_fall_on_their_activations() -> None:
    with torch.device("meta"):
        network = Vgg19(("relu1_2", "relu2_2", "relu3_4", "relu4_4", "relu5_4"))
    assert network.wanted == {3, 8, 17, 26, 35}
    assert all(isinstance(network.features[place], torch.nn.ReLU) for place in network.wanted)


def test_vgg19_without_weights_says_what_to_do() -> None:
    with pytest.raises(ConfigurationError, match=r"perceptual.weights is not set.*`filters`"):
        PerceptualFeatures(PerceptualConfig())


def test_a_file_with_another_checksum_is_refused(tmp_path: Path) -> None:
    path = small_vgg_file(tmp_path)
    right = hashlib.sha256(path.read_bytes()).hexdigest()
    PerceptualFeatures(PerceptualConfig(weights=path, sha256=right, layers=EARLY))
    with pytest.raises(ConfigurationError, match="not 0000: it is damaged or another file"):
        PerceptualFeatures(PerceptualConfig(weights=path, sha256="0000", layers=EARLY))


def test_the_checksum_in_a_published_files_name_is_checked(tmp_path: Path) -> None:
    path = small_vgg_file(tmp_path, "vgg19-dcbb9e9d.safetensors")
    with pytest.raises(ConfigurationError, match="not dcbb9e9d"):
        PerceptualFeatures(PerceptualConfig(weights=path, layers=EARLY))


def test_weights_of_another_network_are_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"conv.weight": torch.zeros(1)}, path)
    with pytest.raises(ConfigurationError, match="holds no VGG-19"):
        PerceptualFeatures(PerceptualConfig(weights=path, layers=EARLY))


class Dangerous:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        """What a pickle would call."""
        return (print, ("code of the file ran",))


@pytest.mark.parametrize("content", [Dangerous(), [1, 2]])
def test_a_file_that_holds_more_than_tensors_is_never_run(
    tmp_path: Path, content: object, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "weights.pth"
    torch.save(content, path)
    with pytest.raises(ConfigurationError, match=r"perceptual\.weights"):
        PerceptualFeatures(PerceptualConfig(weights=path))
    assert capsys.readouterr().out == ""


def test_a_layer_that_does_not_exist_is_refused_before_anything_is_read() -> None:
    with pytest.raises(ValidationError, match="relu9_9"):
        PerceptualConfig(layers=("relu9_9",))
