"""The registered pipelines: each folder of this package that has a `pipeline` module."""

import importlib
import pkgutil
from pathlib import Path

from kedro.framework import project
from kedro.pipeline import Pipeline

import pipelines

_NOT_BY_DEFAULT = frozenset({"demo", "detection", "study", "variants"})
"""No part of a plain `kedro run`: the synthetic corpus, since that works on any footage, the
detector, which needs edits of several speakers, the user study, which is exported once and on
purpose, and the models that only the paper's tables need."""


def pipeline_names() -> list[str]:
    """Names of the stages, which are the names of their folders."""
    folder = Path(pipelines.__path__[0])
    return sorted(
        module.name
        for module in pkgutil.iter_modules(pipelines.__path__)
        if module.ispkg and (folder / module.name / "pipeline.py").exists()
    )


def register_pipelines() -> dict[str, Pipeline]:
    """Build the stages a command asked for, or all of them and `__default__`."""
    names = pipeline_names()
    # Kedro offers selective loading through `find_pipelines` only, which cannot see this layout.
    wanted: list[str] | None = getattr(project.pipelines, "_requested_pipelines", None)
    everything = not wanted or "__default__" in wanted
    if not everything:
        names = [name for name in names if name in (wanted or [])]
    stages = {
        name: importlib.import_module(f"pipelines.{name}.pipeline").create_pipeline()
        for name in names
    }
    if everything:
        main = [stage for name, stage in stages.items() if name not in _NOT_BY_DEFAULT]
        stages["__default__"] = sum(main, Pipeline([]))
    return stages
