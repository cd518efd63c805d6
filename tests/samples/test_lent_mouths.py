"""Other moments lend their mouth, but never the truth."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from toy_corpus import toy_clip, toy_face_model

from talkin.samples.alignment import CropConfig, mask_box
from talkin.samples.dataset import DatasetConfig, TalkingDataset
from talkin.samples.lent_mouths import (
    LentMouths,
    LentMouthsConfig,
    ShownMouths,
    may_lend,
    mouth_distance,
)
from talkin.samples.mouth_warp import MouthWarp, face_points

CROP = CropConfig(size_px=16)
MODEL = toy_face_model()


def points(seed: int = 0) -> np.ndarray:
    return face_points(toy_clip(seed, "a", n=40).parameters, MODEL)


def test_distances_are_those_of_the_definition() -> None:
    a, b = points(0)[:5], points(1)[:7]
    found = mouth_distance(a, b, 2.0)
    share = np.concatenate([np.full(n, w) for n, w in ((12, 1), (8, 4), (11, 0.5), (8, 0.3))])
    for i in range(5):
        for j in range(7):
            moved = (a[i, :39] - a[i, 58:]) - (b[j, :39] - b[j, 58:])
            head = a[i, 39:58] - a[i, 39:58].mean(0) - b[j, 39:58] + b[j, 39:58].mean(0)
            mouth_mm2 = (np.square(moved).sum(1) * share).sum() / share.sum() / 4
            head_mm2 = np.square(head).sum(1).mean() / 4
            assert found[i, j] == pytest.approx(np.sqrt(mouth_mm2 + 0.2 * head_mm2), rel=1e-3)


def test_where_the_head_lies_in_its_crop_does_not_count() -> None:
    shown = points()
    moved = shown + np.float32([3.0, -2.0])
    # Differences of float32 products: nothing is known below a hundredth of a millimetre.
    assert mouth_distance(shown, moved, 1.0).diagonal() == pytest.approx(0, abs=0.02)


def test_moments_near_a_hidden_window_lend_nothing() -> None:
    is_valid = np.ones(40, bool)
    is_valid[30] = False
    lenders = np.flatnonzero(may_lend(is_valid, np.arange(18, 21), 10))
    assert set(lenders) == (set(range(8)) | set(range(31, 40)))


def test_in_a_short_clip_the_furthest_moment_lends() -> None:
    assert np.flatnonzero(may_lend(np.ones(12, bool), np.arange(2, 5), 10)).tolist() == [11]


def drawing(n_clips: int, **settings: object) -> LentMouths:
    clips = [toy_clip(i, "ab"[i % 2], n=60) for i in range(n_clips)]
    shown = [ShownMouths.of(clip.parameters, MODEL, clip.speaker) for clip in clips]
    return LentMouths(shown, LentMouthsConfig.model_validate({"crop": CROP, **settings}))


def test_no_draw_ever_takes_a_moment_that_holds_the_truth() -> None:
    lent = drawing(4, other_clip_share=0.5)
    for seed in range(200):
        random = np.random.default_rng(seed)
        window = np.arange(20, 27)
        lender = lent.lender(0, window, random)
        assert lender.clip in (0, 2)  # never another speaker's
        if lender.clip == 0:
            assert np.abs(lender.frame - window).min() > 10


def test_the_nearest_lends_where_nothing_is_drawn() -> None:
    lent = drawing(1)
    shown = ShownMouths.of(toy_clip(0, "a", n=60).parameters, MODEL).points
    window = np.arange(30, 33)
    unlike = mouth_distance(shown[window], shown, CROP.px_per_mm).mean(0)
    unlike[20:43] = np.inf
    assert lent.lender(0, window, None) == (0, int(unlike.argmin()))


def lending_dataset(cache_mb: int = 1000) -> TalkingDataset:
    config = DatasetConfig(lent_mouths=LentMouthsConfig(crop=CROP), cache_mb=cache_mb)
    return TalkingDataset([toy_clip(i, "a", n=40) for i in range(2)], MODEL, config)


def test_a_sample_holds_the_lent_mouth_warped_to_its_own_landmarks() -> None:
    dataset = lending_dataset()
    sample = dataset[5]
    x0, y0, x1, y1 = mask_box(CROP)
    assert sample.fill.shape == (7, 3, y1 - y0, x1 - x0)
    clip, t = dataset.clips[0], int(dataset.index[5][1])
    shown = face_points(clip.parameters, MODEL)
    window = np.arange(t - 6, t + 1)
    unlike = mouth_distance(shown[window], shown, CROP.px_per_mm).mean(0)
    unlike[: t + 11] = np.inf
    lender = int(unlike.argmin())
    picture = clip.crops.window(lender, 1)[0]  # type: ignore[union-attr]
    expected = MouthWarp(CROP)(picture, shown[lender], shown[t])
    assert np.array_equal(sample.fill[-1].permute(1, 2, 0).numpy(), expected)


def test_the_same_draw_lends_the_same_mouths_and_another_draw_others() -> None:
    dataset, items = lending_dataset(), list(range(0, 60, 4))
    once, again = dataset.batch(items, (3, 8)).fill, lending_dataset(0).batch(items, (3, 8)).fill
    assert torch.equal(once, again)
    assert not torch.equal(once, dataset.batch(items, (3, 9)).fill)
    # What a window is lent does not depend on what else is in its batch.
    assert torch.equal(once[4], dataset.batch(items[4:5], (3, 8)).fill[0])


def test_a_dataset_that_lends_nothing_has_an_empty_fill() -> None:
    dataset = TalkingDataset([toy_clip(0, "a")], MODEL)
    assert dataset.batch([0, 1]).fill.numel() == 0


def test_frames_without_a_face_lend_nothing() -> None:
    clip = toy_clip(0, "a", n=60)
    is_valid = np.ones(60, bool)
    is_valid[40:] = False
    parameters = replace(clip.parameters, is_valid=is_valid)
    lent = LentMouths([ShownMouths.of(parameters, MODEL)], LentMouthsConfig(crop=CROP, among=60))
    frames = {
        lent.lender(0, np.arange(20, 23), np.random.default_rng(seed)).frame for seed in range(99)
    }
    assert frames <= (set(range(10)) | set(range(33, 40)))
    assert len(frames) > 10
