"""The study as a folder that any web space, or a USB stick, can hold, and reading answers back.

Its page keeps the answers in the rater's browser and gives them to the rater as a JSON file. There
are no private links: whoever has the folder can answer, and files are told apart by a random name.
"""

import json
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from talkin.errors import ConfigurationError
from talkin.scratch import remove_old_parts
from talkin.study.ratings import RatingStore
from talkin.study.records import read_collected, read_manifest
from talkin.study.server import PAGE_FILES, page_file


@dataclass(frozen=True)
class Collected:
    """What came of collecting: files taken, and why others were not."""

    n_files: int
    n_answers: int
    refused: tuple[str, ...]


def write_static_form(folder: Path, goal: Path) -> None:
    """Write the page, its clips and nothing else; the key and the ratings stay behind.

    Args:
        folder: Of the study.
        goal: The folder to make; it must not exist.

    Raises:
        ConfigurationError: If the study is damaged, or the goal exists.
    """
    manifest = read_manifest(folder)
    if goal.exists():
        raise ConfigurationError(f"{goal}: exists already; name a folder that does not")
    content = {**manifest.for_page(), "clips": list(manifest.clip_ids)}
    goal.parent.mkdir(parents=True, exist_ok=True)
    remove_old_parts(goal.parent)
    part = Path(tempfile.mkdtemp(prefix=f".{goal.name}.", suffix=".part", dir=goal.parent))
    try:
        (part / "page").mkdir()
        for name in PAGE_FILES:
            place = part / name if name == "index.html" else part / "page" / name
            place.write_bytes(page_file(name))
        store = page_file("local_store.js").decode("utf-8")
        # ASCII JSON is a JavaScript literal whatever stands in its strings.
        data = f"const STUDY = {json.dumps(content)};\n"
        (part / "page" / "store.js").write_text(data + store, encoding="utf-8")
        (part / "clips").mkdir()
        for clip in manifest.clip_ids:
            shutil.copy2(folder / "clips" / f"{clip}.mp4", part / "clips")
        part.chmod(0o755)
        part.rename(goal)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def collect(paths: Iterable[Path], store: RatingStore) -> Collected:
    """Enter files that raters sent in; a file that comes twice changes nothing.

    A file that is damaged, of another study or with scores that cannot be is refused whole, with
    its reason; the others are entered.
    """
    n_files = n_answers = 0
    refused = []
    for path in paths:
        try:
            n_answers += _enter(path, store)
            n_files += 1
        except ConfigurationError as error:
            refused.append(str(error))
    return Collected(n_files, n_answers, tuple(refused))


def _enter(path: Path, store: RatingStore) -> int:
    sent = read_collected(path)
    if sent.study != store.manifest.study:
        raise ConfigurationError(f"{path}: these are answers to another study, {sent.study}")
    store.check(sent.answers)
    # The name is prefixed: no file can speak for somebody who has a private link.
    rater = store.known_rater(f"form {sent.rater[:60]}", f"static form/{sent.rater}")
    store.start(rater)
    store.record(rater, sent.answers)
    return len(sent.answers)
