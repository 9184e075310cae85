"""Clocks beside their ticket: written anew in the transaction of every event that touches them, so a list can sort by them.

What is stored is always what `clocks.course` tells from the events; `stale` finds tickets whose clocks were told by other
files, or before there were any.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, text
from sqlalchemy.orm import Session

from escalation import clocks, sla
from escalation.clocks import Clock, Course, Happened
from escalation.sla import Book
from escalation.tables import FAR, ClockKind, ClockState, EventKind, Ticket, TicketClock, TicketEvent, TicketState

BOOK = "sla"  # where a session carries the book that counts in it
COPIED = ("state", "started_at", "calendar", "due_at", "alarm_at", "warned_at", "breached_at", "paused_at", "ended_at", "tier")
NEVER = "never"
NOT_CLOSED = text("ticket.state <> 'closed'")  # in the words of the index ix_ticket_clock_book


def book_of(session: Session) -> Book:
    """The promises that count in this session; the shipped ones where nobody chose others."""
    found = session.info.get(BOOK)
    return found if isinstance(found, Book) else sla.book()


def keep(session: Session, ticket: Ticket) -> Course:
    """Tell the ticket's clocks anew and store them; for `tickets.record` and for what mends."""
    book = book_of(session)
    told = clocks.course(events_of(session, ticket), book)
    known = {(row.kind, row.version): row for row in session.scalars(select(TicketClock).where(TicketClock.ticket_id == ticket.id))}
    for clock in told.clocks:
        row = known.pop((clock.kind, clock.version), None)
        if row is None:
            row = TicketClock(ticket_id=ticket.id, kind=clock.kind, version=clock.version)
            session.add(row)
        _copy(clock, row, ticket)
    for gone in known.values():
        session.delete(gone)
    _summarise(ticket, told, book)
    session.flush()
    return told


def events_of(session: Session, ticket: Ticket) -> list[Happened]:
    """The events that touch its clocks, first to last."""
    query = select(TicketEvent).where(TicketEvent.ticket_id == ticket.id, TicketEvent.kind.in_(clocks.TELLING))
    return happened(session.scalars(query.order_by(TicketEvent.version)).all(), ticket.priority)


def happened(events: Sequence[TicketEvent], priority: str) -> list[Happened]:
    """Stored events as plain values; `priority` is the ticket's own. Openings of before there were clocks did not tell it."""
    first = next((str(e.details["from"]) for e in events if e.kind == EventKind.PRIORITY_CHANGED), priority)
    return [Happened(e.version, e.kind, e.by, _aware(e.at), _details(e, first)) for e in events]


def carried(session: Session, ticket: Ticket, now: datetime) -> dict[str, Any]:
    """What a ticket that is merged brings along, for the event of the one that takes it in."""
    told = clocks.course(events_of(session, ticket), book_of(session))
    ran = [[begins.isoformat(), (ends or now).isoformat()] for begins, ends in told.runs]
    return {"waits_since": told.waits_since.isoformat() if told.waits_since else None, "ran": ran}


def stale(session: Session, most: int, beyond: Iterable[str] = ()) -> Sequence[str]:
    """The ids of living tickets whose clocks nobody has told yet, or another edition of the book has; those in `beyond` are left out."""
    edition = book_of(session).edition
    other = or_(Ticket.clock_book < edition, Ticket.clock_book > edition)  # an index knows no "unlike"
    query = select(Ticket.id).where(NOT_CLOSED, other)
    left = list(beyond)
    query = query.where(Ticket.id.not_in(left)) if left else query
    return session.scalars(query.limit(most)).all()


def alarms(session: Session, now: datetime, most: int, beyond: Iterable[str] = ()) -> Sequence[str]:
    """The ids of tickets of which somebody must be told something, the longest overdue first; those in `beyond` are left out."""
    query = select(TicketClock.ticket_id).where(TicketClock.alarm_at <= now).order_by(TicketClock.alarm_at)
    left = list(beyond)
    query = query.where(TicketClock.ticket_id.not_in(left)) if left else query
    return list(dict.fromkeys(session.scalars(query.limit(most))))


def of_ticket(session: Session, ticket: Ticket) -> Sequence[TicketClock]:
    """Its clocks, in the order in which they started."""
    query = select(TicketClock).where(TicketClock.ticket_id == ticket.id)
    return session.scalars(query.order_by(TicketClock.version, TicketClock.kind)).all()


def _aware(moment: datetime) -> datetime:
    """In UTC, also where an engine forgets the zone, as SQLite does without the repair of the door's own."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def reply_due(session: Session, ticket: Ticket) -> datetime | None:
    """When the reply is due that somebody waits for; None when nobody waits, or nothing is promised."""
    replies = (ClockKind.FIRST_REPLY, ClockKind.NEXT_REPLY)
    rows = of_ticket(session, ticket)
    due = [row.due_at for row in rows if row.kind in replies and row.state == ClockState.RUNNING and row.due_at is not None]
    return min(due, default=None)


def _details(event: TicketEvent, first_priority: str) -> Mapping[str, Any]:
    return event.details if event.kind != EventKind.OPENED else {"priority": first_priority, **event.details}


def _copy(clock: Clock, row: TicketClock, ticket: Ticket) -> None:
    for name in COPIED:
        setattr(row, name, getattr(clock, name))
    row.queue = ticket.queue
    row.span_s, row.spent_s = seconds(clock.span), seconds(clock.spent)


def seconds(length: timedelta) -> int:
    """Whole seconds, rounded down."""
    return length // timedelta(seconds=1)


def _summarise(ticket: Ticket, told: Course, book: Book) -> None:
    """What a list shows: the next clock, when it is due (`FAR` when nothing is), and whether it runs."""
    clock = told.next if ticket.state not in {TicketState.RESOLVED, TicketState.CLOSED} else None
    running = clock is not None and clock.state is ClockState.RUNNING
    ticket.next_due_at = clock.due_at if clock is not None and running and clock.due_at is not None else FAR
    ticket.next_clock = clock.kind if clock is not None else ""
    ticket.clock_state = "" if clock is None else NEVER if running and clock.due_at is None else clock.state
    ticket.chain, ticket.tier = told.chain, told.tier
    ticket.clock_book = book.edition


__all__ = ["ClockKind", "alarms", "book_of", "carried", "happened", "keep", "of_ticket", "stale"]
