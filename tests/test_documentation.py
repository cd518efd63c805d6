"""What the documentation says against what there is: links, commands, keys, code."""

import ast
import importlib.util
import re
import shlex
from pathlib import Path
from types import ModuleType

import click
import pytest
import yaml

from talkin.cli import main
from talkin.provenance.consent import read_consent

PROJECT = Path(__file__).parents[1]
PAGES = sorted([*(PROJECT / "docs").glob("*.md"), PROJECT / "README.md"])
MADE = {"reference/configuration.md", "reference/catalog.md"}
SETTING = re.compile(r"--params[= ]([\w.]+)=")


def blocks(page: Path, *languages: str) -> list[str]:
    """Contents of the fenced blocks of these languages; "" is a block that names none."""
    found: list[list[str]] = []
    language: str | None = None
    for line in page.read_text().splitlines():
        if line.startswith("```"):
            language = line[3:].strip() if language is None else None
            if language in languages:
                found.append([])
        elif language in languages:
            found[-1].append(line)
    return ["\n".join(lines) for lines in found]


def commands() -> list[list[str]]:
    lines = [line for page in PAGES for b in blocks(page, "bash", "") for line in b.splitlines()]
    parts = [part for line in lines for part in line.split("#")[0].split("&&")]
    return [words for part in parts if (words := shlex.split(part, posix=True))]


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference", PROJECT / "docs/_site/reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_inside_the_project_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text())
    lost = [link for link in links if link not in MADE and not (page.parent / link).exists()]
    assert not lost


def test_every_page_of_the_sites_table_of_contents_exists() -> None:
    config = yaml.safe_load((PROJECT / "mkdocs.yml").read_text())
    named = re.findall(r"[\w/]+\.md", str(config["nav"]))
    assert all(n in MADE or (PROJECT / "docs" / n).exists() for n in named)


def test_every_talkin_command_in_the_pages_has_the_options_it_is_shown_with() -> None:
    shown = [words[1:] for words in commands() if words[0] == "talkin" and len(words) > 1]
    assert len(shown) >= 10
    for words in shown:
        command: click.Command | None = main
        names = iter(words)
        while isinstance(command, click.Group):
            command = command.get_command(click.Context(command), next(names))
        assert command is not None, words
        known = {o for p in command.params for o in (*p.opts, *p.secondary_opts)} | {"--help"}
        assert {w.split("=")[0] for w in words if w.startswith("--")} <= known, words


def test_every_stage_that_a_page_runs_is_registered() -> None:
    from kedro.framework.project import pipelines
    from kedro.framework.startup import bootstrap_project

    bootstrap_project(PROJECT)
    shown = [w.split("=")[1] for c in commands() for w in c if w.startswith("--pipeline")]
    names = {name for value in shown for name in value.split(",")} - {"STAGE", "X"}
    assert names
    assert names <= set(pipelines)


def test_every_make_target_that_a_page_names_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    assert {c[1] for c in commands() if c[0] == "make" and len(c) > 1} <= targets


def test_every_key_that_a_page_sets_is_in_the_reference(reference: ModuleType) -> None:
    keys = {key for page in PAGES for key in SETTING.findall(page.read_text())}
    assert keys
    page = reference.configuration_page()
    assert all(f"`{key}`" in page for key in keys)


def test_the_reference_explains_every_key_it_lists(reference: ModuleType) -> None:
    rows = [r for r in reference.configuration_page().splitlines() if r.startswith("| `")]
    assert len(rows) > 100
    assert not [row for row in rows if row.endswith("|  |")]


def test_the_page_of_tables_names_every_dataset_with_its_columns(reference: ModuleType) -> None:
    page = reference.catalog_page()
    catalog = yaml.safe_load((PROJECT / "conf/base/catalog.yml").read_text())
    for name, entry in catalog.items():
        assert name.endswith("_before") or f"## `{name}`" in page
        assert all(f"| `{column}` |" in page for column in entry.get("columns", {}))


def test_python_in_the_pages_is_python() -> None:
    shown = [block for page in PAGES for block in blocks(page, "python")]
    assert shown
    assert all(ast.parse(block) for block in shown)


def test_the_consent_register_that_is_shown_is_one(tmp_path: Path) -> None:
    (example,) = blocks(PROJECT / "docs/own_footage.md", "csv")
    path = tmp_path / "consent.csv"
    path.write_text(example)
    assert read_consent(path)
