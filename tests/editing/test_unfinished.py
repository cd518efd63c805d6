"""An edit that was stopped goes on where it was, and ends like one that nothing stopped."""

import errno
import fcntl

import numpy as np
import pytest

from talkin.editing import edit_clip as module
from talkin.editing import mouth_source, pieces, unfinished
from talkin.editing.unfinished import UnfinishedEdit
from talkin.errors import FootageError
from talkin.footage.video import iter_frames, probe_video
from talkin.provenance.verification import verify


@pytest.fixture
def short_pieces(monkeypatch):
    for where in (module, pieces):
        monkeypatch.setattr(where, "FRAMES_A_PIECE", 8)


@pytest.fixture
def shaded(monkeypatch):
    """A renderer whose pictures depend on the whole window; it can be told to die."""
    state = {"dies_after": None, "calls": 0}

    def render(crops, landmarks):
        state["calls"] += 1
        if state["dies_after"] is not None and state["calls"] > state["dies_after"]:
            raise KeyboardInterrupt
        levels = crops.astype(np.float32).mean(axis=0, keepdims=True) + landmarks[-1, 18, 1]
        return np.clip(crops * 0.5 + 0.5 * levels + 3 * np.arange(7)[:, None, None, None], 0, 255)

    def as_lent(crops, landmarks):
        assert len(crops) == 1
        return render(np.repeat(crops, 7, axis=0), landmarks)[:1]

    monkeypatch.setattr(mouth_source, "engine_of", lambda *_: render)
    monkeypatch.setattr(mouth_source, "as_lent", as_lent)
    return state


EVERY_FRAME = {"painting": {"windowing": {"stride": 1}, "use_deflicker": False}}


def pictures(path):
    return np.stack([frame.image for frame in iter_frames(path)])


SETTINGS = {
    "stride 1, last": {"windowing": {"stride": 1, "overlap": "last"}},
    "as it comes": {},
    "stride 3, not deflickered": {"windowing": {"stride": 3}, "use_deflicker": False},
    "averaged and deflickered": {
        "windowing": {"stride": 2, "overlap": "average"},
        "use_deflicker": True,
    },
    "mouths of the footage": {"mouth": {"source": "warp"}, "use_deflicker": True},
}


@pytest.mark.parametrize(
    ("painting", "dies_after"),
    zip(SETTINGS.values(), (9, 3, 2, 5, 21), strict=True),
    ids=SETTINGS,
)
def test_a_stopped_edit_equals_an_undisturbed_one(
    scene, short_pieces, shaded, tmp_path, painting, dies_after
):
    gaps = {9, 10, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33}
    video = scene.video(lambda t: [] if t in gaps else [scene.disc(x=60 + t / 2)], 40)
    sound, config = scene.speech(2.0), {"painting": painting}  # 50 frames: the last ones go back
    whole = scene.edit(video, sound, tmp_path / "whole.mp4", config=config)
    folder, output = tmp_path / "kept", tmp_path / "again.mp4"
    shaded.update(calls=0, dies_after=dies_after)
    with pytest.raises(KeyboardInterrupt):
        scene.edit(video, sound, output, config=config, unfinished=folder)
    assert not output.exists()
    n_whole = len(list(folder.glob("edited-*.mp4")))
    (folder / ".edited-00003.0123abcd.part.mp4").write_bytes(b"what a killed process leaves")
    shaded["dies_after"] = None
    report = scene.edit(video, sound, output, config=config, unfinished=folder)
    assert np.array_equal(pictures(output), pictures(whole.output))
    assert not folder.exists()
    assert verify(output).state == "edited"
    assert any("kept from a run" in note for note in report.notes) == (n_whole > 0)
    assert report.unedited == whole.unedited


def test_faces_are_followed_once_and_the_second_run_renders_only_what_is_missing(
    scene, short_pieces, shaded, tmp_path
):
    video, sound = scene.video(lambda t: [scene.disc()], 24), scene.speech(0.96)
    shaded["dies_after"] = 15
    with pytest.raises(KeyboardInterrupt):
        scene.edit(video, sound, unfinished=tmp_path / "kept", config=EVERY_FRAME)
    told = []
    shaded.update(calls=0, dies_after=None)
    scene.edit(
        video,
        sound,
        unfinished=tmp_path / "kept",
        progress=lambda stage, *_: told.append(stage),
        config=EVERY_FRAME,
    )
    assert set(told) == {"speaking"}
    assert shaded["calls"] <= 16


def test_what_another_edit_left_is_thrown_away(scene, short_pieces, shaded, tmp_path):
    video, folder = scene.video(lambda t: [scene.disc()], 24), tmp_path / "kept"
    shaded["dies_after"] = 12
    with pytest.raises(KeyboardInterrupt):
        scene.edit(video, scene.speech(0.96), unfinished=folder, config=EVERY_FRAME)
    assert list(folder.glob("edited-*.mp4"))
    shaded["dies_after"] = None
    other = scene.speech(0.8, name="other.wav", loudness=0.1)
    report = scene.edit(video, other, unfinished=folder)
    assert report.notes == scene.edit(video, other).notes
    assert probe_video(report.output).n_frames == 20


def test_an_edit_that_fails_before_any_work_leaves_no_folder(scene, tmp_path):
    with pytest.raises(FootageError):
        scene.edit(scene.video(lambda t: []), scene.speech(), unfinished=tmp_path / "kept")
    assert not (tmp_path / "kept").exists()


def test_a_folder_of_the_users_own_is_never_emptied(scene, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(FootageError, match="holds other files"):
        scene.edit(
            scene.video(lambda t: [scene.disc()]), scene.speech(), unfinished=tmp_path / "mine"
        )
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


def test_two_processes_never_make_the_same_edit_at_once(tmp_path):
    folder = tmp_path / "kept"
    with unfinished.kept_folder(folder, tmp_path / "o.mp4", "x"):
        with (
            (folder / ".lock").open("w") as lock,
            pytest.raises(BlockingIOError),
        ):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with (
            pytest.raises(FootageError, match="another process"),
            unfinished.kept_folder(folder, tmp_path / "o.mp4", "x"),
        ):
            pass
    assert not folder.exists()


@pytest.mark.parametrize("file", ["parquet", "json"])
def test_a_disk_that_fills_while_the_face_is_kept_is_said_and_the_next_run_goes_on(
    scene, short_pieces, tmp_path, monkeypatch, file
):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "Detail: [errno 28]\nNo space left on device")

    video, folder = scene.video(lambda t: [scene.disc()], 12), tmp_path / "kept"
    with monkeypatch.context() as patched:
        owner, name = {
            "parquet": (unfinished.pq, "write_table"),
            "json": (UnfinishedEdit, "_write_json"),
        }[file]
        patched.setattr(owner, name, full)
        with pytest.raises(FootageError, match="cannot be written to: No space left") as caught:
            scene.edit(video, scene.speech(0.48), unfinished=folder)
    assert "\n" not in str(caught.value)
    assert not scene.output.exists()
    assert scene.edit(video, scene.speech(0.48), unfinished=folder).n_edited == 12
