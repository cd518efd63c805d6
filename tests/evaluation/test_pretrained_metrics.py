import os
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from talkin.errors import ConfigurationError
from talkin.evaluation.onnx_embedder import EmbedderConfig, OnnxEmbedder
from talkin.evaluation.pretrained_metrics import (
    Lpips,
    WeightsConfig,
    frechet_distance,
    identity_preservation,
    lpips,
)
from talkin.evaluation.pretrained_watch import PretrainedConfig, PretrainedWatch
from talkin.evaluation.syncnet import SyncNet, offset_scores, syncnet_mfcc

REAL = Path(os.environ.get("TALKIN_REALDATA", Path(__file__).parents[3] / "shared/realdata"))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> tuple[WeightsConfig, WeightsConfig]:
    """AlexNet and LPIPS heads under the published names, with random numbers."""
    folder = tmp_path_factory.mktemp("lpips")
    torch.manual_seed(0)
    net = Lpips()
    alexnet, heads = {}, {}
    for layer, key in enumerate((0, 3, 6, 8, 10)):
        for kind in ("weight", "bias"):
            parameter = getattr(net.convolutions[layer], kind).detach()
            alexnet[f"features.{key}.{kind}"] = parameter.clone()
        shape = (1, len(net.weights[layer]), 1, 1)
        heads[f"lin{layer}.model.1.weight"] = torch.rand(shape)
    save_file(alexnet, folder / "alexnet.safetensors")
    torch.save(heads, folder / "alex.pth")
    return (
        WeightsConfig(path=folder / "alexnet.safetensors"),
        WeightsConfig(path=folder / "alex.pth"),
    )


def pictures(n: int = 2) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, 64, 64, 3)).astype(np.uint8)


def test_lpips_is_zero_for_the_same_and_grows_with_noise(
    weights: tuple[WeightsConfig, WeightsConfig],
) -> None:
    net, true = Lpips.load(*weights), pictures()
    noise = np.random.default_rng(1).normal(size=true.shape)
    noisy = [np.clip(true + s * noise, 0, 255).astype(np.uint8) for s in (10, 30, 90)]
    values = [lpips(made, true, net) for made in (true, *noisy)]
    assert values[0] == 0
    assert values == sorted(values)
    assert lpips(noisy[0], true, net) == pytest.approx(lpips(true, noisy[0], net), rel=1e-5)


def test_lpips_agrees_with_the_sum_written_out(
    weights: tuple[WeightsConfig, WeightsConfig],
) -> None:
    net = Lpips.load(*weights)
    heads = torch.load(weights[1].path, weights_only=True)
    a, b = (torch.rand(1, 3, 64, 64) * 2 - 1 for _ in range(2))
    expected = 0.0
    with torch.no_grad():
        pairs = zip(net._features(a), net._features(b), strict=True)
        for layer, pair in enumerate(pairs):
            x, y = (features[0].numpy() for features in pair)
            rows, columns = x.shape[1:]
            for r in range(rows):
                for c in range(columns):
                    unit = [v[:, r, c] / np.linalg.norm(v[:, r, c]) for v in (x, y)]
                    weight = heads[f"lin{layer}.model.1.weight"].flatten().numpy()
                    squared = np.square(unit[0] - unit[1])
                    expected += float((weight * squared).sum()) / (rows * columns)
        assert float(net(a, b)) == pytest.approx(expected, rel=1e-3)


def test_a_missing_or_other_file_is_named_with_what_to_do(
    weights: tuple[WeightsConfig, WeightsConfig], tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match="alexnet-owt"):
        Lpips.load(WeightsConfig(), weights[1])
    with pytest.raises(ConfigurationError, match="SHA-256"):
        Lpips.load(weights[0].model_copy(update={"sha256": "00"}), weights[1])
    with pytest.raises(ConfigurationError, match="are not AlexNet"):
        Lpips.load(weights[0], weights[0])
    with pytest.raises(ConfigurationError, match="is no file"):
        OnnxEmbedder(EmbedderConfig(path=tmp_path / "no.onnx"))
    (tmp_path / "text.onnx").write_text("no network")
    with pytest.raises(ConfigurationError, match="cannot be read as an ONNX network"):
        OnnxEmbedder(EmbedderConfig(path=tmp_path / "text.onnx"))
    with pytest.raises(ConfigurationError, match="syncnet_v2"):
        SyncNet.load(WeightsConfig())


