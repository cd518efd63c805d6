"""Whom a project's manifest shows in a file."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MANIFEST = "manifest.csv"


def filmed_in(footage: Path) -> tuple[dict[Path, list[Mapping[Any, Any]]], dict[int, str]]:
    """The manifest's rows of each file, of which there may be several, and what is wrong in it.

    Both are empty where the folder holds no manifest.
    """
    by_file: dict[Path, list[Mapping[Any, Any]]] = defaultdict(list)
    if not (footage / MANIFEST).is_file():
        return {}, {}
    from talkin.footage.manifest import sort_manifest

    rows, wrong = sort_manifest(footage / MANIFEST)
    for row in rows.to_dict("records"):
        by_file[(footage / row["path"]).resolve()].append(row)
    return dict(by_file), wrong
