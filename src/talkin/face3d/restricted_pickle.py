"""Read a pickle that may hold arrays and plain containers, and nothing that could act.

Some face models exist only as pickles, and a pickle is a program. This reader admits the few
names that arrays are made of, by an explicit list; anything else is refused before it is looked
up. Objects of chumpy and torch are taken for inert holders: neither package is imported.
"""

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from talkin.errors import FaceModelError


class InertHolder:
    """Stands for an object of a package that is not run: keeps its state, does nothing."""

    def __init__(self, *arguments: object) -> None:
        """Keep what the object would have been made of."""
        self.arguments = arguments
        self.state: dict[str, Any] = {}

    def __setstate__(self, state: object) -> None:
        """Keep the state if it is a plain dictionary."""
        self.state = dict(state) if isinstance(state, dict) else {}

    def __setitem__(self, key: object, value: object) -> None:
        """Take part in the building of an ordered dictionary, without keeping it."""


def _latin_bytes(text: str, encoding: str) -> bytes:
    """What Python 2 pickles call to make bytes; other encodings are not needed."""
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"bytes in {encoding!r}")
    return text.encode("latin-1")


def _array(kind: object, shape: object, code: object) -> np.ndarray:
    """NumPy's empty array to be filled by its state."""
    if kind is not np.ndarray:
        raise pickle.UnpicklingError("an array of a kind of its own")
    return np.ndarray.__new__(np.ndarray, (0,), np.dtype("b"))


def _scalar(kind: np.dtype, content: bytes = b"") -> Any:
    """A single number."""
    if kind.hasobject:
        raise pickle.UnpicklingError("a scalar that holds an object")
    return np.frombuffer(content, dtype=kind)[0]


def _from_buffer(content: bytes, kind: np.dtype, shape: tuple[int, ...], order: str) -> np.ndarray:
    """What protocol 5 makes arrays of numbers with."""
    return np.frombuffer(content, dtype=kind).reshape(shape, order="F" if order == "F" else "C")


def _allowed() -> dict[tuple[str, str], Any]:
    table: dict[tuple[str, str], Any] = {
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("_codecs", "encode"): _latin_bytes,
        ("collections", "OrderedDict"): InertHolder,
        ("chumpy.ch", "Ch"): InertHolder,
        ("chumpy.reordering", "Select"): InertHolder,
        ("torch._utils", "_rebuild_tensor_v2"): InertHolder,
        ("torch.storage", "_load_from_bytes"): InertHolder,
        ("copy_reg", "_reconstructor"): lambda kind, *_: _made(kind),
        ("copyreg", "_reconstructor"): lambda kind, *_: _made(kind),
        ("__builtin__", "object"): object,
        ("builtins", "object"): object,
    }
    for package in ("numpy.core.multiarray", "numpy._core.multiarray"):
        table[package, "_reconstruct"] = _array
        table[package, "scalar"] = _scalar
    for package in ("numpy.core.numeric", "numpy._core.numeric"):
        table[package, "_frombuffer"] = _from_buffer
    for kind in ("csc", "csr", "coo"):
        for module in (f"scipy.sparse.{kind}", f"scipy.sparse._{kind}"):
            table[module, f"{kind}_matrix"] = InertHolder
    return table


def _made(kind: object) -> InertHolder:
    if kind is not InertHolder:
        raise pickle.UnpicklingError("an object of a kind that is not admitted")
    return InertHolder()


class _Reader(pickle.Unpickler):
    _table = _allowed()

    def find_class(self, module: str, name: str) -> Any:
        """Look a name up in the list; the named module itself is never imported."""
        try:
            return self._table[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}") from None

    def persistent_load(self, pid: object) -> Any:
        raise pickle.UnpicklingError("it asks for data outside the file")


def read_restricted(path: Path) -> Any:
    """Read a pickle, or a `.npy` file that holds one, of arrays and plain containers.

    Raises:
        FaceModelError: If the file is damaged, or asks for anything that is not on the list.
    """
    try:
        content = path.read_bytes()
        if content.startswith(b"\x93NUMPY"):
            return _inside_npy(content)
        return _Reader(io.BytesIO(content), encoding="latin1").load()
    except Exception as error:  # a hostile stream may raise anything at all
        raise FaceModelError(
            f"{path} was not read: {error}. A pickle can run programs, so only plain arrays are "
            "read from it; get the file from its publisher again, or convert it to .npz where you "
            "trust it"
        ) from error


def as_array(value: object, what: str) -> np.ndarray:
    """An array of numbers, also out of a chumpy holder (its `x`) or an array of one object.

    Raises:
        FaceModelError: If there is none.
    """
    if isinstance(value, InertHolder):
        value = value.state.get("x")
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiu":
        raise FaceModelError(f"{what} is no array of numbers")
    return value


def _inside_npy(content: bytes) -> Any:
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0
    shape, _, kind = read(stream) if version == (1, 0) else _header(stream)
    if not kind.hasobject:
        return np.load(io.BytesIO(content), allow_pickle=False)
    array = _Reader(stream, encoding="latin1").load()
    return array.item() if shape == () else array


def _header(stream: io.BytesIO) -> tuple[tuple[int, ...], bool, np.dtype]:
    return np.lib.format.read_array_header_2_0(stream)
