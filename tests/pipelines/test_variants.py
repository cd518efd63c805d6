"""The models of the paper's tables, from prepared footage to their figures."""

from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError

from pipelines.training.corpus import CorpusChoice
from pipelines.variants.plan import VariantsConfig, laid_over, plan_models, schedule_of
from talkin.errors import ConfigurationError
from talkin.evaluation.paper_variants import VARIANTS
from talkin.training.config import TrainingConfig

INDEX = pd.DataFrame(
    [
        (speaker, split, seconds)
        for speaker in ("anna", "bob", "carl")
        for split, seconds in (("train", 12.0), ("train", 30.0), ("train", 48.0), ("test", 9.0))
    ],
    columns=["speaker", "split", "duration_s"],
)


def planned(name: str, **settings: Any) -> list[Any]:
    config = VariantsConfig(**settings)
    return plan_models(VARIANTS[name], INDEX, CorpusChoice(), config)


def test_table_3_shrinks_the_papers_minutes_to_what_each_speaker_has() -> None:
    every = {n: planned(f"joint_{n}min")[0].choice.minutes for n in (2, 5, 10, 15)}
    assert every == pytest.approx({2: 0.2, 5: 0.5, 10: 1.0, 15: 1.5})
    assert planned("joint_15min", longest_minutes=0.9)[0].choice.minutes == pytest.approx(0.9)
    # no speaker may drop out because the first clip is longer than the shortest row of the table
    assert planned("joint_2min", longest_minutes=0.3)[0].choice.minutes == pytest.approx(0.2)


def test_a_split_variant_is_a_model_a_speaker_scored_on_that_speaker_alone() -> None:
    models = planned("split_5min", n_speakers=2)
    assert [(one.name, one.choice.speakers, one.heard) for one in models] == [
        ("anna", ("anna",), ("anna",)),
        ("bob", ("bob",), ("bob",)),
    ]
    (joint,) = planned("joint_5min", n_speakers=2)
    assert (joint.choice.speakers, joint.heard) == (("anna", "bob"), ("anna", "bob"))
    assert joint.choice.minutes == models[0].choice.minutes


def test_models_of_one_speaker_can_divide_the_steps_of_the_one_for_all() -> None:
    shared = VariantsConfig(are_steps_shared=True, train={"table_3": {"renderer": {"steps": 900}}})
    train = TrainingConfig.model_validate(
        {"joint": {"steps": 60}, "optimiser": {"decay_every": 300, "decay": 0.5}}
    )
    split = schedule_of(VARIANTS["split_2min"], train, shared, 3)
    assert (split.renderer.steps, split.joint.steps) == (300, 20)
    assert split.optimiser_of("renderer").decay_every == 100
    assert split.optimiser_of("renderer").decay == 0.5
    joint = schedule_of(VARIANTS["joint_2min"], train, shared, 1)
    assert (joint.renderer.steps, joint.optimiser_of("renderer").decay_every) == (900, 300)
    alike = schedule_of(VARIANTS["split_2min"], train, VariantsConfig(), 3)
    assert alike.joint.steps == 60


def test_one_speaker_alone_cannot_be_compared_with_all() -> None:
    with pytest.raises(ConfigurationError, match="at least two speakers"):
        plan_models(
            VARIANTS["split_2min"],
            INDEX[INDEX["speaker"] == "anna"],
            CorpusChoice(),
            VariantsConfig(),
        )


def test_unknown_variants_and_tables_are_refused_by_name() -> None:
    with pytest.raises(ValidationError, match="no variant '3d'"):
        VariantsConfig(chosen=("3d",))
    with pytest.raises(ValidationError, match="table_7"):
        VariantsConfig(train={"table_7": {}})


def test_settings_are_laid_over_others_without_losing_them() -> None:
    below = {"renderer": {"steps": 9, "batch_size": 2}, "seed": 0}
    assert laid_over(below, {"renderer": {"steps": 1}}) == {
        "renderer": {"steps": 1, "batch_size": 2},
        "seed": 0,
    }
    assert below["renderer"] == {"steps": 9, "batch_size": 2}
