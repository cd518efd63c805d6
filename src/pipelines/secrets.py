"""Keeps secrets out of what runs leave behind: MLflow's parameters, logs, reports.

Secret is the value of a parameter or environment variable whose name says so, and the password in
an address such as `postgresql://user:password@host/`.
"""

import logging
import os
import re
from collections.abc import Mapping

HIDDEN = "(secret)"
_NAME = re.compile(
    r"(^|[._-])(key|api_?key|token|secret|password|passwd|passphrase|credentials?|pat)$", re.I
)
_ADDRESS = re.compile(r"(\w+://[^\s/:@]*):[^\s/@]+@")
_SHORTEST = 6  # characters; shorter values would blot out ordinary words


def is_secret_name(name: str) -> bool:
    """Whether a parameter or environment variable of this name holds a secret.

    >>> is_secret_name("editing.watermark.key"), is_secret_name("HF_TOKEN"), is_secret_name("keys")
    (True, True, False)
    """
    return bool(_NAME.search(name))


def without_secrets(text: str, environment: Mapping[str, str] | None = None) -> str:
    """The text with passwords in addresses and values of secret variables taken out.

    >>> without_secrets("cannot reach https://me:hunter2@host/x", {})
    'cannot reach https://me:(secret)@host/x'
    """
    environment = os.environ if environment is None else environment
    for name, value in environment.items():
        if len(value) >= _SHORTEST and is_secret_name(name):
            text = text.replace(value, HIDDEN)
    return _ADDRESS.sub(rf"\1:{HIDDEN}@", text)


class SecretFilter(logging.Filter):
    """Takes secrets out of log lines."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the line where it holds one; never drop it."""
        told = record.getMessage()
        clean = without_secrets(told)
        if clean != told:
            record.msg, record.args = clean, ()
        return True


def guard_logs() -> None:
    """Put the filter before every handler of the root logger, once."""
    for handler in logging.getLogger().handlers:
        if not any(isinstance(known, SecretFilter) for known in handler.filters):
            handler.addFilter(SecretFilter())
