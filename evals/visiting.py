"""A real `firstline serve` in a process of its own, and visitors that ask it over HTTP: what the benchmark times."""

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

START_SECONDS = 120.0  # a server that has not answered by then is broken
ANSWER_SECONDS = 30.0
POLL_SECONDS = 0.02
COMMAND = "from api.cli.main import main; main()"
NOTHING: Mapping[str, str] = MappingProxyType({})
UNLIMITED = {
    "FIRSTLINE_MESSAGES_PER_MINUTE": "10000",
    "FIRSTLINE_CONVERSATIONS_PER_HOUR": "100000",
    "FIRSTLINE_REQUESTS_PER_MINUTE": "100000",
    "FIRSTLINE_LOG_LEVEL": "warning",
}


class ServerFailed(RuntimeError):
    """The server did not start or gave an error."""


@dataclass(frozen=True)
class Server:
    """A running server; `started` is the moment of its start on the clock of time.perf_counter."""

    process: subprocess.Popen[bytes]
    port: int
    started: float

    @property
    def resident_mb(self) -> float:
        """Memory of the process and its children in megabytes (10^6 bytes), as Linux reports it; 0 elsewhere."""
        return sum(_resident(pid) for pid in [self.process.pid, *_children(self.process.pid)]) / 1e6


class Visitor:
    """One keep-alive connection that starts conversations and asks. Not for several threads."""

    def __init__(self, port: int) -> None:
        """Nothing is sent yet."""
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)

    def start(self) -> Mapping[str, Any]:
        """A new conversation: its id and secret. Raise ServerFailed."""
        return self._post("/api/conversations", {}, None)

    def ask(self, conversation: Mapping[str, Any], text: str) -> float:
        """Milliseconds from sending a message to having read the whole reply. Raise ServerFailed."""
        path = f"/api/conversations/{conversation['id']}/messages"
        began = time.perf_counter()
        self._post(path, {"text": text}, str(conversation["secret"]))
        return 1000 * (time.perf_counter() - began)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _post(self, path: str, body: Mapping[str, Any], secret: str | None) -> Mapping[str, Any]:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {secret}"} if secret else {})
        self._connection.request("POST", path, json.dumps(body), headers)
        response = self._connection.getresponse()
        content = response.read()
        if response.status not in {200, 201}:
            raise ServerFailed(f"{path}: status {response.status}: {content[:300].decode('utf-8', 'replace')}")
        answer: Mapping[str, Any] = json.loads(content)
        return answer


@contextmanager
def serving(data: Path, settings: Mapping[str, str] = NOTHING) -> Iterator[Server]:
    """`firstline serve` on a free port of 127.0.0.1 over a data folder, ready to answer. Raise ServerFailed.

    `settings` are environment variables; everything else is at its default.
    """
    port = _free_port()
    place = {"FIRSTLINE_DATA": str(data), "FIRSTLINE_HOST": "127.0.0.1", "FIRSTLINE_PORT": str(port)}
    environment = {**_inherited(), **UNLIMITED, **settings, **place}
    with tempfile.TemporaryFile() as log:
        started = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-c", COMMAND, "serve"], cwd=Path(__file__).parent.parent, env=environment, stdout=log, stderr=log
        )
        server = Server(process, port, started)
        try:
            _await_ready(server, log)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def ask_in_turn(port: int, questions: Sequence[str]) -> list[float]:
    """Milliseconds of each question, asked one after the other, each in a conversation of its own. Raise ServerFailed."""
    visitor = Visitor(port)
    try:
        return [visitor.ask(visitor.start(), question) for question in questions]
    finally:
        visitor.close()


def ask_at_once(port: int, questions: Sequence[str], visitors: int) -> list[float]:
    """The same by several visitors at once, who share the questions. Raise ServerFailed."""
    with ThreadPoolExecutor(visitors) as pool:
        shares = [questions[i::visitors] for i in range(visitors)]
        return [ms for times in pool.map(lambda share: ask_in_turn(port, share), shares) for ms in times]


def _inherited() -> dict[str, str]:
    """The environment without settings of Firstline: the benchmark measures the defaults."""
    own = os.environ  # noqa: TID251 - a child process needs it
    return {name: value for name, value in own.items() if not name.startswith("FIRSTLINE_")}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_ready(server: Server, log: Any) -> None:
    while time.perf_counter() - server.started < START_SECONDS:
        if server.process.poll() is not None:
            break
        try:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:  # noqa: PLR2004
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(POLL_SECONDS)
    log.seek(0)
    raise ServerFailed(f"`firstline serve` did not start:\n{log.read()[-2000:].decode('utf-8', 'replace')}")


def _resident(pid: int) -> int:
    """Bytes."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:")), 0)


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except OSError:
        return []
