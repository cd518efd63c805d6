"""`talkin fit`."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from talkin.cli.examples import example
from talkin.cli.running import explains_errors, progress_bars
from talkin.errors import ConfigurationError

if TYPE_CHECKING:
    import numpy as np

    from talkin.face3d.model import MorphableModel
    from talkin.face3d.parameters import FaceParameters
    from talkin.footage.detection import LandmarkSource
    from talkin.footage.landmarks import LandmarkTrack
    from talkin.footage.tracking import TrackingConfig

_FILE = click.Path(dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)
_NAMED_FACES = ("largest", "left", "right")
Progress = Callable[[str, int, int], None]


@click.command(
    epilog=example(
        "talkin fit clip.mp4 --out face.parquet --overlay check.mp4",
        "talkin fit talk.mp4 --out left.parquet --face left",
        "talkin fit clip.mp4 --out face.parquet --model bfm.safetensors --mesh meshes",
    )
)
@click.argument("video", type=_FILE)
@click.option("--out", type=_FILE, required=True, help="The Parquet file of face parameters.")
@click.option(
    "--model",
    default="embedded",
    show_default=True,
    metavar="embedded|FILE",
    help="The morphable model: FILE.safetensors is what `talkin face import` wrote.",
)
@click.option(
    "--landmarks",
    default="nets",
    show_default=True,
    metavar="nets|face-alignment|dlib|FILE",
    help="Who finds the points: two small nets (468 points), the package face-alignment (68 "
    "points, downloads 180 MB), dlib where it is installed (68 points), or a Parquet file of "
    "points found before.",
)
@click.option(
    "--face",
    default="largest",
    show_default=True,
    metavar="largest|left|right|N",
    help="Whom to follow where several people are seen; N counts from the left, from 1.",
)
@click.option(
    "--geometry",
    type=_FILE,
    help="The geometry of the person's face from `talkin face geometry` or an earlier fit, instead "
    "of what VIDEO alone tells.",
)
@click.option("--fps", type=float, help="Frames a second of the rows.  [default: the video's own]")
@click.option("--overlay", type=_FILE, help="Also write a video: mesh, points, axes over the face.")
@click.option("--mesh", type=_FOLDER, help="Also write every frame's face as a mesh into a folder.")
@click.option(
    "--mesh-format",
    type=click.Choice(["obj", "ply"]),
    default="ply",
    show_default=True,
    help="Format of the meshes: ply is smaller and quicker, obj is text that any program reads.",
)
@explains_errors
def fit(video: Path, out: Path, **options: Any) -> None:
    """Fit the 3D face to VIDEO: geometry once, expression and pose a frame.

    The Parquet file opens in pandas; its metadata says units and axes. `is_valid` says which
    frames to trust, `reprojection_error_px` beside `interocular_px` how far. Frames without the
    face are filled from their neighbours and are not valid.
    """
    from talkin.face3d.fitting import fit_clip
    from talkin.face3d.loading import FaceModelConfig, load_face_model

    followed = followed_face(options["face"])
    file = None if options["model"] == "embedded" else Path(options["model"])
    overlay, mesh = options["overlay"], options["mesh"]
    chosen = load_face_model(FaceModelConfig(file=file))
    known = _known_geometry(options["geometry"], chosen)
    source = landmark_source(options["landmarks"])
    with progress_bars() as progress:
        track = tracked(video, source, followed, options["fps"], progress)
        parameters = fit_clip(
            track,
            chosen,
            geometry=known,
            clip=str(video),
            progress=lambda done: progress("fitting", done, len(track)),
        )
        parameters.save(out, clip=video.name)
        if overlay is not None:
            _write_overlay(video, parameters, chosen, overlay, progress)
        if mesh is not None:
            _write_meshes(parameters, chosen, mesh, options["mesh_format"], progress)
    _say(parameters, track, [out, *(path for path in (overlay, mesh) if path is not None)])


def _known_geometry(file: Path | None, model: "MorphableModel") -> "np.ndarray | None":
    from talkin.face3d.person_geometry import PersonGeometry

    return None if file is None else PersonGeometry.load(file).of_model(model, str(file))


def followed_face(face: str) -> "TrackingConfig":
    """Whom to follow, as the options of commands name it."""
    from talkin.footage.tracking import TrackingConfig

    if face in _NAMED_FACES:
        return TrackingConfig.model_validate({"which": face})
    if face.isdecimal() and int(face) > 0:
        return TrackingConfig(which=int(face))
    raise ConfigurationError(
        f"--face {face} is not known: use largest, left, right, or a number from 1"
    )


def landmark_source(landmarks: str) -> "LandmarkSource":
    """Who finds the points, as the options of commands name it."""
    from talkin.footage.detection import DetectionConfig, load_detector

    if landmarks == "nets":
        return load_detector(DetectionConfig())
    if landmarks in ("face-alignment", "dlib"):
        return load_detector(DetectionConfig.model_validate({"backend": landmarks}))
    if not Path(landmarks).is_file():
        raise ConfigurationError(
            f"--landmarks {landmarks}: no such file; use nets, face-alignment, dlib, or a Parquet "
            "file of landmarks"
        )
    from talkin.footage.landmarks_file import SavedLandmarks

    return SavedLandmarks(Path(landmarks))


def tracked(
    video: Path,
    source: "LandmarkSource",
    config: "TrackingConfig",
    fps: float | None,
    progress: Progress,
) -> "LandmarkTrack":
    """Follow a face with a progress bar."""
    from talkin.footage.tracking import track_landmarks
    from talkin.footage.video import probe_video

    n_frames = probe_video(video).n_frames

    def told(done: int) -> None:
        progress("following the face", done, max(done, n_frames))

    return track_landmarks(video, source, config, fps, told)


def _write_overlay(
    video: Path,
    parameters: "FaceParameters",
    model: "MorphableModel",
    output: Path,
    progress: Progress,
) -> None:
    from talkin.face3d.overlay import mesh_overlay
    from talkin.footage.video import VideoWriter, iter_frames, probe_video

    info = probe_video(video)
    with VideoWriter(output, info.width, info.height, parameters.fps, video) as writer:
        for number, frame in enumerate(iter_frames(video, parameters.fps)):
            shown = frame.image
            if number < len(parameters):
                shown = mesh_overlay(frame.image, parameters, model, number)
            writer.write(shown)
            progress("drawing the overlay", number + 1, max(number + 1, len(parameters)))


def _write_meshes(
    parameters: "FaceParameters",
    model: "MorphableModel",
    folder: Path,
    suffix: str,
    progress: Progress,
) -> None:
    from talkin.face3d.mesh_export import export_frame

    for frame in range(len(parameters)):
        export_frame(parameters, model, frame, folder / f"{frame:06d}.{suffix}")
        progress("writing meshes", frame + 1, len(parameters))


def _say(parameters: "FaceParameters", track: "LandmarkTrack", written: list[Path]) -> None:
    from talkin.face3d.remarks import remarks

    valid = parameters.is_valid
    share = (parameters.reprojection_error_px / parameters.interocular_px)[valid]
    quality = f", mean error {100 * share.mean():.1f} % of the eye distance" if len(share) else ""
    click.echo(f"{valid.sum()} of {len(parameters)} frames fitted{quality}")
    for path in written:
        click.echo(str(path))
    for note in [*track.notes, *remarks(parameters)]:
        click.echo(f"Note: {note}.")
