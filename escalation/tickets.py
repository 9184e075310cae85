"""The life of a ticket: opened once per conversation, moved through one door, every change an event beside it.

Every verb runs inside the caller's transaction; when it raises, that transaction must be thrown away.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from escalation import clocks, keeping, notifications, queues
from escalation.fields import Fields
from escalation.tables import (
    FAR,
    QUIET,
    URGENCY,
    Channel,
    Counter,
    EventKind,
    Priority,
    Reason,
    Ticket,
    TicketEvent,
    TicketId,
    TicketState,
)

S = TicketState
NUMBERS = "ticket"  # the counter's name

MOVES: Mapping[TicketState, frozenset[TicketState]] = MappingProxyType(
    {
        S.OPEN: frozenset({S.ACKNOWLEDGED}),
        S.ACKNOWLEDGED: frozenset({S.IN_DIAGNOSIS, S.WAITING_CUSTOMER, S.WAITING_THIRD_PARTY, S.RESOLVED}),
        S.IN_DIAGNOSIS: frozenset({S.WAITING_CUSTOMER, S.WAITING_THIRD_PARTY, S.RESOLVED}),
        S.WAITING_CUSTOMER: frozenset({S.IN_DIAGNOSIS, S.WAITING_THIRD_PARTY, S.RESOLVED}),
        S.WAITING_THIRD_PARTY: frozenset({S.IN_DIAGNOSIS, S.WAITING_CUSTOMER, S.RESOLVED}),
        S.RESOLVED: frozenset({S.CLOSED, S.OPEN}),
        S.CLOSED: frozenset({S.OPEN}),
    },
)


class NoSuchTicket(LookupError):
    """No ticket with that id or number."""


class IllegalMove(Exception):
    """A ticket in this state cannot be changed like that."""


class StaleVersion(Exception):
    """Somebody changed the ticket since it was read. Plain values, for the transaction is over when they are read."""

    def __init__(self, ticket: Ticket, expected: int) -> None:
        """`expected`: the version the caller had seen; `version` is the present one."""
        super().__init__(f"ticket {ticket.number} is at version {ticket.version}, not {expected}")
        self.ticket_id, self.number, self.version = ticket.id, ticket.number, ticket.version


class AlreadyOpen(Exception):
    """The conversation has a ticket that still lives: `ticket_id`, `number`."""

    def __init__(self, ticket: Ticket) -> None:
        """`ticket`: the one that has the conversation."""
        super().__init__(f"the conversation already has ticket {ticket.number}")
        self.ticket_id, self.number = ticket.id, ticket.number


@dataclass(frozen=True)
class Contact:
    """Who asks; `verified` when the host page proved it."""

    name: str | None = None
    email: str | None = None
    verified: bool = False


@dataclass(frozen=True)
class Opening:
    """What a new ticket starts with; no `priority` means the queue's own; `sources` are the articles that were shown, perhaps none."""

    conversation_id: str
    reason: Reason
    reason_text: str
    queue: str
    language: str
    fields: Fields
    sources: Sequence[Mapping[str, Any]]
    priority: Priority | None = None
    contact: Contact = Contact()
    findings: Sequence[Mapping[str, Any]] = ()
    related: Sequence[str] = ()
    asked: Sequence[str] = ()
    channel: Channel = Channel.CHAT


def open_ticket(session: Session, opening: Opening, ticket_id: TicketId, *, by: str, now: datetime) -> Ticket:
    """A new ticket with the next number; the same id again gives the same ticket.

    Raise AlreadyOpen when another ticket has the conversation, NoSuchQueue for an unknown queue. Open late in the
    transaction: until it ends, everybody else who opens a ticket waits for the number.
    """
    queue = queues.get(opening.queue)
    _number(session, raised_by=0)  # from here on nobody else opens one, so what we see below stays so
    if known := session.get(Ticket, ticket_id):
        return known
    _refuse_second(session, [opening.conversation_id])
    number = _number(session, raised_by=1)
    priority = opening.priority or queue.priority
    ticket = Ticket(
        id=ticket_id,
        number=number,
        conversation_id=opening.conversation_id,
        state=S.OPEN,
        queue=queue.id,
        priority=priority,
        urgency=URGENCY[priority],
        reason=opening.reason,
        reason_text=opening.reason_text,
        language=opening.language,
        contact_name=opening.contact.name or opening.fields.contact_name,
        contact_email=opening.contact.email or opening.fields.contact_email,
        contact_verified=opening.contact.verified,
        sources=[dict(row) for row in opening.sources],
        findings=[dict(row) for row in opening.findings],
        related=list(opening.related),
        asked=list(opening.asked),
        channel=opening.channel,
        next_due_at=FAR,
        version=0,
        opened_at=now,
        updated_at=now,
        **opening.fields.columns(),
    )
    session.add(ticket)
    told = {"reason": opening.reason, "queue": queue.id, "number": number, "priority": priority, "channel": opening.channel}
    record(session, ticket, EventKind.OPENED, by=by, now=now, **told)
    return ticket


def move(session: Session, ticket: Ticket, to: TicketState, *, by: str, now: datetime, expected_version: int) -> None:
    """The one door between states. Raise IllegalMove, StaleVersion, or AlreadyOpen when reopening would make a second ticket."""
    lock(session, ticket, expected_version)
    came_from = TicketState(ticket.state)
    if to not in MOVES[came_from]:
        raise IllegalMove(f"ticket {ticket.number} is {came_from}; from there it cannot become {to}")
    if came_from is S.CLOSED:
        _refuse_reopening(session, ticket)
    enter(ticket, to, now)
    kind = EventKind.REOPENED if to is S.OPEN else EventKind.MOVED
    record(session, ticket, kind, by=by, now=now, **{"from": came_from, "to": to})


