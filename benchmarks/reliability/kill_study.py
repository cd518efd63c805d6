"""Kills the study's server with SIGKILL at random moments while raters answer.

Raters do as their page does: what is not acknowledged is sent again until it is. In the end the
database must hold what an undisturbed study's holds, and at the kill all that was acknowledged.
"""

import http.client
import json
import os
import random
import signal
import socket
import sqlite3
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).parents[1] / "study"))
from load import make_study

from talkin.study.database import DATABASE_FILE, database_url
from talkin.study.ratings import RatingStore
from talkin.study.records import StudyManifest, read_manifest

_RATERS, _CLIPS, _CHANGES = 4, 10, 3
_ANSWERS = (
    "SELECT label, clip, question, score, sequence FROM ratings NATURAL JOIN raters ORDER BY 1, 2"
)
_LONGEST_S = 120.0


def study_trials(
    work: Path, n: int, rng: random.Random, may_go_on: Callable[[float], bool]
) -> tuple[list[str], float, Counter[str]]:
    """Trials of the server.

    Args:
        work: Folder to work in.
        n: How many.
        rng: Chooses the moments.
        may_go_on: Told the processor time spent so far; whether another trial may begin.

    Returns:
        Faults in words, what an undisturbed server uses (s of processor time), and counts.
    """
    make_study(work / "study", _CLIPS)
    manifest = read_manifest(work / "study")
    undisturbed = _trial(work / "undisturbed", work / "study", manifest, None)
    truth, cost = undisturbed.rows, undisturbed.cpu_s
    assert len(truth) == _RATERS * _CLIPS
    count: Counter[str] = Counter()
    faults: list[str] = []
    spent = cost
    for number in range(n):
        if not may_go_on(spent):
            break
        moment = rng.uniform(0.0, 1.0) * cost
        end = _trial(work / f"trial-{number}", work / "study", manifest, moment)
        differing = len(set(truth) ^ set(end.rows))
        wrong = [f"{differing} rows differ"] if truth != end.rows else []
        wrong += [f"{end.n_lost} acknowledged answers are lost"] if end.n_lost else []
        count.update(trials=1, killed=end.was_killed, same=not wrong)
        faults += [f"study, trial {number}, killed at {moment:.2f} s: {w}" for w in wrong]
        spent += end.cpu_s
        print(f"study {number}: {wrong or 'same'}", file=sys.stderr, flush=True)
    return faults, cost, count


@dataclass(frozen=True)
class _End:
    """How a study ended: its ratings, the servers' processor time, what the kill lost."""

    rows: list[Any]
    cpu_s: float
    was_killed: bool = False
    n_lost: int = 0


def _trial(place: Path, folder: Path, manifest: StudyManifest, kill_after: float | None) -> _End:
    place.mkdir()
    database, log, port = place / DATABASE_FILE, place / "acknowledged.jsonl", _free_port()
    with RatingStore(database_url(str(database), place), manifest) as store:
        tokens = store.add_raters([f"rater {number}" for number in range(_RATERS)])
    raters = _forked(lambda: _rate_all(port, tokens, manifest.clip_ids, log))
    server = _forked(lambda: _serve(folder, database, port))
    has_ended, used = _until(raters, server, kill_after)
    _stop(server, signal.SIGKILL)
    if has_ended:
        return _End(_rows(database), used)
    n_lost = _n_lost(database, log)
    server = _forked(lambda: _serve(folder, database, port))
    _, more = _until(raters, server, None)
    _stop(server, signal.SIGKILL)
    return _End(_rows(database), used + more, True, n_lost)


def _rows(database: Path) -> list[Any]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(_ANSWERS).fetchall()


def _until(raters: int, server: int, cpu_s: float | None) -> tuple[bool, float]:
    """Wait for the raters' end, or for the server to have used some processor time."""
    process, end = psutil.Process(server), time.monotonic() + _LONGEST_S
    while time.monotonic() < end:
        times = process.cpu_times()
        used = times.user + times.system
        if os.waitpid(raters, os.WNOHANG)[0]:
            return True, used
        if cpu_s is not None and used >= cpu_s:
            return False, used
        time.sleep(0.005)
    raise RuntimeError("the raters did not come to an end")


def _n_lost(database: Path, log: Path) -> int:
    """Answers that were acknowledged and are neither there nor replaced by newer ones."""
    rows = _rows(database)
    kept = {(label, clip): (sequence, score) for label, clip, _, score, sequence in rows}
    said = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    return sum(
        kept.get((label, clip), (0, 0)) < (sequence, score) for label, clip, sequence, score in said
    )


def _rate_all(port: int, tokens: list[str], clips: tuple[str, ...], log: Path) -> None:
    threads = [
        threading.Thread(target=_rate, args=(port, f"rater {number}", token, clips, log))
        for number, token in enumerate(tokens)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _rate(port: int, label: str, token: str, clips: tuple[str, ...], log: Path) -> None:
    """One rater: every clip, with changes of mind; sends each answer until it is acknowledged."""
    entered = _sent(port, "POST", "/api/enter", {"token": token}, "")
    cookie = entered.headers["set-cookie"].split(";")[0]
    name = json.loads(_sent(port, "GET", "/api/study", None, cookie).body)["rater"]
    for sequence in range(1, _CHANGES * len(clips) + 1):
        clip, score = clips[sequence % len(clips)], 1 + (sequence + len(label)) % 5
        answer = {"rater": name, "clip": clip, "scores": {"realism": score}, "sequence": sequence}
        reply = _sent(port, "POST", "/api/answers", answer, cookie)
        assert reply.status == 204, reply.body
        with log.open("a") as file:  # one short line: written whole
            file.write(json.dumps([label, clip, sequence, score]) + "\n")


class _Reply:
    def __init__(self, reply: http.client.HTTPResponse) -> None:
        self.status, self.body = reply.status, reply.read()
        self.headers = {key.lower(): value for key, value in reply.getheaders()}


def _sent(port: int, method: str, path: str, content: Any, cookie: str) -> _Reply:
    """Ask again and again until there is an answer."""
    end = time.monotonic() + _LONGEST_S
    headers = {"content-type": "application/json", "cookie": cookie}
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request(method, path, json.dumps(content), headers)
            return _Reply(connection.getresponse())
        except (OSError, http.client.HTTPException):
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
        finally:
            connection.close()


def _serve(folder: Path, database: Path, port: int) -> None:
    from talkin.study.serving import serve

    serve(folder, str(database), "127.0.0.1", port, "")


def _forked(work: Callable[[], None]) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        work()
        code = 0
    finally:
        os._exit(code)


def _stop(child: int, how: signal.Signals) -> None:
    os.kill(child, how)
    os.waitpid(child, 0)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
