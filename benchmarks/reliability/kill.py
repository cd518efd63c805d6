"""Kills stages with SIGKILL at random moments; the next run must end as an undisturbed one.

    python benchmarks/reliability/kill.py [--trials 20] [--seed 0] [--budget-s 900]
        [--stages preprocess training editing study] [--work FOLDER]

On the corpus of conf/test each stage is first run undisturbed. Then, in each trial, a copy of the
project as it was before the stage is run until the stage has used a random share of the undisturbed
run's processor time, its whole process group is killed, and the stage is run again. Compared are
all files of the layers that the stage writes, byte for byte, except where a file bears a signature
or a time: of edited clips every decoded picture and sample, of reports everything but times, and no
checkpoints (the models made from them are compared); hidden files and folders, which a kill may
leave and nothing reads, are not. The study's server is killed while raters answer (kill_study.py).
Prints a table and exits with 1 on any difference; stops early when the processor time of all its
processes reaches the budget.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil
from project import new_project

STAGES = ("preprocess", "training", "editing")
_STUDY = "study"
_LAYERS = {
    "preprocess": ("02_intermediate", "03_primary", "04_feature", "05_model_input", "08_reporting"),
    "training": ("06_models", "08_reporting"),
    "editing": ("07_model_output",),
}
_NOT_COMPARED = ("checkpoints", "registered_model.json")
_TIMES = ("ms_per_frame",)


def main() -> None:
    """Prepare, kill, compare, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--stages", nargs="*", default=(*STAGES, _STUDY), choices=(*STAGES, _STUDY))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--budget-s", type=float, default=900, help="processor time of all runs")
    parser.add_argument("--minutes", type=float, default=60, help="by the clock, a stage")
    parser.add_argument("--footage", type=Path, help="rendered before: data/01_raw/footage")
    parser.add_argument("--work", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="talkin-kill-") as scratch:
        work = (options.work or Path(scratch)).resolve()
        faults = _all_stages(work, options)
    print("\n".join(f"FAULT {fault}" for fault in faults) or "\nno faults")
    sys.exit(bool(faults))


def _all_stages(work: Path, options: argparse.Namespace) -> list[str]:
    warm_up(work)
    print("| stage | undisturbed run, CPU s | killed | killed while writing | as undisturbed |")
    print("| --- | --- | --- | --- | --- |")
    faults: list[str] = []
    if set(STAGES) & set(options.stages):
        faults += _pipeline_stages(work, options)
    if _STUDY in options.stages:
        faults += _study(work, options)
    return faults


def _pipeline_stages(work: Path, options: argparse.Namespace) -> list[str]:
    whole = new_project(work / "whole")
    spent = finish(whole, "demo", only_tracking=True)
    if options.footage:
        shutil.copytree(options.footage, whole / "data/01_raw/footage")
    else:
        spent += finish(whole, "demo")
    faults: list[str] = []
    wanted = [stage for stage in STAGES if stage in options.stages]
    for stage in STAGES[: STAGES.index(wanted[-1]) + 1]:
        before = work / f"before-{stage}"
        shutil.copytree(whole, before, symlinks=True)
        cost = finish(whole, stage)
        spent += cost
        if stage in wanted:
            budget = (options.budget_s - spent) / (len(wanted) - wanted.index(stage))
            rng = random.Random(f"{options.seed} {stage}")
            found, used, count = _trials(
                work, stage, cost, options.trials, rng, budget, options.minutes
            )
            spent += used
            faults += found
            print(
                f"| {stage} | {cost:.1f} | {count['killed']} | {count['parts']} | "
                f"{count['same']} of {count['trials']} |",
                flush=True,
            )
        shutil.rmtree(before)
    print(f"{spent:.0f} s of processor time", file=sys.stderr)
    return faults


def _study(work: Path, options: argparse.Namespace) -> list[str]:
    from kill_study import study_trials

    end = time.monotonic() + 60 * options.minutes
    faults, cost, count = study_trials(
        work / "study",
        options.trials,
        random.Random(f"{options.seed} {_STUDY}"),
        lambda spent: spent < options.budget_s and time.monotonic() < end,
    )
    print(
        f"| {_STUDY} | {cost:.1f} | {count['killed']} | - | {count['same']} of {count['trials']} |"
    )
    return faults


def _trials(
    work: Path, stage: str, cost: float, n: int, rng: random.Random, budget: float, minutes: float
) -> tuple[list[str], float, Counter[str]]:
    truth = digests(work / "whole", stage)
    count: Counter[str] = Counter()
    faults, spent, end = [], 0.0, time.monotonic() + 60 * minutes
    for number in range(n):
        if spent > budget or time.monotonic() > end:
            break
        trial = work / "trial"
        shutil.copytree(work / f"before-{stage}", trial, symlinks=True)
        moment = rng.uniform(0.0, 1.0) * cost
        was_killed, used = _killed_after(trial, stage, moment)
        count["killed"] += was_killed
        count["parts"] += any(trial.rglob("*.part*"))
        try:
            spent += used + finish(trial, stage)
            wrong = differences(truth, digests(trial, stage))
        except RuntimeError as error:
            wrong = [str(error)]
        count["trials"] += 1
        count["same"] += not wrong
        faults += [f"{stage}, trial {number}, killed at {moment:.2f} s: {w}" for w in wrong]
        shutil.rmtree(trial)
        print(f"{stage} {number}: {wrong[:2] or 'same'}", file=sys.stderr, flush=True)
    return faults, spent, count


