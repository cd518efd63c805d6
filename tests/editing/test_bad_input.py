"""What an edit does with footage and sound that is not as it should be (issue: bad input)."""

import errno
import os

import av
import cv2
import numpy as np
import pytest

from talkin.errors import FootageError, NoFaceError
from talkin.footage.audio import Audio, read_audio, write_wav
from talkin.footage.video import VideoWriter, iter_frames, probe_video
from talkin.provenance.verification import verify


@pytest.fixture
def face(scene):
    return lambda t: [scene.disc(x=70 + t)]


def blueness(path):
    """How much bluer than red the bluest pixels of each frame are."""
    pictures = [frame.image.astype(int) for frame in iter_frames(path)]
    return np.array([np.percentile(p[..., 2] - p[..., 0], 99.5) for p in pictures])


def edited_frames(path):
    return np.flatnonzero(blueness(path) > 60).tolist()


def refused(scene, match, *arguments, kind=FootageError, **options):
    """The edit is refused by one line, and neither a new nor a half-written file stays."""
    scene.output.parent.mkdir(exist_ok=True)
    scene.output.write_bytes(b"older")
    with pytest.raises(kind, match=match) as caught:
        scene.edit(*arguments, **options)
    assert "\n" not in str(caught.value)
    assert scene.output.read_bytes() == b"older"
    assert list(scene.output.parent.iterdir()) == [scene.output]


def test_a_good_clip_is_edited_in_every_frame(scene, face):
    report = scene.edit(scene.video(face), scene.speech())
    assert report.n_edited == report.n_frames == 15
    assert edited_frames(report.output) == list(range(15))
    assert report.unedited == []


# --- sound


def test_silent_sound_is_edited_with_a_closed_mouth_and_said(scene, face):
    report = scene.edit(scene.video(face), scene.speech(loudness=0.0))
    assert any("silent throughout" in note for note in report.notes)
    assert report.n_edited == 15


def test_sound_that_is_no_number_is_named_with_its_time(scene, face, tmp_path):
    import soundfile

    samples = np.zeros(9600, np.float32)
    samples[4800] = np.nan
    soundfile.write(tmp_path / "nan.wav", samples, 16_000, "FLOAT")
    refused(scene, "no numbers", scene.video(face), tmp_path / "nan.wav")


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (44_100, 2), (48_000, 2), (11_025, 1)])
def test_any_rate_and_stereo_give_the_same_length(scene, face, tmp_path, rate, channels):
    import soundfile

    tone = 0.2 * np.sin(np.arange(round(0.6 * rate)) * 0.1)
    soundfile.write(tmp_path / "s.wav", np.repeat(tone[:, None], channels, 1), rate, "PCM_16")
    report = scene.edit(scene.video(face), tmp_path / "s.wav")
    assert report.n_frames == 15
    assert read_audio(report.output).duration_s == pytest.approx(0.6, abs=0.04)
    with av.open(str(report.output)) as container:
        assert len(container.streams.audio[0].layout.channels) == channels


def test_a_file_that_is_no_sound_is_refused(scene, face, tmp_path):
    (tmp_path / "speech.wav").write_text("these are words, not sound\n" * 200)
    refused(scene, r"speech\.wav", scene.video(face), tmp_path / "speech.wav")


@pytest.mark.parametrize("content", [b"", b"RIFF"])
def test_an_empty_or_cut_off_sound_file_is_refused(scene, face, tmp_path, content):
    (tmp_path / "speech.wav").write_bytes(content)
    refused(scene, r"speech\.wav", scene.video(face), tmp_path / "speech.wav")


def test_a_video_without_sound_cannot_speak(scene, face):
    silent = scene.video(face)
    refused(scene, "has no sound", silent, scene.video(face, name="other.mp4"))


def test_a_video_without_sound_can_be_spoken_for(scene, face):
    video = scene.video(face)
    assert not probe_video(video).has_audio
    assert probe_video(scene.edit(video, scene.speech()).output).has_audio


def test_sound_of_no_length_is_refused(scene, face, tmp_path):
    write_wav(tmp_path / "short.wav", Audio(np.zeros(100, np.float32), 16_000))
    refused(scene, "shorter than one frame", scene.video(face), tmp_path / "short.wav")


