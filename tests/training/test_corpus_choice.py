import pandas as pd
import pytest

from pipelines.training.corpus import CorpusChoice, chosen_clips
from talkin.errors import ConfigurationError

INDEX = pd.DataFrame(
    [
        (f"{speaker}_{split}_{number}", speaker, split, 40.0)
        for speaker in ("a", "b")
        for split in ("train", "validation")
        for number in range(4)
    ],
    columns=["clip", "speaker", "split", "duration_s"],
)


def test_all_clips_are_chosen_unless_something_is_asked() -> None:
    pd.testing.assert_frame_equal(chosen_clips(INDEX, CorpusChoice()), INDEX)


def test_a_model_of_one_person_sees_nobody_else() -> None:
    chosen = chosen_clips(INDEX, CorpusChoice(speakers=("b",)))
    assert set(chosen["speaker"]) == {"b"}
    assert len(chosen) == 8


def test_minutes_count_each_speakers_training_clips_and_no_others() -> None:
    chosen = chosen_clips(INDEX, CorpusChoice(minutes=2))
    counted = chosen.groupby(["speaker", "split"]).size().to_dict()
    assert counted == {
        ("a", "train"): 3,
        ("a", "validation"): 4,
        ("b", "train"): 3,
        ("b", "validation"): 4,
    }


def test_an_unknown_speaker_and_too_few_minutes_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"names c, .* there are a, b"):
        chosen_clips(INDEX, CorpusChoice(speakers=("a", "c")))
    with pytest.raises(ConfigurationError, match=r"minutes 0\.5 is shorter"):
        chosen_clips(INDEX, CorpusChoice(minutes=0.5))


def test_without_a_prepared_clip_the_way_leads_to_the_rejects() -> None:
    with pytest.raises(ConfigurationError, match=r"no clip came through .*rejects\.csv"):
        chosen_clips(INDEX[:0], CorpusChoice())