def digests(root: Path, stage: str) -> dict[str, str]:
    """What each file holds, as far as two runs must agree in it."""
    found = {}
    for layer in _LAYERS[stage]:
        for path in sorted((root / "data" / layer).rglob("*")):
            parts = path.relative_to(root).parts
            is_temporary = any(part.startswith(".") for part in parts)
            if path.is_file() and not is_temporary and not set(parts) & set(_NOT_COMPARED):
                found[str(path.relative_to(root))] = _digest(path)
    return found


def _digest(path: Path) -> str:
    hasher = hashlib.sha256()
    if path.suffix == ".mp4":
        from talkin.footage.audio import read_audio
        from talkin.footage.video import iter_frames

        for frame in iter_frames(path):
            hasher.update(frame.image)
        hasher.update(read_audio(path).samples)
    elif path.suffix == ".json" and path.parent.name == "reports":
        content = json.loads(path.read_text())
        hasher.update(json.dumps({k: v for k, v in content.items() if k not in _TIMES}).encode())
    else:
        hasher.update(path.read_bytes())
    return hasher.hexdigest()


def differences(truth: dict[str, str], found: dict[str, str]) -> list[str]:
    """Which files differ, and how."""
    return [
        f"{name}: {'missing' if name not in found else 'new' if name not in truth else 'other'}"
        for name in sorted({*truth, *found})
        if truth.get(name) != found.get(name)
    ]


def _killed_after(root: Path, stage: str, cpu_s: float) -> tuple[bool, float]:
    """Run a stage; kill its process group once it has used some processor time."""
    child = _started(root, stage)
    process = psutil.Process(child)
    used = 0.0
    while True:
        done, status, rusage = os.wait4(child, os.WNOHANG)
        if done:
            return os.WIFSIGNALED(status), rusage.ru_utime + rusage.ru_stime
        times = process.cpu_times()
        used = times.user + times.system
        if used >= cpu_s:
            os.killpg(child, signal.SIGKILL)
        time.sleep(0.005)


def finish(root: Path, stage: str, only_tracking: bool = False) -> float:
    """Run a stage to its end; its processor time."""
    child = _started(root, stage, only_tracking)
    _, status, rusage = os.wait4(child, 0)
    if status:
        log = (root / "run.log").read_text(errors="replace")
        raise RuntimeError(f"{stage} did not finish: {log[-1500:]}")
    return rusage.ru_utime + rusage.ru_stime


def _started(root: Path, stage: str, only_tracking: bool = False) -> int:
    """Fork a warm process in a group of its own; it runs the stage as `kedro run` does."""
    child = os.fork()
    if child:
        return child
    os.setpgid(0, 0)
    code = 1
    try:
        log = os.open(root / "run.log", os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.chdir(root)
        _run(root, stage, only_tracking)
        code = 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def _run(root: Path, stage: str, only_tracking: bool) -> None:
    from kedro.framework.session import KedroSession
    from kedro.framework.startup import bootstrap_project

    if only_tracking:  # the database's first setting up takes seconds in which nothing can break
        from pipelines import tracking

        place = root / "mlruns"
        tracking.start_run(f"sqlite:///{place}/mlflow.db", "talkin", "x", place / "artifacts", {})
        tracking.end_run()
        return
    bootstrap_project(root)
    with KedroSession.create(root, env="test") as session:
        session.run(pipeline_names=[stage])


def warm_up(work: Path) -> None:
    """Import here what every run needs, so that runs spend their time on their work."""
    os.environ |= {
        "TALKIN_SIGNING": str(work / "signing"),
        "OMP_NUM_THREADS": "1",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "KEDRO_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
    }
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    import c2pa
    import cv2
    import kedro.framework.session
    import librosa
    import mlflow.pyfunc
    import mlflow.store.tracking.sqlalchemy_store
    import torch

    import pipelines.editing.steps
    import pipelines.training.nodes
    import talkin.avatar.corpus
    import talkin.editing.edit_clip
    import talkin.training.whole

    used = (c2pa, kedro, librosa, mlflow, pipelines, talkin)
    torch.set_num_threads(1)
    cv2.setNumThreads(len(used) and 1)
    librosa.feature.mfcc(y=__import__("numpy").zeros(4000, "float32"), sr=16000)


if __name__ == "__main__":
    main()
