import torch
from toy_corpus import toy_clip, toy_config, toy_dataset, toy_face_model

from talkin.samples.dataset import TalkingDataset
from talkin.training.audio import augmented
from talkin.training.audio_corpus import AudioCorpus
from talkin.training.stage_configs import AudioStageConfig
from talkin.training.whole import new_talking_face


def test_what_was_said_long_before_is_silenced_in_half_of_the_windows() -> None:
    dataset = TalkingDataset([toy_clip(0, "a", n=80)], toy_face_model())
    model = new_talking_face(toy_config(), dataset)
    batch = AudioCorpus.of(dataset).frames(torch.arange(30, 70))
    own = AudioStageConfig(forgotten_rows=60)
    heard = augmented(batch, model, own, torch.Generator().manual_seed(0)).mfcc
    changed = (heard != batch.mfcc).any(dim=2)
    until = changed.sum(dim=1)
    assert 10 < (until > 0).sum() < 30
    torch.testing.assert_close(heard[:, 60:], batch.mfcc[:, 60:])
    quietest = batch.mfcc[:, :, 0].min(dim=1).values
    torch.testing.assert_close(
        heard[changed.nonzero(as_tuple=True)][:, 0], quietest.repeat_interleave(until)
    )


def test_without_settings_nothing_is_changed() -> None:
    dataset = toy_dataset()
    model = new_talking_face(toy_config(), dataset)
    batch = AudioCorpus.of(dataset).frames(torch.arange(4))
    heard = augmented(batch, model, AudioStageConfig(), torch.Generator().manual_seed(0))
    torch.testing.assert_close(heard.mfcc, batch.mfcc)
