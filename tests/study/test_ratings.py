import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from talkin.errors import ConfigurationError
from talkin.study.database import database_url, open_engine, ratings
from talkin.study.ratings import RatingStore
from talkin.study.records import Answer

one_rater_at_a_time = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
messages = st.lists(
    st.tuples(
        st.integers(0, 2),  # clip
        st.integers(0, 6),  # sequence
        st.dictionaries(
            st.sampled_from(["realism", "lip_sync", "naturalness"]), st.integers(1, 5), max_size=3
        ),
    ),
    max_size=12,
)


def as_answer(store, clip, sequence, scores):
    # The same sequence always says the same thing, as a page that repeats itself does.
    return Answer(
        clip=store.manifest.clip_ids[clip],
        sequence=sequence,
        scores=scores,
        is_unplayable=not scores,
    )


def newcomer(store, label="somebody"):
    return store.rater(store.add_raters([label])[0])


@one_rater_at_a_time
@given(sent=messages, order=st.randoms(use_true_random=False))
def test_the_newest_answer_stays_however_messages_are_repeated_and_mixed(store, sent, order):
    said = {}
    for clip, sequence, scores in sent:
        said.setdefault((clip, sequence), scores)
    arriving = [(*key, scores) for key, scores in said.items()] * 2
    order.shuffle(arriving)
    rater = newcomer(store)
    for clip, sequence, scores in arriving:
        store.record(rater, [as_answer(store, clip, sequence, scores)])
    kept = store.answers(rater)
    for clip in {clip for clip, _ in said}:
        newest = max(sequence for one, sequence in said if one == clip)
        found = kept[store.manifest.clip_ids[clip]]
        assert found["sequence"] == newest
        newest_scores = said[clip, newest]
        assert newest_scores.items() <= found["scores"].items()
        assert found["is_unplayable"] == (not newest_scores)
    assert len(kept) == len({clip for clip, _ in said})


def test_a_rating_that_comes_twice_is_one_row(any_store):
    rater = newcomer(any_store)
    before = any_store.counts()["ratings"]
    answer = Answer(clip=any_store.manifest.clip_ids[0], scores={"realism": 4}, sequence=1)
    for _ in range(3):
        any_store.record(rater, [answer])
    assert any_store.counts()["ratings"] == before + 1
    assert any_store.answers(rater)[answer.clip]["scores"] == {"realism": 4}


def test_an_older_answer_that_comes_late_changes_nothing(any_store):
    rater = newcomer(any_store)
    clip = any_store.manifest.clip_ids[0]
    any_store.record(rater, [Answer(clip=clip, scores={"realism": 5}, sequence=2)])
    any_store.record(rater, [Answer(clip=clip, scores={"realism": 1}, sequence=1)])
    any_store.record(rater, [Answer(clip=clip, sequence=1, is_unplayable=True)])
    assert any_store.answers(rater)[clip]["scores"] == {"realism": 5}


def test_a_clip_that_does_not_play_takes_its_ratings_back(any_store):
    rater = newcomer(any_store)
    clip = any_store.manifest.clip_ids[0]
    any_store.record(rater, [Answer(clip=clip, scores={"realism": 5}, sequence=1)])
    any_store.record(rater, [Answer(clip=clip, sequence=2, is_unplayable=True)])
    assert any_store.answers(rater)[clip] == {"scores": {}, "sequence": 2, "is_unplayable": True}


def test_many_threads_at_once_lose_nothing_and_double_nothing(any_store):
    raters = [newcomer(any_store, f"r{n}") for n in range(20)]
    before = any_store.counts()["ratings"]

    def rate(rater):
        for clip in any_store.manifest.clip_ids:
            for _ in range(2):
                any_store.record(rater, [Answer(clip=clip, scores={"realism": 3}, sequence=1)])

    threads = [threading.Thread(target=rate, args=(rater,)) for rater in raters]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made = any_store.counts()["ratings"] - before
    assert made == len(raters) * len(any_store.manifest.clip_ids)


def test_answers_to_what_is_not_asked_are_refused_whole(store):
    rater = newcomer(store)
    good = Answer(clip=store.manifest.clip_ids[0], scores={"realism": 3}, sequence=1)
    with pytest.raises(ConfigurationError, match="not of this study"):
        store.record(rater, [good, good.model_copy(update={"clip": "0" * 16})])
    assert store.answers(rater) == {}


def test_the_database_itself_refuses_a_score_of_six(any_store):
    rater = newcomer(any_store)
    clip = any_store.manifest.clip_ids[0]
    any_store.record(rater, [Answer(clip=clip, scores={"realism": 3}, sequence=1)])
    with pytest.raises(IntegrityError), any_store._engine.begin() as connection:
        connection.execute(ratings.update().values(score=6))


def test_answers_survive_closing_and_opening(study, tmp_path):
    url = database_url(str(tmp_path / "r.db"), tmp_path)
    with RatingStore(url, study.manifest) as store:
        token = store.add_raters(["ann"])[0]
        store.record(
            store.rater(token),
            [Answer(clip=study.manifest.clip_ids[0], scores={"realism": 2}, sequence=1)],
        )
    with RatingStore(url, study.manifest) as store:
        answers = store.answers(store.rater(token))
    assert answers[study.manifest.clip_ids[0]]["scores"] == {"realism": 2}


def test_a_token_is_kept_as_a_hash_only_and_the_file_is_its_owners(store, tmp_path):
    token = store.add_raters(["ann"])[0]
    store.close()
    files = list(tmp_path.glob("ratings.db*"))
    assert files
    for path in files:
        assert token.encode() not in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0


def test_a_study_whose_key_was_exchanged_is_not_opened(study, store, tmp_path):
    other = study.manifest.model_copy(update={"key_sha256": "f" * 64})
    with pytest.raises(ConfigurationError, match="another key"):
        RatingStore(database_url(str(tmp_path / "ratings.db"), tmp_path), other)


@pytest.mark.parametrize("address", ["mysql://x/y", "sqlite://", "postgresql+evil://x/y", "a://"])
def test_other_databases_are_refused(address, tmp_path):
    with pytest.raises(ConfigurationError, match="--database"):
        open_engine(database_url(address, tmp_path))


def test_a_database_that_cannot_be_reached_is_named_without_its_password(study, tmp_path):
    url = database_url("postgresql://bob:hunter2@127.0.0.1:1/x", tmp_path)
    with pytest.raises(ConfigurationError) as refused:
        RatingStore(url, study.manifest)
    assert "hunter2" not in str(refused.value)
