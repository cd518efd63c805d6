"""Clips of sound and exact face: what a drawn clip's files would say, without drawing it."""

import numpy as np

from talkin.avatar.corpus import truth_of_clip
from talkin.avatar.plan import plan_corpus, tiny_corpus
from talkin.avatar.spoken import speak_clip, spoken_training_clips
from talkin.footage.mfcc import MfccConfig
from talkin.samples.alignment import CropConfig, crop_transforms

CONFIG = tiny_corpus()
PLANS = plan_corpus(CONFIG)
CROP = CropConfig(size_px=64)


def test_a_spoken_clip_has_the_face_of_the_drawn_one() -> None:
    spoken = speak_clip(PLANS[0], CONFIG, CROP)
    truth = truth_of_clip(PLANS[0], CONFIG)
    wanted = truth.in_crop(crop_transforms(truth, CROP))
    np.testing.assert_array_equal(spoken.face.expression, wanted.expression)
    np.testing.assert_array_equal(spoken.face.geometry, wanted.geometry)
    np.testing.assert_allclose(spoken.face.pose, wanted.pose, rtol=1e-6)
    assert abs(spoken.sound.duration_s - len(truth) / CONFIG.fps) <= 0.5 / CONFIG.fps + 1e-3


def test_another_accent_says_the_sentence_otherwise() -> None:
    own = speak_clip(PLANS[0], CONFIG, CROP)
    other = speak_clip(PLANS[0], CONFIG, CROP, language="en-gb-scotland")
    assert [p.symbol for p in own.phonemes] != [p.symbol for p in other.phonemes]


def test_only_training_clips_are_spoken_for_training_and_always_alike() -> None:
    mfcc = MfccConfig(front_end="log_mel", n_mels=20)
    first, again = (spoken_training_clips(CONFIG, CROP, mfcc) for _ in range(2))
    assert [clip.clip for clip in first] == [p.clip for p in PLANS if p.split == "train"]
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.mfcc, other.mfcc)
        assert one.mfcc.shape[1] == mfcc.n_columns
