"""`talkin edit`."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from talkin.cli.consent_of_edit import checked_consent
from talkin.cli.examples import example
from talkin.cli.fit import followed_face
from talkin.cli.new_speech import check_one_given, new_speech
from talkin.cli.report_of_edit import say_what_was_done, write_report
from talkin.cli.running import explains_errors, progress_bars
from talkin.errors import ConfigurationError
from talkin.scratch import scratch_folder

if TYPE_CHECKING:
    import numpy as np

    from talkin.editing.edit_clip import EditConfig
    from talkin.editing.report import EditReport
    from talkin.networks.talking_face import TalkingFace

_DEFAULT_MODEL = Path("data/06_models/talking_face")
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(
    epilog=example("talkin edit --video me.mp4 --audio speech.wav --out edited.mp4 --compare")
)
@click.option("--video", type=_FILE, required=True, help="Footage of the person to edit.")
@click.option("--audio", type=_FILE, help="The new speech; any sound or video file.")
@click.option("--drive", type=_FILE, help="A video whose face and sound drive the mouth instead.")
@click.option(
    "--edit-list",
    type=_FILE,
    help="Pieces of recordings to be joined to new speech, YAML or CSV: audio, in, out.",
)
@click.option("--text", help="A text to be read aloud by espeak-ng (optional package).")
@click.option(
    "--text-voice", default="en-us", show_default=True, help="espeak-ng's voice for --text."
)
@click.option("--out", type=_FILE, required=True, help="The mp4 to write.")
@click.option(
    "--model",
    "model_folder",
    type=click.Path(file_okay=False, path_type=Path),
    help=f"Folder of a trained model.  [default: {_DEFAULT_MODEL}]",
)
@click.option(
    "--timing",
    type=click.Choice(["keep", "select"]),
    default="keep",
    show_default=True,
    help="keep: footage in its own order, back and forth where the speech is longer; select: "
    "choose frames whose head motion goes with the speech (Algorithm 1).",
)
@click.option(
    "--face",
    default="largest",
    show_default=True,
    help="Whose face: largest, left, right, or a number counted from the left, from 1.",
)
@click.option(
    "--geometry",
    metavar="FILE|own",
    help="The geometry of the person's face from `talkin face geometry` or `talkin fit`; own: what "
    "VIDEO alone tells.  [default: the project's, if it prepared clips of this speaker, else own]",
)
@click.option("--preview", is_flag=True, help="Quick and small: 360 px, every seventh window.")
@click.option("--compare", is_flag=True, help="Also write OUT-compare.mp4: footage beside edit.")
@click.option("--teeth/--no-teeth", default=False, help="Lend teeth detail from the footage.")
@click.option(
    "--deflicker/--no-deflicker",
    default=True,
    show_default=True,
    help="Calm flicker of the mouth.",
)
@click.option(
    "--mark/--no-mark",
    default=False,
    help="Put an invisible mark that outlives re-encoding on the whole frame; verify finds it.",
)
@click.option(
    "--stride",
    type=click.IntRange(1, 7),
    default=7,
    show_default=True,
    help="Render a window every so many frames: 7, or as many as the model's windows have, is "
    "fastest; 1 is calmest.",
)
@click.option(
    "--mouth",
    type=click.Choice(["auto", "network", "warp"]),
    default="auto",
    show_default=True,
    help="network: drawn by the trained renderer; warp: the footage's own mouths in the new shape, "
    "for any person; auto: whichever redraws hidden frames of the footage better.",
)
@click.option("--speaker", help="Whose face this is, as the consent register names them.")
@click.option("--voice", help="Whose voice is heard, as the consent register names them.")
@click.option("--consent-register", type=_FILE, help="CSV or YAML of who agreed to what.")
@click.option("--report", "report_file", type=_FILE, help="Write what was done as JSON.")
@explains_errors
def edit(video: Path, out: Path, **options: Any) -> None:
    """Make the person in VIDEO speak.

    What they say comes from one of --audio, --drive, --edit-list and --text. The output keeps the
    footage's size and frame rate and is as long as the speech. Frames in which no face is found
    stay as they are and are listed. The output carries signed content credentials that say it was
    edited; `talkin verify` reads them.

    An edit that is stopped, even killed, leaves an older output untouched; what it had done is in
    the hidden folder .OUT.unfinished, and the same command goes on from there.
    """
    check_one_given(options)
    consent = _consent(video, options)
    config = _config(options)
    comparison = out.with_name(f"{out.stem}-compare.mp4") if options["compare"] else None
    model = _load_model(options["model_folder"])
    report = _edited(video, out, comparison, model, config, options)
    say_what_was_done(report, comparison, consent)
    if options["report_file"] is not None:
        write_report(options["report_file"], report, consent)


def _edited(
    video: Path,
    out: Path,
    comparison: Path | None,
    model: "TalkingFace",
    config: "EditConfig",
    options: dict[str, Any],
) -> "EditReport":
    from talkin.editing.edit_clip import edit_clip
    from talkin.editing.request import check_request
    from talkin.footage.detection import load_detector
    from talkin.provenance.credentials import Ingredient

    check_request([video], [out, comparison], model, model.face_model)
    geometry, told = _geometry(video, model, options)
    unfinished = out.with_name(f".{out.stem}.unfinished")
    with scratch_folder("edit") as scratch, progress_bars() as progress:
        speech = new_speech(options, options["text_voice"], scratch)
        footage = video
        if options["preview"]:
            from talkin.editing.preview import small_copy

            footage = scratch / "preview.mp4"
            small_copy(video, footage)
        try:
            report = edit_clip(
                footage,
                speech.driver,
                out,
                model,
                model.face_model,
                load_detector(),
                config,
                progress,
                comparison=comparison,
                unfinished=unfinished,
                ingredients=(Ingredient(role="target", path=video), *speech.sources),
                geometry=geometry,
            )
        except BaseException:
            if unfinished.exists():
                click.echo(
                    f"What is done is kept in {unfinished}: the same command goes on from there; "
                    "delete the folder to begin anew.",
                    err=True,
                )
            raise
    return replace(report, notes=[*report.notes, *([told] if told else [])])


def _geometry(
    video: Path, model: "TalkingFace", options: dict[str, Any]
) -> "tuple[np.ndarray | None, str]":
    from talkin.cli.geometry_of_edit import OWN, geometry_of_edit

    asked, speaker = options["geometry"], options["speaker"]
    if asked is None and speaker is None and options["face"] != "largest":
        asked = OWN  # the manifest names whoever is seen largest
    data = _data_folder(options)
    return geometry_of_edit(asked, video, speaker, data, model.face_model)


def _data_folder(options: dict[str, Any]) -> Path:
    """The data folder of the project that the model is of."""
    model: Path = options["model_folder"] or _DEFAULT_MODEL
    return model.resolve().parent.parent


def _consent(video: Path, options: dict[str, Any]) -> str:
    """Ask for the leave of those who are named and of those whom the project's manifest knows."""
    from talkin.editing.edit_list import read_edit_list

    drive, sound = options["drive"], options["audio"] or options["drive"]
    listed = read_edit_list(options["edit_list"]).files if options["edit_list"] else ()
    return checked_consent(
        options["speaker"],
        options["voice"],
        options["consent_register"],
        [video, *([drive] if drive else ())],
        [*([sound] if sound else ()), *listed],
        _data_folder(options) / "01_raw" / "footage",
    )


def _config(options: dict[str, Any]) -> "EditConfig":
    from talkin.editing.edit_clip import EditConfig

    return EditConfig.model_validate(
        {
            "tracking": followed_face(options["face"]),
            "timing": {"mode": options["timing"]},
            "painting": {
                "mouth": {"source": options["mouth"]},
                "windowing": {"stride": 7 if options["preview"] else options["stride"]},
                "use_teeth": options["teeth"],
                "use_deflicker": options["deflicker"] and not options["preview"],
                "watermark": {} if options["mark"] else None,
            },
        }
    )


def _load_model(folder: Path | None) -> "TalkingFace":
    folder = folder or _DEFAULT_MODEL
    if not (folder / "config.json").exists():
        raise ConfigurationError(
            f"there is no trained model in {folder}: train one with `make demo` or `kedro run "
            "--pipeline=training`, or name its folder with --model"
        )
    from talkin.networks.talking_face import TalkingFace

    return TalkingFace.load(folder)
