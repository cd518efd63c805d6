"""`talkin study`: export clips, invite raters, serve, collect, report."""

import csv
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from talkin.cli.examples import example
from talkin.cli.running import explains_errors, progress_bars
from talkin.errors import ConfigurationError

if TYPE_CHECKING:
    from talkin.study.ratings import RatingStore

_FILE = click.Path(dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)
_study = click.argument("folder", type=_FOLDER, metavar="STUDY")
_database = click.option(
    "--database",
    envvar="TALKIN_STUDY_DATABASE",
    help="SQLite file or postgresql://USER@HOST/NAME.  [default: STUDY/ratings.db]",
)


class _WithExtra(click.Group):
    """A group whose commands need packages that a plain installation does not have."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command, and say which extra is missing instead of showing a traceback."""
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            raise click.ClickException(
                f"the user study needs the package {error.name}: "
                "pip install -c constraints.txt -e '.[study]'"
            ) from error


@click.group(
    cls=_WithExtra,
    epilog=example(
        "talkin study export clips.csv --out study --key study_key.json",
        "talkin study links study --number 100 --url https://study.example.org > links.csv",
        "talkin study serve study --url https://study.example.org",
        "talkin study report study --key study_key.json --out results",
    ),
)
def study() -> None:
    """Ask people how real the clips look (the paper's Tables 4 and 5)."""


@study.command(epilog=example("talkin study export clips.csv --out study --key study_key.json"))
@click.argument("clips", type=_FILE)
@click.option(
    "--out", "folder", type=_FOLDER, required=True, help="Folder to make: what is served."
)
@click.option("--key", type=_FILE, required=True, help="File to make: what each clip is. Keep it.")
@click.option("--config", type=_FILE, help="YAML with design, encoding and page.")
@click.option(
    "--question",
    "questions",
    type=click.Choice(["realism", "lip_sync", "naturalness"]),
    multiple=True,
    help="What to ask; may be given several times.  [default: realism]",
)
@explains_errors
def export(
    clips: Path, folder: Path, key: Path, config: Path | None, questions: tuple[str, ...]
) -> None:
    """Blind, shuffle and re-encode the CLIPS of a CSV: path, system, speaker, view.

    `system` is real for recordings, talkin for our edits, or the name of another system.
    """
    from talkin.study.export import export_study, read_sources

    settings = _settings(config, questions)
    with progress_bars() as progress:
        made = export_study(read_sources(clips), folder, key, **settings, progress=progress)
    n_shown = len(made.manifest.clips)
    click.echo(f"{n_shown} clips in {made.folder}, what they are in {made.key_path}")
    for line in made.choice.missing:
        click.echo(f"missing from the design: {line}")
    if made.choice.left_out:
        click.echo(f"{made.choice.left_out} clips beyond the design are not shown")


@study.command(epilog=example("talkin study links study --number 100 > links.csv"))
@_study
@click.option("--number", type=click.IntRange(1, 100_000), help="How many raters.")
@click.option("--names", type=_FILE, help="Text file with a rater's label in each line.")
@click.option("--url", default="http://127.0.0.1:8400", show_default=True, help="Where you serve.")
@_database
@explains_errors
def links(
    folder: Path, number: int | None, names: Path | None, url: str, database: str | None
) -> None:
    """Make private links and print them as CSV: label, link. They cannot be shown again."""
    with _store(folder, database) as store:
        labels = _labels(number, names, store.counts()["raters"])
        tokens = store.add_raters(labels)
    from talkin.study.tokens import private_link

    writer = csv.writer(sys.stdout)
    writer.writerow(("label", "link"))
    writer.writerows(
        (label, private_link(url, token)) for label, token in zip(labels, tokens, strict=True)
    )


@study.command(epilog=example("talkin study serve study --port 8400"))
@_study
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8400, show_default=True, type=click.IntRange(1, 65535), help="Port."
)
@click.option("--url", default="", help="Where raters reach it; https makes cookies secure.")
@_database
@explains_errors
def serve(folder: Path, host: str, port: int, url: str, database: str | None) -> None:
    """Serve the page, the clips and the answers of STUDY until stopped."""
    from talkin.study.serving import serve as run

    click.echo(f"study {folder} at {url or f'http://{host}:{port}'}; stop with Ctrl-C", err=True)
    run(folder, database, host, port, url)


