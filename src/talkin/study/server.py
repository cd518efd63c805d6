"""The study's server: one page, clips by their random ids, and answers.

It holds the manifest, which says nothing about a clip but its id; the key is not read. A rater's
token arrives once, in the body of a request, and lives on as a cookie that scripts cannot read and
that other sites' pages cannot make the browser send. All that a rater can ask for is the texts,
the clips, and their own answers.
"""

from collections.abc import Awaitable, Callable
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException as StarletteHTTPException

from talkin.errors import ConfigurationError
from talkin.study.protection import Protection
from talkin.study.ratings import Rater, RatingStore
from talkin.study.records import Answer
from talkin.study.tokens import shown_order, token_hash

_COOKIE_DAYS = 90
PAGE_FILES = {
    "index.html": "text/html; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "question.js": "text/javascript; charset=utf-8",
    "store.js": "text/javascript; charset=utf-8",
}
"""Names under which the page's parts are served; `store.js` is the server's kind of store."""


class Door(BaseModel):
    """What opens the study: the token of a private link."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: str = Field(min_length=1, max_length=128)


class SentAnswer(Answer):
    """An answer, and whose it was when it was given.

    `rater` guards a shared computer: an answer that waited for the network must not be entered
    under the next person's name.
    """

    rater: str = Field(min_length=1, max_length=64)


def page_file(name: str) -> bytes:
    """A part of the page, as it stands in the package."""
    stored = "server_store.js" if name == "store.js" else name
    return (files("talkin.study") / "web" / stored).read_bytes()


def public_name(rater: Rater) -> str:
    """What a rater's own page calls them: nothing that others could use."""
    return rater.order_seed[:12]


def study_app(store: RatingStore, folder: Path, *, is_https: bool = False) -> FastAPI:
    """The server as an ASGI application.

    Args:
        store: Keeps the answers; it knows the manifest.
        folder: Of the study, with `clips/`.
        is_https: Whether browsers reach it by HTTPS: the cookie is then sent over nothing else.
    """
    # No pages that describe the interface: there is nothing for strangers to explore.
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.add_middleware(Protection, is_https=is_https)
    app.exception_handler(RequestValidationError)(_not_understood)
    app.exception_handler(StarletteHTTPException)(_refused)
    cookie = f"rater-{store.manifest.study[:8]}"

    def current_rater(request: Request) -> Rater:
        rater = store.rater(request.cookies.get(cookie, ""))
        if rater is None:
            raise HTTPException(403, "open your private link")
        return rater

    @app.post("/api/enter", status_code=204)
    def enter(door: Door, response: Response) -> None:
        if store.rater(door.token) is None:
            raise HTTPException(403, "this link is not known")
        response.set_cookie(
            cookie,
            door.token,
            max_age=_COOKIE_DAYS * 86400,
            httponly=True,
            samesite="strict",
            secure=is_https,
        )

    known: set[str] = set()

    async def somebody(request: Request) -> None:
        # Clips are most of the requests: who was known once is not looked up for each part.
        token = request.cookies.get(cookie, "")
        hashed = token_hash(token)
        if hashed not in known:
            await run_in_threadpool(current_rater, request)
            known.add(hashed)

    _add_answers(app, store, current_rater)
    _add_clips(app, store, folder, somebody)
    _add_page(app)
    return app


def _add_answers(
    app: FastAPI, store: RatingStore, current_rater: Callable[[Request], Rater]
) -> None:
    Known = Annotated[Rater, Depends(current_rater)]

    @app.get("/api/study")
    def study(rater: Known) -> dict[str, Any]:
        manifest = store.manifest
        return {
            **manifest.for_page(),
            "rater": public_name(rater),
            "clips": shown_order(manifest.clip_ids, rater.order_seed),
            "has_started": rater.has_started,
            "answers": store.answers(rater),
        }

    @app.post("/api/start", status_code=204)
    def start(rater: Known) -> None:
        store.start(rater)

    @app.post("/api/answers", status_code=204)
    def answer(sent: SentAnswer, rater: Known) -> None:
        if sent.rater != public_name(rater):
            raise HTTPException(409, "another person's link is open in this browser")
        try:
            store.record(rater, [sent])
        except ConfigurationError as error:
            raise HTTPException(422, str(error)) from error


def _add_clips(
    app: FastAPI,
    store: RatingStore,
    folder: Path,
    somebody: Callable[[Request], Awaitable[None]],
) -> None:
    # The request's text is looked up, never made into a path.
    paths = {clip: Path(folder) / "clips" / f"{clip}.mp4" for clip in store.manifest.clip_ids}

    @app.api_route("/clips/{clip}", methods=["GET", "HEAD"], dependencies=[Depends(somebody)])
    async def clip(clip: str) -> FileResponse:
        if clip not in paths:
            raise HTTPException(404, "there is no such clip")
        # FileResponse answers range requests, which players need to begin before all has come.
        return FileResponse(
            paths[clip],
            media_type="video/mp4",
            headers={"cache-control": "private, max-age=86400"},
        )


def _add_page(app: FastAPI) -> None:
    parts = {name: page_file(name) for name in PAGE_FILES}

    @app.get("/")
    async def index() -> Response:
        return Response(parts["index.html"], media_type=PAGE_FILES["index.html"])

    @app.get("/page/{name}")
    async def part(name: str) -> Response:
        if name not in parts:
            raise HTTPException(404, "there is no such page")
        return Response(
            parts[name], media_type=PAGE_FILES[name], headers={"cache-control": "no-cache"}
        )

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}


async def _not_understood(_: Request, error: Exception) -> JSONResponse:
    """Say which field is wrong, without repeating what was sent."""
    fields = error.errors() if isinstance(error, RequestValidationError) else []
    where = ".".join(str(part) for part in fields[0]["loc"]) if fields else "body"
    return JSONResponse({"error": f"not understood: {where[:80]}"}, 422)


async def _refused(_: Request, error: Exception) -> JSONResponse:
    if isinstance(error, StarletteHTTPException):
        return JSONResponse({"error": error.detail}, error.status_code, headers=error.headers)
    return JSONResponse({"error": ""}, 500)
