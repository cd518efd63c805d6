"""Pages of the documentation that are made from the code: configuration keys and the catalog.

MkDocs calls `on_files`; the tests call `configuration_page` and `catalog_page` directly.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints

import yaml
from kedro.framework.project import configure_project, pipelines
from mkdocs.structure.files import File, Files
from pydantic import BaseModel
from pydantic.fields import FieldInfo

ROOT = Path(__file__).parents[2]
STAGES = ("demo", "preprocess", "training", "editing", "evaluation")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages to the site."""
    for name, page in (("configuration", configuration_page()), ("catalog", catalog_page())):
        files.append(File.generated(config, f"reference/{name}.md", content=page))
    return files


def configuration_page() -> str:
    """Every key of every stage: type, default, meaning."""
    configure_project("pipelines")
    lines = [
        "# Every configuration key",
        "",
        "Made from the configuration classes. A key stands in `conf/<env>/parameters_<stage>.yml`; "
        "`conf/base` is what always holds, `--env` puts another folder over it, and "
        "`--params STAGE.KEY=VALUE` goes before both. Defaults are the paper's where it gives "
        "them. A key that is not listed here is refused by name.",
    ]
    for stage in sorted({*STAGES, *pipelines} - {"__default__"}, key=_order):
        lines += ["", f"## {stage}", ""]
        for name, model in sorted(_models_of(stage).items()):
            lines += [f"### `{name}`", "", _first_line(model), "", *_table(name, model), ""]
    return "\n".join(lines) + "\n"


def catalog_page() -> str:
    """Every dataset: where it is, what it holds, and its columns with units."""
    from pipelines.datasets.kinds import KINDS

    catalog = yaml.safe_load((ROOT / "conf/base/catalog.yml").read_text(encoding="utf-8"))
    lines = [
        "# The catalog's tables",
        "",
        "Made from `conf/base/catalog.yml`. `catalog.load(NAME)` reads any of them in a notebook; "
        "Parquet files carry the same descriptions in their own metadata.",
    ]
    for name, entry in catalog.items():
        if name.endswith("_before"):
            continue
        place = entry.get("filepath") or entry.get("path") or "in memory, while a stage runs"
        lines += ["", f"## `{name}`", "", entry["metadata"]["description"], "", f"`{place}`", ""]
        if "kind" in entry:
            lines += [f"Each file: {KINDS[entry['kind']].content}", ""]
        if "columns" in entry:
            lines += ["| column | what it holds |", "| --- | --- |"]
            lines += [f"| `{c}` | {_cell(text)} |" for c, text in entry["columns"].items()]
    return "\n".join(lines) + "\n"


def _models_of(stage: str) -> dict[str, type[BaseModel]]:
    """Configuration classes by the name of the parameter that they check."""
    found = {}
    for node in pipelines[stage].nodes:
        hints = get_type_hints(node.func)
        names = list(node.func.__code__.co_varnames)
        for argument, data in zip(names, node.inputs, strict=False):
            if data.startswith(f"params:{stage}."):
                hint = hints.get(argument)
                model = hint.real_class() if hasattr(hint, "real_class") else hint
                if isinstance(model, type) and issubclass(model, BaseModel):
                    found[data.removeprefix("params:")] = model
    return found


def _table(prefix: str, model: type[BaseModel]) -> list[str]:
    head = ["| key | type | default | meaning |", "| --- | --- | --- | --- |"]
    return head + [
        f"| `{name}` | {_cell(kind)} | {_cell(default)} | {_cell(meaning)} |"
        for name, kind, default, meaning in _rows(prefix, model)
    ]


def _rows(prefix: str, model: type[BaseModel]) -> Iterator[tuple[str, str, str, str]]:
    for key, field in model.model_fields.items():
        inner = field.annotation
        name = f"{prefix}.{key}"
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _rows(name, inner)
        else:
            yield name, _type(field), _default(field), field.description or ""


def _type(field: FieldInfo) -> str:
    kind = field.annotation
    text = kind.__name__ if isinstance(kind, type) else str(kind)
    for long in ("typing.", "pathlib.", "talkin."):
        text = text.replace(long, "")
    limits = [
        f"{sign} {value}"
        for item in field.metadata
        for name, sign in (("ge", "at least"), ("gt", "over"), ("le", "at most"), ("lt", "under"))
        if (value := getattr(item, name, None)) is not None
    ]
    return ", ".join([f"`{text}`", *limits])


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    return f"`{field.get_default(call_default_factory=True)}`"


def _cell(text: str) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")


def _first_line(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().splitlines()[0]


def _order(stage: str) -> tuple[int, str]:
    return (STAGES.index(stage) if stage in STAGES else len(STAGES), stage)
