"""The model registry: every trained model is a version; `talkin model` compares and promotes.

A version becomes `champion` by itself only where there is none yet, or where it did better on the
very same validation data. Otherwise it is `challenger`, until `talkin model promote`.
"""

import logging
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from pipelines import tracking
from pipelines.rows import Table
from pipelines.training.torchrun import is_follower
from talkin.scratch import scratch_folder

if TYPE_CHECKING:
    from talkin.networks.talking_face import TalkingFace
else:
    TalkingFace = Any

logger = logging.getLogger(__name__)


class RegistryConfig(BaseModel):
    """Under which name models are registered, and what makes one better."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(
        default="talkin", description="`models:/<name>@champion` loads the best version."
    )
    metric: str = Field(
        default="landmark_error_px",
        description="Validation metric of training that decides on the same validation data; its "
        "last value counts.",
    )
    contest_metric: str = Field(
        default="landmark_error.audio",
        description="Score of evaluation that decides in `talkin model compare` and `promote`.",
    )
    smaller_is_better: bool = Field(default=True, description="Whether less of both is better.")


def register_model(
    model: TalkingFace, curves: Table, data: dict[str, Any], config: RegistryConfig
) -> dict[str, Any]:
    """Register the model as a version: as champion if it is the first or the better one.

    Where nothing is tracked, or the registry is lost, the model on disk is all there is and the
    answer says so.

    Args:
        model: The trained networks.
        curves: Losses and validation of all stages.
        data: Training and validation clips; what was validated on is noted with the version.
        config: Name and deciding metric.

    Returns:
        `name, version, is_champion, validation`; version is null if it was not registered.
    """
    validation = last_values(curves)
    answer: dict[str, Any] = {
        "name": config.name,
        "version": None,
        "is_champion": False,
        "validation": validation,
    }
    tracking.log_metrics({f"validation.{name}": value for name, value in validation.items()})
    held_out = _digest_of(data["validation"])
    tracking.attempt(lambda: answer.update(_registered(model, validation, held_out, config)))
    if answer["version"] is None and not is_follower():
        logger.warning("the model is on disk but not in the registry")
    return answer


def last_values(curves: Table) -> dict[str, float]:
    """The newest value of each curve, later stages before earlier ones."""
    newest = curves.drop_duplicates("name", keep="last")
    return {str(n): float(v) for n, v in zip(newest["name"], newest["value"], strict=True)}


def is_better(new: float | None, old: float | None, smaller_is_better: bool) -> bool:
    """Whether a new model may take the champion's place.

    A model that was not validated never does, unless there is no champion yet.
    """
    if old is None:
        return True
    if new is None:
        return False
    return new < old if smaller_is_better else new > old


def _digest_of(validation: Any) -> str:
    from talkin.training.data_digest import dataset_digest

    return dataset_digest(validation) if validation is not None else ""


def _registered(
    model: TalkingFace, validation: dict[str, float], held_out: str, config: RegistryConfig
) -> dict[str, Any]:
    from pipelines.model_versions import (
        CHALLENGER,
        CHAMPION,
        all_versions,
        find_version,
        give_alias,
    )

    with scratch_folder("register") as scratch:
        folder = scratch / "talking_face"
        model.save(folder)
        digest = _digest_of_folder(folder)
        for known in all_versions(config.name):
            if known.tags.get("weights") == digest:  # a stage that was run again and found no work
                return {"version": known.number, "is_champion": CHAMPION in known.aliases}
        number = _logged(folder, config)
    new = find_version(config.name, number)
    tags = {"weights": digest, "validation_data": held_out, **tracking.version_tags()}
    if config.metric in validation:
        tags[config.metric] = repr(validation[config.metric])
    is_champion = _takes_the_place(tags, config)
    give_alias(new, CHAMPION if is_champion else CHALLENGER, **tags)
    return {"version": number, "is_champion": is_champion}


def _logged(folder: Path, config: RegistryConfig) -> str:
    """Store the folder and the code that serves it as a new version; returns its number."""
    import mlflow
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    texts = Schema([ColSpec("string", name) for name in ("video", "audio", "output")])
    answer = Schema(
        [
            ColSpec("string", "output"),
            ColSpec("long", "n_frames"),
            ColSpec("long", "n_edited"),
            ColSpec("double", "duration_s"),
        ]
    )
    logged = mlflow.pyfunc.log_model(
        name="talking_face",
        python_model=str(Path(__file__).with_name("served.py")),
        artifacts={"talking_face": str(folder)},
        signature=ModelSignature(inputs=texts, outputs=answer),
        pip_requirements=[f"talkin=={version('talkin')}"],
        registered_model_name=config.name,
    )
    return str(logged.registered_model_version)


def _takes_the_place(tags: dict[str, str], config: RegistryConfig) -> bool:
    """Whether a new version is better than the champion, measured on the same data."""
    from pipelines.model_versions import CHAMPION, all_versions

    champions = [v for v in all_versions(config.name) if CHAMPION in v.aliases]
    if not champions:
        return True
    old = champions[0].tags
    if not tags["validation_data"] or old.get("validation_data") != tags["validation_data"]:
        logger.warning(
            "champion version %s was validated on other data: the new version is challenger; "
            "`talkin model promote` compares both on the same clips",
            champions[0].number,
        )
        return False
    new, before = (float(t[config.metric]) if config.metric in t else None for t in (tags, old))
    return is_better(new, before, config.smaller_is_better)


def _digest_of_folder(folder: Path) -> str:
    from hashlib import sha256

    digest = sha256()
    for path in sorted(folder.iterdir()):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
