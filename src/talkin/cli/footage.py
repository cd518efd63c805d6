"""`talkin manifest`."""

from pathlib import Path

import click

from talkin.cli.examples import example
from talkin.cli.running import explains_errors
from talkin.errors import ConfigurationError

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(epilog=example("talkin manifest data/01_raw/footage"))
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--out", type=_FILE, help="The CSV to write.  [default: FOLDER/manifest.csv]")
@click.option("--grid", "is_grid", is_flag=True, help="FOLDER is the GRID corpus as published.")
@explains_errors
def manifest(folder: Path, out: Path | None, is_grid: bool) -> None:
    """Write a footage manifest for the videos in FOLDER, to be filled in.

    One line a clip. What you must still write is who speaks (`speaker`; sub-folders are taken for
    speakers) and which consent record allows it (`consent`). An existing manifest is never
    overwritten.

    With --grid talkers, sentences and the paper's splits (80 % of sentences to train, talkers 29
    and 33 never) are filled in too, and alignments become `truth/<clip>.phonemes.parquet`.
    """
    from talkin.evaluation.grid_sounds import grid_rows
    from talkin.files import one_line, replace_when_whole
    from talkin.footage.skeleton import manifest_skeleton, unlistable_videos

    out = out or folder / "manifest.csv"
    if out.exists():
        raise ConfigurationError(f"{out} exists already; delete it or name another with --out")
    rows = grid_rows(folder) if is_grid else manifest_skeleton(folder)
    with replace_when_whole(out) as part:
        rows.to_csv(part, index=False)
    for file in unlistable_videos(folder):
        click.echo(f"Left out, its name cannot stand in a table: {one_line(file)}; rename it.")
    left = "column consent" if is_grid else "columns speaker and consent"
    click.echo(f"{out}: {len(rows)} clips. Fill in the {left}.")
