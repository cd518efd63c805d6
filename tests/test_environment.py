"""What every Python of the project's environment starts with."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[1]
SWITCHES = {
    "DO_NOT_TRACK": "1",
    "DVC_NO_ANALYTICS": "1",
    "KEDRO_DISABLE_TELEMETRY": "1",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


def started_with(folder: Path, **environment: str) -> dict[str, str]:
    code = f"import json, os, site; site.addsitedir({str(folder)!r})\n"
    code += "print(json.dumps(dict(os.environ)))"
    plain = {k: v for k, v in os.environ.items() if k not in SWITCHES}
    answer = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={**plain, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, str] = json.loads(answer.stdout)
    return found


def test_no_tool_sends_anything_however_it_is_called(tmp_path: Path) -> None:
    shutil.copy(PROJECT / ".venv-start.pth", tmp_path / "talkin_start.pth")
    assert SWITCHES.items() <= started_with(tmp_path).items()
    assert started_with(tmp_path, DO_NOT_TRACK="0")["DO_NOT_TRACK"] == "0"


def test_make_puts_that_file_into_the_environment() -> None:
    (line,) = [x for x in (PROJECT / "Makefile").read_text().splitlines() if "_start.pth" in x]
    assert line.split()[:2] == ["@cp", ".venv-start.pth"]
