"""Kedro's events told to MLflow, and what to delete told where consent is missing."""

import logging
from pathlib import Path
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from pydantic import BaseModel, ConfigDict, Field

from pipelines import tracking
from pipelines.secrets import guard_logs
from pipelines.training.torchrun import is_follower
from pipelines.versions import installed_packages, versions_of
from talkin.errors import ConsentError, TalkinError
from talkin.provenance.tracing import derived_from

_MOST_LINES = 60
logger = logging.getLogger(__name__)


class TrackingConfig(BaseModel):
    """What conf/<env>/mlflow.yml may hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = Field(default=True, description="Whether runs are tracked at all.")
    tracking_uri: str = Field(
        default="sqlite:///mlruns/mlflow.db",
        description="Database or server; a relative SQLite path is relative to the project. "
        "The environment variable MLFLOW_TRACKING_URI goes before it.",
    )
    artifacts: str = Field(
        default="mlruns/artifacts", description="Folder for pictures and models."
    )
    experiment: str = Field(default="talkin", description="Name under which runs are listed.")
    pipelines: list[str] = Field(
        default=["training", "evaluation", "variants"], description="Stages worth a tracked run."
    )

    def absolute_uri(self, root: Path) -> str:
        """`tracking_uri`, where a relative path to a database starts at the project's folder."""
        place = self.tracking_uri.removeprefix("sqlite:///")
        if place == self.tracking_uri or Path(place).is_absolute():
            return self.tracking_uri
        return f"sqlite:///{root / place}"


class TrackingHooks:
    """Opens, fills and closes the MLflow run around a Kedro run."""

    def __init__(self) -> None:
        """Begin with the defaults; the context brings the settings."""
        self._root = Path.cwd()
        self._config = TrackingConfig()

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Read the settings; MLflow itself is imported only when a tracked stage runs."""
        guard_logs()
        self._root = Path(context.project_path)
        try:
            self._config = TrackingConfig(**context.config_loader["mlflow"])
        except Exception as error:
            logger.warning("conf/*/mlflow.yml is not used, runs are not tracked: %s", error)
            self._config = TrackingConfig(enabled=False)

    @hook_impl
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol
    ) -> None:
        """Open a run if one of the tracked stages is in this pipeline."""
        tracked = [name for name in self._config.pipelines if _contains_stage(pipeline, name)]
        if not self._config.enabled or not tracked or is_follower():
            return
        tracking.start_run(
            uri=self._config.absolute_uri(self._root),
            experiment=self._config.experiment,
            run_name="+".join(tracked),
            artifacts=self._root / self._config.artifacts,
            tags={
                "environment": str(run_params.get("env") or "base"),
                **versions_of(self._root),
            },
        )
        lock = self._root / "dvc.lock"
        if lock.exists():
            tracking.log_file(lock)
        tracking.log_text(installed_packages(), "packages.txt")
        names = sorted(name for name in pipeline.inputs() if name.startswith("params:"))
        tracking.log_parameters(
            {name.removeprefix("params:"): catalog.load(name) for name in names}
        )

    @hook_impl
    def after_pipeline_run(self) -> None:
        """Close the run as finished."""
        tracking.end_run("FINISHED")

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Close the run as failed; generator nodes report their errors only here."""
        tracking.end_run("FAILED")


class ConsentHooks:
    """Where consent is missing, tells what was derived from the speaker, so that it can go."""

    def __init__(self) -> None:
        """The project's place comes with the context."""
        self._data = Path("data")

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Note where the data is."""
        self._data = Path(context.project_path) / "data"

    @hook_impl
    def on_pipeline_error(self, error: Exception) -> None:
        """List data and models of whoever was refused."""
        if not isinstance(error, ConsentError):
            return
        for speaker in error.speakers:
            try:
                lines = derived_from(speaker, self._data).in_words()
            except TalkinError as untraceable:
                lines = [f"{speaker}: {untraceable}"]
            left = len(lines) - _MOST_LINES
            more = (
                [f"... and {left} lines more: talkin consent trace {speaker}"] if left > 0 else []
            )
            logger.error("Derived from %s", "\n".join([*lines[:_MOST_LINES], *more]))


def _contains_stage(pipeline: Pipeline, stage: str) -> bool:
    return any(stage in node.tags for node in pipeline.nodes)
