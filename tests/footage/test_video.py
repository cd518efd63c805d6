from fractions import Fraction
from itertools import islice

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from talkin.errors import FootageError
from talkin.footage.audio import Audio, write_wav
from talkin.footage.video import VideoWriter, iter_frames, probe_video


def numbers(path, fps, number_of):
    return [number_of(frame.image) for frame in iter_frames(path, fps)]


@pytest.mark.parametrize("rate", [25, 50, Fraction(30000, 1001), Fraction(2213, 100), 15])
def test_a_file_read_at_its_own_rate_gives_each_frame_once(tmp_path, number_of, rate):
    path = tmp_path / "clip.mp4"
    with VideoWriter(path, 32, 32, rate, crf=0) as writer:
        for number in range(20):
            writer.write(np.full((32, 32, 3), 20 + 4 * number, np.uint8))
    info = probe_video(path)
    assert info.fps == pytest.approx(float(rate), rel=1e-5)
    assert info.n_frames == 20
    assert info.duration_s == pytest.approx(20 / rate, abs=1e-3)
    assert numbers(path, None, number_of) == list(range(20))


def test_halving_the_rate_takes_every_second_frame(tmp_path, make_video, number_of):
    path = make_video(tmp_path / "clip.mkv", range(0, 400, 20))
    assert numbers(path, 25, number_of) == list(range(0, 20, 2))


def test_doubling_the_rate_shows_every_frame_twice(tmp_path, make_video, number_of):
    path = make_video(tmp_path / "clip.mkv", range(0, 200, 40))
    shown = numbers(path, 50, number_of)
    assert len(shown) == 10
    assert sorted(set(shown)) == list(range(5))


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(st.integers(5, 130), min_size=3, max_size=20),
    fps=st.sampled_from([25, 10, Fraction(30000, 1001), 50]),
)
def test_variable_rates_show_what_is_nearest_in_time(tmp_path, make_video, number_of, steps, fps):
    times = np.concatenate([[0], np.cumsum(steps)])
    path = make_video(tmp_path / "clip.mkv", times.tolist())
    frames = list(iter_frames(path, fps))
    for row, frame in enumerate(frames):
        assert frame.time_s == pytest.approx(row / float(fps))
        distance = np.abs(times / 1000 - row / float(fps))
        assert distance[number_of(frame.image)] == pytest.approx(distance.min(), abs=1e-9)
    last_s = max(1 / round(1000 / steps[0]), 0.5 / float(fps))  # as the fixture declares it
    expected = times[-1] / 1000 + last_s
    assert len(frames) / float(fps) == pytest.approx(expected, abs=0.5 / float(fps) + 0.002)


def test_time_zero_is_the_first_picture_wherever_the_file_starts(tmp_path, make_video, number_of):
    path = make_video(tmp_path / "clip.mkv", range(1000, 1400, 40))
    frames = list(iter_frames(path, 25))
    assert [number_of(frame.image) for frame in frames] == list(range(10))
    assert frames[0].time_s == 0
    assert probe_video(path).duration_s == pytest.approx(0.4, abs=0.002)


def test_frames_are_streamed(tmp_path, make_video):
    path = make_video(tmp_path / "clip.mkv", range(0, 2000, 40))
    assert len(list(islice(iter_frames(path), 2))) == 2


def test_a_frame_may_be_drawn_on_without_spoiling_its_repeat(tmp_path, make_video):
    path = make_video(tmp_path / "clip.mkv", range(0, 200, 40))
    for frame in iter_frames(path, 50):
        assert frame.image.max() > 0
        frame.image[:] = 0


def test_a_picture_that_is_stored_lying_is_given_upright(tmp_path):
    path = tmp_path / "clip.mp4"
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:, :16] = 255  # white at the left
    with VideoWriter(path, 64, 48, 25, crf=0) as writer:
        writer.write(picture)
    content = bytearray(path.read_bytes())
    at = content.index(b"tkhd") + 4 + 40  # ISO/IEC 14496-12: the matrix of a version 0 header
    matrix = [0, 0x10000, 0, -0x10000, 0, 0, 48 << 16, 0, 0x40000000]  # a quarter turn clockwise
    content[at : at + 36] = b"".join(value.to_bytes(4, "big", signed=True) for value in matrix)
    path.write_bytes(content)
    info = probe_video(path)
    assert (info.width, info.height) == (48, 64)
    assert info.rotation in (90, 270)
    upright = next(iter_frames(path)).image
    assert upright.shape == (64, 48, 3)
    assert upright[:12].min() > 200  # clockwise: what was left is now on top
    assert upright[24:].max() < 50


