from fractions import Fraction

import av
import numpy as np
import pytest

from talkin.errors import FootageError
from talkin.footage.audio import Audio, read_audio, write_wav
from talkin.footage.video import VideoWriter, iter_frames, probe_video


def beep_at(second, duration_s, sample_rate=16000):
    samples = np.zeros(round(duration_s * sample_rate), np.float32)
    begin = round(second * sample_rate)
    tone = np.sin(2 * np.pi * 1000 * np.arange(sample_rate // 20) / sample_rate)
    samples[begin : begin + len(tone)] = 0.8 * tone
    return Audio(samples, sample_rate)


def onset_s(audio):
    return float(np.argmax(np.abs(audio.samples) > 0.2)) / audio.sample_rate


def write_flash(path, fps, n_frames, flash_frame, audio):
    with VideoWriter(path, 64, 48, fps, audio=audio) as writer:
        for number in range(n_frames):
            writer.write(np.full((48, 64, 3), 230 if number >= flash_frame else 20, np.uint8))
    return path


def flash_s(path, fps=None):
    return next(frame.time_s for frame in iter_frames(path, fps) if frame.image.mean() > 128)


@pytest.mark.parametrize("fps", [25, Fraction(30000, 1001), 22.131, 50])
def test_flash_and_beep_stay_together_through_write_read_and_copy(tmp_path, fps):
    n_frames = round(3 * float(fps))
    flash_frame = round(1.6 * float(fps))
    audio = beep_at(flash_frame / float(fps), 3)
    first = write_flash(tmp_path / "first.mp4", fps, n_frames, flash_frame, audio)
    second = write_flash(tmp_path / "second.mp4", fps, n_frames, flash_frame, first)
    for path in (first, second):
        assert flash_s(path) == pytest.approx(flash_frame / float(fps), abs=1e-3)
        assert onset_s(read_audio(path)) == pytest.approx(flash_s(path), abs=0.004)
        assert onset_s(read_audio(path)) == pytest.approx(flash_s(path, 25), abs=0.024)


def test_sound_of_a_wav_file_is_encoded_in_step(tmp_path):
    write_wav(tmp_path / "beep.wav", beep_at(1.0, 2))
    path = write_flash(tmp_path / "clip.mp4", 25, 50, 25, tmp_path / "beep.wav")
    assert onset_s(read_audio(path)) == pytest.approx(1.0, abs=0.004)


def test_sound_that_mp4_can_hold_is_copied_untouched(tmp_path):
    first = write_flash(tmp_path / "first.mp4", 25, 50, 25, beep_at(1.0, 2))
    second = write_flash(tmp_path / "second.mp4", 25, 50, 25, first)

    def packets(path):
        with av.open(str(path)) as container:
            return [bytes(packet) for packet in container.demux(audio=0) if packet.size]

    assert packets(first) == packets(second)


@pytest.mark.parametrize("sound_s", [0.5, 2.0, 5.0])
def test_the_clip_lasts_as_long_as_its_pictures(tmp_path, sound_s):
    rng = np.random.default_rng(1)
    audio = Audio(rng.normal(0, 0.1, round(sound_s * 16000)).astype(np.float32), 16000)
    path = write_flash(tmp_path / "clip.mp4", 25, 50, 25, audio)
    assert probe_video(path).duration_s == pytest.approx(2.0)
    written = read_audio(path)
    assert written.duration_s == pytest.approx(2.0, abs=0.07)  # AAC comes in frames of 64 ms
    if sound_s < 1:
        assert np.abs(written.samples[round(0.6 * 16000) :]).max() < 0.01


def test_a_long_copied_sound_ends_with_the_pictures(tmp_path):
    long = write_flash(tmp_path / "long.mp4", 25, 200, 25, beep_at(1.0, 8))
    short = write_flash(tmp_path / "short.mp4", 25, 50, 25, long)
    assert read_audio(short).duration_s == pytest.approx(2.0, abs=0.07)


def test_a_file_without_sound_lends_none(tmp_path):
    silent = write_flash(tmp_path / "silent.mp4", 25, 5, 2, None)
    path = write_flash(tmp_path / "clip.mp4", 25, 5, 2, silent)
    assert not probe_video(path).has_audio


def test_an_exception_inside_leaves_no_file(tmp_path):
    def failing_edit():
        with VideoWriter(tmp_path / "clip.mp4", 64, 48, 25) as writer:
            writer.write(np.zeros((48, 64, 3), np.uint8))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failing_edit()
    assert list(tmp_path.iterdir()) == []


def test_an_exception_inside_leaves_an_older_file_untouched(tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"older")
    with pytest.raises(FootageError, match="promised"), VideoWriter(path, 64, 48, 25) as writer:
        writer.write(np.zeros((48, 32, 3), np.uint8))
    assert path.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [path]


def test_no_picture_is_no_video(tmp_path):
    with (
        pytest.raises(FootageError, match="no picture"),
        VideoWriter(tmp_path / "a.mp4", 64, 48, 25),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "clip.mp4"
    with pytest.raises(FootageError, match="cannot be written"), VideoWriter(path, 64, 48, 25):
        pass


def test_a_missing_sound_file_is_named_and_leaves_nothing(tmp_path):
    writer = VideoWriter(tmp_path / "clip.mp4", 64, 48, 25, audio=tmp_path / "absent.wav")
    with pytest.raises(FootageError, match=r"absent\.wav"), writer:
        pass
    assert list(tmp_path.iterdir()) == []


def test_odd_sizes_grow_by_one_repeated_pixel(tmp_path):
    path = tmp_path / "clip.mp4"
    with VideoWriter(path, 63, 47, 25, crf=0) as writer:
        writer.write(np.full((47, 63, 3), 90, np.uint8))
    image = next(iter_frames(path)).image
    assert image.shape == (48, 64, 3)
    assert np.abs(image.astype(int) - 90).max() <= 2


def test_colours_come_back_without_a_shift(tmp_path):
    rng = np.random.default_rng(2)
    coarse = rng.integers(0, 256, (6, 8, 3)).astype(np.uint8)
    picture = np.kron(coarse, np.ones((16, 16, 1), np.uint8))
    path = tmp_path / "clip.mp4"
    with VideoWriter(path, 128, 96, 25, crf=0) as writer:
        writer.write(picture)
    difference = next(iter_frames(path)).image.astype(float) - picture
    inside = difference.reshape(6, 16, 8, 16, 3)[:, 4:12, :, 4:12]
    assert np.abs(inside.mean(axis=(0, 1, 2, 3))).max() < 0.5
    assert np.abs(inside).max() <= 4


def test_the_same_pictures_give_the_same_bytes(tmp_path):
    rng = np.random.default_rng(3)
    pictures = rng.integers(0, 256, (12, 48, 64, 3), dtype=np.uint8)
    for name in ("a.mp4", "b.mp4"):
        with VideoWriter(tmp_path / name, 64, 48, 25, audio=beep_at(0.1, 0.48)) as writer:
            for picture in pictures:
                writer.write(picture)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_a_player_is_told_the_colours_and_can_start_at_once(tmp_path):
    path = write_flash(tmp_path / "clip.mp4", 25, 5, 2, beep_at(0.1, 0.2))
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_primaries, context.color_trc) == (1, 1, 1)
        assert (context.color_range, context.pix_fmt) == (1, "yuv420p")
        assert container.streams.audio[0].codec_context.name == "aac"


def test_sound_that_is_no_number_is_refused(tmp_path):
    audio = Audio(np.array([0.0, np.nan], np.float32), 16000)
    with pytest.raises(FootageError, match="no numbers"):
        write_flash(tmp_path / "clip.mp4", 25, 5, 2, audio)
    assert list(tmp_path.iterdir()) == []
