"""Real receivers on this machine: a mail server and a web server that take, refuse, hang, throttle and hang up as a test tells them."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import AuthResult, LoginPassword

from evals.outbox_sinks import listening
from tests.builders import settings_in

PUBLIC = "https://help.example.com"
SENDER = "Tallyboard Support <support@tallyboard.example>"


@dataclass
class Mailbox:
    """A mail server. `answers` is what it says to each mail in turn, then 250; `hang` and `hang up` are answers, too."""

    port: int = 0
    letters: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    to: dict[str, str] = field(default_factory=dict)
    refuses_senders: str = ""
    tries: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    async def handle_MAIL(self, _server: Any, _session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802 - as aiosmtpd calls it
        if self.refuses_senders:
            return self.refuses_senders
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802 - as aiosmtpd calls it
        if address in self.to:
            return self.to[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        letter = message_from_bytes(envelope.content, policy=policy.default)
        with self.lock:
            self.tries.append(letter["Message-ID"])
            answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer == "hang":
            await asyncio.sleep(30)
        if answer in {"hang up", "taken, then hang up"}:
            if answer != "hang up":
                self._keep(letter, envelope)
            server.transport.close()
            return "250 OK"
        if answer.startswith("250"):
            self._keep(letter, envelope)
        return answer

    def _keep(self, letter: Any, envelope: Any) -> None:
        with self.lock:
            self.letters.append(letter)
            self.recipients += envelope.rcpt_tos

    @property
    def settings(self) -> dict[str, Any]:
        """What a service needs to send here."""
        return {
            "smtp_host": "127.0.0.1",
            "smtp_port": self.port,
            "smtp_security": "none",
            "smtp_from": SENDER,
            "public_url": PUBLIC,
            "smtp_seconds": 1.0,
        }

    def texts(self) -> list[str]:
        """The bodies."""
        return [letter.get_content() for letter in self.letters]


@contextmanager
def mailbox(**more: Any) -> Iterator[Mailbox]:
    """A mail server on a free port; `more` is for aiosmtpd's SMTP."""
    box = Mailbox()
    with listening(box, **more) as box.port:
        yield box


def signing_in(user: str, password: str) -> dict[str, Any]:
    """A mail server's arguments with which it wants a name and a password."""

    def known(_server: Any, _session: Any, _envelope: Any, _mechanism: Any, data: Any) -> AuthResult:
        good = isinstance(data, LoginPassword) and (data.login, data.password) == (user.encode(), password.encode())
        return AuthResult(success=good, handled=good)

    return {"authenticator": known, "auth_required": True, "auth_require_tls": False}


@dataclass(frozen=True)
class Got:
    """A request that arrived."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Hook:
    """A web server. `answers` is what it does with each request in turn, then 204: a status, a status with headers, or `hang`, `drip`, `close`."""

    url: str = ""
    got: list[Got] = field(default_factory=list)
    taken: list[Got] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)
    always: Any = 204
    lock: threading.Lock = field(default_factory=threading.Lock)
    end: threading.Event = field(default_factory=threading.Event)

    def next(self, got: Got) -> Any:
        with self.lock:
            self.got.append(got)
            answer = self.answers.pop(0) if self.answers else self.always
            if answer == "close after":
                self.taken.append(got)
            if isinstance(answer, int) and answer // 100 == 2:
                self.taken.append(got)
            return answer

    def ids(self, of: list[Got] | None = None) -> list[str]:
        """The ids of the messages that were sent here, in order."""
        return [one.headers["webhook-id"] for one in (self.got if of is None else of)]


class _Handler(BaseHTTPRequestHandler):
    """Does with a request what the hook says."""

    hook: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        answer = self.hook.next(Got(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        status, headers = answer if isinstance(answer, tuple) else (answer, {})
        if status == "hang":
            self.hook.end.wait(30)
        if status in {"hang", "close", "close after"}:
            self.close_connection = True
            self.connection.close()
        elif status == "drip":
            self._drip()
        else:
            self._answer(status, headers)

    def _answer(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        content = b"x" * 200_000 if status == 200 else b""
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _drip(self) -> None:
        for letter in b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 500:
            self.wfile.write(bytes([letter]))
            if self.hook.end.wait(0.05):
                return

    def log_message(self, *_: Any) -> None:
        pass

    def handle(self) -> None:
        with suppress(OSError, ValueError):  # the caller has hung up
            super().handle()

    def finish(self) -> None:
        with suppress(OSError, ValueError):
            super().finish()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        pass


@contextmanager
def hook(**more: Any) -> Iterator[Hook]:
    """A web server on a free port."""
    made = Hook(**more)
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"hook": made}))
    made.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.end.set()
        server.shutdown()
        thread.join(10)
        server.server_close()


INTERNAL = {"webhook_internal": "127.0.0.1"}


def settings_with(data: Path, box: Mailbox | None = None, **more: Any) -> Any:
    """Settings of a service that may send here."""
    return settings_in(data, **(box.settings if box else {"public_url": PUBLIC}), **INTERNAL, **more)
