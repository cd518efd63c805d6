"""What a change costs with DVC: which stages run again, and for which clips.

    python benchmarks/scale/changes.py FOLDER

Clones the project's last commit to FOLDER (absent or empty), builds the demo at the sizes of
`conf/test` there, and makes one change after another, each followed by `dvc repro`: nothing, a
clip, a key, code, a docstring. Then `dvc metrics diff`, `dvc plots diff` and `dvc exp run`.
Takes some minutes.
"""

import argparse
import os
import re
import resource
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd

PROJECT = Path(__file__).resolve().parents[2]
KEYS = "conf/test/parameters_{}.yml"


class Clone:
    """A clone of the project, in which commands are run and timed."""

    def __init__(self, root: Path) -> None:
        """Clone the last commit, and choose the smallest sizes."""
        self.root = root
        subprocess.run(["git", "clone", "--quiet", "--shared", PROJECT, root], check=True)
        self.replace("params.yaml", "env: demo", "env: test")
        self.commit("sizes of conf/test")

    def replace(self, name: str, old: str, new: str) -> None:
        """Change a file of the clone."""
        path = self.root / name
        text = path.read_text(encoding="utf-8")
        if old not in text:
            raise ValueError(f"{name} does not hold {old!r}")
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def commit(self, message: str) -> None:
        """Commit all that git does not ignore."""
        identity = ["-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost"]
        self.call("git", "add", "--all")
        self.call("git", *identity, "commit", "--quiet", "--message", message)

    def call(self, *command: str) -> str:
        """Run a command of this environment; its output."""
        env = {**os.environ, "PYTHONPATH": str(self.root / "src"), "COLUMNS": "200"}
        env["MLFLOW_TRACKING_URI"] = f"sqlite:///{self.root}/mlruns/mlflow.db"
        done = subprocess.run(
            command,
            cwd=self.root,
            env=env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}")
        return done.stdout

    def repro(self, change: str) -> None:
        """Run `dvc repro` and print what it did."""
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        told = self.call("dvc", "repro")
        wall = time.perf_counter() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        ran = re.findall(r"Running stage '(\w+)'", told)
        steps = re.findall(r"(\w+): (\d+) clips, (\d+) of them up to date", told)
        work = [f"{s} {int(n) - int(kept)} of {n}" for s, n, kept in steps if n != kept]
        print(f"{change}: {', '.join(ran) or 'no stage'}; {used:.1f} s processor, {wall:.1f} s")
        print(f"    clips done: {', '.join(work) or 'none'}", flush=True)


def add_clip(clone: Clone) -> None:
    """One more clip of a speaker who is there: a copy of another under a new name."""
    footage = clone.root / "data/01_raw/footage"
    manifest = pd.read_csv(footage / "manifest.csv", dtype=str, keep_default_na=False)
    row = manifest[manifest["split"] == "train"].iloc[0].copy()
    goal = f"clips/{row['clip']}_again.mp4"
    shutil.copy(footage / row["path"], footage / goal)
    truth = footage / "truth"
    for suffix in (".parquet", ".phonemes.parquet"):
        shutil.copy(truth / f"{row['clip']}{suffix}", truth / f"{row['clip']}_again{suffix}")
    row["clip"], row["path"] = f"{row['clip']}_again", goal
    path = footage / "manifest.csv"
    path.unlink()  # it may be a link into DVC's cache
    pd.concat([manifest, row.to_frame().T]).to_csv(path, index=False)


def changes(clone: Clone) -> list[tuple[str, Callable[[], object]]]:
    """Each change by name, in the order in which they are made."""
    keys, code = KEYS.format, clone.replace
    heatmaps, deflicker = "src/talkin/samples/heatmaps.py", "src/talkin/editing/deflicker.py"
    return [
        ("nothing", lambda: None),
        ("a clip added", lambda: add_clip(clone)),
        ("preprocess.crop.size_px", lambda: code(keys("preprocess"), "size_px: 64", "size_px: 48")),
        ("training.train.audio.steps", lambda: code(keys("training"), "steps: 8", "steps: 12")),
        (
            "evaluation.summary.n_resamples",
            lambda: code(keys("evaluation"), "n_resamples: 20", "n_resamples: 30"),
        ),
        (f"code of {deflicker}", lambda: _append(clone, deflicker, "_ADDED = 1\n")),
        (f"code of {heatmaps}", lambda: _append(clone, heatmaps, "_ADDED = 1\n")),
        (f"a comment in {heatmaps}", lambda: _append(clone, heatmaps, "# more\n")),
    ]


def _append(clone: Clone, name: str, text: str) -> None:
    path = clone.root / name
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def main() -> None:
    """Print two lines a change, then the differences that DVC shows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    clone = Clone(parser.parse_args().folder.resolve())
    clone.repro("everything")
    # As for footage of one's own: the corpus stays as it is, whatever changes.
    clone.replace("dvc.yaml", "  corpus:\n", "  corpus:\n    frozen: true\n")
    clone.commit("built")
    for name, make in changes(clone):
        make()
        clone.repro(name)
    key = f"{KEYS.format('training')}:training.train.audio.steps=16"
    for command in (
        ("dvc", "metrics", "diff", "--precision", "3"),
        ("dvc", "plots", "diff", "HEAD", "--json"),
        ("dvc", "exp", "run", "-n", "longer", "-S", key),
        ("dvc", "exp", "show", "--only-changed", "--csv"),
    ):
        told = clone.call(*command).splitlines()
        print(f"$ {' '.join(command)}\n" + "\n".join(line[:160] for line in told[-12:]), flush=True)


if __name__ == "__main__":
    main()
