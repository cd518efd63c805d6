"""`talkin face`: models in, meshes and a person's geometry out."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from talkin.cli.examples import example
from talkin.cli.running import explains_errors, progress_bars

if TYPE_CHECKING:
    from talkin.face3d.importing import ModelKind
    from talkin.footage.landmarks import LandmarkTrack

_FILE = click.Path(dir_okay=False, path_type=Path)
_KINDS = ("auto", "bfm2009", "bfm2017", "flame", "ict-facekit")


@click.group()
def face() -> None:
    """Morphable face models: bring one in, take fitted faces out."""


@face.command(
    "import",
    epilog=example(
        "talkin face import 01_MorphableModel.mat --expression Exp.mat --out bfm.safetensors"
    ),
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--kind",
    type=click.Choice(_KINDS),
    default="auto",
    show_default=True,
    help="Which model it is; auto judges by the suffix.",
)
@click.option("--expression", type=_FILE, help="BFM 2009: 3DDFA's Model_Expression.mat.")
@click.option("--landmarks", type=_FILE, help="FLAME: the landmark embedding of its code.")
@click.option("--out", type=_FILE, help="Where to write.  [default: FILE.safetensors beside FILE]")
@explains_errors
def import_model(
    file: Path, kind: "ModelKind", expression: Path | None, landmarks: Path | None, out: Path | None
) -> None:
    """Convert the licensed morphable model FILE once, to use it instead of the embedded one.

    Pickles are read by a reader that admits arrays and nothing else. The model's own licence goes
    on to apply to the converted file and to coefficients fitted with it.
    """
    from talkin.face3d.importing import FaceImportConfig, import_face_model

    config = FaceImportConfig(kind=kind, expression=expression, landmarks=landmarks)
    model = import_face_model(file, config)
    out = out or file.with_suffix(".safetensors")
    model.save(out)
    click.echo(
        f"{out}: {model.name}, {len(model.mean)} vertices, {model.n_geometry} geometry and "
        f"{model.n_expression} expression modes\nLicence: {model.notes['licence']}\n"
        f"Use it by face_model: {{name: file, file: {out}}} in the parameters."
    )


@face.command(
    "geometry", epilog=example("talkin face geometry me1.mp4 me2.mp4 me3.mov --out me.json")
)
@click.argument("clips", type=_FILE, nargs=-1, required=True)
@click.option("--out", type=_FILE, required=True, help="The JSON file to write.")
@click.option("--model", type=_FILE, help="The imported model.  [default: the embedded one]")
@click.option(
    "--landmarks",
    default="nets",
    show_default=True,
    metavar="nets|face-alignment|dlib",
    help="Who finds the points, as in `talkin fit`.",
)
@click.option(
    "--face",
    "whom",
    default="largest",
    show_default=True,
    metavar="largest|left|right|N",
    help="Whom to follow where several people are seen.",
)
@explains_errors
def find_geometry(
    clips: tuple[Path, ...], out: Path, model: Path | None, landmarks: str, whom: str
) -> None:
    """Find the geometry of one person's face from all CLIPS of them.

    Clips that turn the head and say much tell more of a face than one alone. `talkin edit` and
    `talkin fit` take the file by --geometry.
    """
    from talkin.cli.fit import followed_face, landmark_source, tracked
    from talkin.face3d.fitting_person import fit_geometry
    from talkin.face3d.loading import FaceModelConfig, load_face_model
    from talkin.face3d.person_geometry import PersonGeometry

    chosen, followed = load_face_model(FaceModelConfig(file=model)), followed_face(whom)
    source = landmark_source(landmarks)
    with progress_bars() as progress:

        def followed_in(clip: Path) -> "LandmarkTrack":
            def told(stage: str, done: int, total: int) -> None:
                progress(f"{stage} of {clip.name}", done, total)

            return tracked(clip, source, followed, None, told)

        tracks = (followed_in(clip) for clip in clips)
        found = fit_geometry(tracks, chosen, n_tracks=len(clips), name="the person of these clips")
    PersonGeometry(chosen.name, tuple(clip.name for clip in clips), found).save(out)
    click.echo(f"{out}: {len(found)} modes of {chosen.name}, found from {len(clips)} clips")


@face.command("export", epilog=example("talkin face export face.parquet face.ply --frame 20"))
@click.argument("parameters", type=_FILE)
@click.argument("out", type=_FILE)
@click.option("--frame", type=int, default=0, show_default=True, help="Which frame's face.")
@click.option("--model", type=_FILE, help="The imported model.  [default: the embedded one]")
@explains_errors
def export_mesh(parameters: Path, out: Path, frame: int, model: Path | None) -> None:
    """Write the face of one frame of the fit PARAMETERS as a mesh, OUT.obj or OUT.ply."""
    from talkin.face3d.loading import FaceModelConfig, load_face_model
    from talkin.face3d.mesh_export import export_frame
    from talkin.face3d.parameters import FaceParameters

    chosen = load_face_model(FaceModelConfig(file=model))
    export_frame(FaceParameters.load(parameters), chosen, frame, out)
    click.echo(f"{out}: frame {frame}, {len(chosen.mean)} vertices, millimetres")
