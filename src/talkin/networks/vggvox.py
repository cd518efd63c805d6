"""Published weights of VGGVox for the judge of identity removal.

VGGVox reads spectrograms of 512 frequencies, our judge maps of cepstra or mel bands, so its fully
connected layers cannot fit. Its five convolutions with their normalisation can, for they do not
know how large a map is; they say most on mel bands (`mfcc.front_end: log_mel`), which are a
spectrogram too. What is taken is where learning begins, what is not begins at random.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from talkin.errors import ConfigurationError
from talkin.networks.pretrained import read_weights
from talkin.networks.speaker_classifier import SpeakerClassifier

_WAY_OUT = (
    "give the state dict of a PyTorch port of VGGVox (tensors conv1.weight, bn1.weight, ...) and "
    "set network to {layout: vggvox, width: 96}, or leave weights out and train the judge anew"
)
_NAMED = re.compile(r"(?:.*\.)?(?P<layer>conv|bn)(?P<number>[1-5])\.(?P<what>\w+)")


def take_vggvox(network: SpeakerClassifier, path: Path, sha256: str | None) -> int:
    """Let a judge begin with the published convolutions.

    Args:
        network: Changed in place; of `layout: vggvox`.
        path: A .pth (read without running code) or .safetensors file.
        sha256: Its checksum or the beginning of it; none for no check.

    Returns:
        Number of tensors taken.

    Raises:
        ConfigurationError: If the file is missing, another one, or does not fit.
    """
    key = "speaker_classifier.weights"
    given = _by_layer(read_weights(path, sha256, key, _WAY_OUT))
    convolutions = [m for m in network.features if isinstance(m, nn.Conv2d)]
    norms = [m for m in network.features if isinstance(m, nn.BatchNorm2d)]
    taken = 0
    for number, (convolution, norm) in enumerate(zip(convolutions, norms, strict=True), 1):
        conv, bn = given.get(("conv", number), {}), given.get(("bn", number), {})
        missing = {"weight"} - conv.keys() | {"weight", "bias", "running_mean"} - bn.keys()
        if missing:
            raise ConfigurationError(
                f"{key}: {path} lacks {', '.join(sorted(missing))} of layer {number}; {_WAY_OUT}"
            )
        # VGGVox counts (frequency, time), the judge (time, coefficient).
        _copy(convolution.weight, conv["weight"].transpose(2, 3), f"conv{number}", path)
        for name in ("weight", "bias", "running_mean", "running_var"):
            if name in bn:
                _copy(getattr(norm, name), bn[name], f"bn{number}", path)
        if "bias" in conv:  # the judge's convolutions have none: the mean takes it in
            assert norm.running_mean is not None
            norm.running_mean -= conv["bias"].to(norm.running_mean)
        taken += len(conv) + len(bn)
    return taken


def _by_layer(weights: Mapping[str, Tensor]) -> dict[tuple[str, int], dict[str, Tensor]]:
    found: dict[tuple[str, int], dict[str, Tensor]] = {}
    for name, value in weights.items():
        if named := _NAMED.fullmatch(name):
            layer = (named["layer"], int(named["number"]))
            found.setdefault(layer, {})[named["what"]] = value
    return found


def _copy(target: Tensor, source: Tensor, layer: str, path: Path) -> None:
    if target.shape != source.shape:
        raise ConfigurationError(
            f"speaker_classifier.weights: {layer} of {path} is {tuple(source.shape)}, the judge "
            f"wants {tuple(target.shape)}; {_WAY_OUT}"
        )
    target.data.copy_(source)
