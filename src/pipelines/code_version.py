"""Which code a result comes from: a digest of a function and of all library code that it reaches.

It is read off the source files, so nothing is imported. Imports inside functions count, imports
for type checkers do not. Comments, docstrings and layout do not count either: explaining code
better costs nobody a rerun.
"""

import ast
import inspect
from collections.abc import Callable, Iterator
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import talkin

_WITHOUT_INFLUENCE = frozenset({"talkin.errors", "talkin.files", "talkin.scratch"})
"""How errors are called and how files are put in place changes no result."""


def code_digest(work: Callable[..., Any]) -> str:
    """Digest of a function, of what it uses of its own module, and of the library behind both.

    Args:
        work: A function at the top of a module.

    Returns:
        16 hexadecimal digits.
    """
    path = Path(inspect.getsourcefile(work) or "")
    parts = _used_parts(_tree(path), work.__name__)
    texts = [ast.unparse(part) for part in parts]
    reached = sorted(library_closure({n for part in parts for n in _imported(part)}))
    texts += [ast.unparse(_tree(_file_of(name))) for name in reached]
    return sha256("\n".join(texts).encode()).hexdigest()[:16]


def library_closure(modules: set[str]) -> set[str]:
    """The modules of the library that these import, and so on, themselves included.

    >>> sorted(library_closure({"talkin.losses.identity"}))
    ['talkin.losses.identity']
    """
    found: set[str] = set()
    todo = [name for name in modules if name not in _WITHOUT_INFLUENCE and _exists(name)]
    while todo:
        name = todo.pop()
        if name in found:
            continue
        found.add(name)
        tree = _tree(_file_of(name))
        todo += [n for n in _imported(tree) if n not in _WITHOUT_INFLUENCE and _exists(n)]
    return found


def _used_parts(tree: ast.Module, name: str) -> list[ast.stmt]:
    """Statements at the top of a module that a name needs, in the order of the file."""
    defines = {given: node for node in tree.body for given in _names_given(node)}
    needed: set[str] = set()
    todo = [name]
    while todo:
        wanted = todo.pop()
        if wanted in needed or wanted not in defines:
            continue
        needed.add(wanted)
        todo += [n.id for n in ast.walk(defines[wanted]) if isinstance(n, ast.Name)]
    return [node for node in tree.body if needed & set(_names_given(node))]


def _names_given(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name.split(".")[0] for alias in node.names]
    targets = [node.target] if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [])
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _imported(tree: ast.AST) -> Iterator[str]:
    """Names that may be modules of the library; `from talkin.x import y` may mean `talkin.x.y`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("talkin."))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("talkin"):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


class _WithoutRemarks(ast.NodeTransformer):
    """Drops docstrings and imports that only type checkers follow."""

    def visit_If(self, node: ast.If) -> Any:
        is_for_checkers = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        return node.orelse if is_for_checkers else self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> Any:
        return None if isinstance(node.value, ast.Constant) else node


@lru_cache(maxsize=512)
def _tree(path: Path) -> ast.Module:
    tree: ast.Module = _WithoutRemarks().visit(ast.parse(path.read_text(encoding="utf-8")))
    return tree


def _exists(module: str) -> bool:
    return _file_of(module).exists()


@lru_cache(maxsize=1024)
def _file_of(module: str) -> Path:
    place = Path(talkin.__path__[0]).joinpath(*module.split(".")[1:])
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
