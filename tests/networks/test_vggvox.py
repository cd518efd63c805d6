from hashlib import sha256
from pathlib import Path

import pytest
import torch
from torch import nn

from talkin.errors import ConfigurationError
from talkin.networks.speaker_classifier import SpeakerClassifier, SpeakerClassifierConfig
from talkin.networks.vggvox import take_vggvox

CHANNELS = ((1, 3, 7), (3, 8, 5), (8, 12, 3), (12, 8, 3), (8, 8, 3))


def judge(layout: str = "vggvox") -> SpeakerClassifier:
    config = SpeakerClassifierConfig.model_validate({"width": 3, "layout": layout})
    return SpeakerClassifier(13, 2, config).eval()


def published(path: Path) -> nn.Module:
    """A small network under the names and in the orientation of VGGVox, with random weights."""
    torch.manual_seed(0)
    layers: dict[str, nn.Module] = {}
    for number, (n_in, n_out, kernel) in enumerate(CHANNELS, 1):
        layers[f"conv{number}"] = nn.Conv2d(n_in, n_out, kernel, padding=kernel // 2)
        layers[f"bn{number}"] = nn.BatchNorm2d(n_out)
        nn.init.normal_(layers[f"bn{number}"].running_mean)
        nn.init.uniform_(layers[f"bn{number}"].running_var, 0.5, 2)
    layers["fc6"] = nn.Conv2d(8, 16, (9, 1))
    network = nn.ModuleDict({"features": nn.ModuleDict(layers)}).eval()
    torch.save(network.state_dict(), path)
    return network


def test_the_first_layer_answers_as_published_on_a_turned_map(tmp_path: Path) -> None:
    path = tmp_path / "vggvox.pth"
    layers = published(path)["features"]
    network = judge()
    assert take_vggvox(network, path, None) == 5 * (2 + 5)
    spectrogram = torch.randn(1, 1, 21, 30)
    wanted = layers["bn1"](layers["conv1"](spectrogram))
    first = network.features[0]
    unstrided = nn.functional.conv2d(spectrogram.transpose(2, 3), first.weight, padding=3)
    torch.testing.assert_close(network.features[1](unstrided).transpose(2, 3), wanted)


def test_a_checksum_guards_the_file(tmp_path: Path) -> None:
    path = tmp_path / "vggvox.pth"
    published(path)
    take_vggvox(judge(), path, sha256(path.read_bytes()).hexdigest()[:16])
    with pytest.raises(ConfigurationError, match="has SHA-256"):
        take_vggvox(judge(), path, "0" * 64)


def test_weights_that_do_not_fit_or_are_none_are_refused_with_a_way_out(tmp_path: Path) -> None:
    path = tmp_path / "vggvox.pth"
    published(path)
    with pytest.raises(ConfigurationError, match=r"conv3 of .*layout: vggvox"):
        take_vggvox(judge("compact"), path, None)
    torch.save({"conv1.weight": torch.zeros(3, 1, 7, 7)}, tmp_path / "half.pth")
    with pytest.raises(ConfigurationError, match=r"half\.pth lacks bias, .* of layer 1"):
        take_vggvox(judge(), tmp_path / "half.pth", None)
    with pytest.raises(ConfigurationError, match="which is no file"):
        take_vggvox(judge(), tmp_path / "none.pth", None)
