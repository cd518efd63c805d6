"""What a manifest says, taken apart; its texts are a stranger's."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from talkin.provenance.credentials import SOURCE_TYPES

_LONGEST = 300
# Control characters, and those that turn the direction of writing around.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class StatedIngredient:
    """An ingredient as a manifest states it: what it was used as, its name, and its SHA-256."""

    role: str
    title: str
    sha256: str


@dataclass(frozen=True)
class Statement:
    """What a manifest says of its file; texts are the signer's and may be anything.

    Attributes:
        title: Name that the file was given.
        software: Program and version that wrote the manifest.
        model: Name and version of the trained model.
        time: When it was edited, as written.
        source_type: IPTC digital source type of the edit.
        ingredients: What it was made from.
        signer: Whom the certificate names.
        actions: All actions, such as c2pa.edited.
    """

    title: str
    software: str
    model: str
    time: str
    source_type: str
    ingredients: tuple[StatedIngredient, ...]
    signer: str
    actions: tuple[str, ...]


def read_statement(manifest: Mapping[str, Any]) -> Statement:
    """Take apart a manifest as C2PA's library gives it, whoever wrote it."""
    actions = _actions(manifest)
    edit = next((action for action in actions if _source_type(action)), {})
    agent = edit.get("softwareAgent")
    generator = next(iter(_mappings(manifest.get("claim_generator_info"))), {})
    signature = _mapping(manifest.get("signature_info"))
    signer = [str(signature[key]) for key in ("common_name", "issuer") if signature.get(key)]
    return Statement(
        title=printable(manifest.get("title")),
        software=_named(generator),
        model=_named(agent) if isinstance(agent, Mapping) else printable(agent),
        time=printable(edit.get("when")),
        source_type=_source_type(edit),
        ingredients=tuple(_ingredient(item) for item in _mappings(manifest.get("ingredients"))),
        signer=printable(", ".join(signer)),
        actions=tuple(printable(action.get("action")) for action in actions),
    )


def _actions(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for assertion in _mappings(manifest.get("assertions")):
        if str(assertion.get("label")).startswith("c2pa.actions"):
            found += _mappings(_mapping(assertion.get("data")).get("actions"))
    return found


def _source_type(action: Mapping[str, Any]) -> str:
    return printable(str(action.get("digitalSourceType") or "").removeprefix(SOURCE_TYPES))


def _ingredient(item: Mapping[str, Any]) -> StatedIngredient:
    details = _mapping(item.get("metadata"))
    role = details.get("role") or item.get("relationship")
    texts = (role, item.get("title"), details.get("sha256"))
    return StatedIngredient(*(printable(text) for text in texts))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    entries = value if isinstance(value, list) else []
    return [entry for entry in entries if isinstance(entry, Mapping)]


def _named(entry: Mapping[str, Any]) -> str:
    return printable(f"{entry.get('name') or ''} {entry.get('version') or ''}".strip())


def printable(text: Any) -> str:
    """A stranger's text without control characters, so that it cannot repaint the terminal."""
    return "" if text is None else _UNPRINTABLE.sub("?", str(text))[:_LONGEST]
