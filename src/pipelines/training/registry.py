"""The model registry: every trained model is a version, the best one is `champion`."""

import logging
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from pipelines import tracking
from pipelines.rows import Table

if TYPE_CHECKING:
    from talkin.networks.talking_face import TalkingFace
else:
    TalkingFace = Any

logger = logging.getLogger(__name__)

_CHAMPION = "champion"


class RegistryConfig(BaseModel):
    """Under which name models are registered, and what makes one better."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(
        default="talkin", description="`models:/<name>@champion` loads the best version."
    )
    metric: str = Field(
        default="landmark_error_px",
        description="Validation metric that decides; its last value counts.",
    )
    smaller_is_better: bool = Field(default=True, description="Whether less of it is better.")


def register_model(model: TalkingFace, curves: Table, config: RegistryConfig) -> dict[str, Any]:
    """Register the model as a version; make it champion only if validation improved.

    Where nothing is tracked, or the registry is lost, the model on disk is all there is and the
    answer says so.

    Args:
        model: The trained networks.
        curves: Losses and validation of all stages.
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
    tracking.attempt(lambda: answer.update(_registered(model, validation, config)))
    if answer["version"] is None:
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


def _registered(
    model: TalkingFace, validation: dict[str, float], config: RegistryConfig
) -> dict[str, Any]:
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
    with tempfile.TemporaryDirectory(prefix="talkin-register-") as scratch:
        folder = Path(scratch) / "talking_face"
        model.save(folder)
        logged = mlflow.pyfunc.log_model(
            name="talking_face",
            python_model=str(Path(__file__).with_name("served.py")),
            artifacts={"talking_face": str(folder)},
            signature=ModelSignature(inputs=texts, outputs=answer),
            pip_requirements=[f"talkin=={version('talkin')}"],
            registered_model_name=config.name,
        )
    number = str(logged.registered_model_version)
    return {"version": number, "is_champion": _promoted(number, validation, config)}


def _promoted(number: str, validation: dict[str, float], config: RegistryConfig) -> bool:
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    client = MlflowClient()
    new = validation.get(config.metric)
    if new is not None:
        client.set_model_version_tag(config.name, number, config.metric, repr(new))
    try:
        champion = client.get_model_version_by_alias(config.name, _CHAMPION)
        old = float(champion.tags[config.metric]) if config.metric in champion.tags else None
    except MlflowException:
        old = None
    if not is_better(new, old, config.smaller_is_better):
        return False
    client.set_registered_model_alias(config.name, _CHAMPION, number)
    return True
