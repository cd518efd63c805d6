"""A small study, a store for its answers, and a server that listens."""

import http.client
import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy.engine import URL

from talkin.footage.audio import Audio
from talkin.footage.video import VideoWriter
from talkin.study.config import DesignConfig, EncodingConfig, PageConfig
from talkin.study.database import database_url
from talkin.study.export import ExportedStudy, export_study
from talkin.study.ratings import RatingStore
from talkin.study.selection import ClipSource

QUESTIONS = ("realism", "lip_sync", "naturalness")
SECRET_WORDS = ("talkin", "real", "annette", "bertram", "front", "zebra", "attention")


def write_clip(path: Path, width: int = 96, height: int = 64, frames: int = 10) -> Path:
    tone = 0.2 * np.sin(np.arange(16000 * frames // 25) * 0.1).astype(np.float32)
    with VideoWriter(path, width, height, 25.0, Audio(tone, 16000)) as writer:
        for t in range(frames):
            image = np.full((height, width, 3), 90, np.uint8)
            image[8:40, 4 * t : 4 * t + 20] = (200, 120, 60)
            writer.write(image)
    return path


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[ClipSource]:
    folder = tmp_path_factory.mktemp("clips")
    return [
        ClipSource(
            write_clip(folder / f"zebra_{system}_{speaker}.mp4"),
            system,
            speaker,
            "front",
            f"zebra_{system}_{speaker}",
        )
        for system in ("talkin", "real")
        for speaker in ("annette", "bertram")
    ]


@pytest.fixture(scope="session")
def study(sources: list[ClipSource], tmp_path_factory: pytest.TempPathFactory) -> ExportedStudy:
    """Two edits, two recordings, two attention checks; nobody may change it."""
    folder = tmp_path_factory.mktemp("study")
    return export_study(
        sources,
        folder / "study",
        folder / "key.json",
        design=DesignConfig(n_attention_checks=2),
        encoding=EncodingConfig(crf=30),
        page=PageConfig(questions=QUESTIONS),
    )


@pytest.fixture
def store(study: ExportedStudy, tmp_path: Path) -> Iterator[RatingStore]:
    with RatingStore(database_url(str(tmp_path / "ratings.db"), tmp_path), study.manifest) as made:
        yield made


@dataclass
class Visitor:
    """A browser without eyes: one connection, one cookie."""

    port: int
    cookie: str = ""
    name: str = ""
    clips: list[str] = field(default_factory=list)

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        sent = dict(headers or {})
        if self.cookie:
            sent.setdefault("cookie", self.cookie)
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            sent.setdefault("content-type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, sent)
            reply = connection.getresponse()
            found = {name.lower(): value for name, value in reply.getheaders()}
            return reply.status, found, reply.read()
        finally:
            connection.close()

    def enter(self, token: str) -> None:
        status, headers, _ = self.ask("POST", "/api/enter", {"token": token})
        assert status == 204
        self.cookie = headers["set-cookie"].split(";")[0]
        study = json.loads(self.ask("GET", "/api/study")[2])
        self.name, self.clips = study["rater"], study["clips"]

    def answer(self, clip: str, score: int, sequence: int, questions: Any = QUESTIONS) -> int:
        scores = dict.fromkeys(questions, score)
        sent = {"rater": self.name, "clip": clip, "scores": scores, "sequence": sequence}
        return self.ask("POST", "/api/answers", sent)[0]


@dataclass
class Served:
    """A running server."""

    port: int
    store: RatingStore

    def visitor(self) -> Visitor:
        visitor = Visitor(self.port)
        visitor.enter(self.store.add_raters(["somebody"])[0])
        return visitor

    def stranger(self) -> Visitor:
        return Visitor(self.port)


@pytest.fixture
def served(study: ExportedStudy, store: RatingStore) -> Iterator[Served]:
    from talkin.study.serving import prepared_server

    port = free_port()
    server = prepared_server(store, study.folder, "127.0.0.1", port)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_for(lambda: server.started)
    yield Served(port, store)
    server.should_exit = True
    thread.join(timeout=10)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(condition: Callable[[], bool], longest_s: float = 60.0) -> None:
    end = time.monotonic() + longest_s
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a PostgreSQL server of our own, gone after the tests."""
    programs = [shutil.which(name) for name in ("initdb", "postgres")]
    if not all(programs):
        pytest.skip("no PostgreSQL (initdb, postgres) on this computer")
    folder = Path(tmp_path_factory.mktemp("postgres"))
    # PostgreSQL refuses to run as root.
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if as_user:
        for parent in (folder, *folder.parents[:2]):
            parent.chmod(0o755)
        shutil.chown(folder, "postgres")
    data = folder / "data"
    initdb = [*as_user, str(programs[0]), "-D", str(data), "-U", "t", "--auth=trust", "--no-sync"]
    made = subprocess.run(initdb, capture_output=True, check=False, cwd=folder)
    if made.returncode:
        pytest.skip(f"initdb failed: {made.stderr.decode()[-200:]}")
    port = free_port()
    options = ["-p", str(port), "-k", str(folder), "-c", "listen_addresses=127.0.0.1"]
    with subprocess.Popen(
        [*as_user, str(programs[1]), "-D", str(data), *options],
        stderr=subprocess.DEVNULL,
        cwd=folder,
    ) as server:
        wait_for(lambda: _accepts(port))
        yield f"postgresql://t@127.0.0.1:{port}/postgres"
        server.terminate()


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(params=["sqlite", "postgresql"])
def any_store(
    request: pytest.FixtureRequest, study: ExportedStudy, tmp_path: Path
) -> Iterator[RatingStore]:
    """The store on each kind of database."""
    url: URL = database_url(str(tmp_path / "ratings.db"), tmp_path)
    if request.param == "postgresql":
        url = database_url(request.getfixturevalue("postgres"), tmp_path)
    with RatingStore(url, study.manifest) as made:
        yield made
