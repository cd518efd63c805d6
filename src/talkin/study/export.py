"""From clips to a study: blinded, shuffled, re-encoded alike, with the key elsewhere."""

import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from talkin.errors import ConfigurationError
from talkin.files import checked_name, replace_when_whole
from talkin.footage.video import probe_video
from talkin.scratch import remove_old_parts, scratch_folder
from talkin.study.config import QUESTIONS, DesignConfig, EncodingConfig, PageConfig
from talkin.study.encoding import (
    Box,
    common_box,
    encode_alike,
    encode_check,
    pass_through_writer,
)
from talkin.study.records import (
    CHECK,
    MANIFEST_FILE,
    OWN,
    REAL,
    KeyEntry,
    ShownClip,
    StudyKey,
    StudyManifest,
    write_key,
)
from talkin.study.selection import Choice, ClipSource, choose_clips

SOURCE_COLUMNS = ("path", "system", "speaker", "view")
_SAME_TIME = 946_684_800  # 1 January 2000: file times must not tell the order of making


@dataclass(frozen=True)
class ExportedStudy:
    """What was written.

    Attributes:
        folder: Manifest and clips: what the server needs.
        key_path: The sealed key: what the report needs, and nobody else.
        manifest: The manifest.
        choice: What is shown, what is missing.
    """

    folder: Path
    key_path: Path
    manifest: StudyManifest
    choice: Choice


def read_sources(path: Path) -> list[ClipSource]:
    """Clips listed in a CSV: `path, system, speaker, view`, paths relative to it.

    Raises:
        ConfigurationError: If the list or a column is missing, a file is absent, or a system's
            name is kept for something else.
    """
    path = Path(path)
    if not path.is_file():
        raise ConfigurationError(f"{path}: there is no such list of clips")
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    absent = [name for name in SOURCE_COLUMNS if name not in table]
    if absent:
        raise ConfigurationError(
            f"{path}: column {absent[0]!r} is missing; the first line must be "
            f"{','.join(SOURCE_COLUMNS)}"
        )
    sources = []
    for line, row in enumerate(table.to_dict("records"), start=2):
        file = path.parent / row["path"]
        if not file.is_file():
            raise ConfigurationError(f"{path}, line {line}: there is no file {file}")
        if row["system"] in ("", CHECK):
            raise ConfigurationError(
                f"{path}, line {line}, column system: write {REAL}, {OWN} or the name of another "
                f"system, not {row['system']!r}"
            )
        sources.append(ClipSource(file, row["system"], row["speaker"], row["view"], file.stem))
    return sources


def export_study(
    sources: Sequence[ClipSource],
    folder: Path,
    key_path: Path,
    *,
    design: DesignConfig | None = None,
    encoding: EncodingConfig | None = None,
    page: PageConfig | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> ExportedStudy:
    """Choose clips, encode them alike under random names, and write manifest and key.

    Args:
        sources: All clips that there are.
        folder: Where the study shall stand; it must not exist.
        key_path: Where the key shall stand, outside of the folder; it must not exist.
        design: Which clips to choose.
        encoding: How to write them.
        page: What to ask.
        progress: Told (stage, done, total).

    Raises:
        ConfigurationError: If something stands there already (a study that people may have
            answered is never replaced), or there is nothing to show.
        FootageError: If a clip cannot be read.
    """
    design, encoding, page = (
        design or DesignConfig(),
        encoding or EncodingConfig(),
        page or PageConfig(),
    )
    _check_places(folder, key_path)
    choice = choose_clips(sources, design)
    if not choice.clips:
        raise ConfigurationError(
            "no clip fits the study's design (views, speakers, systems); there are "
            f"{len(sources)} clips in views {sorted({one.view for one in sources})}"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    remove_old_parts(folder.parent)
    part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent))
    try:
        key, box = _encode_all(part / "clips", choice, design, encoding, progress)
        manifest = _manifest(part / "clips", key, box, page)
        with replace_when_whole(part / MANIFEST_FILE) as file:
            file.write_text(manifest.model_dump_json(indent=1) + "\n", encoding="utf-8")
        part.chmod(0o755)
        # The key first: a study without a key is lost work, a key without a study is nothing.
        write_key(key_path, key)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return ExportedStudy(folder, key_path, manifest, choice)


def _check_places(folder: Path, key_path: Path) -> None:
    for place in (folder, key_path):
        if place.exists():
            raise ConfigurationError(
                f"{place}: a study stands there already, and people may have answered it; move "
                "the folder and its key elsewhere, or delete both, to export another"
            )
    if key_path.resolve().is_relative_to(folder.resolve()):
        raise ConfigurationError(f"{key_path}: the key must not stand in the served folder")


def _encode_all(
    clips: Path,
    choice: Choice,
    design: DesignConfig,
    encoding: EncodingConfig,
    progress: Callable[[str, int, int], None] | None,
) -> tuple[StudyKey, Box]:
    """Every chosen clip and check under a random id, written in the order of those ids."""
    clips.mkdir()
    box = common_box([one.path for one in choice.clips], encoding)
    checks = [(secrets.choice(choice.clips), 1 + n % 5) for n in range(design.n_attention_checks)]
    jobs: list[tuple[ClipSource, int | None]] = [(one, None) for one in choice.clips]
    jobs += checks
    named = sorted((secrets.token_hex(8), number) for number in range(len(jobs)))
    entries = []
    for done, (name, number) in enumerate(named, start=1):
        source, expected = jobs[number]
        goal = clips / f"{checked_name(name, 'clip')}.mp4"
        if expected is None:
            _encode_clip(source, goal, box, encoding)
        else:
            encode_check(source.path, goal, expected, box, encoding)
        os.utime(goal, (_SAME_TIME, _SAME_TIME))
        entries.append(_entry(name, source, expected))
        if progress is not None:
            progress("encode", done, len(named))
    key = StudyKey(study=secrets.token_hex(8), nonce=secrets.token_hex(32), entries=tuple(entries))
    return key, box


def _encode_clip(source: ClipSource, goal: Path, box: Box, encoding: EncodingConfig) -> None:
    if source.system != REAL:
        encode_alike(source.path, goal, box, encoding)
        return
    with scratch_folder("study") as scratch:
        once_more = scratch / "real.mp4"
        pass_through_writer(source.path, once_more)
        encode_alike(once_more, goal, box, encoding)


def _entry(name: str, source: ClipSource, expected: int | None) -> KeyEntry:
    if expected is not None:
        return KeyEntry(
            id=name, system=CHECK, speaker="", view="", clip="", source_sha256="", expected=expected
        )
    return KeyEntry(
        id=name,
        system=source.system,
        speaker=source.speaker,
        view=source.view,
        clip=source.name,
        source_sha256=_sha256(source.path),
    )


def _manifest(clips: Path, key: StudyKey, box: Box, page: PageConfig) -> StudyManifest:
    return StudyManifest(
        study=key.study,
        key_sha256=key.digest(),
        page=page,
        questions=tuple(QUESTIONS[name] for name in page.questions),
        width=box.width,
        height=box.height,
        clips=tuple(_shown(clips, sorted(entry.id for entry in key.entries))),
    )


def _shown(clips: Path, names: Iterable[str]) -> Iterable[ShownClip]:
    for name in names:
        path = clips / f"{name}.mp4"
        yield ShownClip(
            id=name,
            sha256=_sha256(path),
            n_bytes=path.stat().st_size,
            duration_s=round(probe_video(path).duration_s, 3),
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
