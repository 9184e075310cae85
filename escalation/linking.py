"""Tickets that belong together: one merged into another, or many hanging on an incident."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from escalation import keeping
from escalation.tables import EventKind, Ticket, TicketState
from escalation.tickets import IllegalMove, enter, lock, record


def merge(session: Session, ticket: Ticket, into: Ticket, *, by: str, now: datetime, expected_version: int, into_version: int) -> None:
    """Close `ticket` and continue in `into`, which keeps both conversations; tickets merged into it before come along.

    Raise StaleVersion, or IllegalMove when either is closed, they are the same, or an incident would be lost in a plain ticket.
    """
    if ticket.id == into.id:
        raise IllegalMove(f"ticket {ticket.number} cannot be merged into itself")
    for one, expected in sorted(((ticket, expected_version), (into, into_version)), key=lambda pair: pair[0].id):
        lock(session, one, expected)  # always in the same order, so two merges never wait for each other
    _refuse_closed(ticket, into)
    if linked(session, ticket):
        raise IllegalMove(f"other tickets hang on {ticket.number}; unlink them first")
    brings = keeping.carried(session, ticket, now)
    if into.incident_id is None and ticket.incident_id != into.id and not linked(session, into):
        into.incident_id = ticket.incident_id
    ticket.incident_id = None
    enter(ticket, TicketState.CLOSED, now)
    ticket.merged_into = into.id
    for earlier in session.scalars(select(Ticket).where(Ticket.merged_into == ticket.id).order_by(Ticket.id)).all():
        lock(session, earlier, None)
        earlier.merged_into = into.id
        record(session, earlier, EventKind.MERGED, by=by, now=now, into=into.id, number=into.number)
    into.related = sorted({*into.related, ticket.id})
    into.tags = sorted({*into.tags, *ticket.tags})
    record(session, ticket, EventKind.MERGED, by=by, now=now, into=into.id, number=into.number)
    record(session, into, EventKind.ABSORBED, by=by, now=now, merged=ticket.id, number=ticket.number, **brings)


def link(session: Session, ticket: Ticket, incident: Ticket, *, by: str, now: datetime, expected_version: int) -> None:
    """Hang a ticket on an incident. Raise IllegalMove when either is closed or it would make a chain."""
    if ticket.id == incident.id:
        raise IllegalMove(f"ticket {ticket.number} cannot hang on itself")
    for one, expected in sorted(((ticket, expected_version), (incident, None)), key=lambda pair: pair[0].id):
        lock(session, one, expected)
    _refuse_closed(ticket, incident)
    if incident.incident_id:
        raise IllegalMove(f"ticket {incident.number} hangs on another one itself")
    if linked(session, ticket):
        raise IllegalMove(f"other tickets hang on {ticket.number}, so it is an incident itself")
    ticket.incident_id = incident.id
    record(session, ticket, EventKind.LINKED, by=by, now=now, incident=incident.id, number=incident.number)


def unlink(session: Session, ticket: Ticket, *, by: str, now: datetime, expected_version: int) -> None:
    """Take a ticket off its incident. Raise IllegalMove when it hangs on none."""
    lock(session, ticket, expected_version)
    if ticket.incident_id is None:
        raise IllegalMove(f"ticket {ticket.number} hangs on no incident")
    was, ticket.incident_id = ticket.incident_id, None
    record(session, ticket, EventKind.UNLINKED, by=by, now=now, incident=was)


def linked(session: Session, incident: Ticket) -> Sequence[Ticket]:
    """The tickets that hang on it, oldest first."""
    return session.scalars(select(Ticket).where(Ticket.incident_id == incident.id).order_by(Ticket.number)).all()


def conversations(session: Session, ticket: Ticket) -> list[str]:
    """Every conversation of a ticket, its own first, then those of tickets merged into it; each once."""
    merged = select(Ticket.conversation_id).where(Ticket.merged_into == ticket.id).order_by(Ticket.number)
    return list(dict.fromkeys([ticket.conversation_id, *session.scalars(merged)]))


def audience(session: Session, incident: Ticket) -> list[str]:
    """The conversations that one reply to an incident must reach, each once: its own, the linked tickets', all merged ones."""
    hanging = select(Ticket.id).where(or_(Ticket.incident_id == incident.id, Ticket.id == incident.id))
    reached = (
        select(Ticket.conversation_id)
        .where(or_(Ticket.id.in_(hanging), Ticket.merged_into.in_(hanging)))
        .where(or_(Ticket.state != TicketState.CLOSED, Ticket.merged_into.is_not(None)))
        .order_by(Ticket.number)
    )
    return list(dict.fromkeys(session.scalars(reached)))


def _refuse_closed(*tickets: Ticket) -> None:
    for one in tickets:
        if one.state == TicketState.CLOSED:
            raise IllegalMove(f"ticket {one.number} is closed; reopen it first")
