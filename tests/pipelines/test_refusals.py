"""What whoever runs `kedro run` reads when it refuses."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from kedro.io import DatasetError

from pipelines.refusals import refusal_of
from talkin.errors import ConfigurationError, FootageError, TalkinError

SRC = Path(__file__).parents[2] / "src"


def kedro_run(project: Path, *options: str, **environment: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "kedro", "run", "--pipelines=preprocess", "--env=test"]
    done = subprocess.run(
        [*command, *options],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(SRC), "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_missing_footage_and_a_wrong_key_are_told_once_without_a_traceback(project: Path) -> None:
    for options, words in (
        ((), "there is no manifest"),
        (("--params", "preprocess.crop.sise_px=3"), "sise_px"),
    ):
        code, told = kedro_run(project, *options)
        assert code == 1
        assert "Traceback" not in told
        (_, refusal) = told.split("\nError: ")
        assert words in refusal
        assert "errors.pydantic.dev" not in refusal


def test_developers_can_have_the_traceback(project: Path) -> None:
    assert "Traceback" in kedro_run(project, TALKIN_TRACEBACK="1")[1]


def test_what_nobody_expected_keeps_its_traceback() -> None:
    assert refusal_of(ValueError("a fault of ours")) is None
    assert refusal_of(None) is None


def test_the_innermost_refusal_is_told_not_what_was_wrapped_around_it() -> None:
    inner, outer = FootageError("no such clip"), DatasetError("Failed while loading")
    outer.__cause__ = inner
    assert refusal_of(outer) == "no such clip"


@pytest.mark.parametrize("kind", [TalkinError, ConfigurationError])
def test_a_refusal_itself_is_told(kind: type[TalkinError]) -> None:
    assert refusal_of(kind("size_px must be even")) == "size_px must be even"
