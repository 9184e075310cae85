"""What becomes of messages when receivers fail: `python -m evals.outbox_table` prints one row a kind of trouble (issue 7, R-04).

Real requests and real mails over loopback to servers that fail as told, in fast time: the clock jumps to whatever is due
next. In two rows a worker process is killed again and again, when the receiver has a message and the worker does not know.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import chain, cycle, repeat
from pathlib import Path

from sqlalchemy import select

from api.bootstrap import Service, running_without_index, utc_now
from api.messages import delivering, webhooks
from api.messages.channels import Channels
from api.messages.guarded import Internal, Limits, Poster
from api.messages.tables import Follow, Webhook
from api.tables import Account, StaffRole
from escalation import tickets
from escalation.fields import Fields
from escalation.outbox_tables import Delivery, DeliveryState
from escalation.tables import Reason, TicketId
from escalation.tickets import Opening
from evals import outbox_sinks
from evals.outbox_sinks import Sink
from evals.outbox_worker import settings_in

EVENTS = 40
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PATIENCE_SECONDS = 1.0  # a busy machine needs as long for one mail
INTERNAL = Internal.of("127.0.0.1")
WEB = "webhook"
MAIL = "mail"
TROUBLES: dict[tuple[str, str], tuple[str, ...]] = {
    (WEB, "none"): ("204",),
    (WEB, "fails half of the time"): ("500", "204"),
    (WEB, "hangs every fourth time"): ("hang", "204", "204", "204"),
    (WEB, "throttles, Retry-After 60"): ("429", "204", "204"),
    (WEB, "hangs up before it takes it"): ("close", "204"),
    (WEB, "takes it and hangs up, one in 20"): (*["204"] * 19, "take"),
    (WEB, "redirects every third time"): ("302", "204", "204"),
    (WEB, "never answers well"): ("503",),
    (WEB, "is gone"): ("410",),
    (MAIL, "none"): ("250",),
    (MAIL, "451 after the text, every second time"): ("451 4.3.0 try later", "250"),
    (MAIL, "421 and hangs up, every third time"): ("421 4.3.2 going down", "250", "250"),
    (MAIL, "hangs after the text, every fourth time"): ("hang", "250", "250", "250"),
    (MAIL, "hangs up before it takes it"): ("close", "250"),
    (MAIL, "takes it and hangs up, one in 20"): (*["250"] * 19, "take"),
    (MAIL, "throttles: five mails, then 450 five times"): (*["250"] * 5, *["rcpt 450 4.7.1 slow down"] * 5),
    (MAIL, "refuses one of two recipients for good"): ("250",),
    (MAIL, "never takes one"): ("451 4.3.0 try later",),
}
REFUSES = "refuses one of two recipients for good"
TITLES = ("way", "the receiver", "messages", "arrived", "doubles", "one id each", "tries", "given up", "dropped", "until the last")


class _Clock:
    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


@dataclass(frozen=True)
class Row:
    """One row of the table; `until` is when the last message was settled, after the first."""

    way: str
    trouble: str
    messages: int
    sink: Sink
    states: Counter[str]
    until: timedelta

    def __str__(self) -> str:
        """As Markdown."""
        sink, ended = self.sink, (self.states[DeliveryState.DEAD], self.states[DeliveryState.DROPPED])
        ids = "–" if not sink.taken else "yes" if sink.one_id_each else "NO"
        until = self.until - timedelta(microseconds=self.until.microseconds)
        cells = (self.way, self.trouble, self.messages, len(sink.arrived), sink.doubles, ids, sink.asked, *ended, until)
        return "| " + " | ".join(str(cell) for cell in cells) + " |"


def row(way: str, trouble: str, events: int = EVENTS, patience: float = PATIENCE_SECONDS) -> Row:
    """Events in tickets, and what became of the messages about them at a receiver with a trouble; patience in seconds."""
    serving = outbox_sinks.web if way == WEB else outbox_sinks.mail
    clock = _Clock()
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(cycle(TROUBLES[way, trouble]), 2 * patience) as (sink, port),
        _running(Path(folder), way, port, clock, patience) as service,
    ):
        _happen(service, way, port, events, refused=trouble == REFUSES)
        return _told(service, clock, START, sink, way, trouble)


def killed(way: str, kills: int, events: int = EVENTS, each: int = 5) -> Row:
    """A worker process is killed (SIGKILL) as often as said, each time as soon as the receiver has taken one more in `each`.

    The next worker finds what the last one left: its job's lease and its message's lease have run out by then.
    """
    serving = outbox_sinks.web if way == WEB else outbox_sinks.mail
    turns = ["204" if way == WEB else "250"]
    begun = utc_now()
    clock = _Clock(begun)
    with tempfile.TemporaryDirectory() as folder, serving(chain((turns * (each - 1) + ["kill"]) * kills, repeat(turns[0]))) as (sink, port):
        data = Path(folder)
        with _running(data, way, port, clock, 30) as service:
            _happen(service, way, port, events)
        for number in range(kills):
            _killed_once(data, port if way == MAIL else 0, number * timedelta(minutes=3), sink)
        clock.at = utc_now() + kills * timedelta(minutes=3)
        with _running(data, way, port, clock, 30) as service:
            return _told(service, clock, begun, sink, way, f"takes it, and the worker is killed: {kills} times")


def _killed_once(data: Path, smtp_port: int, ahead: timedelta, sink: Sink) -> None:
    """A worker process that lives until the receiver kills it."""
    command = [sys.executable, "-m", "evals.outbox_worker", str(data), str(smtp_port), str(ahead.total_seconds())]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as worker:  # noqa: S603 - ourselves
        sink.kill = lambda: os.kill(worker.pid, signal.SIGKILL)
        if worker.wait(120) != -signal.SIGKILL:
            raise RuntimeError(f"the worker ended by itself with {worker.returncode}")
    sink.kill = lambda: None


@contextmanager
def _running(data: Path, way: str, port: int, clock: _Clock, patience: float) -> Iterator[Service]:
    """A service without an index that sends to one receiver."""
    with running_without_index(settings_in(data, port if way == MAIL else 0), now=clock) as made:
        mailer = replace(made.channels.mailer, seconds=patience) if made.channels.mailer else None
        yield replace(made, chance=lambda: 0.5, channels=Channels(mailer, Poster(INTERNAL, Limits(patience))))


def _happen(service: Service, way: str, port: int, events: int, *, refused: bool = False) -> None:
    """A webhook, or somebody who follows the queue by mail, perhaps beside one who cannot be reached; and tickets."""
    now = service.now()
    with service.database.write() as session:
        if way == WEB:
            wanted = webhooks.Wanted("sink", f"http://127.0.0.1:{port}/")
            webhooks.add(session, wanted, INTERNAL, new_id="1", secret=webhooks.secret_of(b"k" * 32), by="evals", now=now)
        for name in ["kim", "nobody"][: 0 if way == WEB else 1 + refused]:
            session.add(Account(id=name, email=f"{name}@example.com", name=name, role=StaffRole.AGENT, password_hash="", created_at=now))
            session.flush()
            session.add(Follow(account_id=name, what="queue billing"))
    for number in range(events):
        with service.database.write() as session:
            opening = Opening(f"c{number}", Reason.ASKED, "asked", "billing", "en", Fields(), [])
            tickets.open_ticket(session, opening, TicketId(f"{number:032x}"), by="assistant", now=now)


def _told(service: Service, clock: _Clock, begun: datetime, sink: Sink, way: str, trouble: str) -> Row:
    """Run whenever something is due, until nothing waits; and what came of it."""
    while True:
        delivering.spread(service, clock())
        delivering.send_mail(service, clock())
        delivering.call_webhooks(service, clock())
        with service.database.read() as session:
            waiting = list(session.scalars(select(Delivery.next_at).where(Delivery.state == DeliveryState.WAITING)))
            rests = list(session.scalars(select(Webhook.rests_until).where(Webhook.rests_until > clock())))
            states = Counter(session.scalars(select(Delivery.state)))
        if not waiting:
            return Row(way, trouble, states.total(), sink, states, clock.at - begun)
        clock.at = max(clock() + timedelta(seconds=1), min(waiting), *(rest for rest in rests if rest is not None))


def main() -> None:
    """Print the table."""
    sys.stdout.write(f"| {' | '.join(TITLES)} |\n{'|---' * len(TITLES)}|\n")
    for way, trouble in TROUBLES:
        sys.stdout.write(f"{row(way, trouble)}\n")
        sys.stdout.flush()
    for way in (WEB, MAIL):
        sys.stdout.write(f"{killed(way, 7)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
