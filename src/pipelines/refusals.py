"""What a user can mend is told in one line; its traceback is kept for developers.

`TALKIN_TRACEBACK=1 kedro run ...` shows everything.
"""

import logging
import os
import sys
from types import TracebackType

from kedro.framework.hooks import hook_impl
from kedro.validation.exceptions import ParameterValidationError

from talkin.errors import TalkinError

_SHOW_ALL = "TALKIN_TRACEBACK"


class RefusalHooks:
    """Takes tracebacks off the errors whose message says all."""

    def __init__(self) -> None:
        """Stand before whatever shows errors: settings are refused before a run begins."""
        self._show = sys.excepthook
        sys.excepthook = self._told

    @hook_impl
    def after_context_created(self) -> None:
        """Keep a failed node from telling first what is told at the end."""
        logging.getLogger("kedro.pipeline.node").addFilter(_is_news)

    def _told(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        refusal = refusal_of(error)
        if refusal is None or os.environ.get(_SHOW_ALL):
            self._show(kind, error, trace)
        else:
            sys.stderr.write(f"Error: {refusal}\n({_SHOW_ALL}=1 before the command shows where)\n")


def refusal_of(error: BaseException | None) -> str | None:
    """The message that is meant for the user; None for a fault that only its traceback explains.

    Kedro wraps an error of loading twice: the innermost refusal among the causes is ours.
    """
    inner = refusal_of(error.__cause__) if error is not None else None
    if inner is None and isinstance(error, TalkinError | ParameterValidationError):
        lines = [line for line in str(error).splitlines() if "errors.pydantic.dev" not in line]
        return "\n".join(lines)
    return inner


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a message of Kedro's nodes tells of anything but a refusal on its way."""
    return record.levelno < logging.ERROR or refusal_of(sys.exc_info()[1]) is None
