"""Versions of the registered model: who is champion, who is challenger, and their folders."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from talkin.errors import ConfigurationError

CHAMPION, CHALLENGER = "champion", "challenger"


@dataclass(frozen=True)
class ModelVersion:
    """One version in the registry.

    Attributes:
        name: Of the registered model.
        number: Of the version.
        aliases: Such as `champion`.
        tags: What was noted when it was registered and promoted.
    """

    name: str
    number: str
    aliases: tuple[str, ...]
    tags: dict[str, str]


def all_versions(name: str) -> list[ModelVersion]:
    """Every version, the oldest first."""
    from mlflow import MlflowClient

    client = MlflowClient()
    known = client.get_registered_model(name).aliases if _is_registered(client, name) else {}
    found = client.search_model_versions(f"name = '{name}'")
    return [
        ModelVersion(
            name,
            str(version.version),
            tuple(sorted(a for a, number in known.items() if str(number) == str(version.version))),
            dict(version.tags),
        )
        for version in sorted(found, key=lambda v: int(v.version))
    ]


def find_version(name: str, which: str) -> ModelVersion:
    """A version by number or alias.

    Raises:
        ConfigurationError: If there is none; the message lists what there is.
    """
    versions = all_versions(name)
    for version in versions:
        if which == version.number or which in version.aliases:
            return version
    there = ", ".join(" = ".join((v.number, *v.aliases)) for v in versions) or "nothing yet"
    raise ConfigurationError(
        f"model {name!r} has no version or alias {which!r}; the registry holds {there}. "
        "`kedro run --pipelines=training` registers a model"
    )


def weights_folder(version: ModelVersion) -> Path:
    """The folder that `TalkingFace.load` reads, fetched first where the registry is remote."""
    from mlflow.artifacts import download_artifacts

    root = Path(download_artifacts(f"models:/{version.name}/{version.number}"))
    return root / "artifacts" / "talking_face"


def give_alias(version: ModelVersion, alias: str, **tags: Any) -> None:
    """Name a version `champion` or `challenger`, and note why."""
    from mlflow import MlflowClient

    client = MlflowClient()
    client.set_registered_model_alias(version.name, alias, version.number)
    for key, value in tags.items():
        client.set_model_version_tag(version.name, version.number, key, str(value))


def take_alias(version: ModelVersion, alias: str) -> None:
    """Let a version be called so no longer."""
    from mlflow import MlflowClient

    if alias in version.aliases:
        MlflowClient().delete_registered_model_alias(version.name, alias)


def _is_registered(client: Any, name: str) -> bool:
    return any(True for model in client.search_registered_models(f"name = '{name}'") if model)
