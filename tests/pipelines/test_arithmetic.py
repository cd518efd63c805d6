import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.arithmetic import KERNEL, choose_kernel

SRC = Path(__file__).parents[2] / "src"
AVX2 = "processor : 0\nflags : fpu sse2 avx avx2 fma\n"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")  # undone afterwards
    monkeypatch.setattr("platform.machine", lambda: "x86_64")

    def of(flags: str) -> str | None:
        (tmp_path / "cpuinfo").write_text(flags)
        choose_kernel(tmp_path / "cpuinfo")
        return os.environ.pop("OPENBLAS_CORETYPE", None)

    return of


def test_processors_that_can_run_the_kernel_are_asked_to(asked) -> None:
    assert asked(AVX2) == KERNEL
    assert asked(AVX2.replace("fma", "fma avx512f")) == KERNEL


def test_older_and_other_processors_keep_their_own(asked, monkeypatch) -> None:
    assert asked("flags : fpu sse2 avx\n") is None
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    assert asked(AVX2) is None


def test_a_users_own_choice_stands(asked, monkeypatch) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Zen")
    assert asked(AVX2) == "Zen"


@pytest.mark.skipif(
    "avx2" not in Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else True,
    reason="another kind of processor",
)
def test_numpy_and_scipy_of_a_stage_run_that_kernel_in_one_thread() -> None:
    code = (
        "import pipelines, numpy, scipy.linalg, threadpoolctl\n"
        "print({(i.get('architecture'), i['num_threads']) for i in threadpoolctl.threadpool_info()"
        " if i['internal_api'] == 'openblas'})"
    )
    chosen = {"OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"}
    env = {k: v for k, v in os.environ.items() if k not in chosen}
    answer = subprocess.run(
        [sys.executable, "-c", code],
        env={**env, "PYTHONPATH": str(SRC)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == str({(KERNEL, 1)})
