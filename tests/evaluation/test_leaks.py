import pandas as pd
import pytest

from talkin.errors import ConfigurationError
from talkin.evaluation.leaks import LeakConfig, find_leaks, require_no_leaks


def index(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["clip", "speaker", "split", "sentence"])


CLEAN = index(
    ("a1", "anna", "train", "Bin blue at F two now."),
    ("a2", "anna", "validation", "Lay green by A one soon."),
    ("a3", "anna", "test", "Set red in B nine again."),
    ("b1", "bob", "test", "Place white with C zero please."),
)


def test_a_clean_split_says_what_was_compared() -> None:
    assert find_leaks(CLEAN) == []
    checked = require_no_leaks(CLEAN, LeakConfig(unseen_speakers=("bob",)))
    assert checked["known_speakers"] == ["anna"]
    assert checked["unseen_speakers"] == ["bob"]
    assert checked["n_test_clips_without_sentence"] == 0


@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_test_sentence_in_training_or_validation_is_named_with_both_clips(split: str) -> None:
    leaky = pd.concat([CLEAN, index(("c1", "carl", split, "set RED, in b nine  again"))])
    with pytest.raises(ConfigurationError, match=r"sentence of a3 is that of c1.*evaluation.leaks"):
        require_no_leaks(leaky)
    assert find_leaks(leaky, LeakConfig(allows_known_sentences=True)) == []


def test_a_speaker_who_shall_be_unseen_must_not_train() -> None:
    with pytest.raises(ConfigurationError, match="speaker anna shall be unseen, but a1, a2 train"):
        require_no_leaks(CLEAN, LeakConfig(unseen_speakers=("anna",)))


def test_the_same_file_under_two_names_is_found() -> None:
    digests = pd.Series({"a1": "x", "a2": "y", "a3": "x", "b1": "z"})
    assert find_leaks(CLEAN, digests=digests) == ["file of a3 is that of a1"]


def test_clips_without_a_sentence_are_not_taken_for_alike_but_counted() -> None:
    bare = CLEAN.assign(sentence=["", "", "", ""])
    assert require_no_leaks(bare)["n_test_clips_without_sentence"] == 2
    assert find_leaks(CLEAN.drop(columns="sentence")) == []
