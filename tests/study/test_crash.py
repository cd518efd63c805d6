"""The server is killed in the middle of ratings: what it acknowledged is there."""

import os
import signal
import subprocess
import sys
import threading

from talkin.study.database import database_url
from talkin.study.ratings import RatingStore

from .conftest import Visitor, free_port, wait_for


def start(study, database, port):
    command = [
        *(sys.executable, "-c", "from talkin.cli import main; main()"),
        *("study", "serve", str(study.folder)),
        *("--database", str(database), "--port", str(port)),
    ]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=dict(os.environ))
    wait_for(lambda: answers(port), longest_s=120)
    return server


def answers(port):
    try:
        return Visitor(port).ask("GET", "/healthz")[0] == 200
    except OSError:
        return False


def rate_until_it_dies(port, token, acknowledged):
    """Answer as fast as the server takes it, and note what it said it has kept."""
    visitor = Visitor(port)
    visitor.enter(token)
    for sequence in range(1, 500):
        clip, score = visitor.clips[sequence % len(visitor.clips)], 1 + sequence % 5
        try:
            if visitor.answer(clip, score, sequence, ["realism"]) == 204:
                acknowledged.append((token, clip, sequence, score))
        except OSError:
            return


def kill_in_the_middle(server, port, tokens):
    """Everything that was acknowledged before the server was killed."""
    acknowledged = []
    threads = [
        threading.Thread(target=rate_until_it_dies, args=(port, token, acknowledged))
        for token in tokens
    ]
    for thread in threads:
        thread.start()
    try:
        wait_for(lambda: len(acknowledged) > 60, longest_s=120)
    finally:
        os.kill(server.pid, signal.SIGKILL)
        server.wait()
    for thread in threads:
        thread.join(60)
    return acknowledged


def check_kept(store, acknowledged):
    newest = {}
    for token, clip, sequence, score in acknowledged:
        newest[token, clip] = max(newest.get((token, clip), (0, 0)), (sequence, score))
    for (token, clip), (sequence, score) in newest.items():
        kept = store.answers(store.rater(token))[clip]
        # One more may have been kept whose acknowledgement the kill cut off.
        assert kept["sequence"] >= sequence
        if kept["sequence"] == sequence:
            assert kept["scores"] == {"realism": score}


def test_nothing_acknowledged_is_lost_when_the_server_is_killed(study, tmp_path):
    database, port = tmp_path / "ratings.db", free_port()
    with RatingStore(database_url(str(database), tmp_path), study.manifest) as store:
        tokens = store.add_raters([f"r{n}" for n in range(8)])
    acknowledged = kill_in_the_middle(start(study, database, port), port, tokens)
    server = start(study, database, port)
    try:
        with RatingStore(database_url(str(database), tmp_path), study.manifest) as store:
            check_kept(store, acknowledged)
        again = Visitor(port)
        again.enter(tokens[0])
        assert again.answer(again.clips[0], 5, 1000, ["realism"]) == 204
    finally:
        server.terminate()
        server.wait()
