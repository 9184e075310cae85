"""What becomes of messages when receivers fail: `python -m evals.outbox_table` prints one row a kind of trouble (issue 7, R-04).

Real requests over loopback to a web server that fails as told, in fast time: the clock jumps to whatever is due next.
"""

import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from pathlib import Path

from sqlalchemy import select

from api import delivering, webhooks
from api.bootstrap import Service, running_without_index
from api.channels import Channels
from api.guarded import Internal, Limits, Poster
from api.message_tables import Webhook
from api.settings import ApiSettings, Settings
from escalation import tickets, work
from escalation.fields import Fields
from escalation.outbox_tables import Delivery, DeliveryState
from escalation.tables import Reason, TicketId
from escalation.tickets import Opening

EVENTS = 40
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PATIENCE_SECONDS = 0.3
INTERNAL = Internal.of("127.0.0.1")
TROUBLES: dict[str, tuple[str, ...]] = {
    "none": ("204",),
    "fails half of the time": ("500", "204"),
    "hangs every fourth time": ("hang", "204", "204", "204"),
    "throttles, Retry-After 60": ("429", "204", "204"),
    "hangs up before it takes it": ("close", "204"),
    "takes it and hangs up, one in 20": (*["204"] * 19, "take"),
    "redirects every third time": ("302", "204", "204"),
    "never answers well": ("503",),
    "is gone": ("410",),
}


@dataclass
class _Sink:
    """A web server that answers in turn as told, and what it took."""

    turns: Iterator[str]
    asked: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    end: threading.Event = field(default_factory=threading.Event)


class _Handler(BaseHTTPRequestHandler):
    sink: _Sink

    def do_POST(self) -> None:
        """Answer as told."""
        self.rfile.read(int(self.headers.get("content-length", 0)))
        turn, name = next(self.sink.turns), self.headers["webhook-id"]
        self.sink.asked.append(name)
        if turn in {"204", "take"}:
            self.sink.taken.append(name)
        if turn == "hang":
            self.sink.end.wait(2 * PATIENCE_SECONDS)
        if turn in {"hang", "close", "take"}:
            self.close_connection = True
            return
        self.send_response(int(turn))
        for key, value in {"429": {"Retry-After": "60"}, "302": {"Location": "/elsewhere"}}.get(turn, {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def _serving(turns: tuple[str, ...]) -> Iterator[tuple[_Sink, str]]:
    sink = _Sink(cycle(turns))
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"sink": sink}))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield sink, f"http://127.0.0.1:{server.server_address[1]}/"
    sink.end.set()
    server.shutdown()
    thread.join(5)
    server.server_close()


class _Clock:
    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at


def row(name: str, turns: tuple[str, ...], events: int = EVENTS, patience: float = PATIENCE_SECONDS) -> str:
    """One row: events, those taken at least once, doubles, requests, given up, dropped, and how long the last took."""
    clock = _Clock()
    with tempfile.TemporaryDirectory() as folder, _serving(turns) as (sink, url):
        settings = Settings(api=ApiSettings(data=Path(folder), public_url="https://help.example.com"))
        with running_without_index(settings, now=clock) as made:
            service = replace(made, chance=lambda: 0.5, channels=Channels(None, Poster(INTERNAL, Limits(patience))))
            _happen(service, url, events)
            _run_out(service, clock)
            with service.database.read() as session:
                states = Counter(session.scalars(select(Delivery.state)))
    doubles = len(sink.taken) - len(set(sink.taken))
    cells = (name, events, len(set(sink.taken)), doubles, len(sink.asked), states[DeliveryState.DEAD], states[DeliveryState.DROPPED])
    return "| " + " | ".join(str(cell) for cell in (*cells, clock.at - START)) + " |"


def _happen(service: Service, url: str, events: int) -> None:
    """A webhook, a ticket, and what its visitor writes."""
    with service.database.write() as session:
        wanted = webhooks.Wanted("sink", url)
        webhooks.add(session, wanted, INTERNAL, new_id="1", secret=webhooks.secret_of(b"k" * 32), by="evals", now=service.now())
        opening = Opening("c", Reason.ASKED, "asked", "billing", "en", Fields(), [])
        ticket = tickets.open_ticket(session, opening, TicketId("1" * 32), by="assistant", now=service.now())
        for number in range(events - 1):
            work.visitor_wrote(session, ticket, str(number), now=service.now())


def _run_out(service: Service, clock: _Clock) -> None:
    """Run whenever something is due, until nothing waits."""
    while True:
        delivering.spread(service, clock())
        delivering.call_webhooks(service, clock())
        with service.database.read() as session:
            waiting = list(session.scalars(select(Delivery.next_at).where(Delivery.state == DeliveryState.WAITING)))
            rests = list(session.scalars(select(Webhook.rests_until).where(Webhook.rests_until > clock())))
        if not waiting:
            return
        clock.at = max(clock() + timedelta(seconds=1), min(waiting), *(rest for rest in rests if rest is not None))


def main() -> None:
    """Print the table."""
    titles = ("the receiver", "events", "arrived", "doubles", "requests", "given up", "dropped", "until the last")
    sys.stdout.write(f"| {' | '.join(titles)} |\n{'|---' * len(titles)}|\n")
    for name, turns in TROUBLES.items():
        sys.stdout.write(row(name, turns) + "\n")


if __name__ == "__main__":
    main()
