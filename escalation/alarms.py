"""What the clocks say by themselves: a warning, a breach, the next tier; each once, and each an event."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from escalation import clocks, keeping, tickets
from escalation.clocks import Clock
from escalation.tables import ClockKind, ClockState, EventKind, Ticket, TicketState
from escalation.tickets import IllegalMove

CLOCK = "clock"  # who did it


@dataclass(frozen=True)
class Rung:
    """How many alarms of each kind were written."""

    warned: int = 0
    breached: int = 0
    escalated: int = 0

    def __add__(self, other: "Rung") -> "Rung":
        """Both together."""
        return Rung(self.warned + other.warned, self.breached + other.breached, self.escalated + other.escalated)


def ring(session: Session, ticket_id: str, *, now: datetime) -> Rung:
    """Write every alarm of a ticket that is due; nothing when another process just did. Raise NoSuchTicket."""
    ticket = tickets.get(session, ticket_id)
    tickets.lock(session, ticket, None)
    rung = Rung()
    for _ in range(len(EventKind)):  # each event may bring the next alarm: the next tier may be late, too
        told = keeping.keep(session, ticket)
        due = [clock for clock in told.clocks if clock.alarm_at is not None and clock.alarm_at <= now]
        if not due:
            break
        for clock in due:
            rung += _tell(session, ticket, clock, now)
    return rung


def _tell(session: Session, ticket: Ticket, clock: Clock, now: datetime) -> Rung:
    if clock.kind is ClockKind.TIER:
        return Rung(escalated=escalate(session, ticket, by=CLOCK, now=now))
    over = clock.due_at is not None and clock.due_at <= now
    kind = EventKind.CLOCK_BREACHED if over else EventKind.CLOCK_WARNED
    due = clock.due_at.isoformat() if clock.due_at else None
    tickets.record(session, ticket, kind, by=CLOCK, now=now, clock=clock.kind, since=clock.version, due=due)
    return Rung(breached=1) if over else Rung(warned=1)


def escalate(session: Session, ticket: Ticket, *, by: str, now: datetime) -> int:
    """The clock calls the next tier that this priority calls; 1, or 0 when there is none or nobody waits any more."""
    book = keeping.book_of(session)
    told = clocks.course(keeping.events_of(session, ticket), book)
    chain = book.chain(ticket.queue)
    waits = any(clock.kind is ClockKind.TIER and clock.state is ClockState.RUNNING for clock in told.clocks)
    number = chain.after(told.tier, ticket.priority) if chain and waits else None
    if chain is None or number is None:
        return 0
    who = chain.tiers[number - 1].who
    tickets.record(session, ticket, EventKind.ESCALATED, by=by, now=now, chain=chain.name, tier=number, who=who, by_hand=False)
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
