"""`talkin verify`, `talkin consent check` and `talkin consent trace`."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from talkin.cli.examples import example
from talkin.cli.running import explains_errors
from talkin.errors import FootageError

if TYPE_CHECKING:
    from talkin.provenance.consent import Purpose
    from talkin.provenance.watermark import MarkScore

_FILE = click.Path(dir_okay=False, path_type=Path)
_PURPOSES = ("train", "edit-face", "edit-voice")


@click.command(epilog=example("talkin verify edited.mp4"))
@click.argument("file", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="As JSON, for other programs.")
@click.option("--trust", type=_FILE, help="PEM file of root certificates whose signers you trust.")
@click.option(
    "--mark/--no-mark",
    default=True,
    show_default=True,
    help="Also look for the invisible mark in the pictures (slower).",
)
@click.option("--mark-key", default="talkin", show_default=True, help="Key of the invisible mark.")
@explains_errors
def verify(file: Path, as_json: bool, trust: Path | None, mark: bool, mark_key: str) -> None:
    """Say whether FILE was edited, and whether its content credentials hold.

    Exits 0 only where credentials are there and hold; 1 where the file was tampered with, bears
    none, or cannot be read. Nothing is asked of the network.
    """
    from talkin.provenance.verification import verify as verify_file

    answer = verify_file(file, trust)
    if mark:
        answer = replace(answer, mark=_mark(file, mark_key))
    if as_json:
        click.echo(json.dumps(answer.to_dict(), indent=2))
    else:
        click.echo("\n".join(answer.in_words()))
    if not answer.holds:
        raise SystemExit(1)


def _mark(file: Path, key: str) -> "MarkScore | None":
    """Nothing for a file without pictures, which may bear credentials all the same."""
    from talkin.footage.video import iter_frames
    from talkin.provenance.watermark import WatermarkConfig, detect

    try:
        return detect((frame.image for frame in iter_frames(file)), WatermarkConfig(key=key))
    except FootageError:
        return None


@click.group()
def consent() -> None:
    """Who agreed to what, and what was made from them."""


@consent.command(
    epilog=example("talkin consent check footage/manifest.csv footage/consent.csv --purpose train")
)
@click.argument("manifest", type=_FILE)
@click.argument("register", type=_FILE)
@click.option(
    "--purpose",
    type=click.Choice(_PURPOSES),
    multiple=True,
    help="What for; may be given several times.  [default: any]",
)
@explains_errors
def check(manifest: Path, register: Path, purpose: "tuple[Purpose, ...]") -> None:
    """Check that everyone in the footage MANIFEST has a valid record in the REGISTER."""
    from talkin.footage.manifest import read_manifest
    from talkin.provenance.consent import read_consent, require_consent

    rows, records = read_manifest(manifest), read_consent(register)
    for one in purpose or (None,):
        require_consent(rows, records, purpose=one)
    speakers = rows["speaker"].nunique()
    click.echo(f"{speakers} speakers in {len(rows)} clips: everyone has a valid consent record")


@consent.command(epilog=example("talkin consent trace spk01 --data data"))
@click.argument("speaker")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("data"),
    show_default=True,
    help="Folder with 01_raw to 08_reporting.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON, for other programs.")
@explains_errors
def trace(speaker: str, data: Path, as_json: bool) -> None:
    """List everything derived from SPEAKER, so that it can be deleted. Deletes nothing."""
    from talkin.provenance.tracing import derived_from

    found = derived_from(speaker, data)
    click.echo(json.dumps(found.to_dict(), indent=2) if as_json else "\n".join(found.in_words()))
