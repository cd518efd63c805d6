import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from talkin.errors import ConfigurationError
from talkin.study.records import (
    StudyKey,
    read_collected,
    read_key,
    read_manifest,
    write_key,
)

any_file = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["version", "study", "rater", "answers", "clip", "scores"]), inner
        )
    ),
    max_leaves=12,
)


def test_the_key_is_its_owners_alone(study):
    assert study.key_path.stat().st_mode & 0o777 == 0o600


def test_a_key_opens_its_own_study_and_no_other(study, tmp_path):
    key = read_key(study.key_path, study.manifest)
    assert {entry.id for entry in key.entries} == set(study.manifest.clip_ids)
    write_key(tmp_path / "other.json", key.model_copy(update={"study": "0" * 16}))
    with pytest.raises(ConfigurationError, match="another study"):
        read_key(tmp_path / "other.json", study.manifest)


@pytest.mark.parametrize("field", ["system", "speaker", "view", "expected", "clip"])
def test_a_key_that_was_changed_in_one_place_is_refused(study, tmp_path, field):
    content = json.loads(study.key_path.read_text())
    content["entries"][0][field] = 3 if field == "expected" else "changed"
    (tmp_path / "key.json").write_text(json.dumps(content))
    with pytest.raises(ConfigurationError, match="was changed"):
        read_key(tmp_path / "key.json", study.manifest)


def test_the_keys_digest_does_not_depend_on_its_files_layout(study, tmp_path):
    content = json.loads(study.key_path.read_text())
    (tmp_path / "key.json").write_text(json.dumps(dict(reversed(content.items()))))
    assert read_key(tmp_path / "key.json", study.manifest).nonce == content["nonce"]


def test_two_keys_of_the_same_clips_have_different_digests(study):
    key = read_key(study.key_path, study.manifest)
    other = StudyKey.model_validate(key.model_dump() | {"nonce": "0" * 64})
    assert key.digest() != other.digest()


def test_a_damaged_manifest_is_named(study, tmp_path):
    with pytest.raises(ConfigurationError, match="no such file"):
        read_manifest(tmp_path)
    (tmp_path / "study.json").write_bytes((study.folder / "study.json").read_bytes()[:-40])
    with pytest.raises(ConfigurationError, match=r"study\.json"):
        read_manifest(tmp_path)


@any_file
@given(content=st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()))
def test_whatever_a_stranger_sends_in_is_read_or_refused_in_words(tmp_path, content):
    path = tmp_path / "answers.json"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"answers\.json"):
        read_collected(path)


def test_deep_and_large_files_are_refused(tmp_path):
    deep = tmp_path / "deep.json"
    deep.write_text("[" * 100_000 + "]" * 100_000)
    with pytest.raises(ConfigurationError):
        read_collected(deep)
    large = tmp_path / "large.json"
    with large.open("wb") as file:
        file.truncate(30_000_000)
    with pytest.raises(ConfigurationError, match="larger"):
        read_collected(large)
