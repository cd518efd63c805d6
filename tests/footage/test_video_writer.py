import errno
from fractions import Fraction

import av
import numpy as np
import pytest

from talkin.errors import FootageError
from talkin.footage.audio import Audio, read_audio, write_wav
from talkin.footage.colour import Colours
from talkin.footage.sound_track import stated_sound_length
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
    assert written.duration_s == pytest.approx(2.0, abs=0.022)  # AAC comes in frames of 21 ms
    if sound_s < 1:
        assert np.abs(written.samples[round(0.6 * 16000) :]).max() < 0.01


def test_a_long_copied_sound_ends_with_the_pictures(tmp_path):
    long = write_flash(tmp_path / "long.mp4", 25, 200, 25, beep_at(1.0, 8))
    short = write_flash(tmp_path / "short.mp4", 25, 50, 25, long)
    assert read_audio(short).duration_s == pytest.approx(2.0, abs=0.022)


def write_sound(path, seconds, rate, layout, codec):
    """Silence of 0.1 s, then a tone, encoded."""
    t = np.arange(round(seconds * rate)) / rate
    tone = (0.5 * np.sin(2 * np.pi * 800 * t) * (t >= 0.1)).astype(np.float32)
    values = np.repeat(tone[None], 2 if layout == "stereo" else 1, axis=0).copy()
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        context = stream.codec_context
        pieces = av.AudioResampler(
            format=context.format.name, layout=layout, rate=rate, frame_size=context.frame_size
        )
        frame = av.AudioFrame.from_ndarray(values, "fltp", layout)
        frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), 0
        for piece in [*pieces.resample(frame), *pieces.resample(None), None]:
            container.mux(stream.encode(piece))
    return path


SOUNDS = {
    "16 kHz wav": ("a.wav", 16_000, "mono", "pcm_s16le"),
    "8 kHz wav": ("a.wav", 8_000, "mono", "pcm_s16le"),
    "48 kHz stereo wav": ("a.wav", 48_000, "stereo", "pcm_s16le"),
    "mp3": ("a.mp3", 44_100, "mono", "libmp3lame"),
    "16 kHz mp3": ("a.mp3", 16_000, "mono", "libmp3lame"),
    "aac": ("a.m4a", 44_100, "stereo", "aac"),
    "16 kHz aac": ("a.m4a", 16_000, "mono", "aac"),
    "8 kHz aac": ("a.m4a", 8_000, "mono", "aac"),
    "raw aac": ("a.aac", 44_100, "mono", "aac"),
    "opus": ("a.ogg", 48_000, "mono", "libopus"),
    "alac": ("a.m4a", 44_100, "mono", "alac"),
}


@pytest.mark.parametrize("kind", SOUNDS)
@pytest.mark.parametrize("seconds", [0.6, 1.01, 3.333])
def test_sound_ends_within_a_picture_of_the_picture_by_header_and_by_decoding(
    tmp_path, kind, seconds
):
    name, *how = SOUNDS[kind]
    source = write_sound(tmp_path / name, seconds, *how)
    sound = read_audio(source)
    length_s = stated_sound_length(source) or sound.duration_s
    assert length_s == pytest.approx(seconds, abs=0.04)  # raw AAC counts the encoder's own delay
    for fps in (Fraction(25), Fraction(30000, 1001), Fraction(30)):
        n_frames = round(length_s * fps)
        path = write_flash(tmp_path / "clip.mp4", fps, n_frames, 0, source)
        with av.open(str(path)) as container:
            picture, heard = container.streams.video[0], container.streams.audio[0]
            stated = [float(stream.duration * stream.time_base) for stream in (picture, heard)]
            played = container.duration / 1e6
        frame_s = float(1 / fps) + 0.001
        assert stated[0] == pytest.approx(n_frames / float(fps), abs=0.001)
        assert stated[1] == pytest.approx(stated[0], abs=frame_s)
        assert played == pytest.approx(stated[0], abs=frame_s)
        written = read_audio(path)
        assert written.duration_s == pytest.approx(stated[0], abs=frame_s)
        assert onset_s(written) == pytest.approx(onset_s(sound), abs=0.006)


def test_packets_too_long_to_end_with_the_picture_are_encoded_anew(tmp_path):
    long = write_sound(tmp_path / "a.m4a", 1.0, 8_000, "mono", "aac")
    path = write_flash(tmp_path / "clip.mp4", 25, 25, 0, long)
    with av.open(str(path)) as container:
        assert container.streams.audio[0].codec_context.sample_rate == 48_000


def test_only_an_mp4_states_how_long_its_sound_is(tmp_path):
    stated = write_sound(tmp_path / "a.m4a", 0.61, 16_000, "mono", "aac")
    assert stated_sound_length(stated) == pytest.approx(0.61, abs=1e-3)
    guessed = write_sound(tmp_path / "a.aac", 0.61, 16_000, "mono", "aac")
    assert stated_sound_length(guessed) is None
    silent = write_flash(tmp_path / "silent.mp4", 25, 5, 2, None)
    assert stated_sound_length(silent) is None


def test_a_disk_that_fills_while_the_index_is_written_leaves_nothing(tmp_path, monkeypatch):
    writer = VideoWriter(tmp_path / "clip.mp4", 64, 48, 25)

    class Full:
        def __init__(self, container):
            self.container = container

        def mux(self, packet):
            self.container.mux(packet)

        def close(self):
            self.container.close()
            raise OSError(errno.ENOSPC, "No space left on device")

    def write():
        with writer:
            writer.write(np.zeros((48, 64, 3), np.uint8))
            monkeypatch.setattr(writer, "_container", Full(writer._container))

    with pytest.raises(FootageError, match="No space left"):
        write()
    assert list(tmp_path.iterdir()) == []


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


@pytest.mark.parametrize("is_full", [False, True])
@pytest.mark.parametrize(("matrix", "primaries", "transfer"), [(1, 1, 1), (6, 6, 6), (9, 9, 18)])
def test_a_copy_is_coded_in_the_colours_of_its_original(
    tmp_path, matrix, primaries, transfer, is_full
):
    colours = Colours(matrix, is_full, primaries, transfer)
    patches = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    picture = np.kron(patches, np.ones((8, 8, 1), np.uint8))
    told = colours
    for path in (tmp_path / "first.mp4", tmp_path / "copy.mp4"):
        with VideoWriter(path, 64, 48, 25, crf=4, colours=told) as writer:
            writer.write(picture)
        told = probe_video(path).colours
        assert told == colours
        shown = next(iter_frames(path)).image.astype(float) - picture
        # Chroma at half the resolution, and the middle of a patch of 8 px
        middle = shown.reshape(6, 8, 8, 8, 3)[:, 2:6, :, 2:6]
        assert np.abs(middle).mean() < 3


def test_footage_that_tells_no_colours_is_taken_as_players_take_it(tmp_path):
    for name, size, matrix in (("small.mp4", (64, 48), 5), ("large.mp4", (96, 720), 1)):
        with av.open(str(tmp_path / name), "w") as container:
            stream = container.add_stream("libx264", rate=25)
            stream.width, stream.height = size
            frame = av.VideoFrame.from_ndarray(np.zeros((*size[::-1], 3), np.uint8), format="rgb24")
            container.mux([*stream.encode(frame), *stream.encode(None)])
        assert probe_video(tmp_path / name).colours == Colours(matrix, False, 2, 2)
