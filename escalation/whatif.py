"""What other promises would have come to: the tickets of a time told again, from their events alone."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from escalation import clocks, keeping
from escalation.clocks import TELLING, Clock
from escalation.sla import PROMISED, Book
from escalation.tables import ClockKind, ClockState, Ticket, TicketEvent

AT_ONCE = 200  # tickets whose events are read together
ENDINGS = ("met", "breached", "overdue", "running", "paused", "never", "dropped", "merged")
Tally = Counter[tuple[str, str, str]]  # clock, queue, ending


@dataclass(frozen=True)
class Told:
    """How every clock stands, by clock, queue and ending; `tickets` were looked at."""

    tickets: int
    tallies: Mapping[str, Tally]


def ending(clock: Clock, now: datetime) -> str:
    """One of ENDINGS: how a clock counts now. Overdue runs or stands still beyond its end; never has no end."""
    late = clock.due_at is not None and clock.due_at < now
    if clock.state in {ClockState.RUNNING, ClockState.PAUSED} and late:
        return "overdue"
    if clock.state is ClockState.RUNNING and clock.due_at is None:
        return "never"
    return clock.state


def what_if(session: Session, books: Mapping[str, Book], since: datetime, until: datetime) -> Told:
    """Tell the tickets opened from `since` to `until` under each of some books, as they stand at `until`."""
    tallies: dict[str, Tally] = {name: Counter() for name in books}
    query = select(Ticket.id, Ticket.priority).where(Ticket.opened_at >= since, Ticket.opened_at <= until).order_by(Ticket.number)
    rows = [(str(id_), str(priority)) for id_, priority in session.execute(query)]
    for at in range(0, len(rows), AT_ONCE):
        some = dict(rows[at : at + AT_ONCE])
        for id_, events in _events(session, some, until).items():
            for name, book in books.items():
                told = clocks.course(keeping.happened(events, some[id_]), book)
                queue = told.sort.queue if told.sort else ""
                tallies[name].update((clock.kind, queue, ending(clock, until)) for clock in told.clocks if clock.kind in PROMISED)
    return Told(len(rows), tallies)


def _events(session: Session, ids: Iterable[str], until: datetime) -> dict[str, list[TicketEvent]]:
    query = select(TicketEvent).where(TicketEvent.ticket_id.in_(list(ids)), TicketEvent.kind.in_(TELLING), TicketEvent.at <= until)
    found: dict[str, list[TicketEvent]] = {}
    for event in session.scalars(query.order_by(TicketEvent.ticket_id, TicketEvent.version)):
        found.setdefault(event.ticket_id, []).append(event)
    return found


def late(tally: Tally, kind: ClockKind, queue: str | None = None) -> int:
    """How many were broken: ended late, or are overdue."""
    return sum(n for (k, q, how), n in tally.items() if k == kind and how in {"breached", "overdue"} and queue in {None, q})


def every(tally: Tally, kind: ClockKind, queue: str | None = None) -> int:
    """How many clocks of a kind there are."""
    return sum(n for (k, q, _), n in tally.items() if k == kind and queue in {None, q})
