"""Files that are either whole or absent, and names and cells that mean no harm."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unicodedata import category
from uuid import uuid4

from talkin.errors import ConfigurationError
from talkin.scratch import remove_old_parts

_FORMULA = frozenset("=+-@")
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")


@contextmanager
def replace_when_whole(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; on success it takes the place of `path` in one step.

    A full disk or an exception leaves an older `path` as it was and no new one. What a process
    that was killed left in the folder is deleted when it is a day old.

    Args:
        path: Where the finished file shall stand; its folder is made when missing.

    Yields:
        A path in the same folder, with the same suffix, to write to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_old_parts(path.parent)
    part = path.with_name(f".{path.stem}.{uuid4().hex[:8]}.part{path.suffix}")
    try:
        yield part
        with part.open("rb+") as written:
            os.fsync(written.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def checked_name(name: str, what: str) -> str:
    """Return `name` if it is safe as a file name, so that no user's text becomes a path unchecked.

    Args:
        name: A clip, speaker or model name as a user gave it.
        what: What it names, for the message, such as "clip".

    Raises:
        ConfigurationError: If it holds anything but letters, digits, dot, dash and underscore.
    """
    if not _SAFE_NAME.fullmatch(name) or ".." in name:
        raise ConfigurationError(
            f"{what} {name!r} cannot name a file: use letters, digits, '.', '-' and '_' only, "
            "beginning with a letter or digit, at most 120 characters"
        )
    return name


def one_line(text: object) -> str:
    r"""An error's words on one line, without what would steer a terminal.

    >>> one_line("two\n  lines\x1b[2J")
    'two lines\\x1b[2J'
    """
    joined = " ".join(str(text).split())
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in joined)


def is_one_line(text: str) -> bool:
    r"""Whether a text holds nothing that ends a line or steers a terminal.

    Unlike `str.isprintable` it lets any space pass: macOS puts narrow ones into file names.

    >>> is_one_line("Recording at 9.41\u202fAM.mov"), is_one_line("two\nlines")
    (True, False)
    """
    return all(letter.isprintable() or category(letter) == "Zs" for letter in text)


def spreadsheet_safe(text: str) -> str:
    """A cell of one line that no spreadsheet takes for a formula.

    >>> spreadsheet_safe("=HYPERLINK(...)"), spreadsheet_safe("a plain reason")
    ("'=HYPERLINK(...)", 'a plain reason')
    """
    shown = one_line(text)
    return f"'{shown}" if shown[:1] in _FORMULA else shown


def spreadsheet_habits(path: Path) -> str:
    """What a spreadsheet program may have done to a CSV whose columns are not found.

    Returns:
        Words to end a message with; "" where nothing is known.
    """
    with path.open("rb") as file:
        head = file.read(4096)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in head:
        return '; the file is no UTF-8: save it as "CSV UTF-8"'
    first = head.splitlines()[0].decode("utf-8", "replace") if head else ""
    for separator, name in ((";", "semicolons"), ("\t", "tabs")):
        if first.count(separator) > first.count(",") or first.lower() == f"sep={separator}":
            return f"; its columns stand apart by {name}: save it as CSV with commas"
    return ""
