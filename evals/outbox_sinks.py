"""Receivers of the outbox table: a web server and a mail server that take, refuse, hang, hang up, throttle, or kill who calls them."""

import asyncio
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.smtp import SMTP

NUMBER = re.compile(r"\[(\d+)\]")
TAKES = frozenset({"204", "250", "take", "kill"})
SILENT = frozenset({"hang", "close", "take", "kill"})


@dataclass
class Sink:
    """What a receiver was asked and what it took: pairs of what the message is about and its id.

    `turns` says what it does with each message; `kill` ends the process that sent it, once the message is taken.
    """

    turns: Iterator[str]
    hangs: float = 1.0
    asked: int = 0
    taken: list[tuple[str, str]] = field(default_factory=list)
    kill: Callable[[], None] = lambda: None
    end: threading.Event = field(default_factory=threading.Event)

    @property
    def arrived(self) -> set[str]:
        """What was taken, at least once."""
        return {about for about, _ in self.taken}

    @property
    def doubles(self) -> int:
        """How many were taken that had been taken before."""
        return len(self.taken) - len(self.arrived)

    @property
    def one_id_each(self) -> bool:
        """Whether everything about one event came with one id."""
        return len(set(self.taken)) == len(self.arrived)

    def take(self, about: str, name: str) -> str:
        """What to do with a message that came in whole."""
        turn = next(self.turns)
        if turn in TAKES:
            self.taken.append((about, name))
        if turn == "kill":
            self.kill()
        return turn


class _Web(BaseHTTPRequestHandler):
    sink: Sink

    def do_POST(self) -> None:
        """Answer as told."""
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.sink.asked += 1
        turn = self.sink.take(str(json.loads(body)["data"]["number"]), self.headers["webhook-id"])
        if turn == "hang":
            self.sink.end.wait(self.sink.hangs)
        if turn in SILENT:
            self.close_connection = True
            return
        self.send_response(int(turn))
        for key, value in {"429": {"Retry-After": "60"}, "302": {"Location": "/elsewhere"}}.get(turn, {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def handle(self) -> None:
        """Whoever called may be gone."""
        with suppress(OSError, ValueError):
            super().handle()


@contextmanager
def web(turns: Iterator[str], hangs: float = 1.0) -> Iterator[tuple[Sink, int]]:
    """A web server and its port."""
    sink = Sink(turns, hangs)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Web,), {"sink": sink}))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield sink, server.server_address[1]
    sink.end.set()
    server.shutdown()
    thread.join(5)
    server.server_close()


@dataclass
class _Mail:
    """Answers to RCPT and DATA. A turn that begins with `rcpt ` is told to RCPT, `bad` there is an address that nobody has."""

    sink: Sink
    bad: str = "nobody@example.com"

    async def handle_RCPT(self, _server: Any, session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802 - as aiosmtpd calls it
        """Whether the recipient is taken."""
        self.sink.asked += 1
        if address == self.bad:
            return "550 5.1.1 no such mailbox"
        session.turn = next(self.sink.turns)
        if session.turn.startswith("rcpt "):
            return str(session.turn.removeprefix("rcpt "))
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """Whether the mail is taken."""
        letter = message_from_bytes(envelope.content, policy=policy.default)
        found = NUMBER.search(letter["Subject"])
        turn = session.turn
        if turn in TAKES:
            self.sink.taken.append((f"{found and found[1]} to {envelope.rcpt_tos[0]}", letter["Message-ID"]))
        if turn == "kill":
            self.sink.kill()
        if turn == "hang":
            await asyncio.sleep(self.sink.hangs)
        if turn in SILENT:
            server.transport.close()
        if turn.startswith("421"):
            asyncio.get_running_loop().call_later(0.05, server.transport.close)
        return "250 OK" if turn in TAKES | SILENT else str(turn)


@contextmanager
def mail(turns: Iterator[str], hangs: float = 1.0) -> Iterator[tuple[Sink, int]]:
    """A mail server and its port."""
    sink = Sink(turns, hangs)
    with listening(_Mail(sink)) as port:
        yield sink, port


@contextmanager
def listening(handler: object, **more: Any) -> Iterator[int]:
    """The port of a mail server with aiosmtpd's handler, in a thread with a loop of its own; `more` is for aiosmtpd's SMTP."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(lambda: SMTP(handler, loop=loop, **more), "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(_end, loop)
        thread.join(10)
        loop.close()


def _end(loop: asyncio.AbstractEventLoop) -> None:
    """Whatever still hangs is over."""
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.call_later(0.05, loop.stop)
