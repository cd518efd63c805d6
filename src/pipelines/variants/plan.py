"""Which models a variant consists of: from which clips, with which settings, scored on whom."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from pipelines.rows import Table
from pipelines.training.corpus import CorpusChoice, chosen_clips
from talkin.evaluation.paper_variants import PAPER_MINUTES, VARIANTS, PaperVariant

if TYPE_CHECKING:
    from talkin.networks.talking_face_config import TalkingFaceConfig
    from talkin.training.config import StageName, TrainingConfig


class VariantsConfig(BaseModel):
    """Which variants are trained, and how theirs differs from the full model's training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    chosen: tuple[str, ...] = Field(
        default=tuple(VARIANTS), description="Names of variants, in the order of training."
    )
    n_speakers: int = Field(
        default=4, ge=2, description="Speakers of Table 3, the first by name. Paper: 4."
    )
    longest_minutes: float | None = Field(
        default=None,
        gt=0,
        description="What Table 3's 15 minutes of each speaker are on this corpus; its 2, 5 and 10 "
        "shrink alike. None: all that the one with least training footage has.",
    )
    are_steps_shared: bool = Field(
        default=False,
        description="The models of one speaker each (Table 3, Split) divide the steps of the model "
        "for all (Joint) among them, so that both ways cost the same and see a speaker as often. "
        "False: as many steps for every model.",
    )
    train: dict[str, dict[str, Any]] = Field(
        default={},
        description="First table of a variant (table_1a, table_1b, table_3, table_6) -> settings "
        "laid over training.train, such as fewer steps.",
    )

    @field_validator("chosen")
    @classmethod
    def _are_known(cls, chosen: tuple[str, ...]) -> tuple[str, ...]:
        for name in chosen:
            if name not in VARIANTS:
                raise ValueError(f"chosen: there is no variant {name!r}; {', '.join(VARIANTS)}")
        return chosen

    @field_validator("train")
    @classmethod
    def _are_tables(cls, train: dict[str, Any]) -> dict[str, Any]:
        known = {variant.table for variant in VARIANTS.values()}
        for table in train:
            if table not in known:
                raise ValueError(f"train: no variant is of {table!r}; {', '.join(sorted(known))}")
        return train


@dataclass(frozen=True)
class PlannedModel:
    """One model of a variant.

    Attributes:
        name: Among the models of the variant: the one speaker's, or `all`.
        choice: Clips that it learns from.
        heard: Speakers on whose held-out clips it is scored; None for everybody.
    """

    name: str
    choice: CorpusChoice
    heard: tuple[str, ...] | None


def plan_models(
    variant: PaperVariant, index: Table, choice: CorpusChoice, config: VariantsConfig
) -> list[PlannedModel]:
    """The models of a variant: one for all, or one a speaker.

    Args:
        variant: Which.
        index: The training index.
        choice: Clips that the full model learns from.
        config: For Table 3.

    Raises:
        ConfigurationError: If fewer than two speakers could be compared in Table 3.
    """
    if variant.paper_minutes is None:
        return [PlannedModel("all", choice, None)]
    speakers = _compared_speakers(chosen_clips(index, choice), config.n_speakers)
    minutes = _minutes(variant.paper_minutes, index, speakers, config)
    if variant.is_person_specific:
        return [
            PlannedModel(one, CorpusChoice(speakers=(one,), minutes=minutes), (one,))
            for one in speakers
        ]
    return [PlannedModel("all", CorpusChoice(speakers=speakers, minutes=minutes), speakers)]


def laid_over(settings: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Nested settings with changes; what the changes do not name stays.

    >>> laid_over({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}})
    {'a': {'b': 1, 'c': 3}}
    """
    result = dict(settings)
    for key, value in changes.items():
        below = result.get(key)
        is_deeper = isinstance(value, Mapping) and isinstance(below, Mapping)
        result[key] = laid_over(below, value) if is_deeper else value  # type: ignore[arg-type]
    return result


def shape_of(variant: PaperVariant, model: "TalkingFaceConfig") -> "TalkingFaceConfig":
    """The full model's configuration with what the variant changes."""
    return type(model).model_validate(laid_over(model.model_dump(), variant.settings))


def schedule_of(
    variant: PaperVariant, train: "TrainingConfig", config: VariantsConfig, n_models: int = 1
) -> "TrainingConfig":
    """The full model's training with what is set for the variant's table.

    Args:
        variant: Which.
        train: Of the full model.
        config: What is set.
        n_models: How many models the variant consists of, which may share the steps.
    """
    changes = config.train.get(variant.table, {})
    schedule = type(train).model_validate(laid_over(train.model_dump(), changes))
    if n_models == 1 or not config.are_steps_shared:
        return schedule
    stages: tuple[StageName, ...] = ("audio", "renderer", "joint")
    shared: dict[str, Any] = {stage: _shared(stage, schedule, n_models) for stage in stages}
    return type(train).model_validate(laid_over(schedule.model_dump(), shared))


def _shared(stage: "StageName", train: "TrainingConfig", n: int) -> dict[str, Any]:
    """A stage in an n-th of its steps, its learning rate falling as much in them."""
    optimiser = train.optimiser_of(stage)
    falls = max(1, optimiser.decay_every // n)
    return {
        "steps": getattr(train, stage).steps // n,
        "optimiser": optimiser.model_dump() | {"decay_every": falls},
    }


def _compared_speakers(index: Table, n_wanted: int) -> tuple[str, ...]:
    from talkin.errors import ConfigurationError

    learnt, tested = (set(index.loc[index["split"] == s, "speaker"]) for s in ("train", "test"))
    speakers = sorted(learnt & tested)[:n_wanted]
    if len(speakers) < 2:
        raise ConfigurationError(
            "Table 3 sets one model for all beside one a speaker: at least two speakers must have "
            f"clips to train and to test; here {len(speakers)} have (take joint_* and split_* out "
            "of variants.plan.chosen)"
        )
    return tuple(speakers)


def _minutes(
    paper_minutes: int, index: Table, speakers: tuple[str, ...], config: VariantsConfig
) -> float:
    """Minutes of each speaker, enough for the first clip of everybody."""
    learnt = index[(index["split"] == "train") & index["speaker"].isin(speakers)]
    each = learnt.groupby("speaker")["duration_s"]
    longest = config.longest_minutes or float(each.sum().min()) / 60
    shrunk = longest * paper_minutes / max(PAPER_MINUTES)
    return max(shrunk, float(each.first().max()) / 60)
