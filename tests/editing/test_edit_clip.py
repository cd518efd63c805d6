from types import SimpleNamespace

import numpy as np
import pytest

from talkin.editing import following, mouth_source
from talkin.editing.edit_clip import EditConfig, edit_clip
from talkin.errors import ConfigurationError, FootageError
from talkin.footage.audio import Audio, read_audio, write_wav
from talkin.footage.colour import Colours
from talkin.footage.video import VideoWriter, iter_frames, probe_video
from talkin.samples.alignment import CropConfig


@pytest.fixture
def request_of(monkeypatch, tmp_path, toy_model, toy_parameters, textured_frame):
    """An edit of 20 textured frames by 0.6 s of sound; the renderer returns what it sees."""
    video, audio = tmp_path / "target.mp4", tmp_path / "speech.wav"
    with VideoWriter(video, 160, 144, 25.0) as writer:
        for t in range(20):
            writer.write(np.roll(textured_frame(), t, axis=1) // 2 + 60)
    tone = 0.2 * np.sin(np.arange(9600) * 0.1).astype(np.float32)
    write_wav(audio, Audio(tone, 16000))
    found = np.ones(20, bool)
    found[3:5] = False
    clip = toy_parameters(20, scale=0.45, is_valid=found)
    track = SimpleNamespace(notes=["a remark"], is_found=found, cuts=[])
    monkeypatch.setattr(following, "track_landmarks", lambda *_: track)
    monkeypatch.setattr(following, "fit_clip", lambda *_, **__: clip)
    monkeypatch.setattr(mouth_source, "engine_of", lambda *_: lambda crops, _: crops.astype("f4"))
    monkeypatch.setattr(
        "talkin.editing.driving.expression_of_speech",
        lambda sound, times, model: np.ones((len(times), 1), np.float32),
    )
    config = SimpleNamespace(
        crop=CropConfig(size_px=96),
        mfcc=SimpleNamespace(sample_rate=16000),
        frames=7,
        mask_fill="noise",
        renderer=SimpleNamespace(is_full_face=False),
    )
    model = SimpleNamespace(config=config, face_model=toy_model, version=lambda: "toy")
    return {
        "video": video,
        "audio": audio,
        "output": tmp_path / "out" / "edited.mp4",
        "model": model,
        "face_model": toy_model,
        "detector": None,
        "config": EditConfig.model_validate({"painting": {"mouth": {"source": "network"}}}),
    }


def pictures(path):
    return np.stack([frame.image for frame in iter_frames(path)]).astype(int)


def test_an_edit_keeps_size_and_rate_and_is_as_long_as_the_sound(request_of):
    told = []
    report = edit_clip(**request_of, progress=lambda *step: told.append(step))
    info = probe_video(report.output)
    assert (info.width, info.height, info.fps) == (160, 144, 25.0)
    assert abs(info.n_frames - 15) <= 1
    assert read_audio(report.output).duration_s == pytest.approx(0.6, abs=0.041)  # one frame
    assert told[-1] == ("speaking", 15, 15)


def test_an_identity_edit_leaves_the_footage_unchanged_within_codec_error(request_of):
    report = edit_clip(**request_of)
    before, after = pictures(request_of["video"])[:15], pictures(report.output)
    assert np.abs(after - before).mean() < 2.5


def test_an_edit_and_its_comparison_keep_the_footages_colours(request_of, tmp_path):
    colours = Colours(matrix=6, is_full=True, primaries=6, transfer=6)
    before = pictures(request_of["video"])
    with VideoWriter(request_of["video"], 160, 144, 25.0, crf=4, colours=colours) as writer:
        for picture in before:
            writer.write(picture.astype(np.uint8))
    report = edit_clip(**request_of, comparison=tmp_path / "both.mp4")
    for path in (report.output, tmp_path / "both.mp4"):
        assert probe_video(path).colours == colours
    apart = pictures(report.output) - pictures(request_of["video"])[: report.n_frames]
    assert np.abs(apart.mean(axis=(0, 1, 2))).max() < 0.5


def test_the_report_lists_unedited_frames_and_what_tracking_said(request_of):
    report = edit_clip(**request_of)
    assert [(missing.start, missing.stop) for missing in report.unedited] == [(3, 5)]
    assert report.n_edited == 13
    assert "a remark" in report.notes
    assert {"track", "fit", "drive", "render", "composite"} <= set(report.ms_per_frame)
    assert report.to_dict()["duration_s"] == pytest.approx(0.6)


def test_a_comparison_is_twice_as_wide(request_of, tmp_path):
    edit_clip(**request_of, comparison=tmp_path / "beside.mp4")
    assert probe_video(tmp_path / "beside.mp4").width == 320


def test_frame_selection_can_be_asked_for(request_of):
    config = EditConfig.model_validate(
        {"timing": {"mode": "select"}, "painting": {"mouth": {"source": "network"}}}
    )
    report = edit_clip(**(request_of | {"config": config}))
    assert set(np.diff(report.frame_order)) <= {0, 1}


@pytest.mark.parametrize("fault", [KeyboardInterrupt, RuntimeError])
def test_an_edit_that_is_stopped_leaves_the_older_output_and_no_half_file(
    request_of, monkeypatch, fault
):
    output = request_of["output"]
    output.parent.mkdir()
    output.write_bytes(b"older")

    def failing(*_):
        def render(crops, landmarks):
            raise fault

        return render

    monkeypatch.setattr(mouth_source, "engine_of", failing)
    with pytest.raises(fault):
        edit_clip(**request_of)
    assert output.read_bytes() == b"older"
    assert list(output.parent.iterdir()) == [output]


def test_an_edit_never_overwrites_its_own_input(request_of):
    with pytest.raises(FootageError, match="its own input"):
        edit_clip(**(request_of | {"output": request_of["video"]}))


def test_another_face_model_is_refused(request_of):
    other = SimpleNamespace(name="other")
    with pytest.raises(ConfigurationError, match="other was given"):
        edit_clip(**(request_of | {"face_model": other}))
