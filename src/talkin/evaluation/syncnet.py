"""LSE-D and LSE-C: how near SyncNet finds lips and sound, and how sure it is.

Chung and Zisserman, "Out of time" (2016); the names are Prajwal et al.'s (2020). Five frames of
the face (224 px) and the 0.2 s of sound with them (13 MFCC, 20 rows) become vectors; their
distance is averaged over the clip for offsets of up to 15 frames:

    LSE-D = min over offsets,   LSE-C = median over offsets - min.

The network is the published one (`syncnet_v2.model`), read from a local file with its own keys.
"""

import cv2
import librosa
import numpy as np
import torch
from jaxtyping import Float, UInt8
from scipy.fft import dct
from torch import Tensor, nn

from talkin.errors import ConfigurationError
from talkin.evaluation.pretrained_metrics import WeightsConfig
from talkin.footage.audio import Audio
from talkin.networks.pretrained import read_weights

_FRAMES, _ROWS, _SIDE_PX, _MAX_OFFSET = 5, 20, 224, 15
_RATE, _FPS = 16000, 25


class SyncNet(nn.Module):
    """The two encoders, laid out and named as in the published weights."""

    def __init__(self) -> None:
        """Lay out the layers, untrained."""
        super().__init__()
        self.netcnnaud = nn.Sequential(
            *_flat(1, 64, 3, 1), nn.MaxPool2d(1, 1),
            *_flat(64, 192, 3, 1), nn.MaxPool2d(3, (1, 2)),
            *_flat(192, 384, 3, 1), *_flat(384, 256, 3, 1), *_flat(256, 256, 3, 1),
            nn.MaxPool2d(3, 2),
            *_flat(256, 512, (5, 4), 0),
        )  # fmt: skip
        self.netfcaud = _head()
        self.netcnnlip = nn.Sequential(
            *_deep(3, 96, (5, 7, 7), (1, 2, 2), 0), nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            *_deep(96, 256, (1, 5, 5), (1, 2, 2), (0, 1, 1)),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
            *_deep(256, 256, (1, 3, 3), 1, (0, 1, 1)), *_deep(256, 256, (1, 3, 3), 1, (0, 1, 1)),
            *_deep(256, 256, (1, 3, 3), 1, (0, 1, 1)), nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            *_deep(256, 512, (1, 6, 6), 1, 0),
        )  # fmt: skip
        self.netfclip = _head()

    @classmethod
    def load(cls, weights: WeightsConfig) -> "SyncNet":
        """Read the published weights.

        Raises:
            ConfigurationError: If the file is missing, another one, or holds another network.
        """
        state = read_weights(
            weights.path, weights.sha256, "syncnet", "give syncnet_v2.model, fetched by you"
        )
        net = cls()
        try:
            net.load_state_dict(state)
        except RuntimeError as error:
            raise ConfigurationError(f"{weights.path} is not SyncNet: {error}") from error
        return net.eval()

    def heard(self, mfcc: Float[Tensor, "n 1 13 20"]) -> Float[Tensor, "n 1024"]:
        """Vectors of sound."""
        vectors: Tensor = self.netfcaud(self.netcnnaud(mfcc).flatten(1))
        return vectors

    def seen(self, faces: Float[Tensor, "n 3 5 224 224"]) -> Float[Tensor, "n 1024"]:
        """Vectors of moving lips; BGR levels 0 to 255."""
        vectors: Tensor = self.netfclip(self.netcnnlip(faces).flatten(1))
        return vectors


