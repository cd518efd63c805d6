"""Feeds the broken and hostile files of tests/hostile to what reads files, and counts.

    python benchmarks/reliability/hostile.py [--work FOLDER] [--skip-pipeline]

1. every media file, read as preparation reads it, in a process of its own with 20 s of processor
   time and 4 GB of address space;
2. the same files and hostile manifest rows between two good clips, through
   `kedro run --pipelines=preprocess` with the landmark nets: every one must be named in the rejects
   or be in the index, the good clips must come through, nothing may be written elsewhere;
3. every hostile manifest, consent register, request of edits, edit list and landmarks file, by its
   reader.

Prints Markdown tables of the counts and exits with 1 if anything crashed, ran over its time, went
unnamed or escaped. The landmark nets must be there (`make nets`).
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]
sys.path.insert(0, str(PROJECT / "tests" / "hostile"))

import hostile_tables
from hostile_media import hostile_media
from project import good_clips, new_project, run_stage, tree
from reading import f_read, in_child, warm_up, write_media

_OUTCOMES = ("usable", "refused", "failed", "crashed", "over time")


def main() -> None:
    """Run all three and say what became of everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, help="folder to work in; default: a temporary one")
    parser.add_argument("--skip-pipeline", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="talkin-hostile-") as scratch:
        work = options.work or Path(scratch)
        faults = read_alone(work / "alone")
        faults += read_tables(work)
        if not options.skip_pipeline:
            faults += prepare_all(work / "project")
    print("\n".join(f"FAULT {fault}" for fault in faults) or "\nno faults")
    sys.exit(bool(faults))


def read_alone(folder: Path) -> list[str]:
    """Each media file in a process of its own."""
    files = write_media(folder, hostile_media())
    warm_up(folder)
    answers = {file.name: f_read(folder, file) for file in files}
    _print_counts("media files, each alone", answers)
    worst = max(answers.values(), key=lambda a: a["cpu_s"])
    largest = max(answer.get("peak_mb", 0) for answer in answers.values())
    print(f"\nlongest {worst['cpu_s']:.1f} s of processor time, largest peak {largest} MB")
    return _faults(answers)


def read_tables(work: Path) -> list[str]:
    """Each table by its reader."""
    from pipelines.editing.requests import read_edit_requests
    from talkin.editing.edit_list import read_edit_list
    from talkin.footage.landmarks import LandmarkTrack
    from talkin.footage.manifest import sort_manifest
    from talkin.provenance.consent import read_consent

    readers: dict[str, tuple[dict[str, Any], Any]] = {
        "manifests": (hostile_tables.hostile_manifests(), sort_manifest),
        "consent registers": (hostile_tables.hostile_registers(), read_consent),
        "requested edits": (hostile_tables.hostile_edit_requests(), read_edit_requests),
        "edit lists": (hostile_tables.hostile_edit_lists(), read_edit_list),
        "landmarks files": (hostile_tables.hostile_tracks(), LandmarkTrack.load),
    }
    answers = {}
    for group, (contents, read) in readers.items():
        folder = work / group
        folder.mkdir(parents=True)
        for name, content in contents.items():
            (folder / name).write_bytes(content())
            answer = in_child(lambda path=folder / name, read=read: _read(read, path))
            answers[f"{group}: {name}"] = {"group": group} | answer
    _print_counts("tables", answers)
    return _faults(answers)


def _read(read: Any, path: Path) -> dict[str, Any]:
    from talkin.errors import TalkinError

    try:
        read(path)
    except TalkinError as error:
        return {"outcome": "refused", "reason": str(error)}
    except Exception as error:
        return {"outcome": "failed", "reason": f"{type(error).__name__}: {error}"}
    return {"outcome": "usable", "reason": ""}


