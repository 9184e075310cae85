"""The one place that opens the SQL database: SQLite in WAL by default, Postgres by address.

Write transactions on SQLite open with BEGIN IMMEDIATE, so two writers wait for each other instead of
losing updates (trap M13). Every moment is stored in UTC and comes back with its time zone. An error
names its statement but not the values: they hold what visitors wrote, and errors are logged.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import DateTime, Dialect, Engine, MetaData, create_engine, event, make_url, text
from sqlalchemy.dialects.sqlite import DATETIME
from sqlalchemy.orm import Session

import assistant.tables
import escalation.outbox_tables
import escalation.tables
import guardrails.tables
import knowledge.lift_tables
import knowledge.loop_tables
import knowledge.tables
from api import tables
from api.messages import tables as message_tables

TABLES: list[MetaData] = [
    knowledge.tables.Base.metadata,
    assistant.tables.Base.metadata,
    guardrails.tables.Base.metadata,
    escalation.tables.Base.metadata,
    tables.Base.metadata,
]
OWED = (escalation.outbox_tables.Outbox, message_tables.Webhook)  # their modules add tables to the metadata above
MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_TIMEOUT_MS = 20_000


class UnknownSchemaError(Exception):
    """The database was written by a Firstline this one does not know."""


class Utc(DATETIME):
    """SQLite keeps no time zone: refuse moments without one, give them back in UTC."""

    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Any:
        """Aware datetime → the text that SQLite stores."""
        store = super().bind_processor(dialect)

        def process(value: datetime | None) -> Any:
            if value is not None and value.tzinfo is None:
                raise ValueError("a moment without a time zone cannot be stored")
            moment = value.astimezone(UTC).replace(tzinfo=None) if value else None
            return store(moment) if store else moment

        return process

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """The stored text → aware datetime in UTC."""
        load = super().result_processor(dialect, coltype)

        def process(value: Any) -> datetime | None:
            moment = load(value) if load else value
            return moment.replace(tzinfo=UTC) if moment else None

        return process


class Database:
    """Sessions for reading and for writing; commit happens when the block ends without an error."""

    def __init__(self, url: str) -> None:
        """`url` in SQLAlchemy's form, such as sqlite:///firstline.db or postgresql+psycopg://user@host/name."""
        self.url = url
        self.info: dict[str, Any] = {}  # what its sessions carry: the promises that count (escalation.keeping)
        self.engine = _engine(url)
        self._writer = self.engine.execution_options(firstline_write=True)
        # a reader sees one moment, as SQLite's readers do anyway
        self._reader = self.engine if self.engine.name == "sqlite" else self.engine.execution_options(isolation_level="REPEATABLE READ")

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session whose changes are thrown away."""
        with Session(self._reader, expire_on_commit=False, info=self.info) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session that commits at the end of the block."""
        with Session(self._writer, expire_on_commit=False, info=self.info) as session, session.begin():
            yield session

    def prepare(self) -> None:
        """Create or upgrade the schema. Raise UnknownSchemaError when a newer Firstline wrote it."""
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        script = ScriptDirectory.from_config(config)
        with self.engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
        try:
            known = current is None or script.get_revision(current) is not None
        except CommandError:
            known = False
        if not known:
            raise UnknownSchemaError(
                f"The database is at schema {current}, which this version of Firstline does not know. "
                "It was written by a newer version: install that one, or restore a backup made before the upgrade.",
            )
        if current != script.get_current_head():
            with self._writer.connect() as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")

    def ping(self) -> None:
        """Raise when the database does not take a write."""
        with self.write() as session:
            session.execute(text("UPDATE index_state SET id = id WHERE id = 0"))

    def close(self) -> None:
        """Give every connection back."""
        self.engine.dispose()


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(
            parsed, hide_parameters=True, pool_pre_ping=True, pool_size=10, max_overflow=20, connect_args={"options": "-c timezone=utc"}
        )
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, hide_parameters=True, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000}, pool_size=20, max_overflow=40)
    engine.dialect.colspecs = {**engine.dialect.colspecs, DateTime: Utc}
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions are opened by _begin_sqlite, not guessed by the driver
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON", f"busy_timeout={BUSY_TIMEOUT_MS}"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Any) -> None:
    write = connection.get_execution_options().get("firstline_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
