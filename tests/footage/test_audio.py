import av
import numpy as np
import pytest
import soundfile

from talkin.errors import FootageError
from talkin.footage.audio import Audio, read_audio, write_wav


def tone(seconds, sample_rate=16000, hertz=440.0, level=0.5):
    return (
        level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * sample_rate)) / sample_rate)
    ).astype(np.float32)


def onset_s(audio):
    return float(np.argmax(np.abs(audio.samples) > 0.05)) / audio.sample_rate


def test_sound_that_begins_after_the_picture_is_preceded_by_silence(tmp_path, make_video):
    path = make_video(tmp_path / "clip.mkv", range(0, 1000, 40), sound=[(300, tone(0.5))])
    audio = read_audio(path)
    assert onset_s(audio) == pytest.approx(0.3, abs=0.002)
    assert audio.duration_s == pytest.approx(0.8, abs=0.002)


def test_sound_before_the_first_picture_is_dropped(tmp_path, make_video):
    step = np.concatenate([tone(0.5, level=0.0), tone(0.5)])
    path = make_video(tmp_path / "clip.mkv", range(200, 1200, 40), sound=[(0, step)])
    audio = read_audio(path)
    assert onset_s(audio) == pytest.approx(0.3, abs=0.002)
    assert audio.duration_s == pytest.approx(0.8, abs=0.002)


def test_a_hole_in_the_sound_is_filled_with_silence(tmp_path, make_video):
    sound = [(0, tone(0.2)), (500, tone(0.2))]
    path = make_video(tmp_path / "clip.mkv", range(0, 1000, 40), sound=sound)
    samples = read_audio(path).samples
    assert np.abs(samples[round(0.25 * 16000) : round(0.45 * 16000)]).max() < 0.01
    assert np.abs(samples[round(0.52 * 16000) : round(0.68 * 16000)]).max() > 0.4


@pytest.mark.parametrize("sample_rate", [8000, 16000, 22050, 44100, 48000])
def test_resampling_keeps_length_pitch_and_moment(tmp_path, sample_rate):
    samples = np.concatenate([np.zeros(sample_rate // 2, np.float32), tone(1.0, sample_rate)])
    soundfile.write(tmp_path / "a.wav", samples, sample_rate)
    audio = read_audio(tmp_path / "a.wav")
    assert audio.sample_rate == 16000
    assert audio.duration_s == pytest.approx(1.5, abs=0.002)
    assert onset_s(audio) == pytest.approx(0.5, abs=0.002)
    spectrum = np.abs(np.fft.rfft(audio.samples[8000:24000]))
    assert np.argmax(spectrum) == pytest.approx(440, abs=2)
    assert np.abs(audio.samples[10000:20000]).max() == pytest.approx(0.5, abs=0.02)


def test_channels_are_averaged(tmp_path):
    both = np.stack([tone(0.5, level=0.6), tone(0.5, level=0.2)], axis=1)
    soundfile.write(tmp_path / "a.wav", both, 16000)
    np.testing.assert_allclose(
        read_audio(tmp_path / "a.wav").samples, tone(0.5, level=0.4), atol=1e-3
    )


def test_silence_is_sound(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(1600), 16000)
    np.testing.assert_array_equal(read_audio(tmp_path / "a.wav").samples, np.zeros(1600))


def test_a_file_without_sound_is_named(tmp_path, make_video):
    path = make_video(tmp_path / "clip.mkv", range(0, 200, 40))
    with pytest.raises(FootageError, match=r"clip\.mkv: the file has no sound"):
        read_audio(path)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_no_numbers_are_refused_with_their_time(tmp_path, value):
    samples = tone(2.0)
    samples[24000] = value
    soundfile.write(tmp_path / "a.wav", samples, 16000, subtype="FLOAT")
    with pytest.raises(FootageError, match=r"a\.wav.*no numbers"):
        read_audio(tmp_path / "a.wav")


def test_text_is_no_sound(tmp_path):
    (tmp_path / "a.wav").write_text("hello")
    with pytest.raises(FootageError, match=r"a\.wav"):
        read_audio(tmp_path / "a.wav")


def test_a_wav_file_comes_back_as_written(tmp_path):
    samples = np.clip(np.random.default_rng(0).normal(0, 0.3, 4000), -1, 1).astype(np.float32)
    write_wav(tmp_path / "sub" / "a.wav", Audio(samples, 16000))
    audio = read_audio(tmp_path / "sub" / "a.wav")
    np.testing.assert_allclose(audio.samples, samples, atol=1e-4)
    with av.open(str(tmp_path / "sub" / "a.wav")) as container:
        assert container.streams.audio[0].codec_context.name == "pcm_s16le"


def test_no_wav_is_left_where_the_sound_is_unfit(tmp_path):
    with pytest.raises(FootageError, match="no numbers"):
        write_wav(tmp_path / "a.wav", Audio(np.array([np.nan], np.float32), 16000))
    assert list(tmp_path.iterdir()) == []
