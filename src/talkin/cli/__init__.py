"""The `talkin` command: the library without Kedro.

- `editing`: `talkin edit`.
- `evaluation`: `talkin score`, `talkin report`.
- `face`: `talkin face import`, `talkin face export`.
- `fit`: `talkin fit`; `footage`: `talkin manifest`.
- `new_speech`: what drives an edit: a file, a video, an edit list or a text.
- `machine`: `talkin info`, `talkin fetch-nets`.
- `provenance`: `talkin verify`, `talkin consent check`, `talkin consent trace`.
- `study`: `talkin study export`, `links`, `serve`, `static`, `collect`, `status`, `report`.
- `plugins`: commands of other installed packages, such as `talkin model` of the Kedro project.
- `running`: errors as one line, progress bars.

Everything heavy is imported inside the commands, so that `talkin --help` answers at once.
"""

import click

from talkin.cli.editing import edit
from talkin.cli.evaluation import report, score
from talkin.cli.face import face
from talkin.cli.fit import fit
from talkin.cli.footage import manifest
from talkin.cli.machine import fetch_nets, info
from talkin.cli.plugins import CommandsAndPlugins
from talkin.cli.provenance import consent, verify
from talkin.cli.study import study

_EPILOG = """\b
A first edit, once `make demo` has trained a model:
  talkin edit --video me.mp4 --audio speech.wav --out edited.mp4

Edit only people who agreed to it, and say so wherever you show the result.
"""


@click.group(
    cls=CommandsAndPlugins, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(package_name="talkin")
def main() -> None:
    """Edit what a person says in a video.

    New speech goes in; out comes the same footage with a mouth that speaks it.
    """


for _command in (
    edit,
    face,
    fit,
    manifest,
    fetch_nets,
    info,
    verify,
    consent,
    study,
    score,
    report,
):
    main.add_command(_command)
