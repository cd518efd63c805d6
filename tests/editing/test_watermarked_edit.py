"""An edit with the invisible mark, asked for by its configuration."""

import av
import pytest

from talkin.editing.painting import PaintingConfig
from talkin.footage.video import iter_frames
from talkin.provenance.verification import verify
from talkin.provenance.watermark import detect


@pytest.fixture
def face(scene):
    return lambda t: [scene.disc(x=70 + t)]


def stripped(path, output):
    """The same pictures without credentials."""
    with av.open(str(path)) as old, av.open(str(output), "w") as new:
        stream = old.streams.video[0]
        copy = new.add_stream_from_template(stream)
        for packet in old.demux(stream):
            if packet.dts is not None:
                packet.stream = copy
                new.mux(packet)
    return output


def score(path):
    return detect(frame.image for frame in iter_frames(path)).score


def test_the_mark_is_found_where_credentials_were_stripped(scene, face, tmp_path):
    plain = scene.edit(scene.video(face), scene.speech(), tmp_path / "plain.mp4")
    config = {"painting": {"watermark": {"strength": 3.0}}}
    marked = scene.edit(scene.video(face), scene.speech(), tmp_path / "marked.mp4", config=config)
    bare = stripped(marked.output, tmp_path / "bare.mp4")
    assert verify(bare).state == "unmarked"
    assert score(bare) > 7.5 > score(stripped(plain.output, tmp_path / "other.mp4"))


def test_credentials_say_that_there_is_a_mark(scene, face):
    config = {"painting": {"watermark": {}}}
    marked = scene.edit(scene.video(face), scene.speech(), config=config)
    assert verify(marked.output).state == "edited"
    assert b"c2pa.watermarked" in marked.output.read_bytes()


def test_no_mark_is_put_on_pictures_unasked():
    assert PaintingConfig().watermark is None
