"""Where ratings are kept: SQLite beside the study, or PostgreSQL by URL.

One row a rater, clip and question: the primary key makes a rating that is sent twice the same
rating, and a constraint keeps scores from 1 to 5 whoever writes. SQLite runs in WAL mode with
`synchronous=FULL`: a commit is on the disk before it is acknowledged, and a killed server or a
power cut takes nothing back.
"""

from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Engine,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    event,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import QueuePool

from talkin.errors import ConfigurationError

DATABASE_FILE = "ratings.db"
_LONGEST_WAIT_S = 30

metadata = MetaData()

studies = Table(
    "studies",
    metadata,
    Column("study", String(16), primary_key=True),
    Column("key_sha256", String(64), nullable=False),
    Column("created", DateTime(timezone=True), nullable=False),
)
clips = Table(
    "study_clips",
    metadata,
    Column("clip", String(16), primary_key=True),
    Column("study", ForeignKey("studies.study"), nullable=False, index=True),
)
raters = Table(
    "raters",
    metadata,
    Column("rater", Integer, primary_key=True),
    Column("study", ForeignKey("studies.study"), nullable=False, index=True),
    Column("label", String(80), nullable=False),
    Column("token_sha256", String(64), nullable=False, unique=True),
    Column("order_seed", String(32), nullable=False),
    Column("started", DateTime(timezone=True)),
)
ratings = Table(
    "ratings",
    metadata,
    Column("rater", ForeignKey("raters.rater"), primary_key=True),
    Column("clip", ForeignKey("study_clips.clip"), primary_key=True),
    Column("question", String(20), primary_key=True),
    Column("score", Integer, CheckConstraint("score BETWEEN 1 AND 5"), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("first_given", DateTime(timezone=True), nullable=False),
    Column("last_changed", DateTime(timezone=True), nullable=False),
)
viewings = Table(
    "viewings",
    metadata,
    Column("rater", ForeignKey("raters.rater"), primary_key=True),
    Column("clip", ForeignKey("study_clips.clip"), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("plays", BigInteger, nullable=False),
    Column("elapsed_ms", BigInteger, nullable=False),
    Column("is_unplayable", Boolean, nullable=False),
)


def database_url(address: str | None, folder: Path) -> URL:
    """The database that is meant: SQLite in the study's folder unless an address is given.

    Args:
        address: None, the path of an SQLite file, `sqlite:///...` or `postgresql://...`.
        folder: Of the study.

    Raises:
        ConfigurationError: If it is another kind of database, or no address.
    """
    if address is None:
        return URL.create("sqlite", database=str(Path(folder) / DATABASE_FILE))
    if "://" not in address:
        return URL.create("sqlite", database=address)
    try:
        url = make_url(address)
    except ArgumentError as error:
        raise ConfigurationError("--database: this is no address of a database") from error
    if url.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return url.set(drivername="postgresql+psycopg")
    if url.drivername == "sqlite" and url.database:
        return url
    raise ConfigurationError(
        f"--database: {url.drivername} is not supported; give the path of an SQLite file, "
        "sqlite:///FILE or postgresql://USER@HOST/NAME"
    )


def open_engine(url: URL) -> Engine:
    """Connections to the database, made when they are needed."""
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_size=10, max_overflow=10, pool_pre_ping=True)
    if url.database and url.database != ":memory:":
        # Nobody else on the computer shall read who answered what; SQLite's side files follow.
        Path(url.database).touch(mode=0o600, exist_ok=True)
    engine = create_engine(
        url,
        # Writers queue for one lock anyhow; few connections keep that queue short and fair.
        poolclass=QueuePool,
        pool_size=4,
        max_overflow=4,
        pool_timeout=_LONGEST_WAIT_S,
        connect_args={"timeout": _LONGEST_WAIT_S, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where we say so, see below
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    # A transaction that reads first and writes later can fail as "locked" without waiting; one
    # that takes the write lock at once waits for its turn.
    is_reading = connection.get_execution_options().get("is_reading", False)
    connection.exec_driver_sql("BEGIN" if is_reading else "BEGIN IMMEDIATE")
