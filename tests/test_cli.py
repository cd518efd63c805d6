import json
import subprocess
import sys
import time

import numpy as np
import pytest
from click.testing import CliRunner

from talkin.cli import main
from talkin.footage.video import VideoWriter


@pytest.fixture
def call():
    runner = CliRunner()
    return lambda *arguments: runner.invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "clip.mp4"
    with VideoWriter(path, 64, 48, 25.0) as writer:
        for t in range(10):
            writer.write(np.full((48, 64, 3), 20 * t, np.uint8))
    return path


def test_help_names_every_command_and_a_first_step(call):
    shown = call("--help")
    assert shown.exit_code == 0
    for word in ("edit", "fit", "manifest", "fetch-nets", "info", "make demo", "agreed"):
        assert word in shown.output


@pytest.mark.parametrize("command", ["edit", "fit", "manifest", "fetch-nets", "info"])
def test_every_command_explains_itself_and_every_option(call, command):
    shown = call(command, "--help")
    assert shown.exit_code == 0
    for parameter in main.commands[command].params:
        assert parameter.param_type_name == "argument" or parameter.help


def test_nothing_heavy_is_imported_before_a_command_runs():
    loaded = "import sys, talkin.cli; print([m for m in ('torch', 'cv2', 'av', 'numpy', 'pandas') "
    loaded += "if m in sys.modules])"
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
    assert time.perf_counter() - start < 5


def test_a_missing_model_says_how_to_get_one(call, clip, tmp_path):
    asked = call(
        "edit", "--video", clip, "--audio", clip, "--out", tmp_path / "o.mp4", "--model", tmp_path
    )
    assert asked.exit_code == 1
    assert "make demo" in asked.output
    assert "Traceback" not in asked.output
    assert not (tmp_path / "o.mp4").exists()


@pytest.mark.parametrize("face", ["0", "-1", "middle", ""])
def test_a_face_that_cannot_be_chosen_is_refused(call, clip, tmp_path, face):
    asked = call(
        "edit", "--video", clip, "--audio", clip, "--out", tmp_path / "o.mp4", "--face", face
    )
    assert asked.exit_code == 1
    assert "largest, left, right" in asked.output


def test_a_speaker_without_consent_is_refused_before_any_work(call, clip, tmp_path):
    register = tmp_path / "consent.csv"
    register.write_text("consent,speaker,purpose,expires\nc1,ann,tests,\n")
    asked = call(
        *("edit", "--video", clip, "--audio", clip, "--out", tmp_path / "o.mp4"),
        *("--speaker", "bob", "--consent-register", register),
    )
    assert asked.exit_code == 1
    assert "bob" in asked.output


def test_a_speaker_without_a_register_is_refused(call, clip, tmp_path):
    asked = call(
        "edit", "--video", clip, "--audio", clip, "--out", tmp_path / "o.mp4", "--speaker", "ann"
    )
    assert asked.exit_code == 1
    assert "belong together" in asked.output


def test_an_unknown_option_is_a_usage_error(call):
    assert call("edit", "--nonsense").exit_code == 2


def test_a_manifest_skeleton_lists_the_clips_and_overwrites_nothing(call, clip):
    made = call("manifest", clip.parent)
    assert made.exit_code == 0, made.output
    written = (clip.parent / "manifest.csv").read_text()
    assert "clip.mp4" in written
    again = call("manifest", clip.parent)
    assert again.exit_code == 1
    assert "exists already" in again.output
    assert (clip.parent / "manifest.csv").read_text() == written


def test_a_folder_without_videos_has_no_manifest(call, tmp_path):
    assert call("manifest", tmp_path).exit_code == 1
    assert call("manifest", tmp_path / "missing").exit_code == 1


def test_fitting_text_that_calls_itself_video_is_one_line_of_error(call, tmp_path):
    fake = tmp_path / "fake.mp4"
    fake.write_text("no video")
    asked = call("fit", fake, "--out", tmp_path / "p.parquet")
    assert asked.exit_code == 1
    assert "fake.mp4" in asked.output
    assert "Traceback" not in asked.output


def test_info_counts_the_papers_75_million_parameters(call, monkeypatch):
    monkeypatch.setattr("talkin.cli.machine._face_model", lambda: {"name": "toy"})
    found = json.loads(call("info", "--json").output)
    assert round(found["networks"]["renderer"]["parameters"] / 1e6, 2) == 75.04
    assert found["versions"]["talkin"]
    assert set(found["landmark_nets"]) == {
        "face_landmark.tflite",
        "face_detection_short_range.tflite",
    }
    assert "renderer" in call("info").output
