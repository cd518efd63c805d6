from itertools import pairwise

import pytest

from talkin.avatar.grammar import sentences
from talkin.avatar.lexicon import (
    GRID_ADVERBS,
    GRID_COLOURS,
    GRID_COMMANDS,
    GRID_DIGITS,
    GRID_LETTERS,
    GRID_PREPOSITIONS,
)
from talkin.errors import ConfigurationError


@pytest.mark.parametrize("kind", ["everyday", "grid"])
def test_no_sentence_comes_twice_and_the_seed_decides(kind: str) -> None:
    made = sentences(kind, seed=3, n=3000)
    assert len(set(made)) == 3000
    assert made[:40] == sentences(kind, seed=3, n=40)
    assert made[:40] != sentences(kind, seed=4, n=40)


def test_grid_sentences_have_the_six_words_of_the_grammar() -> None:
    slots = (
        GRID_COMMANDS,
        GRID_COLOURS,
        GRID_PREPOSITIONS,
        GRID_LETTERS,
        GRID_DIGITS,
        GRID_ADVERBS,
    )
    for sentence in sentences("grid", seed=0, n=500):
        words = sentence.split()
        assert len(words) == 6
        assert all(word in slot for word, slot in zip(words, slots, strict=True))


def test_the_whole_grid_grammar_can_be_listed_and_no_more() -> None:
    assert len(set(sentences("grid", seed=0, n=64_000))) == 64_000
    with pytest.raises(ConfigurationError, match="64000"):
        sentences("grid", seed=0, n=64_001)


def test_everyday_sentences_have_four_to_ten_words_and_a_full_stop_or_question_mark() -> None:
    for sentence in sentences("everyday", seed=1, n=500):
        assert 4 <= len(sentence.split()) <= 10
        assert sentence[0].isupper()
        assert sentence[-1] == ("?" if sentence.startswith("Did ") else ".")


def test_articles_fit_their_nouns() -> None:
    for sentence in sentences("everyday", seed=2, n=1500):
        words = sentence.lower().split()
        for article, word in pairwise(words):
            if article in ("a", "an") and word not in ("month", "while"):
                assert (article == "an") == (word[0] in "aeiou"), sentence


def test_an_unknown_grammar_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="everyday"):
        sentences("poetry", seed=0, n=1)  # type: ignore[arg-type]
