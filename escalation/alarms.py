"""What the clocks say by themselves: a warning, a breach, the next tier; each once, and each an event.

What came too late to be an alarm is written down as quiet: the desk shows it, and nobody is told of it ticket by ticket.
"""

from dataclasses import astuple, dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from escalation import clocks, keeping, tickets
from escalation.clocks import Clock
from escalation.tables import ClockKind, ClockState, EventKind, Ticket, TicketState
from escalation.tickets import IllegalMove

CLOCK = "clock"  # who did it
PATIENCE = timedelta(hours=24)


@dataclass(frozen=True)
class Rung:
    """How many alarms of each kind were written; `quiet`: breaches and calls of tiers that came too late to be told."""

    warned: int = 0
    breached: int = 0
    escalated: int = 0
    quiet: int = 0

    def __add__(self, other: "Rung") -> "Rung":
        """Both together."""
        pairs = zip(astuple(self), astuple(other), strict=True)
        return Rung(*(ours + theirs for ours, theirs in pairs))


def ring(session: Session, ticket_id: str, *, now: datetime, patience: timedelta = PATIENCE) -> Rung:
    """Write every alarm of a ticket that is due; nothing when another process just did. Raise NoSuchTicket.

    What should have rung longer than `patience` ago is quiet, for nobody was there to ring it.
    """
    ticket = tickets.get(session, ticket_id)
    tickets.lock(session, ticket, None)
    rung = Rung()
    for _ in range(len(EventKind)):  # each event may bring the next alarm: the next tier may be late, too
        told = keeping.keep(session, ticket)
        due = [clock for clock in told.clocks if clock.alarm_at is not None and clock.alarm_at <= now]
        if not due:
            break
        for clock in due:
            rung += _tell(session, ticket, clock, now, patience)
    return rung


def tell_anew(session: Session, ticket_id: str, *, now: datetime) -> Rung:
    """Tell a ticket's clocks by the book that counts now; what is late by it already was late before anybody watched, so it is quiet."""
    return ring(session, ticket_id, now=now, patience=timedelta(0))


def _tell(session: Session, ticket: Ticket, clock: Clock, now: datetime, patience: timedelta) -> Rung:
    over = clock.due_at is not None and clock.due_at <= now
    late = clock.due_at is not None and clock.due_at + patience <= now
    quiet = {"quiet": True} if late else {}
    if clock.kind is ClockKind.TIER:
        called = escalate(session, ticket, by=CLOCK, now=now, **quiet)
        return Rung(quiet=called) if late else Rung(escalated=called)
    kind = EventKind.CLOCK_BREACHED if over else EventKind.CLOCK_WARNED
    due = clock.due_at.isoformat() if clock.due_at else None
    tickets.record(session, ticket, kind, by=CLOCK, now=now, clock=clock.kind, since=clock.version, due=due, **quiet)
    return Rung(quiet=1) if late else Rung(breached=1) if over else Rung(warned=1)


def escalate(session: Session, ticket: Ticket, *, by: str, now: datetime, quiet: bool = False) -> int:
    """The clock calls the next tier that this priority calls; 1, or 0 when there is none or nobody waits any more.

    A tier that was called quietly was not told, so its time does not run.
    """
    book = keeping.book_of(session)
    told = clocks.course(keeping.events_of(session, ticket), book)
    chain = book.chain(ticket.queue)
    waits = any(clock.kind is ClockKind.TIER and clock.state is ClockState.RUNNING for clock in told.clocks)
    number = chain.after(told.tier, ticket.priority) if chain and waits else None
    if chain is None or number is None:
        return 0
    more = {"chain": chain.name, "tier": number, "who": chain.tiers[number - 1].who, "by_hand": False}
    tickets.record(session, ticket, EventKind.ESCALATED, by=by, now=now, **more, **({"quiet": True} if quiet else {}))
    return 1


def call_next_tier(session: Session, ticket: Ticket, *, by: str, now: datetime, expected_version: int) -> None:
    """An agent calls the next tier, whatever the priority. Raise StaleVersion, or IllegalMove when there is none or nothing left to do."""
    tickets.lock(session, ticket, expected_version)
    if ticket.state in {TicketState.RESOLVED, TicketState.CLOSED}:
        raise IllegalMove(f"ticket {ticket.number} is {ticket.state}; reopen it before you call somebody")
    chain = keeping.book_of(session).chain(ticket.queue)
    tier = chain.tier(ticket.tier + 1) if chain else None
    if chain is None or tier is None:
        raise IllegalMove(f"nobody stands above the tier that has ticket {ticket.number}")
    more = {"chain": chain.name, "tier": ticket.tier + 1, "who": tier.who, "by_hand": True}
    tickets.record(session, ticket, EventKind.ESCALATED, by=by, now=now, **more)