@study.command(epilog=example("talkin study static study form"))
@_study
@click.argument("goal", type=_FOLDER)
@explains_errors
def static(folder: Path, goal: Path) -> None:
    """Write STUDY as the folder GOAL, which needs no server; collect the files it gives."""
    from talkin.study.static_form import write_static_form

    write_static_form(folder, goal)
    click.echo(f"{goal / 'index.html'} opens without a server; read answers by study collect")


@study.command(epilog=example("talkin study collect study answers-*.json"))
@_study
@click.argument("files", type=_FILE, nargs=-1, required=True)
@_database
@explains_errors
def collect(folder: Path, files: tuple[Path, ...], database: str | None) -> None:
    """Enter FILES that raters of the static form sent in; twice does no harm.

    Exits with 1 if a file was refused; the others are entered.
    """
    from talkin.study.static_form import collect as enter

    with _store(folder, database) as store:
        done = enter(files, store)
    click.echo(f"{done.n_answers} answers in {done.n_files} files entered")
    for reason in done.refused:
        click.echo(f"refused: {reason}", err=True)
    if done.refused:
        raise SystemExit(1)


@study.command(epilog=example("talkin study status study"))
@_study
@_database
@explains_errors
def status(folder: Path, database: str | None) -> None:
    """Say how far STUDY has come, without opening the key."""
    with _store(folder, database) as store:
        click.echo(json.dumps(store.counts() | {"clips": len(store.manifest.clips)}, indent=2))


@study.command(epilog=example("talkin study report study --key study_key.json --out results"))
@_study
@click.option("--key", type=_FILE, required=True, help="The sealed key of the study.")
@click.option("--out", type=_FOLDER, required=True, help="Folder for the tables.")
@click.option(
    "--checks-passed",
    type=click.FloatRange(0, 1),
    help="Share of attention checks that a rater must pass.  [default: 0.75]",
)
@_database
@explains_errors
def report(
    folder: Path, key: Path, out: Path, checks_passed: float | None, database: str | None
) -> None:
    """Open the key and write Tables 4 and 5 with intervals and agreement."""
    from talkin.study.config import JudgingConfig
    from talkin.study.records import read_key
    from talkin.study.report import write_study_report
    from talkin.study.responses import read_responses

    config = (
        JudgingConfig() if checks_passed is None else JudgingConfig(checks_passed=checks_passed)
    )
    with _store(folder, database) as store:
        opened = read_key(key, store.manifest)
        responses = read_responses(store, opened, config)
    for path in write_study_report(out, responses, opened, config):
        click.echo(path)


def _store(folder: Path, database: str | None) -> "RatingStore":
    from talkin.study.database import database_url
    from talkin.study.ratings import RatingStore
    from talkin.study.records import read_manifest

    manifest = read_manifest(folder)
    return RatingStore(database_url(database, folder), manifest)


def _labels(number: int | None, names: Path | None, n_known: int) -> list[str]:
    if (number is None) == (names is None):
        raise ConfigurationError("say how many raters (--number) or who (--names), one of the two")
    if names is None:
        return [f"rater {n_known + n:03d}" for n in range(1, (number or 0) + 1)]
    lines = [line.strip()[:80] for line in names.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line]


def _settings(config: Path | None, questions: tuple[str, ...]) -> dict[str, Any]:
    """The three records of configuration, from YAML and options."""
    import yaml
    from pydantic import BaseModel, ValidationError

    from talkin.study.config import DesignConfig, EncodingConfig, PageConfig

    kinds: dict[str, type[BaseModel]] = {
        "design": DesignConfig,
        "encoding": EncodingConfig,
        "page": PageConfig,
    }
    given = yaml.safe_load(config.read_text(encoding="utf-8")) if config else {}
    if not isinstance(given, dict) or not set(given) <= set(kinds):
        raise ConfigurationError(f"{config}: it may hold {', '.join(kinds)} and nothing else")
    if questions:
        given["page"] = {**(given.get("page") or {}), "questions": list(questions)}
    try:
        return {name: kind.model_validate(given.get(name) or {}) for name, kind in kinds.items()}
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"{config}: {where}: {first['msg']}") from error
