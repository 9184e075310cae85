"""What the tests build with: texts, clocks, services, servers, and the questions they ask of a store."""

import json
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import httpx
import uvicorn
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.app import create
from api.bootstrap import Service, running
from api.database import Database
from api.settings import ApiSettings, Settings
from assistant import conversation
from assistant.conversation import Incoming
from assistant.settings import AssistantSettings
from assistant.tables import Conversation, ConversationId, Message
from assistant.turn import take_turn
from knowledge.articles import ArticleText
from knowledge.confidence import Band, plain_confidence
from knowledge.embedding import HashingEncoder
from knowledge.library import MAIN, Library, Place
from knowledge.publishing import Origin, Published
from knowledge.search import Found
from knowledge.settings import KnowledgeSettings
from knowledge.staging import wording_ids
from knowledge.tables import Article, ArticleKind, IndexState, Passage
from knowledge.vectors import MemoryVectorIndex, Vectors

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "knowledge" / "sample"
FIRSTLINE = Path(sys.executable).parent / "firstline"
START = datetime(2026, 3, 29, 0, 59, 30, tzinfo=UTC)
HANDBOOK = Origin("handbook", "handbook")
CARD = "4111 1111 1111 1111"
READY_SECONDS = 120


# ── time and names ──────────────────────────────────────────────────────────────────────────────────


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: datetime = START) -> None:
        """It shows `at`."""
        self.at = at

    def __call__(self) -> datetime:
        """What it shows."""
        return self.at

    def move(self, seconds: float) -> datetime:
        """Later by so many seconds."""
        self.at += timedelta(seconds=seconds)
        return self.at


class Counted:
    """Ids that count: 00…01, 00…02."""

    def __init__(self) -> None:
        """The first is 1."""
        self.last = 0
        self._lock = threading.Lock()

    def __call__(self) -> str:
        """The next id."""
        with self._lock:
            self.last += 1
            return f"{self.last:032x}"


# ── texts ───────────────────────────────────────────────────────────────────────────────────────────


def article(name: str = "refunds", title: str = "Ask for a refund", body: str = "", **more: Any) -> ArticleText:
    """An article about refunds, or another."""
    text = body or "1. Open **Billing**.\n2. Press **Refund**.\n3. Wait five days for the money."
    return ArticleText(external_id=name, title=title, body=text, **more)


def faq(name: str = "faq-1", title: str = "How long is the trial?", body: str = "The trial lasts 14 days.", **more: Any) -> ArticleText:
    """A FAQ about the trial, or another."""
    return ArticleText(external_id=name, title=title, body=body, kind=ArticleKind.FAQ, **more)


def long_body(word: str, sections: int = 4) -> str:
    """Several passages in which every one holds the word."""
    return "\n\n".join(f"## Part {n} of {word}\n\n" + f"The {word} of part {n} needs care. " * 25 for n in range(sections))


# ── services ────────────────────────────────────────────────────────────────────────────────────────


def settings_in(
    data: Path, *, assistant: Mapping[str, Any] | None = None, knowledge: Mapping[str, Any] | None = None, **api: Any
) -> Settings:
    """Settings with the hashing encoder and everything stored under a folder."""
    return Settings(
        api=ApiSettings(data=data, **api),
        assistant=AssistantSettings(**{"product": "Tallyboard", **(assistant or {})}),
        knowledge=KnowledgeSettings(**{"embedder": "hashing", **(knowledge or {})}),
    )


def running_in(data: Path, clock: Clock | None = None, **more: Any) -> AbstractContextManager[Service]:
    """A service over a folder, made by bootstrap."""
    return running(settings_in(data, **more), now=clock or Clock())


class Decided:
    """A library whose search is real and whose judgement the test makes, so that a test of the turn does not test the fit."""

    def __init__(self, library: Library, band: Band, before_quoting: Callable[[], None] = lambda: None) -> None:
        """`before_quoting` happens between the search and the reading of what may be quoted."""
        self.library, self.band, self.before_quoting = library, band, before_quoting
        self.encoders, self.rarity = library.encoders, library.rarity
        self.asked: list[str] = []

    def find(self, question: str, vectors: Mapping[str, Vectors], *, language: str | None = None, limit: int = 5) -> Found:
        """What the library finds, in the band of the test."""
        self.asked.append(question)
        return replace(self.library.find(question, vectors, language=language, limit=limit), band=self.band)

    def places(self, session: Session, article_ids: Sequence[str]) -> dict[str, list[Place]]:
        """What may be quoted now."""
        self.before_quoting()
        return self.library.places(session, article_ids)


def decided(service: Service, band: Band, before_quoting: Callable[[], None] = lambda: None) -> Service:
    """The service with the judgement of search made by the test."""
    library: Any = Decided(service.library, band, before_quoting)
    return replace(service, assistant=replace(service.assistant, library=library))


def publish(service: Service, *texts: ArticleText, origin: Origin = HANDBOOK) -> list[Published]:
    """Publish texts, all of which must go well."""
    return service.library.publisher.publish(list(texts), origin, now=service.now())