def test_odd_sizes_are_read(tmp_path, make_video, number_of):
    path = make_video(tmp_path / "clip.mkv", range(0, 200, 40), size=(63, 47))
    assert next(iter_frames(path)).image.shape == (47, 63, 3)


@pytest.mark.parametrize("container", ["mkv", "mp4"])
def test_frames_that_cannot_be_decoded_are_replaced_in_place(
    tmp_path, make_video, number_of, container
):
    path = make_video(tmp_path / f"clip.{container}", range(0, 1200, 40))
    content = bytearray(path.read_bytes())
    begin = content.index(b"mdat") + 2000 if container == "mp4" else len(content) // 2
    content[begin : begin + len(content) // 8] = bytes(len(content) // 8)
    path.write_bytes(content)
    frames = list(iter_frames(path, 25))
    shown = np.array([number_of(frame.image) for frame in frames])
    sound = np.array([not frame.is_lost for frame in frames])
    assert len(frames) == 30
    assert 15 <= sound.sum() < 30
    assert (shown[-8:] == np.arange(22, 30)).all()  # what follows the damage is at its own time
    assert (np.abs(shown - np.arange(30)) <= 8).all()


def test_a_truncated_file_gives_what_is_there(tmp_path, number_of):
    path = tmp_path / "clip.mp4"
    rng = np.random.default_rng(0)
    with VideoWriter(path, 64, 64, 25) as writer:
        for _ in range(50):
            writer.write(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    frames = list(iter_frames(path, 25))
    assert 10 < len(frames) <= 50


@pytest.mark.parametrize("content", [b"", b"this is a text, not a film\n" * 100, bytes(5000)])
def test_what_is_no_media_file_is_named(tmp_path, content):
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(FootageError, match=r"clip\.mp4"):
        probe_video(path)
    with pytest.raises(FootageError, match=r"clip\.mp4"):
        list(iter_frames(path, 25))


def test_a_missing_file_and_a_sound_file_are_told_apart(tmp_path):
    with pytest.raises(FootageError, match="no such file"):
        probe_video(tmp_path / "absent.mp4")
    write_wav(tmp_path / "sound.wav", Audio(np.zeros(1600, np.float32), 16000))
    with pytest.raises(FootageError, match="no picture"):
        probe_video(tmp_path / "sound.wav")


@pytest.mark.parametrize("fps", [0, -25, float("nan"), 1e9])
def test_absurd_rates_are_refused(tmp_path, make_video, fps):
    path = make_video(tmp_path / "clip.mkv", range(0, 200, 40))
    with pytest.raises(FootageError, match="frame rate"):
        list(iter_frames(path, fps))


def test_one_picture_is_a_clip(tmp_path, make_video):
    path = make_video(tmp_path / "clip.mkv", [0])
    assert len(list(iter_frames(path))) == 1
    assert probe_video(path).n_frames == 1


def test_absurd_time_stamps_are_refused_at_once(tmp_path, make_video):
    path = make_video(tmp_path / "clip.mkv", [0, 40, 80, 10**9])
    with pytest.raises(FootageError, match="time stamps are damaged"):
        probe_video(path)
    with pytest.raises(FootageError, match="time stamps are damaged"):
        list(iter_frames(path, 25))


def test_a_playlist_in_disguise_reads_nothing_else(tmp_path, make_video):
    make_video(tmp_path / "other.mkv", range(0, 400, 40))
    path = tmp_path / "clip.mp4"
    path.write_text("#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:9/clip.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(FootageError, match="not a media file"):
        probe_video(path)
    path.write_text("ffconcat version 1.0\nfile other.mkv\n")
    with pytest.raises(FootageError, match="not a media file"):
        probe_video(path)
