"""What agents do with a ticket besides moving it: assign, note, reply, sort, describe; each a version and an event."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from escalation import queues
from escalation.fields import WIDTHS
from escalation.tables import URGENCY, EventKind, Note, NoteId, Priority, Ticket, TicketState
from escalation.tickets import Contact, IllegalMove, lock, record

VISITOR = "visitor"
DESCRIBABLE = frozenset({*WIDTHS, "goal", "symptom", "environment"})


class NoSuchField(LookupError):
    """A ticket has no such field, or not one that can be described."""


def assign(session: Session, ticket: Ticket, assignee: str | None, *, by: str, now: datetime, expected_version: int) -> None:
    """Give it to an agent, or to nobody."""
    _lock_living(session, ticket, expected_version)
    before, ticket.assignee = ticket.assignee, assignee
    record(session, ticket, EventKind.ASSIGNED, by=by, now=now, **{"from": before, "to": assignee})


def set_queue(session: Session, ticket: Ticket, queue: str, *, by: str, now: datetime, expected_version: int) -> None:
    """Hand it to other people; whoever had it has it no more. Raise NoSuchQueue."""
    known = queues.get(queue).id
    _lock_living(session, ticket, expected_version)
    before, ticket.queue = ticket.queue, known
    ticket.assignee = ticket.assignee if before == known else None
    record(session, ticket, EventKind.QUEUE_CHANGED, by=by, now=now, **{"from": before, "to": known})


def set_priority(session: Session, ticket: Ticket, priority: Priority, *, by: str, now: datetime, expected_version: int) -> None:
    """How soon it must be worked on."""
    _lock_living(session, ticket, expected_version)
    before, ticket.priority, ticket.urgency = ticket.priority, priority, URGENCY[priority]
    record(session, ticket, EventKind.PRIORITY_CHANGED, by=by, now=now, **{"from": before, "to": priority})


def note(session: Session, ticket: Ticket, note_id: NoteId, text: str, *, by: str, now: datetime) -> Note:
    """Something for other agents, on a closed ticket too; the same id again is the same note. Needs no version: it overwrites nothing."""
    lock(session, ticket, None)
    if known := session.get(Note, note_id):
        return known
    written = Note(id=note_id, ticket_id=ticket.id, by=by, text=text, at=now)
    session.add(written)
    record(session, ticket, EventKind.NOTED, by=by, now=now, note_id=note_id)
    return written


def replied(session: Session, ticket: Ticket, message_id: str, *, by: str, now: datetime, expected_version: int) -> None:
    """An agent's reply goes to the visitor; StaleVersion when somebody was quicker, so that two never answer the same."""
    _lock_living(session, ticket, expected_version)
    record(session, ticket, EventKind.REPLIED, by=by, now=now, message_id=message_id)


def reached(session: Session, ticket: Ticket, message_id: str, incident: int, *, by: str, now: datetime) -> None:
    """The reply to the incident it hangs on reached its visitor, so nobody waits for one any more."""
    _lock_living(session, ticket, None)
    record(session, ticket, EventKind.REACHED, by=by, now=now, message_id=message_id, incident=incident)


def visitor_wrote(session: Session, ticket: Ticket, message_id: str, *, now: datetime, smalltalk: bool = False) -> None:
    """The visitor added something; the version rises, so an agent who has not read it is told before answering.

    `smalltalk`, such as thanks, waits for no reply.
    """
    _lock_living(session, ticket, None)
    more = {"smalltalk": True} if smalltalk else {}
    record(session, ticket, EventKind.VISITOR_WROTE, by=VISITOR, now=now, message_id=message_id, **more)


def rated(session: Session, ticket: Ticket, stars: int, text: str, *, now: datetime) -> None:
    """The visitor's rating, 1 to 5, on a closed ticket too; the last one counts."""
    lock(session, ticket, None)
    ticket.rating, ticket.rating_text = stars, text or ticket.rating_text
    record(session, ticket, EventKind.RATED, by=VISITOR, now=now, stars=stars)


def becomes_faq(session: Session, ticket: Ticket, *, by: str, now: datetime) -> None:
    """An agent says that its answer should stand in the FAQ; the knowledge loop reads this. Needs no version: it overwrites nothing."""
    lock(session, ticket, None)
    if not ticket.becomes_faq:
        ticket.becomes_faq = True
        record(session, ticket, EventKind.DESCRIBED, by=by, now=now, fields=["becomes_faq"])


def describe(session: Session, ticket: Ticket, said: Mapping[str, str | None], *, by: str, now: datetime, expected_version: int) -> None:
    """Fill or correct what is known; an empty text or None means "not said". Raise NoSuchField."""
    if unknown := said.keys() - DESCRIBABLE:
        raise NoSuchField(f"cannot describe {', '.join(sorted(unknown))}")
    _lock_living(session, ticket, expected_version)
    for name, value in said.items():
        setattr(ticket, name, value or None)
    record(session, ticket, EventKind.DESCRIBED, by=by, now=now, fields=sorted(said))


def set_contact(session: Session, ticket: Ticket, contact: Contact, *, by: str, now: datetime, expected_version: int) -> None:
    """Who asks, once they said so; the event keeps no personal data."""
    _lock_living(session, ticket, expected_version)
    ticket.contact_name, ticket.contact_email, ticket.contact_verified = contact.name, contact.email, contact.verified
    record(session, ticket, EventKind.DESCRIBED, by=by, now=now, fields=["contact"])


def tag(session: Session, ticket: Ticket, tags: Iterable[str], *, by: str, now: datetime, expected_version: int) -> None:
    """Replace its tags: lower case, each once."""
    _lock_living(session, ticket, expected_version)
    ticket.tags = sorted({name.strip().lower() for name in tags} - {""})
    record(session, ticket, EventKind.DESCRIBED, by=by, now=now, fields=["tags"])


def asked(session: Session, ticket: Ticket, fields: Iterable[str], *, by: str, now: datetime, expected_version: int) -> None:
    """The visitor was asked for these fields, so none of them is asked for again."""
    _lock_living(session, ticket, expected_version)
    ticket.asked = sorted({*ticket.asked, *fields})
    record(session, ticket, EventKind.ASKED, by=by, now=now, fields=list(ticket.asked))


def _lock_living(session: Session, ticket: Ticket, expected_version: int | None) -> None:
    lock(session, ticket, expected_version)
    if ticket.state == TicketState.CLOSED:
        raise IllegalMove(f"ticket {ticket.number} is closed; reopen it first")
