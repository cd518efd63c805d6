from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkin.samples.sync import (
    LipsAndSound,
    SyncConfig,
    estimate_offsets,
    lips_opening,
    moved_sound,
)


def speaking_clip(seed: int, late_s: float = 0.0, seconds: float = 6.0) -> LipsAndSound:
    """A mouth that opens with loudness and some colours of the sound, which comes `late_s` late."""
    rng = np.random.default_rng(seed)
    fine_s = np.arange(-1, seconds + 1, 0.01)
    waves = [np.sin(2 * np.pi * rng.uniform(0.7, 5) * fine_s + rng.uniform(0, 6)) for _ in range(8)]
    colours = np.stack([np.sum(rng.normal(size=8)[:, None] * waves, axis=0) for _ in range(4)], 1)
    opening = 3 * colours[:, 0] + 0.5 * (colours[:, 1] - colours[:, 2])
    mfcc = np.concatenate([20 * colours, np.tile(rng.normal(size=9), (len(fine_s), 1))], axis=1)
    mfcc += rng.normal(0, 3, mfcc.shape)
    time_s = np.arange(0, seconds, 0.04)
    first = round((1 - late_s) * 100)
    return LipsAndSound(
        opening=np.interp(time_s, fine_s, opening) + rng.normal(0, 0.5, len(time_s)),
        time_s=time_s,
        is_valid=np.ones(len(time_s), bool),
        mfcc=mfcc[first : first + round(seconds * 100)].astype(np.float32),
    )


def hard_to_tell_clip(late_s: float) -> LipsAndSound:
    """A second of a mouth that trembles more than it speaks."""
    clip = speaking_clip(50, late_s, seconds=1.2)
    noise = np.random.default_rng(2).normal(0, 2.5 * clip.opening.std(), len(clip.opening))
    return replace(clip, opening=clip.opening + noise)


def test_planted_offsets_are_found_within_half_a_frame() -> None:
    planted = np.random.default_rng(0).uniform(-0.3, 0.3, 12).round(2)
    found = estimate_offsets({str(i): speaking_clip(i, s) for i, s in enumerate(planted)})
    assert all(offset.is_confident for offset in found.values())
    np.testing.assert_allclose([found[str(i)].offset_s for i in range(12)], planted, atol=0.02)


def test_a_corpus_that_is_late_as_a_whole_is_found_out_too() -> None:
    found = estimate_offsets({str(i): speaking_clip(i, 0.2) for i in range(8)})
    assert np.median([offset.shift_s for offset in found.values()]) == pytest.approx(0.2, abs=0.02)


def test_moving_the_sound_by_what_was_found_leaves_nothing_to_move() -> None:
    clips = {str(i): speaking_clip(i, 0.25) for i in range(6)}
    found = estimate_offsets(clips)
    mended = {
        name: LipsAndSound(
            clip.opening, clip.time_s, clip.is_valid, moved_sound(clip.mfcc, found[name].shift_s)
        )
        for name, clip in clips.items()
    }
    assert all(offset.shift_s == 0 for offset in estimate_offsets(mended).values())


def test_sound_that_has_nothing_to_do_with_the_lips_is_left_where_it_is() -> None:
    strangers = {
        str(i): LipsAndSound(a.opening, a.time_s, a.is_valid, speaking_clip(i + 100).mfcc)
        for i in range(10)
        if (a := speaking_clip(i))
    }
    found = estimate_offsets(strangers, SyncConfig(least_certainty=0.9))
    assert [offset.shift_s for offset in found.values()] == [0.0] * 10


def test_a_short_clip_is_moved_as_the_others_of_its_speaker_are() -> None:
    late = {f"a{i}": replace(speaking_clip(i, 0.12), speaker="a") for i in range(6)}
    short = hard_to_tell_clip(late_s=0.12)
    alone = estimate_offsets({**late, "short": short})["short"]
    told = estimate_offsets({**late, "short": replace(short, speaker="a")})["short"]
    assert not alone.is_confident
    assert told.offset_s == pytest.approx(0.12, abs=0.03)
    assert told.certainty > 0.8


def test_a_clip_that_clearly_differs_from_its_speaker_keeps_its_own_offset() -> None:
    clips = {str(i): replace(speaking_clip(i, 0.12), speaker="a") for i in range(6)}
    clips["other"] = replace(speaking_clip(9, -0.2), speaker="a")
    assert estimate_offsets(clips)["other"].offset_s == pytest.approx(-0.2, abs=0.02)


def test_clips_too_short_or_without_a_face_are_not_asked() -> None:
    short = speaking_clip(0, seconds=0.8)
    unseen = speaking_clip(1)
    unseen = LipsAndSound(unseen.opening * np.nan, unseen.time_s, unseen.is_valid, unseen.mfcc)
    found = estimate_offsets({"short": short, "unseen": unseen})
    assert [np.isnan(offset.offset_s) for offset in found.values()] == [True, True]
    assert [offset.shift_s for offset in found.values()] == [0.0, 0.0]


def test_small_offsets_count_as_in_sync() -> None:
    found = estimate_offsets({str(i): speaking_clip(i, 0.02) for i in range(6)})
    assert all(offset.is_confident and offset.shift_s == 0 for offset in found.values())


@given(rows=st.integers(-40, 40))
def test_moved_sound_keeps_its_length_and_fills_up_with_silence(rows: int) -> None:
    mfcc = np.stack([np.r_[-9.0, np.zeros(99)], np.arange(100.0)], axis=1)
    moved = moved_sound(mfcc, rows / 100)
    assert len(moved) == 100
    source = np.arange(100) + rows
    inside = (source >= 0) & (source < 100)
    np.testing.assert_array_equal(moved[inside], mfcc[source[inside]])
    assert (moved[~inside] == mfcc[0]).all()


def test_the_opening_is_the_gap_of_the_inner_lips_over_the_size_of_the_face() -> None:
    landmarks = np.zeros((2, 68, 2))
    landmarks[0, 65:68, 1] = 5.0
    landmarks[1] = np.nan
    np.testing.assert_allclose(lips_opening(landmarks, np.array([50.0, 50.0])), [0.1, np.nan])
