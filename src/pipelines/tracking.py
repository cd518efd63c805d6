"""What nodes and hooks tell MLflow; losing MLflow never loses a run.

Every function does nothing when no run is being tracked. The first failure of the tracking
database is logged as a warning and ends tracking for this run, because each further call to a
locked database would wait for its time limit again.
"""

import contextlib
import functools
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ParamSpec

from pipelines.local_database import database_file, is_locked, repair_places, why_unusable
from pipelines.secrets import HIDDEN, is_secret_name, without_secrets
from talkin.errors import TalkinError

logger = logging.getLogger(__name__)

P = ParamSpec("P")

_state = {"run_id": ""}
_versions: dict[str, str] = {}
"""Code, data and environment of the open run."""
_CHOSEN_BY_USER = os.environ.get("MLFLOW_TRACKING_URI")
"""Read once: MLflow itself sets the variable when it is told where to track."""
_LONGEST_VALUE = 500
"""MLflow refuses longer parameter values."""


class TrackingError(TalkinError):
    """The tracking database cannot be used now."""


def is_tracking() -> bool:
    """Whether a run is open."""
    return bool(_state["run_id"])


def _survived(function: Callable[P, None]) -> Callable[P, None]:
    """Turn any failure into a warning and stop tracking."""

    @functools.wraps(function)
    def survived(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except Exception as error:
            _forget_run()
            first_line = (str(error).splitlines() or [type(error).__name__])[0]
            told = without_secrets(first_line)[:300]
            logger.warning("MLflow is lost, the run goes on untracked: %s", told)

    return survived


def _forget_run() -> None:
    """Close the run as far as its database allows, so that the next one can be opened."""
    if not is_tracking():
        return
    import mlflow

    _state["run_id"] = ""
    path = database_file(mlflow.get_tracking_uri())
    if path is None or not is_locked(path, wait_s=0.5):
        with contextlib.suppress(Exception):
            mlflow.end_run("FAILED")


@_survived
def start_run(
    uri: str, experiment: str, run_name: str, artifacts: Path, tags: Mapping[str, str]
) -> None:
    """Open a run.

    Args:
        uri: Tracking server or database; see `connect`.
        experiment: Made with `artifacts` as its place for files when it does not exist.
        run_name: Shown in the list of runs.
        artifacts: Folder for pictures and models of a local database.
        tags: Searchable notes such as the code's version.
    """
    connect(uri, artifacts)
    import mlflow

    if mlflow.active_run() is not None:  # one that a locked database kept from being closed
        with contextlib.suppress(Exception):
            mlflow.end_run("FAILED")
    if mlflow.get_experiment_by_name(experiment) is None:
        is_local = database_file(mlflow.get_tracking_uri()) is not None
        place = artifacts.resolve().as_uri() if is_local else None
        mlflow.create_experiment(experiment, artifact_location=place)
    mlflow.set_experiment(experiment)
    _versions.clear()
    _versions.update(tags)
    run = mlflow.start_run(run_name=run_name, tags=dict(tags))
    _state["run_id"] = run.info.run_id


def connect(uri: str, artifacts: Path) -> None:
    """Point MLflow at the project's database or server.

    Args:
        uri: Tracking server or database; the environment's MLFLOW_TRACKING_URI goes before it.
        artifacts: Where a database of this project keeps files; put right after a move.

    Raises:
        TrackingError: If the database cannot be written to, or another process holds it.
    """
    for name, value in (
        ("MLFLOW_DISABLE_TELEMETRY", "true"),
        ("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false"),
    ):
        os.environ.setdefault(name, value)
    uri = _CHOSEN_BY_USER or uri
    path = database_file(uri)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        reason = why_unusable(path)
        if "locked" in reason:
            raise TrackingError(
                f"{path} is locked by another process; end it, or point MLFLOW_TRACKING_URI "
                "at a server, which several processes can share"
            )
        if reason:
            raise TrackingError(
                f"{path} cannot be used ({reason}); let it be written to, move it away to have a "
                "new one made, or point MLFLOW_TRACKING_URI elsewhere"
            )
        if path.resolve().parent == artifacts.resolve().parent:
            repair_places(path, artifacts)
    import mlflow

    mlflow.set_tracking_uri(uri)
    if not _CHOSEN_BY_USER:
        os.environ.pop("MLFLOW_TRACKING_URI", None)


def version_tags() -> dict[str, str]:
    """Code, data and environment of the open run, to note with what it made."""
    return dict(_versions)


@_survived
def end_run(status: str = "FINISHED") -> None:
    """Close the run as FINISHED or FAILED."""
    if is_tracking():
        import mlflow

        mlflow.end_run(status)
        _state["run_id"] = ""


@contextlib.contextmanager
def inner_run(name: str, parameters: Mapping[str, Any]) -> Iterator[None]:
    """A run within the open one, for one of several models that a stage trains."""
    attempt(functools.partial(_open_inner, name))
    outer = _state["run_id"]
    log_parameters(parameters)
    status = "FAILED"
    try:
        yield
        status = "FINISHED"
    finally:
        if outer:
            attempt(functools.partial(_close_inner, status))


def _open_inner(name: str) -> None:
    import mlflow

    mlflow.start_run(run_name=name, nested=True, tags={"variant": name, **_versions})


def _close_inner(status: str) -> None:
    import mlflow

    mlflow.end_run(status)


@_survived
def log_parameters(parameters: Mapping[str, Any]) -> None:
    """Record parameters under dotted names, see `flattened`; secret ones by name only."""
    if is_tracking():
        import mlflow

        items = [
            (key, HIDDEN if is_secret_name(key) else without_secrets(str(value))[:_LONGEST_VALUE])
            for key, value in flattened(parameters).items()
        ]
        for start in range(0, len(items), 100):  # MLflow takes at most a hundred at once
            mlflow.log_params(dict(items[start : start + 100]))


@_survived
def log_metrics(values: Mapping[str, float], step: int | None = None) -> None:
    """Record numbers, at a training step where one is given."""
    if is_tracking():
        import mlflow

        mlflow.log_metrics({key: float(value) for key, value in values.items()}, step=step)


@_survived
def log_file(path: Path, folder: str | None = None) -> None:
    """Keep a copy of a file with the run."""
    if is_tracking():
        import mlflow

        mlflow.log_artifact(str(path), folder)


@_survived
def log_text(text: str, name: str) -> None:
    """Keep a text with the run."""
    if is_tracking():
        import mlflow

        mlflow.log_text(text, name)


@_survived
def log_picture(image: Any, name: str) -> None:
    """Keep a picture (height, width, 3) uint8 with the run, as `<name>.png`."""
    if is_tracking():
        import mlflow

        mlflow.log_image(image, f"pictures/{name}.png")


@_survived
def attempt(action: Callable[[], None]) -> None:
    """Do something else with the open run; its failure costs the tracking, not the work."""
    if is_tracking():
        action()


def flattened(parameters: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings and pydantic models as one mapping with dotted names.

    >>> flattened({"training": {"rate": 0.1, "sizes": [1, 2]}})
    {'training.rate': 0.1, 'training.sizes': [1, 2]}
    """
    flat: dict[str, Any] = {}
    for key, value in parameters.items():
        name = f"{prefix}{key}"
        inner = value.model_dump() if hasattr(value, "model_dump") else value
        if isinstance(inner, Mapping):
            flat.update(flattened(inner, f"{name}."))
        else:
            flat[name] = inner
    return flat
