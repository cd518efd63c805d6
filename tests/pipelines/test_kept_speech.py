import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.training.kept_speech import spoken_once
from talkin.avatar import spoken
from talkin.avatar.plan import CorpusConfig
from talkin.footage.mfcc import MfccConfig
from talkin.samples.alignment import CropConfig
from talkin.samples.dataset import PreparedClip

sys.path.insert(0, str(Path(__file__).parents[1] / "toys"))

from toy_corpus import toy_clip


@pytest.fixture
def speak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[str, int]]:
    """Asks for speech of some seed; the name of its clip, and how often anything was spoken."""
    spoken_seeds: list[int] = []

    def made(config: CorpusConfig, *_: object) -> list[PreparedClip]:
        spoken_seeds.append(config.seed)
        return [toy_clip(config.seed, f"s{config.seed}")]

    monkeypatch.setattr(spoken, "spoken_training_clips", made)
    monkeypatch.setattr("pipelines.training.kept_speech.code_digest", lambda _: "code")

    def ask(seed: int, n_mfcc: int = 13) -> tuple[str, int]:
        corpus = CorpusConfig(seed=seed)
        found = spoken_once(corpus, CropConfig(), MfccConfig(n_mfcc=n_mfcc), tmp_path)
        return found[0].speaker, len(spoken_seeds)

    return ask


def test_what_was_spoken_once_is_read_from_then_on(speak: Callable[..., tuple[str, int]]) -> None:
    assert [speak(1), speak(1), speak(1)] == [("s1", 1)] * 3


def test_other_people_or_other_ears_are_spoken_for_anew(
    speak: Callable[..., tuple[str, int]], tmp_path: Path
) -> None:
    assert [speak(1), speak(2), speak(2, n_mfcc=20)] == [("s1", 1), ("s2", 2), ("s2", 3)]
    assert len(list(tmp_path.iterdir())) == 1


def test_a_damaged_file_is_spoken_again(
    speak: Callable[..., tuple[str, int]], tmp_path: Path
) -> None:
    speak(1)
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:100])
    assert [speak(1), speak(1)] == [("s1", 2)] * 2
