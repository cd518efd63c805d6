"""`talkin manifest` and `talkin fit`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from talkin.cli.running import explains_errors, progress_bars
from talkin.errors import ConfigurationError

if TYPE_CHECKING:
    from talkin.face3d.model import MorphableModel
    from talkin.face3d.parameters import FaceParameters

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
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
    from talkin.files import replace_when_whole
    from talkin.footage.manifest import manifest_skeleton

    out = out or folder / "manifest.csv"
    if out.exists():
        raise ConfigurationError(f"{out} exists already; delete it or name another with --out")
    rows = grid_rows(folder) if is_grid else manifest_skeleton(folder)
    with replace_when_whole(out) as part:
        rows.to_csv(part, index=False)
    left = "column consent" if is_grid else "columns speaker and consent"
    click.echo(f"{out}: {len(rows)} clips. Fill in the {left}.")


@click.command()
@click.argument("video", type=_FILE)
@click.option("--out", type=_FILE, required=True, help="The Parquet file of face parameters.")
@click.option("--overlay", type=_FILE, help="Also write the footage with the fitted points drawn.")
@click.option("--fps", type=float, help="Frames a second of the rows.  [default: the video's own]")
@explains_errors
def fit(video: Path, out: Path, overlay: Path | None, fps: float | None) -> None:
    """Fit the 3D face to VIDEO: geometry once, expression and pose a frame.

    The Parquet file opens in pandas; its metadata says units and axes.
    """
    from talkin.editing.shots import cuts_of
    from talkin.face3d.fitting import fit_clip
    from talkin.face3d.loading import load_face_model
    from talkin.footage.detection import load_detector
    from talkin.footage.tracking import track_landmarks
    from talkin.footage.video import probe_video

    n_frames = probe_video(video).n_frames
    model = load_face_model()
    with progress_bars() as progress:
        track = track_landmarks(
            video,
            load_detector(),
            fps=fps,
            progress=lambda done: progress("following the face", done, max(done, n_frames)),
        )
    parameters = fit_clip(track, model, cuts=cuts_of(track), clip=str(video))
    parameters.save(out, clip=video.name)
    valid = parameters.is_valid
    error = (parameters.reprojection_error_px / parameters.interocular_px)[valid].mean()
    click.echo(
        f"{valid.sum()} of {len(parameters)} frames fitted, mean error {100 * error:.1f} % of the "
        f"eye distance\n{out}"
    )
    for note in track.notes:
        click.echo(f"Note: {note}.")
    if overlay is not None:
        _write_overlay(video, parameters, model, overlay)
        click.echo(str(overlay))


def _write_overlay(
    video: Path, parameters: "FaceParameters", model: "MorphableModel", output: Path
) -> None:
    import cv2
    import numpy as np

    from talkin.footage.video import VideoWriter, iter_frames, probe_video

    info = probe_video(video)
    vertices = np.concatenate([model.landmarks68, model.mouth39])
    points = np.rint(parameters.project(model, vertices) * 16).astype(int)
    radius = max(1, round(info.height / 400)) * 16
    with VideoWriter(output, info.width, info.height, parameters.fps, video) as writer:
        for number, frame in enumerate(iter_frames(video, parameters.fps)):
            if number < len(parameters) and parameters.is_valid[number]:
                for k, (x, y) in enumerate(points[number]):
                    colour = (80, 220, 255) if k < len(model.landmarks68) else (255, 120, 60)
                    place = (int(x), int(y))
                    cv2.circle(frame.image, place, radius, colour, -1, cv2.LINE_AA, shift=4)
            writer.write(frame.image)