@torch.inference_mode()
def lse(
    faces: UInt8[np.ndarray, "frames height width 3"], audio: Audio, net: SyncNet
) -> tuple[float, float]:
    """LSE-D (lower is better) and LSE-C (higher is better) of a clip of 25 frames a second.

    Args:
        faces: Face crops.
        audio: 16 kHz, from the first picture on.
        net: `SyncNet.load`.

    Raises:
        ConfigurationError: If the clip is too short or the sound has another rate.
    """
    if audio.sample_rate != _RATE:
        raise ConfigurationError(f"SyncNet hears {_RATE} Hz, not {audio.sample_rate} Hz")
    mfcc = syncnet_mfcc(audio.samples)
    n = min(len(faces) - _FRAMES, len(mfcc) // 4 - _FRAMES)
    if n < 2:
        raise ConfigurationError("the clip is too short for SyncNet, which looks at 0.2 s at once")
    small = np.stack([cv2.resize(face, (_SIDE_PX, _SIDE_PX)) for face in faces[: n + _FRAMES]])
    bgr = np.ascontiguousarray(small[..., ::-1])  # as the network was trained
    pictures = torch.from_numpy(bgr).float().movedim(-1, 0)
    rows = torch.from_numpy(mfcc.T.copy()).float()
    seen = torch.cat([net.seen(pictures[:, t : t + _FRAMES][None]) for t in range(n)])
    heard = torch.cat([net.heard(rows[None, None, :, 4 * t : 4 * t + _ROWS]) for t in range(n)])
    return offset_scores(seen.numpy(), heard.numpy())


def offset_scores(
    seen: Float[np.ndarray, "n features"], heard: Float[np.ndarray, "n features"]
) -> tuple[float, float]:
    """LSE-D and LSE-C of vectors frame by frame; beyond the clip the sound counts as zeros."""
    padded = np.pad(heard, ((_MAX_OFFSET, _MAX_OFFSET), (0, 0)))
    n = len(seen)
    distances = [
        np.linalg.norm(seen - padded[shift : shift + n] + 1e-6, axis=1).mean()
        for shift in range(2 * _MAX_OFFSET + 1)
    ]
    return float(np.min(distances)), float(np.median(distances) - np.min(distances))


def syncnet_mfcc(samples: Float[np.ndarray, "samples"]) -> Float[np.ndarray, "rows 13"]:
    """The features that SyncNet was trained on: HTK-like MFCC of 25 ms every 10 ms.

    Pre-emphasis 0.97, no window function, 512-point power spectrum, 26 triangular filters placed
    on FFT bins, log, orthonormal DCT, lifter 22, coefficient 0 replaced by the log of the energy.
    """
    scaled = np.asarray(samples, dtype=np.float64) * 32768
    emphasised = np.append(scaled[:1], scaled[1:] - 0.97 * scaled[:-1])
    length, hop = 400, 160
    n = 1 if len(emphasised) <= length else 1 + -(-(len(emphasised) - length) // hop)
    padded = np.pad(emphasised, (0, max(0, (n - 1) * hop + length - len(emphasised))))
    frames = librosa.util.frame(padded, frame_length=length, hop_length=hop).T[:n]
    power = np.square(np.abs(np.fft.rfft(frames, 512))) / 512
    tiny = np.finfo(float).eps
    filtered = np.log(np.maximum(power @ _filters().T, tiny))
    cepstra = dct(filtered, type=2, axis=1, norm="ortho")[:, :13]
    cepstra *= 1 + 11 * np.sin(np.pi * np.arange(13) / 22)
    cepstra[:, 0] = np.log(np.maximum(power.sum(axis=1), tiny))
    return cepstra


def _filters() -> Float[np.ndarray, "26 257"]:
    mel = np.linspace(0, 2595 * np.log10(1 + _RATE / 2 / 700), 28)
    edges = np.floor(513 * 700 * (10 ** (mel / 2595) - 1) / _RATE)
    bins = np.arange(257)
    low, middle, high = (edges[i : i + 26, None] for i in range(3))
    rising = (bins - low) / np.maximum(middle - low, 1)
    falling = (high - bins) / np.maximum(high - middle, 1)
    inside = ((bins >= low) & (bins < middle)) * rising
    return inside + ((bins >= middle) & (bins < high)) * falling


def _flat(i: int, o: int, size: int | tuple[int, int], padding: int) -> list[nn.Module]:
    return [nn.Conv2d(i, o, size, 1, padding), nn.BatchNorm2d(o), nn.ReLU()]


def _deep(
    i: int,
    o: int,
    size: tuple[int, int, int],
    stride: int | tuple[int, int, int],
    padding: int | tuple[int, int, int],
) -> list[nn.Module]:
    return [nn.Conv3d(i, o, size, stride, padding), nn.BatchNorm3d(o), nn.ReLU()]


def _head() -> nn.Sequential:
    return nn.Sequential(nn.Linear(512, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, 1024))
