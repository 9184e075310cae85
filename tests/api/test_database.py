"""Both databases keep what is committed, refuse what they do not know, and speak UTC."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError

from api.database import MIGRATIONS, TABLES, Database, UnknownSchemaError
from api.tables import ApiKey
from knowledge.tables import IndexState
from tests.builders import START, together

VIENNA_SUMMER = timezone(timedelta(hours=2))


def alembic_config(database: Database) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = database.engine.connect()
    return config


@pytest.fixture
def empty(empty_url: str) -> Iterator[Database]:
    database = Database(empty_url)
    yield database
    database.close()


def tables_in(database: Database) -> set[str]:
    """Its tables; those in which SQLite keeps its full-text index are left out."""
    return {name for name in inspect(database.engine).get_table_names() if not name.startswith("ticket_words")}


def test_an_empty_database_gets_every_table(empty: Database) -> None:
    empty.prepare()
    assert tables_in(empty) == {name for metadata in TABLES for name in metadata.tables} | {"alembic_version"}


def test_preparing_twice_changes_nothing(database: Database) -> None:
    with database.write() as session:
        session.get_one(IndexState, 0).version = 7
    database.prepare()
    with database.read() as session:
        assert session.get_one(IndexState, 0).version == 7


def test_the_migrations_make_exactly_the_tables_of_the_code(database: Database) -> None:
    command.check(alembic_config(database))


def test_no_two_folders_have_a_table_of_the_same_name() -> None:
    names = [name for metadata in TABLES for name in metadata.tables]
    assert len(names) == len(set(names))


def test_the_schema_can_be_taken_down_and_put_up_again(database: Database) -> None:
    command.downgrade(alembic_config(database), "base")
    assert tables_in(database) <= {"alembic_version"}
    database.prepare()
    command.check(alembic_config(database))


def test_a_schema_of_a_newer_version_is_refused_in_words(database: Database) -> None:
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = 'ffff'"))
    with pytest.raises(UnknownSchemaError, match=r"schema ffff.*newer version"):
        database.prepare()


def test_a_refused_database_is_left_as_it_was(database: Database) -> None:
    before = tables_in(database)
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = 'ffff'"))
    with pytest.raises(UnknownSchemaError):
        database.prepare()
    assert tables_in(database) == before


@pytest.mark.parametrize(
    "moment",
    [
        START,
        datetime(2026, 3, 29, 2, 59, 30, tzinfo=VIENNA_SUMMER),
        datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=timezone(timedelta(hours=-11))),
    ],
)
def test_a_moment_comes_back_the_same_and_in_utc(database: Database, moment: datetime) -> None:
    with database.write() as session:
        session.add(ApiKey(id="k", name="n", key_hash="h", created_at=moment))
    with database.read() as session:
        stored = session.get_one(ApiKey, "k").created_at
    assert stored == moment
    assert stored.utcoffset() == timedelta(0)


def test_moments_compare_by_time_whatever_zone_they_were_written_in(database: Database) -> None:
    with database.write() as session:
        for number in range(24):
            zone = timezone(timedelta(hours=number - 12))
            session.add(
                ApiKey(id=f"{number:02}", name="n", key_hash=str(number), created_at=(START + timedelta(minutes=number)).astimezone(zone))
            )
    with database.read() as session:
        order = session.scalars(
            select(ApiKey.id).where(ApiKey.created_at >= START + timedelta(minutes=3)).order_by(ApiKey.created_at)
        ).all()
    assert order == [f"{number:02}" for number in range(3, 24)]


def test_sqlite_refuses_a_moment_without_a_zone(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'x.db'}")
    database.prepare()
    with pytest.raises(StatementError, match="without a time zone"), database.write() as session:  # noqa: PT012
        session.add(ApiKey(id="k", name="n", key_hash="h", created_at=datetime(2026, 1, 1)))
        session.flush()
    database.close()


def test_four_writers_at_once_lose_no_update(database: Database) -> None:
    def increment(_thread: int) -> None:
        for _ in range(200):
            with database.write() as session:
                state = session.get_one(IndexState, 0, with_for_update=True)
                state.version += 1

    assert together(4, increment) == [None] * 4
    with database.read() as session:
        assert session.get_one(IndexState, 0).version == 800


def test_what_is_changed_in_a_reading_session_is_thrown_away(database: Database) -> None:
    with database.read() as session:
        session.get_one(IndexState, 0).version = 99
        session.flush()
    with database.read() as session:
        assert session.get_one(IndexState, 0).version == 0


def test_a_block_that_fails_leaves_nothing_behind(database: Database) -> None:
    with pytest.raises(RuntimeError, match="enough"), database.write() as session:  # noqa: PT012
        session.add(ApiKey(id="k", name="n", key_hash="h", created_at=START))
        session.flush()
        raise RuntimeError("enough")
    with database.read() as session:
        assert session.get(ApiKey, "k") is None


def test_a_unique_name_is_unique(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as session:
        session.add_all(ApiKey(id=str(n), name="n", key_hash="same", created_at=START) for n in range(2))


def test_readers_do_not_wait_for_a_writer(database: Database) -> None:
    written, read = threading.Event(), threading.Event()

    def write() -> None:
        with database.write() as session:
            session.get_one(IndexState, 0).version = 5
            session.flush()
            written.set()
            assert read.wait(30)

    writer = threading.Thread(target=write)
    writer.start()
    assert written.wait(30)
    with database.read() as session:
        assert session.get_one(IndexState, 0).version == 0
    read.set()
    writer.join()
    with database.read() as session:
        assert session.get_one(IndexState, 0).version == 5


def test_ping_writes_and_changes_nothing(database: Database) -> None:
    database.ping()
    with database.read() as session:
        assert session.get_one(IndexState, 0).version == 0


def test_ping_fails_when_the_tables_are_gone(empty: Database) -> None:
    with pytest.raises(Exception, match="index_state"):
        empty.ping()


def test_ping_fails_when_postgres_is_gone(postgres_url: str) -> None:
    gone = Database(postgres_url.replace("/test_", "/gone_"))
    with pytest.raises(OperationalError):
        gone.ping()
    gone.close()


def test_sqlite_runs_as_measured_safe(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'x.db'}")
    with database.engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    database.close()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}


def test_an_error_of_the_database_does_not_quote_what_was_to_be_stored(database: Database) -> None:
    with pytest.raises(IntegrityError) as caught, database.write() as session:
        session.add_all(ApiKey(id=str(n), name="what a visitor wrote", key_hash="same", created_at=START) for n in range(2))
    assert "what a visitor wrote" not in str(caught.value)
