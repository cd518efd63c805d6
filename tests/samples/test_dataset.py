import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from talkin.errors import ConfigurationError
from talkin.samples.dataset import DatasetConfig, PreparedClip, TalkingDataset
from talkin.samples.order import sample_order, spread_order
from talkin.samples.sample import frames_to_unit, stack_samples
from talkin.samples.windows import WindowConfig, audio_windows

sys.path.insert(0, str(Path(__file__).parents[1] / "toys"))

from toy_corpus import toy_clip, toy_dataset, toy_face_model


def with_invalid(clip: PreparedClip, frame: int) -> PreparedClip:
    is_valid = clip.parameters.is_valid.copy()
    is_valid[frame] = False
    return replace(clip, parameters=replace(clip.parameters, is_valid=is_valid))


def test_every_window_of_valid_frames_is_found_and_no_other() -> None:
    clips = [with_invalid(toy_clip(0, "a", n=20), 9), toy_clip(1, "b", n=6)]
    dataset = TalkingDataset(clips, toy_face_model())
    expected = [t for t in range(6, 20) if not t - 6 <= 9 <= t]
    assert dataset.index.tolist() == [[0, t] for t in expected]


def test_a_sample_is_cut_from_frames_t_minus_6_to_t() -> None:
    dataset = toy_dataset(2)
    clip_number, t = dataset.index[20]
    clip, sample = dataset.clips[clip_number], dataset[20]
    rows = slice(t - 6, t + 1)
    parameters = clip.parameters
    np.testing.assert_array_equal(sample.expression, parameters.expression[rows])
    np.testing.assert_allclose(sample.pose, parameters.pose[rows], rtol=1e-6)
    np.testing.assert_allclose(
        sample.mouth_landmarks, parameters.mouth_landmarks(toy_face_model())[rows], rtol=1e-5
    )
    np.testing.assert_array_equal(
        sample.mfcc, audio_windows(clip.mfcc, parameters.time_s[rows], WindowConfig())
    )
    np.testing.assert_array_equal(
        sample.frames.permute(0, 2, 3, 1),
        clip.crops.window(t, 7),  # type: ignore[union-attr]
    )
    assert sample.frames.dtype == torch.uint8
    assert dataset.speakers[int(sample.speaker)] == clip.speaker


@pytest.mark.filterwarnings("error")
def test_arrays_that_may_only_be_read_are_taken_without_a_warning() -> None:
    clip = toy_clip(0, "a")
    arrays = [clip.parameters.geometry, clip.parameters.expression, clip.parameters.rotation]
    for array in arrays:
        array.setflags(write=False)
    sample = TalkingDataset([clip], toy_face_model())[0]
    np.testing.assert_array_equal(sample.geometry, clip.parameters.geometry)
    sample.geometry[0] = 7.0  # and nobody else's numbers change
    assert clip.parameters.geometry[0] != 7.0


def test_pictures_are_the_same_with_and_without_memory() -> None:
    clips = [toy_clip(0, "a"), toy_clip(1, "b")]
    remembered = TalkingDataset(clips, toy_face_model())
    read = TalkingDataset(clips, toy_face_model(), DatasetConfig(cache_mb=0))
    for item in (0, 13, 27):
        assert torch.equal(remembered[item].frames, read[item].frames)


def test_a_speaker_who_is_not_among_the_training_ones_is_minus_one() -> None:
    dataset = TalkingDataset([toy_clip(0, "stranger")], toy_face_model(), speakers=["a", "b"])
    assert int(dataset[0].speaker) == -1


def test_clips_too_short_for_a_window_are_named_in_the_refusal() -> None:
    with pytest.raises(ConfigurationError, match="7 valid frames in a row"):
        TalkingDataset([toy_clip(0, "a", n=6)], toy_face_model())


def test_another_face_model_than_the_clips_is_refused() -> None:
    clip = toy_clip(0, "a")
    other = replace(clip, parameters=replace(clip.parameters, model_name="bfm"))
    with pytest.raises(ConfigurationError, match=r"fitted with face model bfm.*toy"):
        TalkingDataset([other], toy_face_model())


def test_an_epoch_visits_every_sample_once_and_the_next_in_another_order() -> None:
    steps = [sample_order(12, 3, seed=5, step=step) for step in range(8)]
    first, second = np.concatenate(steps[:4]), np.concatenate(steps[4:])
    assert sorted(first) == sorted(second) == list(range(12))
    assert first.tolist() != second.tolist()


def test_a_batch_may_span_epochs_and_needs_only_its_step_number() -> None:
    whole = np.concatenate([sample_order(5, 1, seed=1, step=step) for step in range(21)])
    batches = np.concatenate([sample_order(5, 7, seed=1, step=step) for step in range(3)])
    np.testing.assert_array_equal(whole, batches)


def test_validation_numbers_are_spread_and_never_repeat() -> None:
    assert list(spread_order(10, 3)) == [0, 3, 6]
    assert list(spread_order(2, 50)) == [0, 1]


def test_bytes_span_minus_one_to_one() -> None:
    unit = frames_to_unit(torch.tensor([0, 255], dtype=torch.uint8))
    assert unit.tolist() == [-1.0, 1.0]


def test_a_batch_stacks_samples() -> None:
    dataset = toy_dataset(2)
    batch = stack_samples([dataset[0], dataset[3]])
    assert batch.frames.shape[:2] == (2, 7)
    assert torch.equal(batch.mfcc[1], dataset[3].mfcc)
    assert torch.equal(dataset.batch([0, 3]).frames, batch.frames)