def find(service: Service, question: str) -> list[str]:
    """Titles of what is found, best first."""
    found = service.library.find(question, service.assistant.embed([question]))
    return list(dict.fromkeys(hit.title for hit in found.passages))


def quoted(service: Service, question: str) -> str:
    """The text of every live passage of every article found: all that an answer could use."""
    found = service.library.find(question, service.assistant.embed([question]), limit=50)
    with service.database.read() as session:
        places = service.library.places(session, list(dict.fromkeys(hit.article_id for hit in found.passages)))
    return "\n".join(place.passage.text for of_one in places.values() for place in of_one)


def begin(service: Service, locale: str = "en") -> Conversation:
    """A conversation that has begun."""
    with service.database.write() as session:
        return conversation.start(session, secret=service.new_id(), locale=locale, new_id=service.new_id, now=service.now())


def say_to(service: Service, to: ConversationId, text: str, name: str | None = None, choice: str | None = None) -> Message:
    """The stored reply to a message."""
    reply = take_turn(service.assistant, to, Incoming(text, name, choice), now=service.now())
    assert isinstance(reply, Message)
    return reply


# ── one library without a service ───────────────────────────────────────────────────────────────────


class RecordingIndex(MemoryVectorIndex):
    """A collection that remembers what was done to it, and runs what the test hangs on an operation."""

    def __init__(self, log: list[tuple[str, tuple[str, ...]]]) -> None:
        """`log` gets the name of each operation and its ids."""
        super().__init__()
        self.log = log
        self.on: dict[str, Callable[[], None]] = {}

    def put(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Remember, then add."""
        self._happens("put", ids)
        super().put(list(ids), vectors)

    def remove(self, ids: Iterable[str]) -> None:
        """Remember, then forget the vectors."""
        gone = list(ids)
        self._happens("remove", gone)
        super().remove(gone)

    def ids(self) -> Iterator[str]:
        """Every id."""
        yield from list(self._rows)

    def _happens(self, what: str, ids: Sequence[str]) -> None:
        self.log.append((what, tuple(ids)))
        self.on.get(what, lambda: None)()


@dataclass
class Shelf:
    """A library over a database and recording collections, opened."""

    database: Database
    collections: dict[str, RecordingIndex] = field(default_factory=dict)
    log: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    new_id: Counted = field(default_factory=Counted)
    clock: Clock = field(default_factory=Clock)
    encoder: Any = field(default_factory=HashingEncoder)

    def library(self) -> Library:
        """Another library over the same database and collections, as another process would have it."""
        library = Library(self.database, {MAIN: self.encoder}, self._collection, self.new_id, fitted=plain_confidence())
        library.open()
        return library

    def _collection(self, name: str) -> RecordingIndex:
        return self.collections.setdefault(name, RecordingIndex(self.log))


def live_ids(database: Database) -> set[str]:
    """The entries that SQL wants in the index."""
    with database.read() as session:
        epoch = session.get_one(IndexState, 0).epoch
        rows = session.execute(
            select(Passage, Article)
            .join(Article, Article.id == Passage.article_id)
            .where(Passage.live, Passage.epoch == epoch)
            .order_by(Passage.article_id, Passage.position),
        ).all()
    firsts = {article.id: (article, passage.id) for passage, article in reversed(rows)}
    wordings = [entry for article, first in firsts.values() for entry in wording_ids(article.kind, [first], len(article.wordings) + len(article.learned))]
    return {passage.id for passage, _ in rows} | set(wordings)


def indexed_ids(service: Service) -> list[set[str]]:
    """The ids each collection holds, by get and not by query."""
    indexes = service.library.publisher.index.collections.values()
    return [set(index.ids()) for index in indexes]


def in_line(service: Service) -> bool:
    """Whether SQL and every collection list the same entries, and each live article has all passages of its revision."""
    live = live_ids(service.database)
    with service.database.read() as session:
        epoch = session.get_one(IndexState, 0).epoch
        odd = session.scalars(
            select(Passage.id)
            .join(Article, Article.id == Passage.article_id)
            .where((Passage.revision != Article.revision) | Passage.live.is_(False) | (Passage.epoch != epoch)),
        ).all()
    return not odd and all(ids == live for ids in indexed_ids(service))


# ── HTTP ────────────────────────────────────────────────────────────────────────────────────────────


def client_of(service: Service, address: str = "203.0.113.7", **more: Any) -> TestClient:
    """A client of the app that sees what a stranger sees: errors are answers, not exceptions."""
    return TestClient(create(service, **more), raise_server_exceptions=False, client=(address, 40_000))


@dataclass(frozen=True)
class Visitor:
    """A visitor with a conversation of their own."""

    client: TestClient
    id: str
    secret: str
    messages: list[dict[str, Any]]

    @classmethod
    def arrives(cls, client: TestClient, locale: str = "en") -> Self:
        """Start a conversation."""
        started = client.post("/api/conversations", json={"locale": locale})
        assert started.status_code == 201, started.text
        body = started.json()
        return cls(client, body["id"], body["secret"], body["messages"])

    @property
    def headers(self) -> dict[str, str]:
        """The proof that this is the visitor."""
        return {"Authorization": f"Bearer {self.secret}"}

    @property
    def url(self) -> str:
        """Where the messages are."""
        return f"/api/conversations/{self.id}/messages"

    def say(self, text: str, headers: Mapping[str, str] | None = None, **more: Any) -> httpx.Response:
        """Post a message."""
        response: httpx.Response = self.client.post(self.url, json={"text": text, **more}, headers={**self.headers, **(headers or {})})
        return response

    def read(self, **query: Any) -> list[dict[str, Any]]:
        """The messages."""
        response = self.client.get(self.url, headers=self.headers, params=query)
        assert response.status_code == 200, response.text
        messages: list[dict[str, Any]] = response.json()["messages"]
        return messages


@contextmanager
def served(service: Service) -> Iterator[str]:
    """The app of a service over HTTP, on a free port."""
    config = uvicorn.Config(
        create(service), host="127.0.0.1", port=0, log_config=None, access_log=False, proxy_headers=False, timeout_graceful_shutdown=2
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    patience = threading.Event()
    while not server.started:
        assert thread.is_alive(), "the server ended"
        patience.wait(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(20)


def is_problem(response: Any, status: int) -> bool:
    """Whether a response is a problem document (RFC 9457) of that status."""
    assert response.status_code == status, (response.status_code, response.text[:500])
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == status
    assert body["type"] == "about:blank"
    return bool(body["title"] and body["detail"])


def events_of(text: str) -> list[tuple[str, dict[str, Any]]]:
    """Name and data of each server-sent event."""
    found = re.findall(r"event: (\w+)\ndata: (.*)\n\n", text)
    return [(name, json.loads(data)) for name, data in found]


# ── processes ───────────────────────────────────────────────────────────────────────────────────────


def environment(data: Path, **settings: str) -> dict[str, str]:
    """What a process of an operator has in its environment: nothing of CI's, nothing of ours but these settings."""
    kept = {name: value for name, value in os.environ.items() if name != "CI" and not name.startswith("FIRSTLINE_")}  # noqa: TID251
    given = {"FIRSTLINE_DATA": str(data), "FIRSTLINE_EMBEDDER": "hashing", "NO_COLOR": "1", "COLUMNS": "200", **settings}
    return {**kept, **given}


def firstline(data: Path, *arguments: str, before: Sequence[str] = (), **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end. `before` stands in front of it, such as unshare."""
    command = [*before, str(FIRSTLINE), *arguments]
    return subprocess.run(
        command, env=environment(data, **settings), cwd=data.parent, capture_output=True, text=True, timeout=READY_SECONDS, check=False
    )


@dataclass(frozen=True)
class Served:
    """A `firstline serve` that listens."""

    url: str
    process: subprocess.Popen[str]
    output: list[str]


@contextmanager
def serving(data: Path, *arguments: str, **settings: str) -> Iterator[Served]:
    """`firstline serve` as a process of its own, on a free port, until the block ends."""
    command = [str(FIRSTLINE), "serve", "--port", "0", *arguments]
    process = subprocess.Popen(
        command, env=environment(data, **settings), cwd=data.parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    lines: queue.Queue[str | None] = queue.Queue()
    output: list[str] = []

    def listen() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            output.append(line)
            lines.put(line)
        lines.put(None)

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        yield Served(_announced(lines, output), process, output)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        listener.join(10)
        assert process.stdout is not None
        process.stdout.close()


def _announced(lines: "queue.Queue[str | None]", output: list[str]) -> str:
    while True:
        line = lines.get(timeout=READY_SECONDS)
        assert line is not None, f"the server ended: {''.join(output)}"
        if found := re.search(r"Firstline answers on (http://\S+)", line):
            return found[1]


@contextmanager
def chroma_server(data: Path) -> Iterator[str]:
    """Chroma's own server on loopback; its address."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [str(FIRSTLINE.parent / "chroma"), "run", "--path", str(data), "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=data.parent, env=environment(data))
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _answers(f"{url}/api/v2/heartbeat"), READY_SECONDS)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.TransportError:
        return False


def wait_until(happened: Callable[[], bool], seconds: float = 30) -> None:
    """Return once something that another process does has happened; fail when it does not."""
    patience = threading.Event()
    for _ in range(int(seconds / 0.02)):
        if happened():
            return
        patience.wait(0.02)
    raise AssertionError(f"it did not happen within {seconds} s")


def together(count: int, do: Callable[[int], Any]) -> list[Any]:
    """The results of `do(0)` … `do(count - 1)`, begun at the same moment in threads; an exception is a result."""
    barrier = threading.Barrier(count)
    results: list[Any] = [None] * count

    def one(number: int) -> None:
        barrier.wait()
        try:
            results[number] = do(number)
        except Exception as error:
            results[number] = error

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def stored_bytes(folder: Path) -> bytes:
    """Every byte of every file under a folder."""
    return b"".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())
