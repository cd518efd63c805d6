"""What every answer of the server carries, and how large and how slow a request may be."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 8192
_LONGEST_BODY_S = 15.0

SECURITY_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "x-robots-tag": "noindex, nofollow",
}

_Refusal = tuple[int, str]


class Protection:
    """ASGI middleware: security headers on everything, small JSON bodies only."""

    def __init__(self, app: ASGIApp, is_https: bool = False) -> None:
        """Wrap an application; behind HTTPS browsers are told to stay there."""
        self._app = app
        self._headers = dict(SECURITY_HEADERS)
        if is_https:
            self._headers["strict-transport-security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        send = self._with_headers(send)
        if scope["method"] in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        body = await _small_json_body(scope, receive)
        if isinstance(body, bytes):
            await self._app(scope, _replayed(body, receive), send)
        else:
            status, reason = body
            refusal = JSONResponse({"error": reason}, status, headers={"connection": "close"})
            await refusal(scope, receive, send)

    def _with_headers(self, send: Send) -> Send:
        async def wrapped(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        return wrapped


async def _small_json_body(scope: Scope, receive: Receive) -> bytes | _Refusal:
    """The whole body, or why it is refused; never more than the limit is held."""
    headers = Headers(scope=scope)
    # A form of a foreign page cannot send this type without asking first, which we do not allow.
    if headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        return 415, "only application/json is read"
    announced = headers.get("content-length", "0")
    if not announced.isascii() or not announced.isdigit() or int(announced[:12]) > LARGEST_BODY:
        return 413, f"a request holds at most {LARGEST_BODY} bytes"
    try:
        return await asyncio.wait_for(_gathered(receive), _LONGEST_BODY_S)
    except TimeoutError:
        return 408, "the request took too long"


async def _gathered(receive: Receive) -> bytes | _Refusal:
    body = b""
    while True:
        message: MutableMapping[str, Any] = await receive()
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY:
            return 413, f"a request holds at most {LARGEST_BODY} bytes"
        if not message.get("more_body", False):
            return body


def _replayed(body: bytes, receive: Receive) -> Callable[[], Awaitable[Message]]:
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
