import hashlib
import subprocess
import sys
from datetime import UTC, datetime

import av
import numpy as np
import pytest
from provenance_footage import pictures, write_clip

from talkin.errors import ConfigurationError, FootageError
from talkin.footage.video import VideoWriter, iter_frames, probe_video
from talkin.provenance.credentials import (
    EditCredential,
    Ingredient,
    manifest_definition,
    sign_edit,
    signed_when_whole,
)
from talkin.provenance.signing import load_identity
from talkin.provenance.verification import verify


def media_bytes(unsigned):
    """The last bytes of an mp4 with its index in front are its pictures and sound."""
    return unsigned.read_bytes()[-2000:]


def flipped(path, position, goal):
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    goal.write_bytes(content)
    return goal


def lengthened(path, goal, more):
    """An mp4 whose pictures are followed by zeros, a hole that takes no disk."""
    content = path.read_bytes()
    at = content.rindex(b"mdat") - 4
    length = int.from_bytes(content[at : at + 4], "big")
    assert at + length == len(content)
    goal.write_bytes(content[:at] + (length + more).to_bytes(4, "big") + content[at + 4 :])
    with goal.open("ab") as file:
        file.truncate(goal.stat().st_size + more)
    return goal


@pytest.mark.parametrize("more", [0, 1, (1 << 20) - 9, 1 << 20, (3 << 20) + 7])
def test_whatever_its_length_a_signed_edit_holds_and_a_flipped_bit_is_seen(
    edit, credential, signer, tmp_path, more
):
    longer = lengthened(edit, tmp_path / "longer.mp4", more)
    sign_edit(longer, credential, signer)
    assert verify(longer).holds
    damaged = flipped(longer, longer.stat().st_size - 1 - more // 2, tmp_path / "damaged.mp4")
    assert verify(damaged).state == "tampered"


def test_an_unmarked_file_is_told_as_such(edit):
    answer = verify(edit)
    assert (answer.state, answer.holds, answer.statement) == ("unmarked", False, None)
    assert "no content credentials" in answer.in_words()[0]


def test_a_signed_edit_says_what_it_was_made_from_and_by_what(edit, credential, sources, signer):
    before = media_bytes(edit)
    when = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    sign_edit(edit, credential.model_copy(update={"time": when, "is_watermarked": True}), signer)
    answer = verify(edit)
    assert (answer.state, answer.holds, answer.trust) == ("edited", True, "this computer")
    said = answer.statement
    assert said.model == "talking_face 3"
    assert said.time == "2026-03-04T05:06:07Z"
    assert said.source_type == "compositeWithTrainedAlgorithmicMedia"
    assert said.actions == ("c2pa.opened", "c2pa.edited", "c2pa.watermarked.unbound")
    for stated, role, path in zip(said.ingredients, ("target", "audio"), sources, strict=True):
        assert (stated.role, stated.title) == (role, path.name)
        assert stated.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert media_bytes(edit) == before


def test_a_signed_edit_still_plays_and_holds_no_copy_of_its_ingredients(
    edit, credential, sources, signer
):
    info, size = probe_video(edit), edit.stat().st_size
    shown = [frame.image for frame in iter_frames(edit)]
    sign_edit(edit, credential, signer)
    after = probe_video(edit)
    assert (after.n_frames, after.fps, after.has_audio) == (info.n_frames, info.fps, True)
    assert all(np.array_equal(a, f.image) for a, f in zip(shown, iter_frames(edit), strict=True))
    assert edit.stat().st_size - size < 10_000
    assert sources[0].read_bytes()[-500:] not in edit.read_bytes()


@pytest.mark.parametrize("place", [0.02, 0.3, 0.6, 0.999])
def test_one_flipped_bit_of_the_media_is_tampering(tmp_path, edit, credential, signer, place):
    media = edit.stat().st_size - 40  # all but the first box, which C2PA leaves out of its hash
    sign_edit(edit, credential, signer)
    position = edit.stat().st_size - 1 - int((1 - place) * media)
    answer = verify(flipped(edit, position, tmp_path / "other.mp4"))
    assert (answer.state, answer.holds, answer.trust) == ("tampered", False, "none")
    assert answer.problems
    assert "TAMPERED" in answer.in_words()[0]


def test_no_flipped_bit_of_the_manifest_makes_it_say_anything_else(
    tmp_path, edit, credential, signer
):
    media = edit.stat().st_size - 40
    sign_edit(edit, credential, signer)
    truth = verify(edit).statement
    end = edit.stat().st_size - media
    for position in np.random.default_rng(0).integers(60, end, 60):
        answer = verify(flipped(edit, position, tmp_path / "other.mp4"))
        # Padding behind the signature is the only thing in the box that nothing depends on.
        assert answer.state == "tampered" or answer.statement == truth, position


def test_a_file_cut_short_is_tampering_and_a_text_is_no_video(tmp_path, edit, credential, signer):
    sign_edit(edit, credential, signer)
    content = edit.read_bytes()
    edit.write_bytes(content[: len(content) * 2 // 3])
    assert verify(edit).state == "tampered"
    for text in (b"", b"no video at all\n" * 20):
        (tmp_path / "text.mp4").write_bytes(text)
        with pytest.raises(FootageError, match=r"text\.mp4: no video"):
            verify(tmp_path / "text.mp4")
    with pytest.raises(FootageError, match="no such file"):
        verify(tmp_path / "none.mp4")


FREE_BOX = (16).to_bytes(4, "big") + b"free" + bytes(8)


@pytest.mark.parametrize(
    ("changed", "state"),
    [
        *((lambda b, share=share: b[: int(share * len(b))], "tampered") for share in (0.5, 0.9999)),
        (lambda b: b[:-1], "tampered"),
        (lambda b: b + b"\0", "tampered"),
        (lambda b: b + b"more", "tampered"),
        (lambda b: FREE_BOX + b, "tampered"),
        (lambda b: b + b, "tampered"),
        (lambda b: b + FREE_BOX, "edited"),  # C2PA leaves empty boxes out, as players do
        (lambda b: b, "edited"),
    ],
)
def test_a_signed_file_that_lost_or_won_bytes_is_tampered_with(
    tmp_path, edit, credential, signer, changed, state
):
    sign_edit(edit, credential, signer)
    (tmp_path / "changed.mp4").write_bytes(changed(edit.read_bytes()))
    assert verify(tmp_path / "changed.mp4").state == state


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "ts"])
def test_packets_moved_to_another_container_bear_no_credentials(
    tmp_path, edit, credential, signer, suffix
):
    sign_edit(edit, credential, signer)
    moved = tmp_path / f"moved.{suffix}"
    with av.open(str(edit)) as given, av.open(str(moved), "w") as goal:
        targets = {s.index: goal.add_stream_from_template(s) for s in given.streams}
        for packet in given.demux():
            if packet.dts is not None:
                packet.stream = targets[packet.stream.index]
                goal.mux(packet)
    assert verify(moved).state == "unmarked"


@pytest.mark.parametrize("name", ["edit.mov", "edit", "edit.wav", "-edit ü\n.mp4"])
def test_a_signed_file_is_known_whatever_it_is_called(tmp_path, edit, credential, signer, name):
    sign_edit(edit, credential, signer)
    assert verify(edit.rename(tmp_path / name)).state == "edited"


def test_encoding_anew_loses_the_credentials(tmp_path, edit, credential, signer):
    sign_edit(edit, credential, signer)
    again = write_clip(tmp_path / "again.mp4", (frame.image for frame in iter_frames(edit)))
    assert verify(again).state == "unmarked"


def test_a_manifest_cut_out_of_one_file_does_not_vouch_for_another(
    tmp_path, edit, credential, signer
):
    other = write_clip(tmp_path / "other.mp4", pictures(8, seed=9))
    sizes = edit.stat().st_size, other.stat().st_size
    sign_edit(edit, credential, signer)
    content = edit.read_bytes()
    stolen = content[: 36 + len(content) - sizes[0]]
    forged = tmp_path / "forged.mp4"
    forged.write_bytes(stolen + other.read_bytes()[36:])
    assert verify(forged).state == "tampered"


def test_somebody_elses_signature_holds_but_nobody_vouches_for_it(tmp_path, edit, credential):
    stranger = load_identity(folder=tmp_path / "stranger")
    sign_edit(edit, credential, stranger)
    answer = verify(edit)
    assert (answer.state, answer.trust) == ("edited", "unknown")
    assert "not certain" in " ".join(answer.in_words())
    (tmp_path / "roots.pem").write_bytes(stranger.chain)
    assert verify(edit, trusted=tmp_path / "roots.pem").trust == "trusted"
    (tmp_path / "roots.pem").write_bytes(b"not a certificate")
    with pytest.raises(ConfigurationError, match=r"roots\.pem"):
        verify(edit, trusted=tmp_path / "roots.pem")


def test_an_edit_of_an_edit_carries_its_history_along(tmp_path, edit, credential, signer):
    sign_edit(edit, credential, signer)
    second = write_clip(tmp_path / "second.mp4", pictures(6, seed=4))
    sign_edit(
        second,
        EditCredential(ingredients=(Ingredient(role="target", path=edit),), model_version="4"),
        signer,
    )
    assert verify(second).statement.model == "talking_face 4"
    assert b"ann.mp4" in second.read_bytes()  # the first edit's target


@pytest.mark.parametrize("name", ["speech.ogg", "broken.mp4", "speech"])
def test_an_ingredient_that_c2pa_cannot_parse_is_told_by_its_hash(
    tmp_path, edit, sources, signer, name
):
    (tmp_path / name).write_bytes(b"anything" * 40)
    parts = (
        Ingredient(role="target", path=sources[0]),
        Ingredient(role="audio", path=tmp_path / name),
    )
    sign_edit(edit, EditCredential(ingredients=parts, model_version="1"), signer)
    stated = verify(edit).statement.ingredients[1]
    assert (stated.title, stated.sha256) == (
        name,
        hashlib.sha256(b"anything" * 40).hexdigest(),
    )


def test_an_edit_that_cannot_be_signed_is_not_kept(edit, sources, signer):
    gone = EditCredential(
        ingredients=(Ingredient(role="target", path=sources[0].with_name("gone.mp4")),),
        model_version="1",
    )
    with pytest.raises(FootageError, match="cannot be signed"):
        sign_edit(edit, gone, signer)
    assert not edit.exists()
    assert not list(edit.parent.glob(".*"))


def test_an_older_result_outlives_an_edit_that_fails(tmp_path, credential, sources, signer):
    goal = tmp_path / "out.mp4"
    goal.write_bytes(b"older")
    with (
        pytest.raises(FootageError, match="no picture"),
        signed_when_whole(goal, credential, signer) as unsigned,
        VideoWriter(unsigned, 64, 48, 25),
    ):
        pass
    sources[1].unlink()
    with (
        pytest.raises(FootageError, match="cannot be signed"),
        signed_when_whole(goal, credential, signer) as unsigned,
    ):
        write_clip(unsigned, pictures(3))
    assert goal.read_bytes() == b"older"
    assert not list(tmp_path.glob(".*"))


def test_a_whole_edit_takes_the_older_ones_place_signed(tmp_path, credential, signer):
    goal = tmp_path / "out.mp4"
    goal.write_bytes(b"older")
    with signed_when_whole(goal, credential, signer) as unsigned:
        write_clip(unsigned, pictures(3))
        assert goal.read_bytes() == b"older"
    assert verify(goal).state == "edited"
    assert not list(tmp_path.glob(".*"))


def test_an_edit_has_one_target_and_every_ingredient_a_hash(edit, sources, signer):
    audio = Ingredient(role="audio", path=sources[1])
    with pytest.raises(ConfigurationError, match="exactly one"):
        sign_edit(edit, EditCredential(ingredients=(audio,), model_version="1"), signer)
    bare = Ingredient(role="target", title="somebody")
    with (
        pytest.raises(ConfigurationError, match="sha256"),
        signed_when_whole(
            edit, EditCredential(ingredients=(bare,), model_version="1"), signer
        ) as unsigned,
    ):
        write_clip(unsigned, pictures(2))


def test_a_strangers_text_cannot_repaint_the_terminal(edit, sources, signer):
    nasty = EditCredential(
        ingredients=(Ingredient(role="target", path=sources[0], title="a\x1b[2Jb\nEDITED\u202e"),),
        model_name="m\x07" + "x" * 5000,
        model_version="1",
    )
    sign_edit(edit, nasty, signer)
    shown = "".join(verify(edit).in_words())
    assert shown.isprintable()
    assert len(shown) < 3000


def test_the_manifest_names_no_folder(credential, sources):
    assert str(sources[0].parent) not in str(manifest_definition(credential, "edit.mp4"))


def test_importing_the_room_does_not_load_the_signing_library():
    loaded = "import sys, talkin.provenance.credentials, talkin.provenance.verification; "
    loaded += "print('c2pa' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_signing_and_verifying_never_hold_a_whole_video(edit):
    """Peak memory of a process that signs and verifies 96 MB, beyond what 1 MB takes."""
    script = (
        "import resource, sys; from pathlib import Path\n"
        "from talkin.provenance.credentials import EditCredential, Ingredient, signed_when_whole\n"
        "from talkin.provenance.verification import verify\n"
        "for name in sys.argv[1:]:\n"
        "    path = Path(name)\n"
        "    made_from = (Ingredient(role='target', path=path),)\n"
        "    said = EditCredential(ingredients=made_from, model_version='3')\n"
        "    with signed_when_whole(path.with_name('signed.mp4'), said) as unsigned:\n"
        "        unsigned.write_bytes(b'')\n"
        "        unsigned.unlink()\n"
        "        unsigned.symlink_to(path)\n"
        "    assert verify(path.with_name('signed.mp4')).state == 'edited'\n"
        "    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)\n"
    )
    files = [edit.with_name(f"{megabytes}.mp4") for megabytes in (1, 96)]
    for megabytes, path in zip((1, 96), files, strict=True):
        lengthened(edit, path, megabytes << 20)
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, files)], capture_output=True, text=True, check=True
    )
    small, large = map(int, done.stdout.split())
    assert large - small < 40
