"""Every answer once, and kept before it is acknowledged."""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from sqlalchemy import Connection, Table, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

from talkin.errors import ConfigurationError
from talkin.study.database import clips, metadata, open_engine, raters, ratings, studies, viewings
from talkin.study.records import Answer, StudyManifest
from talkin.study.tokens import new_token, token_hash


@dataclass(frozen=True)
class Rater:
    """Somebody who rates.

    Attributes:
        number: In the database.
        label: What the maker of the study calls them.
        order_seed: Of their own order of clips.
        has_started: Whether they agreed to take part.
    """

    number: int
    label: str
    order_seed: str
    has_started: bool


class RatingStore:
    """The ratings of one study; safe to use from many threads and processes at once."""

    def __init__(self, url: URL, manifest: StudyManifest) -> None:
        """Open the database, make its tables, and enter the study.

        Raises:
            ConfigurationError: If it cannot be opened, or knows the study with another key.
        """
        self.manifest = manifest
        self._clip_ids = frozenset(manifest.clip_ids)
        self._engine = open_engine(url)
        self._dialect: Any = sqlite if url.get_backend_name() == "sqlite" else postgresql
        try:
            with self._engine.begin() as connection:
                metadata.create_all(connection)
                self._enter_study(connection)
        except OperationalError as error:
            shown = url.render_as_string(hide_password=True)
            reason = str(error.orig).strip().splitlines()[0]
            raise ConfigurationError(f"--database {shown} cannot be opened: {reason}") from error

    def __enter__(self) -> Self:
        """Use it in a `with` block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close all connections."""
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def add_raters(self, labels: Sequence[str]) -> list[str]:
        """Make a private token for each label; the tokens are shown once and not kept."""
        tokens = [new_token() for _ in labels]
        with self._engine.begin() as connection:
            self._add(connection, zip(labels, map(token_hash, tokens), strict=True))
        return tokens

    def known_rater(self, label: str, secret: str) -> Rater:
        """The rater that a secret belongs to, entered on first sight (for collected files)."""
        found = self.rater(secret)
        if found is None:
            with self._engine.begin() as connection:
                self._add(connection, [(label, token_hash(secret))])
            found = self.rater(secret)
        assert found is not None, "a rater that was just entered is there"
        return found

    def rater(self, token: str) -> Rater | None:
        """Who bears a token; None for nobody of this study."""
        wanted = select(raters).where(
            raters.c.token_sha256 == token_hash(token), raters.c.study == self.manifest.study
        )
        with self._reading() as connection:
            row = connection.execute(wanted).mappings().first()
        if row is None:
            return None
        return Rater(row["rater"], row["label"], row["order_seed"], row["started"] is not None)

    def start(self, rater: Rater) -> None:
        """Note when a rater agreed to take part; the first time counts."""
        with self._engine.begin() as connection:
            connection.execute(
                raters.update()
                .where(raters.c.rater == rater.number, raters.c.started.is_(None))
                .values(started=_now())
            )

    def answers(self, rater: Rater) -> dict[str, dict[str, Any]]:
        """What a rater said so far: clip -> scores, sequence, is_unplayable."""
        with self._reading() as connection:
            given = connection.execute(select(ratings).where(ratings.c.rater == rater.number))
            seen = connection.execute(select(viewings).where(viewings.c.rater == rater.number))
            found: dict[str, dict[str, Any]] = {
                row["clip"]: {
                    "scores": {},
                    "sequence": row["sequence"],
                    "is_unplayable": row["is_unplayable"],
                }
                for row in seen.mappings()
            }
            for row in given.mappings():
                found[row["clip"]]["scores"][row["question"]] = row["score"]
        return found

    def record(self, rater: Rater, answers: Iterable[Answer]) -> None:
        """Keep answers, all or none; they are on the disk when this returns.

        An answer that was kept already changes nothing, and one that is older than the kept one
        (by its `sequence`) neither.

        Raises:
            ConfigurationError: If a clip or question is not of this study.
        """
        answers = list(answers)
        self.check(answers)
        now = _now()
        with self._engine.begin() as connection:
            for answer in answers:
                self._keep(connection, rater, answer, now)

    def check(self, answers: Iterable[Answer]) -> None:
        """Refuse answers to what this study does not ask.

        Raises:
            ConfigurationError: If a clip or question is not of this study.
        """
        for answer in answers:
            if answer.clip not in self._clip_ids:
                raise ConfigurationError(f"clip {answer.clip} is not of this study")
            unknown = set(answer.scores) - set(self.manifest.question_names)
            if unknown:
                raise ConfigurationError(f"question {min(unknown)} is not of this study")

    def all_ratings(self) -> list[dict[str, Any]]:
        """Rows of rater, label, clip, question, score, last_changed, for the report."""
        wanted = (
            select(ratings, raters.c.label)
            .join(raters, raters.c.rater == ratings.c.rater)
            .where(raters.c.study == self.manifest.study)
            .order_by(ratings.c.rater, ratings.c.clip, ratings.c.question)
        )
        with self._reading() as connection:
            return [dict(row) for row in connection.execute(wanted).mappings()]

    def counts(self) -> dict[str, int]:
        """How many raters were invited, how many started, clips that did not play, ratings."""
        mine = raters.c.study == self.manifest.study
        seen = viewings.join(raters, raters.c.rater == viewings.c.rater)
        given = ratings.join(raters, raters.c.rater == ratings.c.rater)
        with self._reading() as connection:

            def count(table: Any, *conditions: Any) -> int:
                query = select(func.count()).select_from(table).where(mine, *conditions)
                return int(connection.execute(query).scalar_one())

            return {
                "raters": count(raters),
                "started": count(raters, raters.c.started.is_not(None)),
                "unplayable": count(seen, viewings.c.is_unplayable),
                "ratings": count(given),
            }

    def _enter_study(self, connection: Connection) -> None:
        manifest = self.manifest
        row = {"study": manifest.study, "key_sha256": manifest.key_sha256, "created": _now()}
        connection.execute(self._dialect.insert(studies).values(row).on_conflict_do_nothing())
        known = connection.execute(
            select(studies.c.key_sha256).where(studies.c.study == manifest.study)
        ).scalar_one()
        if known != manifest.key_sha256:
            raise ConfigurationError(
                f"the database holds study {manifest.study} with another key (SHA-256 "
                f"{known[:12]}...); the manifest was changed since ratings began"
            )
        named = [{"clip": clip, "study": manifest.study} for clip in manifest.clip_ids]
        connection.execute(self._dialect.insert(clips).on_conflict_do_nothing(), named)

    def _add(self, connection: Connection, named: Iterable[tuple[str, str]]) -> None:
        rows = [
            {
                "study": self.manifest.study,
                "label": label,
                "token_sha256": hashed,
                "order_seed": secrets.token_hex(16),
            }
            for label, hashed in named
        ]
        connection.execute(self._dialect.insert(raters).on_conflict_do_nothing(), rows)

    def _keep(self, connection: Connection, rater: Rater, answer: Answer, now: datetime) -> None:
        whose = {"rater": rater.number, "clip": answer.clip, "sequence": answer.sequence}
        viewing = {
            **whose,
            "plays": answer.plays,
            "elapsed_ms": answer.elapsed_ms,
            "is_unplayable": answer.is_unplayable,
        }
        # RETURNING, because the count of touched rows is not told by every driver.
        upsert = self._newest(viewings, viewing, ("rater", "clip")).returning(viewings.c.clip)
        if connection.execute(upsert).first() is None:
            return  # a newer answer is kept already
        if answer.is_unplayable:
            connection.execute(
                ratings.delete().where(
                    ratings.c.rater == rater.number, ratings.c.clip == answer.clip
                )
            )
        for question, score in answer.scores.items():
            row = {**whose, "question": question, "score": score}
            row |= {"first_given": now, "last_changed": now}
            connection.execute(self._newest(ratings, row, ("rater", "clip", "question")))

    def _newest(self, table: Table, row: dict[str, Any], key: tuple[str, ...]) -> Any:
        """Insert a row, or replace the one of the same key if that is not newer."""
        insert = self._dialect.insert(table).values(row)
        changed = {name: insert.excluded[name] for name in row if name not in (*key, "first_given")}
        return insert.on_conflict_do_update(
            index_elements=key,
            set_=changed,
            where=table.c.sequence <= insert.excluded.sequence,
        )

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._engine.connect().execution_options(is_reading=True) as connection:
            yield connection


def _now() -> datetime:
    return datetime.now(UTC)
