from dataclasses import replace

import numpy as np
import torch
from toy_corpus import toy_clip, toy_dataset, toy_face_model

from talkin.samples.dataset import TalkingDataset
from talkin.samples.windows import audio_windows
from talkin.training.audio_corpus import AudioCorpus
from talkin.training.cepstral_warp import cepstral_warp


def test_frames_hear_the_same_windows_as_samples_do() -> None:
    dataset = toy_dataset(3)
    corpus = AudioCorpus.of(dataset)
    batch = corpus.frames(torch.tensor([0, 25, 59]))
    for place, (clip_number, t) in enumerate([(0, 0), (1, 5), (2, 19)]):
        clip = dataset.clips[clip_number]
        wanted = audio_windows(clip.mfcc, clip.parameters.time_s[[t]], dataset.config.window)[0]
        np.testing.assert_array_equal(batch.mfcc[place], wanted)
        np.testing.assert_array_equal(batch.expression[place], clip.parameters.expression[t])
        np.testing.assert_array_equal(batch.geometry[place], clip.parameters.geometry)
        assert dataset.speakers[int(batch.speaker[place])] == clip.speaker


def test_a_moved_moment_hears_moved_sound_and_wears_the_expression_between() -> None:
    dataset = toy_dataset(1)
    clip, corpus = dataset.clips[0], AudioCorpus.of(toy_dataset(1))
    batch = corpus.frames(torch.tensor([10, 10]), torch.tensor([1, -2]))
    expression = clip.parameters.expression
    np.testing.assert_allclose(
        batch.expression[0], 0.75 * expression[10] + 0.25 * expression[11], rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(
        batch.expression[1], 0.5 * expression[10] + 0.5 * expression[9], rtol=1e-5, atol=1e-6
    )
    wanted = audio_windows(clip.mfcc, [0.41, 0.38], dataset.config.window)
    np.testing.assert_array_equal(batch.mfcc, wanted)


def test_a_moment_never_moves_across_a_gap_or_beyond_its_neighbour() -> None:
    clip = toy_clip(0, "a")
    is_valid = clip.parameters.is_valid.copy()
    is_valid[8] = False
    clip = replace(clip, parameters=replace(clip.parameters, is_valid=is_valid))
    corpus = AudioCorpus.of(TalkingDataset([clip], toy_face_model()))
    assert len(corpus) == 19
    before_gap = corpus.frames(torch.tensor([7]), torch.tensor([3]))
    unmoved = corpus.frames(torch.tensor([7]))
    assert torch.equal(before_gap.mfcc, unmoved.mfcc)
    assert torch.equal(before_gap.expression, unmoved.expression)
    far = corpus.frames(torch.tensor([3]), torch.tensor([50]))
    assert torch.equal(far.mfcc, corpus.frames(torch.tensor([4])).mfcc)
    assert torch.equal(far.expression, corpus.frames(torch.tensor([4])).expression)


def test_no_warp_is_the_identity() -> None:
    torch.testing.assert_close(
        cepstral_warp(torch.zeros(1), 28)[0], torch.eye(28), atol=1e-5, rtol=0
    )


def test_a_warp_moves_a_formant_and_keeps_loudness() -> None:
    n, bands = 40, 400
    w = (torch.arange(bands) + 0.5) * torch.pi / bands
    factor = torch.full((n,), (2 / 64) ** 0.5)
    factor[0] = (1 / 64) ** 0.5
    read = torch.cos(w[:, None] * torch.arange(n)) * factor
    formant = torch.exp(-(((w - 1.2) / 0.2) ** 2))
    cepstra = torch.linalg.lstsq(read, formant[:, None]).solution[:, 0]
    stretch = 0.2
    moved = read @ (cepstral_warp(torch.tensor([stretch]), n)[0] @ cepstra)
    peak = w[moved.argmax()]
    # The new spectrum at w is the old one at w + stretch sin w.
    assert abs(float(peak + stretch * torch.sin(peak)) - 1.2) < 0.03
    assert abs(float(moved.max()) - 1) < 0.05
