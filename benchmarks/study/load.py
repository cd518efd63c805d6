"""A hundred raters at once: is anything lost or doubled, and how long does an answer take?

    python benchmarks/study/load.py --raters 100 --clips 20
    python benchmarks/study/load.py --raters 100 --clips 6 --think-s 8
    python benchmarks/study/load.py --database postgresql://USER@HOST/NAME

Starts `talkin study serve` as a process of its own on a study of made-up clips (the server does not
look inside them) and lets all raters go through their clips, without ever pausing unless
`--think-s` says how long they watch and think. They double click on every tenth answer and refresh
now and then. Then the server is killed, and the database compared with what was acknowledged.
"""

import argparse
import asyncio
import hashlib
import os
import secrets
import socket
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import numpy as np
import psutil

from talkin.study.config import QUESTIONS, PageConfig
from talkin.study.database import database_url
from talkin.study.ratings import RatingStore
from talkin.study.records import ShownClip, StudyManifest

CLIP_BYTES = 300_000
FIRST_PART = 65_536


@dataclass
class Measured:
    """What the raters met."""

    answer_ms: list[float] = field(default_factory=list)
    clip_ms: list[float] = field(default_factory=list)
    acknowledged: dict[tuple[str, str], int] = field(default_factory=dict)
    n_failed: int = 0


def make_study(folder: Path, n_clips: int) -> StudyManifest:
    """A study's folder with clips of random bytes."""
    (folder / "clips").mkdir(parents=True)
    shown = []
    for clip in sorted(secrets.token_hex(8) for _ in range(n_clips)):
        content = os.urandom(CLIP_BYTES)
        (folder / "clips" / f"{clip}.mp4").write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        shown.append(ShownClip(id=clip, sha256=digest, n_bytes=CLIP_BYTES, duration_s=5))
    manifest = StudyManifest(
        study=secrets.token_hex(8),
        key_sha256="0" * 64,
        page=PageConfig(),
        questions=(QUESTIONS["realism"],),
        width=224,
        height=224,
        clips=tuple(shown),
    )
    (folder / "study.json").write_text(manifest.model_dump_json())
    return manifest


async def rate(
    base: str, token: str, measured: Measured, think_s: float, rng: np.random.Generator
) -> None:
    """One rater, from the link to the last clip."""
    jar = aiohttp.CookieJar(unsafe=True)  # addresses instead of names are fine here
    async with aiohttp.ClientSession(base, cookie_jar=jar) as session:
        await (await session.post("/api/enter", json={"token": token})).read()
        study = await (await session.get("/api/study")).json()
        for clip in study["clips"]:
            await watch(session, clip, measured)
            await asyncio.sleep(think_s * 2 * rng.random())
            sent = {
                "rater": study["rater"],
                "clip": clip,
                "scores": {"realism": int(rng.integers(1, 6))},
                "sequence": 1,
            }
            clicks = 2 if rng.random() < 0.1 else 1
            await asyncio.gather(*(answer(session, token, sent, measured) for _ in range(clicks)))
            if rng.random() < 0.03:
                study = await (await session.get("/api/study")).json()  # a refreshed page


async def watch(session: aiohttp.ClientSession, clip: str, measured: Measured) -> None:
    """The beginning of a clip, then the rest, as players ask for it."""
    for part in (f"bytes=0-{FIRST_PART - 1}", f"bytes={FIRST_PART}-"):
        start = time.perf_counter()
        async with session.get(f"/clips/{clip}", headers={"range": part}) as reply:
            await reply.read()
            measured.n_failed += reply.status != 206
        measured.clip_ms.append(1000 * (time.perf_counter() - start))


async def answer(
    session: aiohttp.ClientSession, token: str, sent: dict, measured: Measured
) -> None:
    """Send an answer and note what was acknowledged."""
    start = time.perf_counter()
    async with session.post("/api/answers", json=sent) as reply:
        if reply.status == 204:
            measured.acknowledged[token, sent["clip"]] = sent["scores"]["realism"]
        else:
            measured.n_failed += 1
    measured.answer_ms.append(1000 * (time.perf_counter() - start))


