"""Plans keep splits apart and say the same every time."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from talkin.avatar.plan import (
    ALL_VIEWS,
    CorpusConfig,
    demo_corpus,
    grid_corpus,
    paper_corpus,
    plan_corpus,
    speakers_of,
    tiny_corpus,
)
from talkin.avatar.speaker import draw_speakers

CONFIGS = st.builds(
    CorpusConfig,
    seed=st.integers(0, 50),
    n_speakers=st.integers(1, 3),
    n_unseen_speakers=st.integers(0, 2),
    train_clips=st.integers(0, 3),
    validation_clips=st.integers(0, 2),
    test_clips=st.integers(0, 3),
    sentences_per_clip=st.integers(1, 2),
    views=st.lists(st.sampled_from(ALL_VIEWS), min_size=1, max_size=3, unique=True).map(tuple),
    grammar=st.sampled_from(["everyday", "grid"]),
)


@settings(max_examples=25, deadline=None)
@given(config=CONFIGS)
def test_no_sentence_is_spoken_in_two_splits_and_names_are_unique(config: CorpusConfig) -> None:
    plans = plan_corpus(config)
    spoken = {split: set() for split in ("train", "validation", "test")}
    for plan in plans:
        spoken[plan.split].update(plan.sentences)
    assert not spoken["test"] & spoken["train"]
    assert not spoken["test"] & spoken["validation"]
    assert not spoken["validation"] & spoken["train"]
    assert len({plan.clip for plan in plans}) == len(plans)
    assert len({plan.noise_seed for plan in plans}) == len(plans)


@settings(max_examples=25, deadline=None)
@given(config=CONFIGS)
def test_unseen_speakers_have_test_clips_only_and_counts_are_as_configured(
    config: CorpusConfig,
) -> None:
    plans = plan_corpus(config)
    unseen = [plan for plan in plans if plan.speaker_index >= config.n_speakers]
    assert {plan.split for plan in unseen} <= {"test"}
    n_all = config.n_speakers + config.n_unseen_speakers
    per_seen = config.train_clips + config.validation_clips
    assert len(plans) == len(config.views) * (
        config.n_speakers * per_seen + n_all * config.test_clips
    )


def test_the_same_configuration_gives_the_same_plan_and_another_seed_another() -> None:
    assert plan_corpus(demo_corpus()) == plan_corpus(demo_corpus())
    assert plan_corpus(tiny_corpus(1))[0].sentence != plan_corpus(tiny_corpus(2))[0].sentence


def test_the_presets_have_the_sizes_that_they_are_named_after() -> None:
    assert len({plan.view for plan in plan_corpus(paper_corpus())}) == 7
    assert len(plan_corpus(paper_corpus())) == 4 * 7 * (100 + 8 + 14)
    assert len({plan.speaker for plan in plan_corpus(grid_corpus())}) == 34
    assert len({plan.speaker for plan in plan_corpus(demo_corpus())}) == 8


def test_a_view_that_stands_twice_is_refused() -> None:
    with pytest.raises(ValidationError, match="views"):
        CorpusConfig(views=("front", "front"))


def test_the_first_speakers_do_not_depend_on_how_many_there_are() -> None:
    assert draw_speakers(5, 3) == draw_speakers(5, 9)[:3]


def test_neighbouring_speakers_differ_in_skin_and_voice() -> None:
    speakers = speakers_of(demo_corpus())
    assert len({speaker.skin for speaker in speakers}) == len(speakers)
    assert len({speaker.voice.variant for speaker in speakers}) == len(speakers)
