"""What every command shares: errors as one line, progress bars."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

import click

from talkin.errors import TalkinError
from talkin.files import one_line

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def explains_errors(command: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Show errors that the user can mend as one line, without a traceback, and exit with 1."""

    @functools.wraps(command)
    def wrapped(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        try:
            return command(*args, **kwargs)
        except TalkinError as error:
            raise click.ClickException(_shown(str(error))) from error
        except OSError as error:
            # A full disk or a missing right is no bug: say which file.
            told = f"{error.filename or 'file'}: {error.strerror}"
            raise click.ClickException(_shown(told)) from error

    return wrapped


def _shown(text: str) -> str:
    """A message without what would steer the terminal: a stranger may have named the file."""
    return "\n".join(map(one_line, text.splitlines()))


@contextmanager
def progress_bars() -> Iterator[Callable[[str, int, int], None]]:
    """Give a function (stage, done, total) that draws one bar a stage, with the time left."""
    from tqdm import tqdm

    bars: dict[str, Any] = {}

    def show(stage: str, done: int, total: int) -> None:
        if stage not in bars:
            for bar in bars.values():
                bar.close()
            bars[stage] = tqdm(total=total, desc=stage, unit=" frames", dynamic_ncols=True)
        bars[stage].update(done - bars[stage].n)

    try:
        yield show
    finally:
        for bar in bars.values():
            bar.close()