def prepare_all(project: Path) -> list[str]:
    """Everything at once through the pipeline, between two good clips."""
    new_project(project)
    footage = project / "data/01_raw/footage"
    good = good_clips(footage, 2)
    media = write_media(footage / "clips", hostile_media())
    names = {f"h{number:03d}": file for number, file in enumerate(media)}
    lines = [hostile_tables.MANIFEST_HEAD, *(f"{c},{c}.mp4,ann,train,front,c" for c in good)]
    lines += [f"{clip},{_quoted(f.name)},ann,train,front,c" for clip, f in names.items()]
    rows = hostile_tables.hostile_manifest_rows()
    text = "\n".join([*lines, *rows]) + "\n"
    (footage / "manifest.csv").write_text(text, encoding="utf-8", newline="")
    (footage / "consent.csv").write_text("consent,speaker,purpose,expires\nc,ann,train,\n")
    before = tree(project.parent, without=project)
    done = run_stage(project, "preprocess", env="base")
    faults = [f"the run failed: {done.stderr[-800:]}"] if done.returncode else []
    faults += [f"written outside: {p}" for p in tree(project.parent, without=project) - before]
    faults += [f"run by a file: {p}" for p in project.rglob("*") if p.name in _EXECUTED]
    return faults + _check_tables(project, good, names, len(rows))


_EXECUTED = {"executed", "owned", "pickled", "touch"}


def _check_tables(project: Path, good: list[str], names: dict[str, Any], n_rows: int) -> list[str]:
    import pandas as pd

    rejects = pd.read_csv(project / "data/08_reporting/rejects.csv", keep_default_na=False)
    index = pd.read_parquet(project / "data/05_model_input/training_index.parquet")
    prepared, rejected = set(index["clip"]), set(rejects["clip"])
    odd = [clip for clip, file in names.items() if not file.name.isprintable()]
    n_lines = sum(clip.startswith("line-") for clip in rejected)
    print(f"\n{len(names)} media files and {n_rows} manifest rows through `preprocess`: ", end="")
    n_good = len(prepared & set(good))
    print(
        f"{n_good} of {len(good)} good clips prepared, {len(prepared) - n_good} hostile ones too, "
    )
    print(f"{len(rejected)} in the rejects with a reason; by stage: ", end="")
    stages = rejects.drop_duplicates("clip")["stage"].value_counts()
    print(", ".join(f"{stage} {n}" for stage, n in stages.items()))
    faults = [f"good clip {c} was not prepared" for c in good if c not in prepared]
    faults += [
        f"{names[clip].name!r} is named nowhere"
        for clip in names
        if clip not in prepared | rejected and clip not in odd
    ]
    wrong = n_rows - 1 + len(odd)  # one row is whole but for the one that repeats its name
    if n_lines != wrong:
        faults.append(f"{n_lines} manifest lines were set aside, not {wrong}")
    unsafe = [r for r in rejects["reason"] if not r or r[0] in "=+-@" or not r.isprintable()]
    return faults + [f"unsafe cell: {reason!r}" for reason in unsafe]


def _quoted(name: str) -> str:
    return '"clips/' + name.replace('"', '""') + '"'


def _print_counts(title: str, answers: dict[str, Any]) -> None:
    print(f"\n| {title} | tried | " + " | ".join(_OUTCOMES) + " |")
    print("| --- " * (len(_OUTCOMES) + 2) + "|")
    groups = dict.fromkeys(answer["group"] for answer in answers.values())
    for group in [*groups, "all"]:
        found = [a for a in answers.values() if group in (a["group"], "all")]
        count = Counter(answer["outcome"] for answer in found)
        cells = " | ".join(str(count[outcome]) for outcome in _OUTCOMES)
        print(f"| {group} | {len(found)} | {cells} |", flush=True)


def _faults(answers: dict[str, Any]) -> list[str]:
    return [
        f"{name!r}: {json.dumps(answer)[:300]}"
        for name, answer in answers.items()
        if answer["outcome"] not in ("usable", "refused")
    ]


if __name__ == "__main__":
    main()
