import json
import subprocess
import sys
import time

import click
import numpy as np
import pytest
from click.testing import CliRunner

from talkin.cli import main
from talkin.footage.video import VideoWriter, probe_video


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


def every_command(group=main, path=()):
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from every_command(command, (*path, name))
        else:
            yield (*path, name), command


@pytest.mark.parametrize(("path", "command"), every_command())
def test_every_command_explains_itself_and_every_option_and_gives_an_example(call, path, command):
    shown = call(*path, "--help")
    assert shown.exit_code == 0
    assert "\\b" not in shown.output
    assert f"Example:\n    talkin {' '.join(path)}" in shown.output
    for parameter in command.params:
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


def test_leave_to_train_is_no_leave_to_edit_and_a_voice_needs_its_own(call, clip, tmp_path):
    register = tmp_path / "consent.csv"
    register.write_text("consent,speaker,purpose,expires\nc1,ann,train;edit-face,\nc2,bob,train,\n")
    files = ("edit", "--video", clip, "--audio", clip, "--out", tmp_path / "o.mp4")
    for people, refused in (
        (("--speaker", "bob"), "not for edit-face"),
        (("--speaker", "ann", "--voice", "bob"), "not for edit-voice"),
    ):
        asked = call(*files, *people, "--consent-register", register)
        assert asked.exit_code == 1
        assert refused in asked.output


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        (("--video", "ann.mp4", "--audio", "bo.mp4"), "ann (clip ann_1) expired on 2020-01-01"),
        (
            ("--video", "free.mp4", "--audio", "bo.mp4"),
            "bo (clip bo_1) is for train, not for edit-",
        ),
        (("--video", "free.mp4", "--drive", "ann.mp4"), "ann (clip ann_1) expired"),
        (("--video", "free.mp4", "--edit-list", "list.csv"), "bo (clip bo_1) is for train"),
        (("--video", "link.mp4", "--audio", "free.mp4"), "ann (clip ann_1) expired"),
    ],
)
def test_people_of_the_projects_manifest_need_no_naming_to_be_refused(
    call, clip, tmp_path, given, refused
):
    footage = tmp_path / "data/01_raw/footage"
    footage.mkdir(parents=True)
    for name in ("ann.mp4", "bo.mp4", "free.mp4"):
        (footage / name).write_bytes(clip.read_bytes())
    (footage / "link.mp4").symlink_to("ann.mp4")
    (footage / "list.csv").write_text("audio\nfree.mp4\nbo.mp4\n")
    head = "clip,path,speaker,split,view,consent\n"
    rows = "ann_1,ann.mp4,ann,train,front,c1\nbo_1,bo.mp4,bo,train,front,c2\n"
    (footage / "manifest.csv").write_text(head + rows)
    register = "consent,speaker,purpose,expires\nc1,ann,edit-face,2020-01-01\nc2,bo,train,\n"
    (footage / "consent.csv").write_text(register)
    files = [footage / text if "." in text else text for text in given]
    model = ("--model", tmp_path / "data/06_models/talking_face")
    asked = call("edit", *files, "--out", tmp_path / "o.mp4", *model)
    assert asked.exit_code == 1
    assert refused in asked.output
    elsewhere = ("--model", tmp_path / "elsewhere/talking_face")
    assert refused in call("edit", *files, "--out", tmp_path / "o.mp4", *elsewhere).output
    free = ("--video", footage / "free.mp4", "--audio", footage / "free.mp4")
    asked = call("edit", *free, "--out", tmp_path / "o.mp4", *model)
    assert "no trained model" in asked.output  # consent did not stop it


def test_everyone_whom_the_manifest_names_for_one_file_must_agree(call, clip, tmp_path):
    footage = tmp_path / "data/01_raw/footage"
    footage.mkdir(parents=True)
    (footage / "two.mp4").write_bytes(clip.read_bytes())
    head = "clip,path,speaker,split,view,consent\n"
    rows = "two_1,two.mp4,bo,train,front,c2\ntwo_2,two.mp4,ann,train,front,c1\n"
    (footage / "manifest.csv").write_text(head + rows)
    register = "consent,speaker,purpose,expires\nc1,ann,anything,\nc2,bo,train,\n"
    (footage / "consent.csv").write_text(register)
    asked = call(
        *("edit", "--video", footage / "two.mp4", "--audio", clip, "--out", tmp_path / "o.mp4"),
        *("--model", tmp_path / "data/06_models/talking_face"),
    )
    assert asked.exit_code == 1
    assert "bo" in asked.output
    assert "edit-face" in asked.output


