"""Running the server until it is stopped."""

from pathlib import Path
from typing import TYPE_CHECKING

from talkin.study.database import database_url
from talkin.study.ratings import RatingStore
from talkin.study.records import read_manifest
from talkin.study.server import study_app

if TYPE_CHECKING:
    import uvicorn

_MOST_AT_ONCE = 1000


def prepared_server(
    store: RatingStore, folder: Path, host: str, port: int, *, is_https: bool = False
) -> "uvicorn.Server":
    """The server with its settings, not running yet: `.run()` serves until it is stopped."""
    import uvicorn

    from talkin.study.patience import ImpatientProtocol

    config = uvicorn.Config(
        study_app(store, folder, is_https=is_https),
        http=ImpatientProtocol,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,  # who watched what when is nobody's business
        server_header=False,
        lifespan="off",
        limit_concurrency=_MOST_AT_ONCE,
        timeout_keep_alive=30,
    )
    return uvicorn.Server(config)


def serve(folder: Path, database: str | None, host: str, port: int, public_url: str) -> None:
    """Serve a study until the process is stopped.

    Args:
        folder: The study's folder.
        database: As `database_url` takes it.
        host: Address to listen on.
        port: The same.
        public_url: Where raters reach it; with https, cookies are sent over nothing else.

    Raises:
        ConfigurationError: If the study or the database cannot be opened.
    """
    manifest = read_manifest(folder)
    is_https = public_url.startswith("https://")
    with RatingStore(database_url(database, folder), manifest) as store:
        prepared_server(store, folder, host, port, is_https=is_https).run()
