"""`talkin model`: what the registry holds, who is champion, and who deserves to be.

Installed with the Kedro project: the library's command finds it by its entry point.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from talkin.cli.examples import example
from talkin.cli.running import explains_errors

if TYPE_CHECKING:
    from pipelines.hooks import TrackingConfig
    from pipelines.model_contest import Contest
    from pipelines.training.registry import RegistryConfig

_env = click.option("--env", default="demo", show_default=True, help="Kedro environment.")
_split = click.option(
    "--split", default="validation", show_default=True, help="Split on which both are scored."
)


@click.group()
def model() -> None:
    """List, compare, promote the registered models; repair the registry after a move."""


@model.command("list", epilog=example("talkin model list"))
@_env
@explains_errors
def list_versions(env: str) -> None:
    """Show every version, its aliases, and what it was trained from."""
    from pipelines.model_versions import all_versions

    with _opened(env) as project:
        for version in all_versions(project.registry.name):
            value = version.tags.get(project.registry.metric, "not validated")
            click.echo(
                f"{version.name} {version.number}  {', '.join(version.aliases) or '-'}  "
                f"{project.registry.metric} {value}  code {version.tags.get('code_version', '?')}"
                f"  data {version.tags.get('data_version', '?')}"
            )


@model.command(epilog=example("talkin model compare", "talkin model compare 4 3"))
@click.argument("challenger", default="challenger")
@click.argument("champion", default="champion")
@_env
@_split
@explains_errors
def compare(challenger: str, champion: str, env: str, split: str) -> None:
    """Score two versions (numbers or aliases) on the same clips, side by side."""
    with _opened(env) as project:
        contest = _contest(project, champion, challenger, split)
    _show(contest, champion, challenger)


@model.command(epilog=example("talkin model promote"))
@click.argument("challenger", default="challenger")
@_env
@_split
@click.option("--force", "reason", metavar="REASON", help="Promote whatever comes out; say why.")
@explains_errors
def promote(challenger: str, env: str, split: str, reason: str | None) -> None:
    """Make a version champion if it is better than the present one on the same clips."""
    from pipelines.model_versions import (
        CHALLENGER,
        CHAMPION,
        all_versions,
        find_version,
        give_alias,
        take_alias,
    )

    with _opened(env) as project:
        name = project.registry.name
        new = find_version(name, challenger)
        why = f"forced: {reason}" if reason else "first champion"
        if any(CHAMPION in version.aliases for version in all_versions(name)) and not reason:
            contest = _contest(project, CHAMPION, challenger, split)
            _show(contest, CHAMPION, challenger)
            old, value = contest.scores[contest.metric]
            if not contest.is_won:
                raise click.ClickException(
                    f"version {new.number} is not better: {contest.metric} {value:.4g} against "
                    f'{old:.4g}; it is not promoted. --force "REASON" promotes it all the same'
                )
            why = (
                f"{contest.metric} {value:.4g} against {old:.4g} on {contest.n_clips} {split} clips"
            )
        take_alias(new, CHALLENGER)
        give_alias(new, CHAMPION, promoted_because=why)
    click.echo(f"{name} version {new.number} is champion ({why})")


@model.command(epilog=example("talkin model repair"))
@_env
@explains_errors
def repair(env: str) -> None:
    """Correct the places in the project's registry after its folder was moved or copied."""
    from pipelines.local_database import database_file, repair_places

    root, tracking_config, _ = _settings(env)
    path = database_file(tracking_config.absolute_uri(root))
    if path is None:
        raise click.ClickException(
            f"{tracking_config.tracking_uri} is a server: it knows its own files"
        )
    n = repair_places(path, root / tracking_config.artifacts)
    click.echo(f"{path}: {n} places corrected" if n else f"{path}: nothing to correct")


@dataclass(frozen=True)
class _Project:
    catalog: Any
    registry: "RegistryConfig"


@contextmanager
def _opened(env: str) -> Iterator[_Project]:
    """The project around this folder, connected to its registry."""
    from pipelines import tracking
    from pipelines.training.registry import RegistryConfig

    root, config, context = _settings(env)
    tracking.connect(config.absolute_uri(root), root / config.artifacts)
    registry = RegistryConfig.model_validate(context.params["training"]["registry"])
    yield _Project(context.catalog, registry)


def _settings(env: str) -> tuple[Path, "TrackingConfig", Any]:
    import logging

    try:
        from kedro.framework.session import KedroSession
        from kedro.framework.startup import bootstrap_project
        from kedro.utils import find_kedro_project
    except ModuleNotFoundError as error:
        raise click.ClickException(
            "the registry belongs to the Kedro project: pip install 'talkin[project]'"
        ) from error

    from pipelines.hooks import TrackingConfig

    root = find_kedro_project(Path.cwd())
    if root is None:
        raise click.ClickException("this folder is in no talkin project; cd into one")
    bootstrap_project(root)
    logging.getLogger("kedro").setLevel(logging.WARNING)
    context = KedroSession.create(root, env=env).load_context()
    return Path(root), TrackingConfig(**context.config_loader["mlflow"]), context


def _contest(project: _Project, champion: str, challenger: str, split: str) -> "Contest":
    from pipelines.model_contest import hold_contest
    from pipelines.model_versions import find_version, weights_folder

    versions = [find_version(project.registry.name, which) for which in (champion, challenger)]
    folders = [weights_folder(version) for version in versions]
    return hold_contest(project.catalog, folders[0], folders[1], split, project.registry)


def _show(contest: "Contest", champion: str, challenger: str) -> None:
    click.echo(f"{'score':40}{champion:>14}{challenger:>14}")
    for name, (old, new) in sorted(contest.scores.items()):
        mark = "  decides" if name == contest.metric else ""
        click.echo(f"{name:40}{old:14.4f}{new:14.4f}{mark}")
    verdict = "better" if contest.is_won else "not better"
    click.echo(f"{challenger} is {verdict} on {contest.n_clips} clips")
