"""Two versions of the model on the same clips: which one is better?

Both are scored by the nodes of the evaluation pipeline itself, on a catalog that reads the
project's prepared clips and keeps every result in memory.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.training.registry import RegistryConfig, is_better
from talkin.errors import ConfigurationError

_LAST_NODE = "summarise_scores"


@dataclass(frozen=True)
class Contest:
    """What two models scored on the same clips.

    Attributes:
        metric: The score that decides.
        n_clips: How many clips of the split were scored.
        scores: Every score that both have, by name: (champion, challenger).
        is_won: Whether the challenger is better in the score that decides.
    """

    metric: str
    n_clips: int
    scores: dict[str, tuple[float, float]]
    is_won: bool


def hold_contest(
    catalog: Any, champion: Path, challenger: Path, split: str, config: RegistryConfig
) -> Contest:
    """Score both models on the clips of a split, as prepared in this project.

    Args:
        catalog: The project's, with the parameters of the chosen environment.
        champion: Folder of the model that has the title.
        challenger: Folder of the model that wants it.
        split: Of the manifest.
        config: Names the score that decides.

    Raises:
        ConfigurationError: If a model was trained on other crops or sound features than the
            project's, so that the two cannot be scored on the same clips.
    """
    (n_clips, old), (_, new) = (
        _scored(folder, catalog, split) for folder in (champion, challenger)
    )
    shared = {n: (old[n], new[n]) for n in old if n in new and n.count(".") == 1}
    if config.contest_metric not in shared:
        raise ConfigurationError(
            f"training.registry.contest_metric: there is no score {config.contest_metric!r}; "
            f"there are {', '.join(sorted(shared))}"
        )
    before, after = shared[config.contest_metric]
    is_won = is_better(after, before, config.smaller_is_better)
    return Contest(config.contest_metric, n_clips, shared, is_won)


def _scored(folder: Path, catalog: Any, split: str) -> tuple[int, dict[str, float]]:
    """Number of clips, and flat scores of one model."""
    from kedro.framework.project import pipelines
    from kedro.io import DataCatalog, MemoryDataset
    from kedro.runner import SequentialRunner

    from talkin.networks.talking_face import TalkingFace

    model = TalkingFace.load(folder)
    stage = pipelines["evaluation"].to_nodes(_LAST_NODE)
    given = {name: _loaded(catalog, name) for name in stage.inputs() - {"talking_face"}}
    settings = _typed({n: v for n, v in given.items() if n.startswith("params:")})
    name = "params:evaluation.held_out"
    settings[name] = settings[name].model_copy(update={"split": split})
    _require_same_input(model.config, catalog, folder)
    contents = given | settings | {"talking_face": model}
    inputs = {n: MemoryDataset(value, copy_mode="assign") for n, value in contents.items()}
    kept = {n: MemoryDataset(copy_mode="assign") for n in stage.all_outputs()}
    run_on = DataCatalog({**inputs, **kept})
    SequentialRunner().run(stage, run_on)
    scores: dict[str, float] = kept["metrics"].load()
    return len(kept["clip_scores"].load()), scores


def _loaded(catalog: Any, name: str) -> Any:
    from kedro.io import DatasetError

    try:
        return catalog.load(name)
    except DatasetError as error:
        raise ConfigurationError(
            f"{name} cannot be read, so that there is nothing to compare models on; "
            f"`kedro run --pipelines=preprocess` makes it ({error})"
        ) from error


def _typed(settings: dict[str, Any]) -> dict[str, Any]:
    """Parameters as the configuration classes that the nodes' annotations name."""
    from kedro.framework.project import pipelines
    from kedro.validation.parameter_validator import ParameterValidator

    raw: dict[str, Any] = {"evaluation": {}}
    for name, value in settings.items():
        raw["evaluation"][name.rpartition(".")[2]] = value
    checked = ParameterValidator({"evaluation": pipelines["evaluation"]}).validate_raw_params(raw)
    return {name: checked["evaluation"][name.rpartition(".")[2]] for name in settings}


def _require_same_input(model: Any, catalog: Any, folder: Path) -> None:
    prepared = catalog.load("params:preprocess")
    for name, trained in (("crop", model.crop), ("mfcc", model.mfcc)):
        here = type(trained).model_validate(prepared[name])
        if here != trained:
            raise ConfigurationError(
                f"the model in {folder} was trained with other settings than preprocess.{name} of "
                f"this environment ({trained} there, {here} here), so that the two models cannot "
                "be compared on the same clips; choose its environment with --env"
            )
