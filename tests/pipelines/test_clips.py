import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

from pipelines.clips import ClipTask, ParallelConfig, for_every_clip, shared_scratch
from pipelines.step_records import StepRecord, fingerprint, record_from_json, record_to_json
from talkin.errors import FootageError

# Workers cannot import a test module by name, so its functions travel by value.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

ALONE = ParallelConfig(n_jobs=1, progress=False)
TWO = ParallelConfig(n_jobs=2, progress=False)


def halved(number: int) -> tuple[float]:
    if number < 0:
        raise FootageError("clip is negative; give a positive one")
    return (10 / number,)


def killed(number: int) -> tuple[float]:
    if number == 0:
        os._exit(9)
    return (10 / number,)


def tasks(**numbers: int) -> dict[str, ClipTask]:
    return {
        clip: ClipTask(fingerprint("v1", number), {"number": number})
        for clip, number in numbers.items()
    }


def outcome(
    todo: Mapping[str, ClipTask],
    before: Mapping[str, StepRecord],
    parallel: ParallelConfig = ALONE,
    work: Callable[..., tuple[Any, ...]] = halved,
) -> tuple[dict[str, Any], dict[str, StepRecord | None]]:
    outputs: dict[str, Any] = {}
    records: dict[str, StepRecord | None] = {}
    for output, record in for_every_clip("halve", work, todo, before, parallel):
        outputs.update(output)
        records.update(record)
    return outputs, records


def test_one_broken_clip_stops_no_other_and_says_why() -> None:
    outputs, records = outcome(tasks(a=5, broken=-1, c=2), {})
    assert outputs == {"a": 2.0, "broken": None, "c": 5.0}
    record = records["broken"]
    assert record is not None
    assert (record.state, record.reason) == ("rejected", "clip is negative; give a positive one")


def test_an_unforeseen_error_is_a_failure_that_the_next_run_tries_again() -> None:
    _, records = outcome(tasks(a=0), {})
    record = records["a"]
    assert record is not None
    assert record.state == "failed"
    assert "ZeroDivisionError" in record.reason
    assert "a" in outcome(tasks(a=0), {"a": record})[1]


def test_clips_with_the_same_fingerprint_are_skipped_and_changed_ones_are_not() -> None:
    _, records = outcome(tasks(a=5, b=2, broken=-1), {})
    before = {clip: record for clip, record in records.items() if record is not None}
    assert outcome(tasks(a=5, b=2, broken=-1), before) == ({}, {})
    assert outcome(tasks(a=5, b=4, broken=-1), before)[0] == {"b": 2.5}


def test_a_clip_that_vanished_is_pruned_from_results_and_records() -> None:
    _, records = outcome(tasks(a=5, b=2), {})
    before = {clip: record for clip, record in records.items() if record is not None}
    assert outcome(tasks(a=5), before) == ({"b": None}, {"b": None})


def test_nothing_to_do_still_gives_a_chunk_that_makes_the_folders() -> None:
    assert list(for_every_clip("s", halved, {}, {}, ALONE, n_outputs=2)) == [({}, {}, {})]


@pytest.mark.slow
def test_workers_give_the_same_results_as_this_process() -> None:
    todo = tasks(a=5, b=2, c=1, broken=-1)
    assert outcome(todo, {}, TWO) == outcome(todo, {}, ALONE)


@pytest.mark.slow
def test_a_clip_that_kills_its_worker_is_named_and_the_others_come_through() -> None:
    outputs, records = outcome(tasks(a=5, b=2, deadly=0, d=1), {}, TWO, killed)
    assert outputs == {"a": 2.0, "b": 5.0, "deadly": None, "d": 10.0}
    record = records["deadly"]
    assert record is not None
    assert record.state == "failed"
    assert "killed" in record.reason


def test_a_fingerprint_depends_on_every_part_and_on_configurations_by_value() -> None:
    assert fingerprint("s", 1, ALONE) == fingerprint(
        "s", 1, ParallelConfig(n_jobs=1, progress=False)
    )
    assert (
        len({fingerprint("s", 1, ALONE), fingerprint("s", 2, ALONE), fingerprint("s", 1, TWO)}) == 3
    )


def test_records_survive_their_file() -> None:
    record = StepRecord("a", "s", "f", "rejected", "größer\nas")
    assert record_from_json(record_to_json(record)) == record


def test_files_on_their_way_lie_where_every_worker_sees_them_and_leave_nothing(
    tmp_path: Path,
) -> None:
    shared = ParallelConfig(scratch=tmp_path / "not" / "there")
    with shared_scratch("edits", shared) as folder:
        assert Path(folder).is_absolute()
        assert Path(folder).parent == tmp_path / "not" / "there"
    assert not Path(folder).exists()
