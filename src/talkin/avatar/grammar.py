"""Sentences for synthetic speakers to say: everyday ones, and the GRID corpus's six-word ones."""

from collections.abc import Callable
from typing import Literal

import numpy as np

from talkin.avatar import lexicon
from talkin.errors import ConfigurationError

SentenceKind = Literal["everyday", "grid"]
_N_GRID = 4 * 4 * 4 * 25 * 10 * 4
_MAX_EVERYDAY = 100_000
_WORDS = range(4, 11)


def sentences(kind: SentenceKind, seed: int, n: int) -> list[str]:
    """Make `n` different sentences; a longer list begins with the shorter one of the same seed.

    Args:
        kind: `everyday` (4 to 10 words) or `grid` (command colour preposition letter digit adverb,
            as the GRID corpus has them).
        seed: Another seed gives other sentences.
        n: How many.

    Raises:
        ConfigurationError: If the grammar cannot make that many different ones, or is not known.
    """
    limits = {"everyday": _MAX_EVERYDAY, "grid": _N_GRID}
    if kind not in limits:
        raise ConfigurationError(f"sentences: {kind!r} is no grammar, use one of {list(limits)}")
    if n > limits[kind]:
        raise ConfigurationError(
            f"the {kind} grammar makes at most {limits[kind]} different sentences, {n} were asked"
        )
    rng = np.random.default_rng([seed, len(kind)])
    if kind == "grid":
        return [_grid_sentence(int(code)) for code in rng.permutation(_N_GRID)[:n]]
    return _different(n, lambda: _everyday_sentence(rng))


def _different(n: int, make: Callable[[], str]) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < n:
        found.setdefault(make())
    return list(found)


def _grid_sentence(code: int) -> str:
    words = []
    for slot in (
        lexicon.GRID_COMMANDS,
        lexicon.GRID_COLOURS,
        lexicon.GRID_PREPOSITIONS,
        lexicon.GRID_LETTERS,
        lexicon.GRID_DIGITS,
        lexicon.GRID_ADVERBS,
    ):
        code, index = divmod(code, len(slot))
        words.append(slot[index])
    return " ".join(words)


def _everyday_sentence(rng: np.random.Generator) -> str:
    patterns = (_plain, _placed, _told, _question, _habit, _described)
    while True:
        sentence = patterns[rng.integers(len(patterns))](rng)
        if len(sentence.split()) in _WORDS:
            return sentence


def _pick(rng: np.random.Generator, words: tuple[str, ...]) -> str:
    return words[rng.integers(len(words))]


def _thing(rng: np.random.Generator) -> str:
    """A noun with its adjective and an article or number that fits both."""
    phrase = f"{_pick(rng, lexicon.ADJECTIVES)} {_pick(rng, lexicon.NOUNS)}"
    article = _pick(rng, ("the", "my", "that", "a", "your"))
    if article == "a" and phrase[0] in "aeiou":
        article = "an"
    return f"{article} {phrase}"


def _subject(rng: np.random.Generator) -> str:
    return _pick(rng, lexicon.PEOPLE if rng.random() < 0.6 else lexicon.PLURAL_PEOPLE)


def _past(rng: np.random.Generator) -> str:
    return lexicon.VERBS[rng.integers(len(lexicon.VERBS))][1]


def _base(rng: np.random.Generator) -> str:
    return lexicon.VERBS[rng.integers(len(lexicon.VERBS))][0]


def _ended(text: str, mark: str = ".") -> str:
    return text[0].upper() + text[1:] + mark


def _plain(rng: np.random.Generator) -> str:
    return _ended(f"{_subject(rng)} {_past(rng)} {_thing(rng)} {_pick(rng, lexicon.TIMES)}")


def _placed(rng: np.random.Generator) -> str:
    return _ended(f"{_subject(rng)} {_past(rng)} {_thing(rng)} {_pick(rng, lexicon.PLACES)}")


def _told(rng: np.random.Generator) -> str:
    verb, person = _pick(rng, lexicon.SPEECH_VERBS), _subject(rng)
    return _ended(f"{_subject(rng)} {verb} {person} would {_base(rng)} {_thing(rng)}")


def _question(rng: np.random.Generator) -> str:
    return _ended(
        f"did {_subject(rng)} {_base(rng)} {_thing(rng)} {_pick(rng, lexicon.TIMES)}", "?"
    )


def _habit(rng: np.random.Generator) -> str:
    return _ended(
        f"{_pick(rng, lexicon.PLURAL_PEOPLE)} {_pick(rng, lexicon.ADVERBS)} {_base(rng)} "
        f"{_thing(rng)}"
    )


def _described(rng: np.random.Generator) -> str:
    return _ended(
        f"{_thing(rng)} {_pick(rng, lexicon.PLACES)} was {_pick(rng, lexicon.ADJECTIVES)}"
    )