def test_longer_speech_plays_footage_back_and_forth_and_says_so(scene, face):
    report = scene.edit(scene.video(face), scene.speech(1.2))
    assert report.n_frames == 30
    assert report.frame_order.max() == 14
    assert any("back and forth" in note for note in report.notes)


def test_longer_speech_can_be_refused_instead(scene, face):
    config = {"timing": {"when_footage_is_short": "refuse"}}
    refused(scene, "15 frames", scene.video(face), scene.speech(1.2), config=config)


def test_shorter_speech_ends_the_clip_with_it(scene, face):
    report = scene.edit(scene.video(face, 30), scene.speech(0.6))
    assert probe_video(report.output).n_frames == 15


# --- footage


def test_footage_without_a_face_is_refused_with_the_reason(scene):
    refused(scene, "no face found", scene.video(lambda t: []), scene.speech(), kind=NoFaceError)


def test_a_face_of_ten_pixels_is_refused_with_its_size(scene):
    small = scene.video(lambda t: [scene.disc(height=10)])
    refused(scene, r"only \d+ px high", small, scene.speech(), kind=NoFaceError)


def test_a_face_for_part_of_the_clip_is_edited_there_alone(scene):
    video = scene.video(lambda t: [scene.disc()] if 10 <= t < 25 else [], 40)
    report = scene.edit(video, scene.speech(1.6))
    assert [(u.start, u.stop) for u in report.unedited] == [(0, 10), (25, 40)]
    assert edited_frames(report.output) == list(range(10, 25))


def test_the_larger_of_two_faces_is_edited_and_the_choice_is_said(scene):
    two = scene.video(lambda t: [scene.disc(x=40, height=40), scene.disc(x=110, height=60)])
    report = scene.edit(two, scene.speech())
    assert any("2 faces: the largest" in note for note in report.notes)
    picture = list(iter_frames(report.output))[5].image.astype(int)
    assert (picture[..., 2] - picture[..., 0])[:, :75].max() < 40
    assert (picture[..., 2] - picture[..., 0])[:, 75:].max() > 60


def test_the_other_of_two_faces_can_be_asked_for(scene):
    two = scene.video(lambda t: [scene.disc(x=40, height=40), scene.disc(x=110, height=60)])
    config = {"tracking": {"which": "left"}}
    picture = list(iter_frames(scene.edit(two, scene.speech(), config=config).output))[5].image
    bluer = picture[..., 2].astype(int) - picture[..., 0]
    assert bluer[:, :75].max() > 60
    assert bluer[:, 75:].max() < 40


def test_across_a_cut_the_mouth_follows_the_face_at_once(scene):
    def faces(t):
        return [scene.disc(x=40, y=50)] if t < 12 else [scene.disc(x=120, y=70)]

    video = scene.video(faces, 24, floor_of_frame=lambda t: 40 if t < 12 else 180)
    report = scene.edit(video, scene.speech(0.96))
    assert any("cut at" in note for note in report.notes)
    assert report.n_edited == 24
    for number, frame in enumerate(iter_frames(report.output)):
        bluer = frame.image[..., 2].astype(int) - frame.image[..., 0] > 60
        place = np.flatnonzero(bluer.any(axis=0)).mean()
        assert place == pytest.approx(40 if number < 12 else 120, abs=6)


def test_footage_damaged_in_the_middle_is_edited_and_the_lost_frames_are_said(scene, face):
    video = scene.video(face, 40)
    with av.open(str(video)) as container:
        packets = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    content = bytearray(video.read_bytes())
    start, stop = packets[15][0], packets[24][0]
    content[start:stop] = np.random.default_rng(0).bytes(stop - start)
    video.write_bytes(content)
    report = scene.edit(video, scene.speech(1.6))
    assert probe_video(report.output).n_frames == 40
    assert any("could not be decoded" in note for note in report.notes)


