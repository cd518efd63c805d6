"""Connections that ask for nothing are closed: Uvicorn alone waits for them for ever.

Whoever opens connections and never ends a request would otherwise keep everybody else out with a
few hundred of them.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

LONGEST_SILENCE_S = 20.0

_Protocol: Any = AutoHTTPProtocol  # one of two classes, whichever parser is installed


class ImpatientProtocol(_Protocol):
    """Uvicorn's HTTP, but a connection without a whole request is closed after a while."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Begin to wait."""
        super().connection_made(transport)
        self._wait(self.cycle)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        if self._waiting is not None:
            self._waiting.cancel()
        super().connection_lost(exc)

    def _wait(self, known: Any) -> None:
        self._waiting = self.loop.call_later(LONGEST_SILENCE_S, self._look, known)

    def _look(self, known: Any) -> None:
        """Close unless a request has begun since the last look, or one is being answered."""
        is_busy = self.cycle is not None and not self.cycle.response_complete
        if is_busy or self.cycle is not known:
            self._wait(self.cycle)
        else:
            self.transport.close()
