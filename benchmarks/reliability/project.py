"""A project folder of its own for a trial, and stages run in it as a user runs them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[2]


def new_project(root: Path) -> Path:
    """A folder with our pyproject.toml and conf, and nobody's data."""
    (root / "src").mkdir(parents=True)
    for name in ("pyproject.toml", ".telemetry"):
        shutil.copy(PROJECT / name, root)
    shutil.copytree(PROJECT / "conf", root / "conf", ignore=shutil.ignore_patterns("local"))
    (root / "conf" / "local").mkdir()
    return root


def environment(root: Path) -> dict[str, str]:
    """The settings under which stages run: one thread, tracking and signing of their own."""
    return os.environ | {
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(PROJECT / "src"),
        "MLFLOW_TRACKING_URI": f"sqlite:///{root}/mlruns/mlflow.db",
        "TALKIN_SIGNING": str(root.parent / f"{root.name}-signing"),
        "KEDRO_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
    }


def run_stage(root: Path, *stages: str, env: str = "test") -> subprocess.CompletedProcess[str]:
    """`kedro run --pipelines=... --env=...`, with its output kept."""
    command = [sys.executable, "-m", "kedro", "run", f"--pipelines={','.join(stages)}"]
    command += [f"--env={env}"]
    return subprocess.run(
        command, cwd=root, env=environment(root), text=True, capture_output=True, check=False
    )


def good_clips(folder: Path, n: int, size_px: int = 224) -> list[str]:
    """Render short clips of a synthetic speaker whose face the nets find."""
    from talkin.avatar.corpus import CorpusConfig, plan_corpus, render_clip

    settings = {"n_speakers": 1, "n_unseen_speakers": 0, "train_clips": n, "test_clips": 1}
    shape = {"validation_clips": 1, "sentences_per_clip": 1, "grammar": "grid", "views": ["front"]}
    config = CorpusConfig.model_validate(settings | shape | {"size_px": size_px})
    clips = []
    for plan in plan_corpus(config)[:n]:
        render_clip(plan, config, folder)
        clips.append(plan.clip)
    return clips


def tree(root: Path, without: Path) -> set[Path]:
    """All paths under a folder but those under another."""
    return {path for path in root.rglob("*") if without not in (path, *path.parents)}