async def start_server(folder: Path, database: str, port: int) -> asyncio.subprocess.Process:
    """`talkin study serve`, once it answers."""
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from talkin.cli import main; main()", "study", "serve"),
        *(str(folder), "--database", database, "--port", str(port)),
        stderr=asyncio.subprocess.DEVNULL,
    )
    async with aiohttp.ClientSession() as session:
        for _ in range(1200):
            try:
                await (await session.get(f"http://127.0.0.1:{port}/healthz")).read()
                return server
            except aiohttp.ClientError:
                await asyncio.sleep(0.1)
    raise SystemExit("the server did not start")


def compare(store: RatingStore, measured: Measured) -> tuple[int, int, int]:
    """Rows in the database, how many acknowledged answers they lack, and how many are too many."""
    kept = 0
    lost = 0
    tokens = {token for token, _ in measured.acknowledged}
    for token in tokens:
        found = store.answers(store.rater(token))
        kept += sum(len(one["scores"]) for one in found.values())
        for (whose, clip), score in measured.acknowledged.items():
            if whose == token:
                lost += found.get(clip, {"scores": {}})["scores"].get("realism") != score
    return kept, lost, store.counts()["ratings"] - len(measured.acknowledged)


def table(measured: Measured, rows: tuple[int, int, int], wall_s: float, server_s: float) -> str:
    """The figures as Markdown."""
    n = len(measured.answer_ms) + len(measured.clip_ms)
    lines = ["| | answers | parts of clips |", "| --- | --- | --- |"]
    lines.append(f"| requests | {len(measured.answer_ms)} | {len(measured.clip_ms)} |")
    for name, share in (("median", 50), ("95 %", 95), ("99 %", 99), ("slowest", 100)):
        answers, clips = (
            np.percentile(times, share) for times in (measured.answer_ms, measured.clip_ms)
        )
        lines.append(f"| {name}, ms | {answers:.0f} | {clips:.0f} |")
    lines += [
        "",
        f"Refused or failed: {measured.n_failed}. Acknowledged: {len(measured.acknowledged)}, "
        f"kept {rows[0]}, lost {rows[1]}, doubled {rows[2]}.",
        f"{n / wall_s:.0f} requests a second over {wall_s:.0f} s; the server used "
        f"{1000 * server_s / n:.2f} ms of processor time a request.",
    ]
    return "\n".join(lines)


async def run(options: argparse.Namespace, folder: Path) -> None:
    """Serve, rate, compare, print."""
    manifest = make_study(folder / "study", options.clips)
    database = options.database or str(folder / "ratings.db")
    with RatingStore(database_url(database, folder), manifest) as store:
        tokens = store.add_raters([f"rater {n}" for n in range(options.raters)])
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server = await start_server(folder / "study", database, port)
        process, measured = psutil.Process(server.pid), Measured()
        used = sum(process.cpu_times()[:2])
        start = time.perf_counter()
        seeds = np.random.default_rng(0).spawn(len(tokens))
        base = f"http://127.0.0.1:{port}"
        await asyncio.gather(
            *map(lambda t, r: rate(base, t, measured, options.think_s, r), tokens, seeds)
        )
        wall_s = time.perf_counter() - start
        server_s = sum(process.cpu_times()[:2]) - used
        memory_mb = process.memory_info().rss / 1e6
        server.kill()  # what was acknowledged must be there all the same
        await server.wait()
        rows = compare(store, measured)
    kind = database_url(database, folder).get_backend_name()
    print(
        f"{options.raters} raters at once, {options.clips} clips each, {options.think_s:g} s at "
        f"each, {kind}; load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores\n"
    )
    print(table(measured, rows, wall_s, server_s))
    print(f"Memory of the server: {memory_mb:.0f} MB.")


def main() -> None:
    """Read the options and run in a scratch folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raters", type=int, default=100)
    parser.add_argument("--clips", type=int, default=20)
    parser.add_argument("--think-s", type=float, default=0.0, help="mean pause at each clip")
    parser.add_argument("--database", help="postgresql://...; SQLite in a scratch folder if absent")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="talkin-load-") as scratch:
        asyncio.run(run(options, Path(scratch)))


if __name__ == "__main__":
    main()
