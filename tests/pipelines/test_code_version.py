import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import talkin
from pipelines import code_version
from pipelines.code_version import code_digest, library_closure
from pipelines.training.finished import mark_finished, set_aside_outdated


@pytest.fixture
def step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A step's module beside a made-up library: `talkin.a` imports `talkin.b`, not `talkin.c`."""
    library = tmp_path / "talkin"
    library.mkdir()
    (library / "a.py").write_text("from talkin.b import x\n")
    (library / "b.py").write_text('"""Says."""\nx = 1\n')
    (library / "c.py").write_text("y = 1\n")
    monkeypatch.setattr(talkin, "__path__", [str(library)])
    code_version._tree.cache_clear()
    code_version._file_of.cache_clear()
    path = tmp_path / "planted_step.py"
    path.write_text(
        "LIMIT = 2\nOTHER = 3\n\n"
        "def work(value):\n    from talkin.a import x\n    return _half(value)\n\n"
        "def _half(value):\n    return value / LIMIT\n\n"
        "def unrelated():\n    from talkin.c import y\n    return OTHER\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield path
    code_version._tree.cache_clear()
    code_version._file_of.cache_clear()


def digest(path: Path) -> str:
    code_version._tree.cache_clear()
    sys.modules.pop(path.stem, None)
    importlib.invalidate_caches()
    return code_digest(importlib.import_module(path.stem).work)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("planted_step.py", "LIMIT = 2", "LIMIT = 4"),
        ("planted_step.py", "value / LIMIT", "value * LIMIT"),
        ("talkin/b.py", "x = 1", "x = 2"),
    ],
)
def test_a_change_of_code_that_a_step_reaches_changes_its_digest(
    step: Path, file: str, old: str, new: str
) -> None:
    before = digest(step)
    path = step.parent / file
    path.write_text(path.read_text().replace(old, new))
    assert digest(step) != before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("planted_step.py", "OTHER = 3", "OTHER = 4"),
        ("planted_step.py", "    return _half(value)", "    # half\n    return  _half(value)"),
        ("talkin/b.py", "Says.", "Says more."),
        ("talkin/c.py", "y = 1", "y = 2"),
    ],
)
def test_remarks_and_code_that_a_step_does_not_reach_change_nothing(
    step: Path, file: str, old: str, new: str
) -> None:
    before = digest(step)
    path = step.parent / file
    path.write_text(path.read_text().replace(old, new))
    assert digest(step) == before


def test_the_closure_follows_lazy_imports_but_not_those_for_type_checkers() -> None:
    reached = library_closure({"talkin.footage.detection"})
    assert "talkin.footage.mediapipe" in reached
    assert "talkin.errors" not in reached


def test_a_finished_stage_is_set_aside_only_for_other_code(tmp_path: Path) -> None:
    checkpoint = tmp_path / "audio-123" / "checkpoint.safetensors"
    checkpoint.parent.mkdir()
    checkpoint.write_text("x")
    set_aside_outdated("audio", tmp_path, "new")  # interrupted: no code finished it
    assert checkpoint.exists()
    mark_finished("audio", tmp_path, "old")
    set_aside_outdated("audio", tmp_path, "old")
    assert checkpoint.exists()
    set_aside_outdated("audio", tmp_path, "new")
    assert not checkpoint.exists()
    assert (tmp_path / "outdated/audio/audio-123/checkpoint.safetensors").exists()