def test_the_frechet_distance_of_two_normals_is_the_closed_form() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(400, 3))
    points = (points - points.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(points.T)).T)
    a, b = points * [1.0, 2.0, 3.0], points * [2.0, 2.0, 1.0] + [0.0, 5.0, 0.0]
    assert frechet_distance(a, b) == pytest.approx(25 + 1 + 0 + 4, rel=1e-6)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-4)
    with pytest.raises(ValueError, match="at least two"):
        frechet_distance(a[:1], b)


def test_identity_is_the_cosine_of_embeddings() -> None:
    def embed(frames: np.ndarray) -> np.ndarray:
        return frames[:, 0, 0].astype(np.float64)

    a = np.zeros((2, 1, 1, 3), np.uint8)
    a[..., 0] = 9
    b = a.copy()
    assert identity_preservation(a, a, embed) == pytest.approx(1)
    b[1] = [0, 7, 0]
    assert identity_preservation(b, a, embed) == pytest.approx(0.5)


def test_the_offset_at_which_vectors_agree_decides_lse() -> None:
    rng = np.random.default_rng(0)
    heard = rng.normal(size=(60, 16))
    together, apart = offset_scores(heard, heard), offset_scores(rng.normal(size=(60, 16)), heard)
    late = offset_scores(np.roll(heard, 4, axis=0), heard)
    assert together[0] == pytest.approx(0, abs=1e-4)
    assert late[0] < 0.5 * apart[0]
    assert apart[1] < together[1]


def test_syncnet_has_the_published_layout_and_takes_its_inputs() -> None:
    net = SyncNet().eval()
    with torch.no_grad():
        assert net.heard(torch.zeros(2, 1, 13, 20)).shape == (2, 1024)
        assert net.seen(torch.zeros(1, 3, 5, 224, 224)).shape == (1, 1024)
    assert "netcnnlip.18.weight" in net.state_dict()
    assert net.state_dict()["netfcaud.3.weight"].shape == (1024, 512)
    samples = np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32)
    mfcc = syncnet_mfcc(samples)
    assert mfcc.shape == (99, 13)
    louder = syncnet_mfcc(2 * samples)
    np.testing.assert_allclose(louder[:, 0] - mfcc[:, 0], np.log(4), atol=1e-3)
    np.testing.assert_allclose(louder[:, 1:], mfcc[:, 1:], atol=1e-3)


def test_what_is_not_given_is_not_measured(
    weights: tuple[WeightsConfig, WeightsConfig],
) -> None:
    assert PretrainedWatch(PretrainedConfig())(pictures(), pictures(), []) == {
        "real": {},
        "fake": {},
    }
    watch = PretrainedWatch(PretrainedConfig(lpips_backbone=weights[0], lpips_heads=weights[1]))
    assert watch(pictures(), pictures(), [])["fake"] == {"lpips": 0.0}
    assert watch.frechet() is None


@pytest.mark.realdata
def test_any_onnx_network_embeds_pictures() -> None:
    found = sorted((REAL / "landmarks").rglob("*.onnx")) if REAL.exists() else []
    usable = [path for path in found if path.name == "pfld.onnx"]
    if not usable:
        pytest.skip("the recordings of the companion data folder are absent")
    embed = OnnxEmbedder(EmbedderConfig(path=usable[0], size_px=112, mean=0, scale=255))
    vectors = embed(pictures(2))
    assert len(vectors) == 2
    assert identity_preservation(pictures(2), pictures(2), embed) == pytest.approx(1)
