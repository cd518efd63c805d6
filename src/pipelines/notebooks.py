"""The project around a notebook: `from pipelines.notebooks import open_catalog`."""

import logging
import os
from pathlib import Path
from typing import Any


def open_catalog(env: str | None = None) -> Any:
    """The catalog of the project in or above this folder.

    Args:
        env: Kedro environment; by default that of the variable KEDRO_ENV, or `demo`.

    Returns:
        `catalog.load(NAME)` gives any dataset; parameters are in it as `params:STAGE`.

    Raises:
        ConfigurationError: If this folder is in no project.
    """
    from kedro.framework.session import KedroSession
    from kedro.framework.startup import bootstrap_project
    from kedro.utils import find_kedro_project

    from talkin.errors import ConfigurationError

    root = find_kedro_project(Path.cwd())
    if root is None:
        raise ConfigurationError(f"{Path.cwd()} is in no Kedro project; start the notebook in one")
    bootstrap_project(root)
    logging.getLogger("kedro").setLevel(logging.WARNING)
    session = KedroSession.create(root, env=env or os.environ.get("KEDRO_ENV", "demo"))
    return session.load_context().catalog