def test_footage_cut_off_in_the_middle_is_a_clip_or_one_message(scene, face):
    video = scene.video(face, 40)
    content = video.read_bytes()
    video.write_bytes(content[: len(content) * 2 // 3])
    report = scene.edit(video, scene.speech(0.6))
    assert report.duration_s == pytest.approx(0.6, abs=0.04)
    assert probe_video(report.output).n_frames == report.n_frames


def test_a_clip_of_one_frame_is_edited(scene, face):
    report = scene.edit(scene.video(face, 1), scene.speech(0.2))
    assert report.n_frames == 5
    assert edited_frames(report.output) == list(range(5))


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_still_image_is_no_footage(scene, tmp_path, suffix):
    cv2.imwrite(str(tmp_path / f"still{suffix}"), np.zeros((48, 64, 3), np.uint8))
    refused(scene, "not a media file", tmp_path / f"still{suffix}", scene.speech())


def test_a_sound_file_is_no_footage(scene):
    refused(scene, "no picture", scene.speech(), scene.speech(name="other.wav"))


@pytest.mark.parametrize(("level", "word"), [(0.15, "very dark"), (2.0, "overexposed")])
def test_dark_and_overexposed_faces_are_edited_with_a_remark(scene, level, word):
    floor = 10 if level < 1 else 200  # the face box holds some of it: no level near a limit
    video = scene.video(lambda t: [scene.disc(level=level)], floor_of_frame=lambda t: floor)
    report = scene.edit(video, scene.speech())
    assert any(word in note for note in report.notes)
    assert report.n_frames == 15


# --- output


def test_an_output_that_is_no_mp4_is_refused(scene, face, tmp_path):
    video, audio = scene.video(face), scene.speech()
    for name in ("edited.avi", "edited", "edited.wav"):
        with pytest.raises(FootageError, match=r"\.mp4"):
            scene.edit(video, audio, tmp_path / name)
        assert not (tmp_path / name).exists()


def test_input_and_output_must_differ_however_the_path_is_written(scene, face, tmp_path):
    video, audio = scene.video(face), scene.speech()
    before = video.read_bytes()
    (tmp_path / "link.mp4").symlink_to(video)
    for output in (video, tmp_path / "out" / ".." / "target.mp4", tmp_path / "link.mp4"):
        with pytest.raises(FootageError, match="its own input"):
            scene.edit(video, audio, output)
    with pytest.raises(FootageError, match="its own input"):
        scene.edit(video, audio, comparison=scene.output)
    assert video.read_bytes() == before


def test_an_output_that_is_a_folder_is_refused(scene, face, tmp_path):
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(FootageError, match="is a folder"):
        scene.edit(scene.video(face), scene.speech(), tmp_path / "folder.mp4")


def test_a_file_in_place_of_the_output_folder_is_refused(scene, face, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FootageError, match="cannot be made"):
        scene.edit(scene.video(face), scene.speech(), tmp_path / "file" / "o.mp4")


def test_a_read_only_folder_is_refused_before_any_work(scene, face, monkeypatch):
    told = []
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    refused(
        scene,
        "cannot be written to",
        scene.video(face),
        scene.speech(),
        progress=lambda *step: told.append(step),
    )
    assert told == []


class FullDisk:
    """A container on a disk with room for some packets only."""

    def __init__(self, container, room):  # noqa: D107
        self.container, self.room = container, room

    def mux(self, packet):
        self.room -= 1
        if self.room < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.container.mux(packet)

    def __getattr__(self, name):  # noqa: D105
        return getattr(self.container, name)


@pytest.mark.parametrize("room", [0, 5])
def test_a_full_disk_leaves_the_older_output(scene, face, monkeypatch, room):
    video, audio = scene.video(face, 60), scene.speech(2.4)
    enter = VideoWriter.__enter__

    def entered(writer):
        enter(writer)
        writer._container = FullDisk(writer._container, room)
        return writer

    monkeypatch.setattr(VideoWriter, "__enter__", entered)
    refused(scene, "No space left", video, audio)


def test_a_full_disk_while_frames_are_kept_for_playing_back_is_said(scene, face, monkeypatch):
    import tempfile

    class Full:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def seek(self, *_):
            return 0

        def write(self, _):
            raise OSError(errno.ENOSPC, "No space left on device")

    video, audio = scene.video(face), scene.speech(1.2)
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: Full())
    refused(scene, "No space left", video, audio)


def test_an_edit_says_of_itself_that_it_was_edited(scene, face):
    footage = scene.video(face)
    report = scene.edit(footage, scene.speech())
    assert verify(report.output).state == "edited"
    assert verify(footage).state == "unmarked"
