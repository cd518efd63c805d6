import json

import pytest
from click.testing import CliRunner
from provenance_footage import pictures, write_clip

from talkin.cli.provenance import consent, verify
from talkin.footage.video import iter_frames
from talkin.provenance.credentials import sign_edit
from talkin.provenance.watermark import Watermark


def call(command, *arguments):
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


@pytest.fixture
def marked(tmp_path):
    mark = Watermark(320, 240)
    images = (mark.embed(image) for image in pictures(15, 320, 240))
    return write_clip(tmp_path / "marked.mp4", images)


def test_a_signed_edit_exits_0_and_says_edited(marked, credential, signer):
    sign_edit(marked, credential, signer)
    said = call(verify, marked)
    assert said.exit_code == 0
    for word in ("EDITED", "talking_face 3", "ann.mp4", "speech.wav", "self-signed", "mark is"):
        assert word in said.output


def test_an_unmarked_file_exits_1(edit):
    said = call(verify, edit)
    assert said.exit_code == 1
    assert "no content credentials" in said.output
    assert "No invisible mark" in said.output


def test_a_changed_file_exits_1_and_says_tampered(marked, credential, signer):
    sign_edit(marked, credential, signer)
    content = bytearray(marked.read_bytes())
    content[-3000] ^= 16
    marked.write_bytes(content)
    said = call(verify, "--no-mark", marked)
    assert said.exit_code == 1
    assert "TAMPERED" in said.output


def test_an_edit_encoded_anew_is_known_by_its_mark_alone(tmp_path, marked, credential, signer):
    sign_edit(marked, credential, signer)
    images = (frame.image for frame in iter_frames(marked))
    again = write_clip(tmp_path / "again.mp4", images, crf=26)
    said = call(verify, again)
    assert said.exit_code == 1
    assert "IS in its pictures" in said.output
    assert call(verify, again, "--mark-key", "another").output.count("No invisible mark") == 1


def test_the_answer_comes_as_json_too(marked, credential, signer):
    sign_edit(marked, credential, signer)
    answer = json.loads(call(verify, "--json", marked).output)
    assert (answer["state"], answer["holds"]) == ("edited", True)
    assert answer["mark"]["found"] is True
    assert answer["statement"]["ingredients"][0]["title"] == "ann.mp4"


def test_no_video_is_one_line_and_exits_1(tmp_path):
    (tmp_path / "x.mp4").write_text("text")
    said = call(verify, tmp_path / "x.mp4")
    assert said.exit_code == 1
    assert len(said.output.strip().splitlines()) == 1


def test_no_file_name_steers_the_terminal(tmp_path, edit):
    strange = edit.rename(tmp_path / "a\x1b[2J\nb.mp4")
    said = call(verify, "--no-mark", strange)
    lost = call(verify, tmp_path / "gone\x1b[2J\n.mp4")
    assert "no content credentials" in said.output
    assert "no such file" in lost.output
    assert all(line.isprintable() for line in (said.output + lost.output).splitlines())


def test_consent_is_checked_by_purpose(tmp_path):
    manifest, register = tmp_path / "manifest.csv", tmp_path / "consent.csv"
    manifest.write_text(
        "clip,path,speaker,split,view,consent\nc1,c1.mp4,ann,train,front,2026-ann\n"
    )
    register.write_text("consent,speaker,purpose,expires\n2026-ann,ann,train,\n")
    assert call(consent, "check", manifest, register).exit_code == 0
    assert call(consent, "check", manifest, register, "--purpose", "train").exit_code == 0
    refused = call(
        consent, "check", manifest, register, "--purpose", "train", "--purpose", "edit-face"
    )
    assert refused.exit_code == 1
    assert "ann (clip c1) is for train, not for edit-face" in refused.output


def test_tracing_lists_and_deletes_nothing(tmp_path):
    manifest = tmp_path / "01_raw/footage/manifest.csv"
    manifest.parent.mkdir(parents=True)
    manifest.write_text("clip,path,speaker,split,view,consent\nc1,c1.mp4,ann,train,front,a\n")
    sound = tmp_path / "02_intermediate/audio/c1.wav"
    sound.parent.mkdir(parents=True)
    sound.write_bytes(b"x")
    said = call(consent, "trace", "ann", "--data", tmp_path)
    assert said.exit_code == 0
    assert str(sound) in said.output
    assert sound.exists()
    as_json = json.loads(call(consent, "trace", "ann", "--data", tmp_path, "--json").output)
    assert as_json["files"] == [str(sound)]