def advance(session: Session, ticket: Ticket, to: TicketState, *, by: str, now: datetime) -> None:
    """Move on to a state by the shortest way that MOVES allows, each step an event. Raise IllegalMove when there is none."""
    for step in _way(TicketState(ticket.state), to):
        move(session, ticket, step, by=by, now=now, expected_version=ticket.version)


def _way(start: TicketState, to: TicketState) -> list[TicketState]:
    """The states after `start` up to `to`; none when it is there already."""
    ways: list[list[TicketState]] = [[start]]
    seen = {start}
    for way in ways:
        if way[-1] is to:
            return way[1:]
        following = [state for state in S if state in MOVES[way[-1]] and state not in seen and state is not S.OPEN]
        seen.update(following)
        ways += [[*way, state] for state in following]
    raise IllegalMove(f"a ticket that is {start} cannot become {to}")


def reopen(session: Session, ticket: Ticket, *, by: str, now: datetime, expected_version: int) -> None:
    """Work on it again; what the assistant saw before this moment counts no more for its rules."""
    move(session, ticket, S.OPEN, by=by, now=now, expected_version=expected_version)


def get(session: Session, ticket_id: str) -> Ticket:
    """The ticket. Raise NoSuchTicket."""
    ticket = session.get(Ticket, ticket_id)
    if ticket is None:
        raise NoSuchTicket(f"there is no ticket {ticket_id}")
    return ticket


def of_conversation(session: Session, conversation_id: str) -> Ticket | None:
    """The ticket that has the conversation now, the one it was merged into included; None when it is closed or there is none."""
    query = select(Ticket).where(Ticket.conversation_id == conversation_id).order_by(Ticket.number.desc())
    for ticket in session.scalars(query.execution_options(populate_existing=True)).all():
        holder = session.get_one(Ticket, ticket.merged_into, populate_existing=True) if ticket.merged_into else ticket
        if holder.state != S.CLOSED:
            return holder
    return None


def history(session: Session, ticket: Ticket) -> Sequence[TicketEvent]:
    """Everything that happened to it, first to last."""
    return session.scalars(select(TicketEvent).where(TicketEvent.ticket_id == ticket.id).order_by(TicketEvent.version)).all()


def lock(session: Session, ticket: Ticket, expected_version: int | None) -> None:
    """Make the ticket ours until the transaction ends, as it is stored now. Raise StaleVersion; None takes any version."""
    session.refresh(ticket, with_for_update=True)
    if expected_version is not None:
        refuse_stale(session, ticket, expected_version)


def refuse_stale(session: Session, ticket: Ticket, expected: int) -> None:
    """Raise StaleVersion when somebody changed it since; what the clocks alone wrote is no reason to refuse an agent's work."""
    if ticket.version == expected:
        return
    since = select(TicketEvent.kind).where(TicketEvent.ticket_id == ticket.id, TicketEvent.version > expected)
    if expected > ticket.version or not QUIET.issuperset(session.scalars(since)):
        raise StaleVersion(ticket, expected)


def record(session: Session, ticket: Ticket, kind: EventKind, *, by: str, now: datetime, **details: Any) -> None:
    """One change: the next version, its event, that somebody must be told of it, and what it means for the ticket's clocks."""
    ticket.version += 1
    ticket.updated_at = now
    session.add(ticket)
    session.flush()
    event = TicketEvent(ticket_id=ticket.id, version=ticket.version, kind=kind, by=by, details=details, at=now)
    session.add(event)
    session.flush()
    notifications.owe(session, event)
    if kind in clocks.TELLING:
        keeping.keep(session, ticket)


def enter(ticket: Ticket, state: TicketState, now: datetime) -> None:
    """Set the state and the moments that go with it; for `move` and for a merge, nobody else."""
    ticket.state = state
    if state is S.ACKNOWLEDGED:
        ticket.acknowledged_at = ticket.acknowledged_at or now
    elif state is S.RESOLVED:
        ticket.resolved_at = ticket.boundary_at = now
    elif state is S.CLOSED:
        ticket.closed_at = now
    elif state is S.OPEN:
        ticket.reopened_at = ticket.boundary_at = now
        ticket.resolved_at = ticket.closed_at = None


def _refuse_reopening(session: Session, ticket: Ticket) -> None:
    if ticket.merged_into:
        into = session.get_one(Ticket, ticket.merged_into)
        raise IllegalMove(f"ticket {ticket.number} was merged into {into.number}; reopen that one")
    _number(session, raised_by=0)
    merged = session.scalars(select(Ticket.conversation_id).where(Ticket.merged_into == ticket.id))
    _refuse_second(session, [ticket.conversation_id, *merged])


def _refuse_second(session: Session, conversation_ids: Iterable[str]) -> None:
    for conversation_id in conversation_ids:
        if holder := of_conversation(session, conversation_id):
            raise AlreadyOpen(holder)


def _number(session: Session, *, raised_by: int) -> int:
    """The last number given out after raising it; until the transaction ends nobody else can."""
    raising = update(Counter).where(Counter.name == NUMBERS).values(value=Counter.value + raised_by).returning(Counter.value)
    number = session.scalar(raising)
    if number is None:
        with suppress(IntegrityError), session.begin_nested():  # somebody else may be first
            session.execute(insert(Counter).values(name=NUMBERS, value=0))
        number = session.scalars(raising).one()
    return number
