"""Whether a speaker can still be told from x': probes that learn afterwards, on training clips.

`linear` sees mean and deviation of each coefficient over a window, `convolutional` (VGG-M, narrow)
the whole window. Both name the speakers of clips that they have not heard.
"""

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch.nn import functional

from talkin.evaluation.tsne import window_features
from talkin.networks.speaker_classifier import SpeakerClassifier, SpeakerClassifierConfig, freeze
from talkin.networks.talking_face import TalkingFace
from talkin.samples.dataset import PreparedClip
from talkin.samples.windows import audio_windows

_EVERY = 2
_STEPS, _BATCH, _WIDTH = 400, 64, 12


def probed(
    model: TalkingFace, train: tuple[PreparedClip, ...], test: tuple[PreparedClip, ...]
) -> dict[str, float]:
    """Percent of test windows whose speaker each probe names; `chance`: the most frequent one."""
    names = sorted({clip.speaker for clip in train})
    (x, speakers), (held_out, truth) = _heard(model, train, names), _heard(model, test, names)
    answers = {
        "probe": _linear(x, speakers, held_out),
        "conv_probe": _convolutional(x, speakers, held_out, len(names)),
    }
    found = {name: 100 * float((answer == truth).mean()) for name, answer in answers.items()}
    return {**found, "chance": 100 * float(np.bincount(truth).max() / len(truth))}


@torch.no_grad()
def _heard(
    model: TalkingFace, clips: tuple[PreparedClip, ...], names: list[str]
) -> tuple[np.ndarray, np.ndarray]:
    """The x' of windows, and who speaks in each."""
    heard, speakers = [], []
    for clip in clips:
        times = clip.parameters.time_s[clip.parameters.is_valid][::_EVERY]
        windows = audio_windows(clip.mfcc, times, model.config.window).astype(np.float32)
        heard.append(model.without_identity(torch.from_numpy(windows)).numpy())
        speakers.append(np.repeat(names.index(clip.speaker), len(times)))
    return np.concatenate(heard), np.concatenate(speakers)


def _linear(x: np.ndarray, speakers: np.ndarray, held_out: np.ndarray) -> np.ndarray:
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500, C=0.3))
    answer: np.ndarray = probe.fit(window_features(x), speakers).predict(window_features(held_out))
    return answer


def _convolutional(
    x: np.ndarray, speakers: np.ndarray, held_out: np.ndarray, n_speakers: int
) -> np.ndarray:
    torch.manual_seed(0)
    network = SpeakerClassifier(x.shape[2], n_speakers, SpeakerClassifierConfig(width=_WIDTH))
    optimiser = torch.optim.Adam(network.parameters(), lr=2e-3)
    windows, truth = torch.from_numpy(x), torch.from_numpy(speakers)
    for _ in range(_STEPS):
        chosen = torch.randint(len(windows), (_BATCH,))
        optimiser.zero_grad()
        value = functional.cross_entropy(network(windows[chosen]), truth[chosen])
        torch.autograd.backward(value)
        optimiser.step()
    freeze(network)
    with torch.no_grad():
        parts = [network(part).argmax(1) for part in torch.split(torch.from_numpy(held_out), 256)]
    return torch.cat(parts).numpy()
