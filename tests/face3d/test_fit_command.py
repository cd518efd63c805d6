from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from talkin.cli import main
from talkin.face3d.parameters import FaceParameters
from talkin.face3d.person_geometry import PersonGeometry
from talkin.footage.landmarks import LandmarkTrack
from talkin.footage.video import VideoWriter


@pytest.fixture
def clip(tmp_path, model, plant, as_track):
    """A short film, and landmarks of a face in it."""
    video, points = tmp_path / "clip.mp4", tmp_path / "points.parquet"
    with VideoWriter(video, 640, 480, 25.0) as writer:
        for shade in range(6):
            writer.write(np.full((480, 640, 3), 100 + shade, np.uint8))
    as_track(plant(6, seed=20).landmarks(model)).save(points)
    return video, points


def run(*arguments):
    return CliRunner().invoke(main, ["fit", *map(str, arguments)])


def test_a_fit_is_written_with_its_overlay_and_a_mesh_for_every_frame(tmp_path, clip, model):
    video, points = clip
    saved = tmp_path / "model.safetensors"
    model.save(saved)
    out, meshes, overlay = tmp_path / "face.parquet", tmp_path / "meshes", tmp_path / "seen.mp4"
    done = run(
        video, "--out", out, "--landmarks", points, "--model", saved, "--overlay", overlay,
        "--mesh", meshes, "--mesh-format", "obj",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "6 of 6 frames fitted" in done.output
    assert FaceParameters.load(out).is_valid.all()
    assert overlay.stat().st_size > 1000
    assert sorted(path.name for path in meshes.iterdir())[-1] == "000005.obj"


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--face", "middle", "largest, left, right"),
        ("--face", "0", "a number from 1"),
        ("--landmarks", "nowhere.parquet", "no such file"),
        ("--model", "nowhere.safetensors", "nowhere.safetensors"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_can(tmp_path, clip, option, value, told):
    video, _ = clip
    done = run(video, "--out", tmp_path / "face.parquet", option, value)
    assert done.exit_code == 1
    assert told in done.output
    assert not (tmp_path / "face.parquet").exists()


def test_clips_of_one_person_give_a_geometry_that_fits_take(tmp_path, clip, model):
    video, points = clip
    known, out = tmp_path / "me.json", tmp_path / "face.parquet"
    asked = ["face", "geometry", video, video, "--landmarks", points, "--out", known]
    found = CliRunner().invoke(main, [str(argument) for argument in asked])
    assert found.exit_code == 0, found.output
    assert "found from 2 clips" in found.output
    done = run(video, "--out", out, "--landmarks", points, "--geometry", known)
    assert done.exit_code == 0, done.output
    geometry = FaceParameters.load(out).geometry
    assert np.allclose(geometry, PersonGeometry.load(known).geometry, atol=1e-6)
    again = run(video, "--out", tmp_path / "2.parquet", "--landmarks", points, "--geometry", out)
    assert again.exit_code == 0, again.output


def test_clips_without_a_face_give_no_geometry(tmp_path, clip):
    video, points = clip
    track = LandmarkTrack.load(points)
    replace(track, is_found=np.zeros(6, bool)).save(points)
    asked = ["face", "geometry", video, "--landmarks", points, "--out", tmp_path / "me.json"]
    found = CliRunner().invoke(main, [str(argument) for argument in asked])
    assert found.exit_code == 1
    assert "no face was found in any frame of 1 clips" in found.output
