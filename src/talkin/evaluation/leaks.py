"""Whether anything of the test split was in training: by clip, by sentence and by speaker."""

import re
from collections.abc import Iterable

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from talkin.errors import ConfigurationError

_SHOWN = 8


class LeakConfig(BaseModel):
    """What counts as a leak."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    allows_known_sentences: bool = Field(
        default=False,
        description="Test sentences may be in training, said by others. GRID's splits by speaker "
        "alone need it; figures then say nothing of new words.",
    )
    unseen_speakers: tuple[str, ...] = Field(
        default=(),
        description="Speakers who are reported as unseen and must have no clip in training or "
        "validation. Other test speakers may be known by other sentences, as in the paper.",
    )


def find_leaks(
    index: pd.DataFrame,
    config: LeakConfig | None = None,
    digests: pd.Series | None = None,
    split: str = "test",
) -> list[str]:
    """What of the test split training has seen, a line a leak; none if it is clean.

    Training is everything outside the split: validation chooses steps and settings.

    Args:
        index: Columns clip, speaker, split and, where known, sentence.
        config: What counts.
        digests: SHA-256 of each clip's file, by clip: the same file under two names is a leak.
        split: The held-out split.
    """
    config = config or LeakConfig()
    test, seen = index[index["split"] == split], index[index["split"] != split]
    leaks = []
    if digests is not None:
        leaks += _shared(test, seen, test["clip"].map(digests), seen["clip"].map(digests), "file")
    if not config.allows_known_sentences and "sentence" in index:
        of_test, of_seen = test["sentence"].map(_plain), seen["sentence"].map(_plain)
        leaks += _shared(test, seen, of_test, of_seen, "sentence")
    for speaker in config.unseen_speakers:
        clips = seen.loc[seen["speaker"] == speaker, "clip"]
        if len(clips):
            leaks.append(f"speaker {speaker} shall be unseen, but {_named(clips)} train")
    return leaks


def require_no_leaks(
    index: pd.DataFrame,
    config: LeakConfig | None = None,
    digests: pd.Series | None = None,
    split: str = "test",
) -> dict[str, object]:
    """What was checked, if nothing leaks.

    Returns:
        Counts of test and other clips, the speakers of the test split known from training and
        those unseen, and how many test clips have no sentence to compare.

    Raises:
        ConfigurationError: Naming what leaks.
    """
    leaks = find_leaks(index, config, digests, split)
    if leaks:
        more = f" (and {len(leaks) - _SHOWN} more)" if len(leaks) > _SHOWN else ""
        raise ConfigurationError(
            f"the {split} split is not held out: {'; '.join(leaks[:_SHOWN])}{more}. Give these "
            "clips one split in manifest.csv and train again, or set evaluation.leaks"
        )
    test, seen = index[index["split"] == split], index[index["split"] != split]
    known = set(test["speaker"]) & set(seen["speaker"])
    sentences = test["sentence"].map(_plain) if "sentence" in test else pd.Series("", test.index)
    return {
        "split": split,
        "n_test_clips": len(test),
        "n_other_clips": len(seen),
        "known_speakers": sorted(known),
        "unseen_speakers": sorted(set(test["speaker"]) - known),
        "n_test_clips_without_sentence": int((sentences == "").sum()),
        "compares_files": digests is not None,
    }


def _shared(
    test: pd.DataFrame,
    seen: pd.DataFrame,
    of_test: pd.Series,
    of_seen: pd.Series,
    what: str,
) -> list[str]:
    by_value = seen["clip"].groupby(of_seen).apply(list).to_dict()
    return [
        f"{what} of {clip} is that of {_named(by_value[value])}"
        for clip, value in zip(test["clip"], of_test, strict=True)
        if isinstance(value, str) and value and value in by_value
    ]


def _named(clips: Iterable[str]) -> str:
    names = list(clips)
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _plain(sentence: object) -> str:
    """Words alone, so that case and punctuation hide nothing."""
    return " ".join(re.findall(r"[^\W_]+", str(sentence).casefold())) if sentence else ""
