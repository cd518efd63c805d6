"""What `talkin edit` tells when it is done."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from talkin.files import replace_when_whole

if TYPE_CHECKING:
    from talkin.editing.report import EditReport


def say_what_was_done(report: "EditReport", comparison: Path | None, consent: str) -> None:
    """Notes, frames that stayed as they were, times, consent and where the result is."""
    for note in report.notes:
        click.echo(f"Note: {note}.")
    for missing in report.unedited:
        click.echo(f"Frames {missing.start} to {missing.stop - 1} unedited: {missing.reason}.")
    times = ", ".join(f"{stage} {ms:.1f}" for stage, ms in report.ms_per_frame.items())
    click.echo(f"Milliseconds a frame: {times}")
    click.echo(consent)
    click.echo(f"{report.n_edited} of {report.n_frames} frames edited ({report.duration_s:.1f} s)")
    for path in (report.output, comparison):
        if path is not None:
            click.echo(str(path))


def write_report(path: Path, report: "EditReport", consent: str) -> None:
    """The same as JSON."""
    with replace_when_whole(path) as part:
        part.write_text(json.dumps(report.to_dict() | {"consent": consent}, indent=2) + "\n")