def test_a_file_of_which_only_a_wrong_line_of_the_manifest_tells_is_not_edited(
    call, clip, tmp_path
):
    footage = tmp_path / "data/01_raw/footage"
    footage.mkdir(parents=True)
    (footage / "ann.mp4").write_bytes(clip.read_bytes())
    head = "clip,path,speaker,split,view,consent\n"
    (footage / "manifest.csv").write_text(head + "ann_1,ann.mp4,ann,trian,front,c1\n")
    model = ("--model", tmp_path / "data/06_models/talking_face")
    files = ("--video", footage / "ann.mp4", "--audio", clip, "--out", tmp_path / "o.mp4")
    asked = call("edit", *files, *model)
    assert asked.exit_code == 1
    assert "ann.mp4: who is in it is not known" in asked.output
    assert "line 2" in asked.output
    (footage / "manifest.csv").unlink()
    assert "no trained model" in call("edit", *files, *model).output


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


@pytest.fixture
def networks(tmp_path):
    """A folder with the networks of a toy face, untrained."""
    import torch

    from talkin.face3d.model import MorphableModel
    from talkin.networks.talking_face import TalkingFace
    from talkin.networks.talking_face_config import TalkingFaceConfig

    torch.set_num_threads(1)
    rng = np.random.default_rng(7)
    model = MorphableModel(
        name="toy",
        mean=rng.normal(0, 25, (68, 3)).astype(np.float32),
        geometry_basis=rng.normal(0, 2, (68, 3, 5)).astype(np.float32),
        expression_basis=rng.normal(0, 6, (68, 3, 4)).astype(np.float32),
        triangles=np.array([[0, 1, 2]]),
        landmarks68=np.arange(68),
        mouth39=np.arange(39),
        mesh468=np.full(468, -1),
    )
    settings = {
        "crop": {"size_px": 16},
        "mfcc": {"n_mfcc": 6},
        "n_geometry": 5,
        "n_expression": 4,
        "identity_removal": {"n_components": 2, "hidden": 4, "rows_per_step": 10},
        "audio_to_expression": {"hidden": 8, "layers": 1, "rows_per_step": 10},
        "renderer": {"width": 4, "depth": 2},
    }
    folder = tmp_path / "networks"
    TalkingFace(TalkingFaceConfig.model_validate(settings), model).save(folder)
    return folder


class SeesOneFace:
    """A detector that finds the toy's mean face in the middle of pictures that are not black."""

    scheme, min_score = "ibug68", 0.5

    def find_faces(self, image, thorough=False):
        from talkin.footage.detection import FaceRegion

        return [FaceRegion(32.0, 24.0, 40.0, 0.0, 1.0)] if image.mean() > 10 else []

    def place_points(self, image, region):
        from talkin.footage.detection import Landmarks

        mean = np.random.default_rng(7).normal(0, 25, (68, 3))[:, :2] * [0.3, -0.3]
        return Landmarks(mean + np.array([32, 24]), float(image.mean() > 10), region)


@pytest.fixture
def edit(call, networks, tmp_path, monkeypatch):
    """Calls `talkin edit` with the toy networks and a detector that sees one face."""
    from talkin.footage.audio import Audio, write_wav

    monkeypatch.setattr("talkin.footage.detection.load_detector", SeesOneFace)
    tone = 0.2 * np.sin(np.arange(6400) * 0.1).astype(np.float32)
    write_wav(tmp_path / "speech.wav", Audio(tone, 16000))

    def asked(video, audio=tmp_path / "speech.wav", out=tmp_path / "o.mp4", *more):
        return call(
            *("edit", "--video", video, "--audio", audio, "--out", out, "--model", networks), *more
        )

    return asked


def test_an_edit_by_command_writes_the_clip_its_comparison_and_its_report(edit, clip, tmp_path):
    report = tmp_path / "report.json"
    done = edit(clip, tmp_path / "speech.wav", tmp_path / "o.mp4", "--compare", "--report", report)
    assert done.exit_code == 0, done.output
    written = json.loads(report.read_text())
    assert written["n_frames"] == written["n_edited"] + 1 == 10  # the first frame is black
    assert probe_video(tmp_path / "o.mp4").n_frames == 10
    assert probe_video(tmp_path / "o-compare.mp4").width == 128
    assert "label the result as edited" in done.output


