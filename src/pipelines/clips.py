"""For every clip: in parallel, only what is not up to date, and no clip stops another.

A step is up to date for a clip when the record that it left there carries the same fingerprint: a
hash of everything that its result depends on, the step's code included. A clip that cannot be
processed leaves a record too, with the reason; those reasons become the rejects table.
"""

import logging
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from pipelines.code_version import code_digest
from pipelines.step_records import State, StepRecord, fingerprint
from talkin.errors import TalkinError
from talkin.scratch import scratch_folder

logger = logging.getLogger(__name__)

T = TypeVar("T")
Chunk = tuple[dict[str, Any], ...]


class ParallelConfig(BaseModel):
    """How many clips are worked on at once, and where."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_jobs: int = Field(
        default=-1, description="Processes; -1 for one a core, 1 for none but this."
    )
    backend: Literal["loky", "threading", "dask"] = Field(
        default="loky",
        description="loky: processes of this machine; dask: a cluster, all of whose workers are "
        "used whatever n_jobs says.",
    )
    scheduler: str | None = Field(
        default=None,
        description="With dask: the scheduler's address, such as tcp://head:8786; null for the "
        "cluster of the running client.",
    )
    scratch: Path | None = Field(
        default=None,
        description="Folder for files on their way, which every worker sees; null for the "
        "system's temporary folder, which is right on one machine.",
    )
    progress: bool = Field(default=True, description="Whether to show a progress bar.")


@dataclass(frozen=True)
class ClipTask:
    """One clip's work: `work(**arguments)` returns as many outputs as the step has."""

    fingerprint: str
    arguments: dict[str, Any]


def for_every_clip(
    step: str,
    work: Callable[..., tuple[Any, ...]],
    tasks: Mapping[str, ClipTask],
    before: Mapping[str, StepRecord],
    parallel: ParallelConfig,
    n_outputs: int = 1,
    of: str = "clip",
) -> Iterator[Chunk]:
    """Work on the clips that are not up to date, and give each result as soon as it is there.

    Args:
        step: Name of the step, for records, messages and the progress bar.
        work: A function of a module; called with a task's arguments, here or in a worker. Its
            code, and the library's that it reaches, counts into the fingerprints.
        tasks: By clip name.
        before: Records that earlier runs left.
        parallel: Where to work.
        n_outputs: How many outputs `work` returns.
        of: What a task is of, for messages.

    Yields:
        `({clip: output}, ..., {clip: record})`: a chunk for the step's datasets, the record last,
        so that a crash between them leaves the clip to be done again. None in the place of an
        output or record asks its dataset to delete it. The last chunk is empty: it makes the
        folders even where there is nothing to do.
    """
    code = code_digest(work)
    tasks = {
        clip: replace(task, fingerprint=fingerprint(task.fingerprint, code))
        for clip, task in tasks.items()
    }
    for clip in sorted(set(before) - set(tasks)):
        yield (*({clip: None} for _ in range(n_outputs)), {clip: None})
    todo = {clip: task for clip, task in tasks.items() if not _up_to_date(before.get(clip), task)}
    n_kept = len(tasks) - len(todo)
    logger.info("%s: %d %ss, %d of them up to date", step, len(tasks), of, n_kept)
    for record, outputs in _progress(step, _results(step, work, todo, parallel), todo, parallel):
        if record.state != "done":
            logger.warning("%s: %s %s is set aside: %s", step, of, record.clip, record.reason)
        kept = outputs if outputs is not None else (None,) * n_outputs
        yield (*({record.clip: output} for output in kept), {record.clip: record})
    yield ({},) * (n_outputs + 1)


def shared_scratch(purpose: str, parallel: ParallelConfig) -> AbstractContextManager[Path]:
    """A folder for files on their way, seen by all workers, gone when the work is done."""
    place = parallel.scratch.resolve() if parallel.scratch else None
    if place is not None:
        place.mkdir(parents=True, exist_ok=True)
    return scratch_folder(purpose, place)


def _up_to_date(record: StepRecord | None, task: ClipTask) -> bool:
    return (
        record is not None and record.state != "failed" and record.fingerprint == task.fingerprint
    )


def _results(
    step: str,
    work: Callable[..., tuple[Any, ...]],
    todo: Mapping[str, ClipTask],
    parallel: ParallelConfig,
) -> Iterator[tuple[StepRecord, tuple[Any, ...] | None]]:
    """Results in the order in which they are ready."""
    import joblib
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    left = dict(todo)
    if parallel.backend == "dask" and todo:
        yield from _on_cluster(step, work, todo, parallel)
        return
    if parallel.n_jobs == 1 or len(todo) <= 1:
        yield from (_guarded(step, clip, work, task) for clip, task in left.items())
        return
    threads = 1 if parallel.backend == "loky" else None
    with joblib.parallel_config(parallel.backend, inner_max_num_threads=threads):
        run = joblib.Parallel(n_jobs=parallel.n_jobs, return_as="generator_unordered")
        try:
            calls = [joblib.delayed(_guarded)(step, c, work, t) for c, t in todo.items()]
            for record, outputs in run(calls):
                left.pop(record.clip)
                yield record, outputs
        except TerminatedWorkerError:
            logger.warning("%s: a worker was killed; the clips left go one by one", step)
            yield from _one_by_one(step, work, left)


def _on_cluster(
    step: str,
    work: Callable[..., tuple[Any, ...]],
    todo: Mapping[str, ClipTask],
    parallel: ParallelConfig,
) -> Iterator[tuple[StepRecord, tuple[Any, ...] | None]]:
    from pipelines.cluster import results_on_cluster

    calls = {clip: (step, clip, work, task) for clip, task in todo.items()}
    for clip, result in results_on_cluster(parallel.scheduler, _guarded, calls):
        if isinstance(result, Exception):
            reason = f"its worker was lost again and again: {result}"
            yield StepRecord(clip, step, todo[clip].fingerprint, "failed", reason), None
        else:
            yield result


def _one_by_one(
    step: str, work: Callable[..., tuple[Any, ...]], left: Mapping[str, ClipTask]
) -> Iterator[tuple[StepRecord, tuple[Any, ...] | None]]:
    """A process for each clip, so that the one that kills its process is known by name."""
    import joblib
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    for clip, task in left.items():
        try:
            run = joblib.Parallel(n_jobs=2, backend="loky")
            yield run([joblib.delayed(_guarded)(step, clip, work, task)])[0]
        except TerminatedWorkerError:
            reason = "its worker process was killed (out of memory, or a fault in a decoder)"
            yield StepRecord(clip, step, task.fingerprint, "failed", reason), None


def _guarded(
    step: str, clip: str, work: Callable[..., tuple[Any, ...]], task: ClipTask
) -> tuple[StepRecord, tuple[Any, ...] | None]:
    """Do one clip's work; whatever it raises becomes a record."""
    state: State = "done"
    reason, outputs = "", None
    try:
        outputs = work(**task.arguments)
    except TalkinError as error:
        state, reason = "rejected", str(error)
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        state = "failed"
        reason = f"{type(error).__name__}: {error} ({where.name}, line {where.lineno})"
    return StepRecord(clip, step, task.fingerprint, state, reason), outputs


def _progress(
    step: str, results: Iterator[T], todo: Mapping[str, ClipTask], parallel: ParallelConfig
) -> Iterator[T]:
    from tqdm import tqdm

    hidden = not (parallel.progress and todo)
    yield from tqdm(results, desc=step, total=len(todo), unit="clip", disable=hidden)
