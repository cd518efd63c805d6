"""A place for code that Numba compiles, on computers where the usual ones cannot be written to.

Numba keeps what it compiles beside the source or in the user's cache, and where it can do neither,
as in a container with a read-only file system and a user without a home, functions that want to be
kept cannot even be defined: librosa cannot be imported.
"""

import atexit
import os
from pathlib import Path

_VARIABLE = "NUMBA_CACHE_DIR"


def find_place_for_compiled_code() -> None:
    """Name a folder of this process' own, gone at its end, where there is no usual place.

    Never a folder that another user could have made before: Numba unpickles what it finds there.
    """
    if _VARIABLE in os.environ or has_usual_place():
        return
    import shutil
    import tempfile

    folder, maker = tempfile.mkdtemp(prefix="talkin-compiled-"), os.getpid()
    os.environ[_VARIABLE] = folder  # workers inherit it

    def remove() -> None:
        if os.getpid() == maker:
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)


def has_usual_place() -> bool:
    """Whether the user's cache, or the folders of all packages, can be written to."""
    if _can_be_made(_user_cache()):
        return True
    import sysconfig

    packages = (sysconfig.get_path("purelib"), Path(__file__).parent)
    return all(os.access(folder, os.W_OK) for folder in packages)


def _user_cache() -> Path | None:
    shared = os.environ.get("XDG_CACHE_HOME")
    if shared:
        return Path(shared)
    try:
        return Path.home() / ".cache"
    except RuntimeError:  # a user whom the system does not know, without HOME
        return None


def _can_be_made(folder: Path | None) -> bool:
    if folder is None:
        return False
    there = next((place for place in (folder, *folder.parents) if place.exists()), None)
    return there is not None and there.is_dir() and os.access(there, os.W_OK)