def bad_requests(folder, clip):
    """Video, sound, output and the words that the refusal must hold."""
    words = folder / "words.wav"
    words.write_text("no sound\n" * 500)
    black = folder / "black.mp4"
    with VideoWriter(black, 64, 48, 25.0) as writer:
        for _ in range(5):
            writer.write(np.zeros((48, 64, 3), np.uint8))
    speech, out = folder / "speech.wav", folder / "o.mp4"
    return {
        "no face": (black, speech, out, "no face found"),
        "no sound": (clip, clip, out, "no sound"),
        "words for sound": (clip, words, out, "words.wav"),
        "no such video": (folder / "none.mp4", speech, out, "none.mp4"),
        "no such sound": (clip, folder / "none.wav", out, "none.wav"),
        "itself": (clip, speech, clip, "its own input"),
        "no mp4": (clip, speech, folder / "o.avi", ".mp4"),
        "a file for a folder": (clip, speech, words / "o.mp4", "cannot be made"),
    }


def test_every_bad_request_is_one_line_and_leaves_no_file(edit, clip, tmp_path):
    for name, (video, audio, out, words) in bad_requests(tmp_path, clip).items():
        before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
        asked = edit(video, audio, out)
        errors = [line for line in asked.output.splitlines() if line.startswith("Error: ")]
        assert asked.exit_code == 1, name
        assert len(errors) == 1, (name, asked.output)
        assert words in errors[0], name
        assert "Traceback" not in asked.output
        after = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
        assert after == before, name


def one_of(call, networks, clip, out, *how):
    return call("edit", "--video", clip, "--out", out, "--model", networks, *how)


def test_new_speech_comes_from_exactly_one_place(call, networks, clip, tmp_path):
    out = tmp_path / "o.mp4"
    for how in ((), ("--audio", clip, "--text", "hello")):
        asked = one_of(call, networks, clip, out, *how)
        assert asked.exit_code == 1
        assert "give one of --audio, --drive, --edit-list, --text" in asked.output


def test_an_edit_list_is_cut_and_spoken_and_its_recordings_are_named(
    edit, call, networks, clip, tmp_path
):
    from talkin.provenance.verification import verify

    (tmp_path / "list.csv").write_text("audio,in,out\nspeech.wav,0.1,0.3\nspeech.wav,0,0.12\n")
    made = one_of(
        call, networks, clip, tmp_path / "o.mp4", "--edit-list", tmp_path / "list.csv", "--preview"
    )
    assert made.exit_code == 0, made.output
    assert probe_video(tmp_path / "o.mp4").n_frames == 8  # 0.2 s and 0.12 s less the fade
    found = verify(tmp_path / "o.mp4")
    assert found.state == "edited"
    assert {item.title for item in found.statement.ingredients} == {"clip.mp4", "speech.wav"}
    assert not list(tmp_path.glob(".*"))


def test_a_video_without_sound_drives_by_its_face(edit, call, networks, clip, tmp_path):
    made = one_of(call, networks, clip, tmp_path / "o.mp4", "--drive", clip)
    assert made.exit_code == 0, made.output
    assert probe_video(tmp_path / "o.mp4").n_frames == 10
    assert not probe_video(tmp_path / "o.mp4").has_audio
    assert "the mouth rests there" in made.output  # the first frame is black


def test_a_text_is_read_aloud_or_the_missing_engine_is_named(
    edit, call, networks, clip, tmp_path, monkeypatch
):
    pytest.importorskip("espeakng_loader")
    made = one_of(call, networks, clip, tmp_path / "o.mp4", "--text", "Hi.")
    assert made.exit_code == 0, made.output
    assert probe_video(tmp_path / "o.mp4").duration_s > 0.7
    empty = one_of(call, networks, clip, tmp_path / "o.mp4", "--text", " . ")
    assert "nothing to read aloud" in empty.output

    def missing(*_, **__):
        from talkin.errors import TalkinError

        raise TalkinError("espeakng_loader is not installed")

    monkeypatch.setattr("talkin.avatar.reading_aloud.speak", missing)
    asked = one_of(call, networks, clip, tmp_path / "o.mp4", "--text", "Hi.")
    assert asked.exit_code == 1
    assert "pip install 'talkin[demo]'" in asked.output


def test_an_edit_that_dies_says_where_its_work_is_kept(
    edit, call, networks, clip, tmp_path, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr("talkin.editing.edit_clip.join_and_sign", lambda *_: 1 / 0)
        died = edit(clip)
        assert died.exit_code != 0
        assert ".o.unfinished" in died.output
    assert (tmp_path / ".o.unfinished" / "edited-00000.mp4").exists()
    again = edit(clip)
    assert again.exit_code == 0, again.output
    assert "kept from a run that was stopped" in again.output
    assert not (tmp_path / ".o.unfinished").exists()
