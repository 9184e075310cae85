"""What agents do with tickets: every change of the desk, for its forms and its interface alike, each in one transaction.

Card numbers and secrets become placeholders here too: agents paste what customers told them on the phone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from api.bootstrap import Service
from api.desk.clock_shapes import EscalateIn
from api.desk.errors import NotAnAgent
from api.desk.shapes import (
    AssignIn,
    BulkIn,
    ContactIn,
    FaqIn,
    FieldsIn,
    LinkIn,
    MergeIn,
    MoveIn,
    NoteIn,
    PriorityIn,
    QueueIn,
    ReplyIn,
    TagsIn,
    UnlinkIn,
)
from api.desk.ticket import by_number
from api.shapes import In
from api.staff import accounts
from api.staff.sessions import Signed
from api.tables import StaffRole, TicketSeen
from assistant import handover
from assistant.handover import AgentReply
from escalation import alarms, linking, tickets, work
from escalation.replies import KNOWN, MissingPlaceholder
from escalation.tables import NoteId, Ticket
from escalation.tickets import Contact, IllegalMove, StaleVersion
from guardrails import ledger
from guardrails.checks.personal_data import redact_secrets


@dataclass(frozen=True)
class Hand:
    """Who changes which ticket when, inside one transaction."""

    session: Session
    ticket: Ticket
    me: Signed
    service: Service
    now: datetime

    def told(self, version: int) -> dict[str, Any]:
        """What every verb of a ticket wants to know."""
        return {"by": self.me.account_id, "now": self.now, "expected_version": version}


def change(service: Service, me: Signed, number: int, body: In) -> Ticket:
    """Do to a ticket what the body says. Raise NoSuchTicket, StaleVersion, IllegalMove and what its verb raises."""
    with service.database.write() as session:
        ticket = by_number(session, number)
        DOES[type(body)](Hand(session, ticket, me, service, service.now()), body)
        return ticket


def bulk(service: Service, me: Signed, body: BulkIn) -> tuple[list[int], dict[int, str]]:
    """The same change for many tickets, each by itself: the numbers that were changed, and why others were not."""
    changed: list[int] = []
    left: dict[int, str] = {}
    for one in body.tickets:
        try:
            with service.database.write() as session:
                ticket = by_number(session, one.number)
                _change_one(Hand(session, ticket, me, service, service.now()), body, one.version)
            changed.append(one.number)
        except (StaleVersion, IllegalMove, LookupError) as why:
            left[one.number] = str(why)
    return changed, left


def judge(service: Service, me: Signed, number: int, *, right: bool) -> None:
    """Keep an agent's opinion of a guard's decision. Raise UnknownDecision."""
    with service.database.write() as session:
        ledger.judge(session, number, right=right, by=me.account_id, now=service.now())


def seen(service: Service, me: Signed, ticket: Ticket) -> None:
    """Remember up to which version an agent has read it."""
    with service.database.write() as session:
        session.merge(TicketSeen(account_id=me.account_id, ticket_id=ticket.id, version=ticket.version))


def check_gaps(text: str) -> None:
    """Refuse a reply in which a placeholder of a template was left open. Raise MissingPlaceholder."""
    left = tuple(name for name in sorted(KNOWN) if f"[{name}]" in text)
    if left:
        raise MissingPlaceholder(left)


# ── the verbs ───────────────────────────────────────────────────────────────────────────────────────


def _reply(hand: Hand, body: ReplyIn) -> None:
    check_gaps(body.text)
    reply = AgentReply(redact_secrets(body.text).text, hand.me.account_id, hand.me.name, body.then)
    handover.answer(hand.session, hand.ticket, reply, now=hand.now, expected_version=body.version)


def _note(hand: Hand, body: NoteIn) -> None:
    note_id = NoteId(body.id or hand.service.new_id())
    work.note(hand.session, hand.ticket, note_id, redact_secrets(body.text).text, by=hand.me.account_id, now=hand.now)
    handover.reindex(hand.session, hand.ticket)


def _assign(hand: Hand, body: AssignIn) -> None:
    _assign_to(hand, body.assignee, body.version)


def _assign_to(hand: Hand, assignee: str | None, version: int) -> None:
    if assignee is not None:
        account = accounts.get(hand.session, assignee)
        if account.disabled_at is not None or account.role == StaffRole.WRITER:
            raise NotAnAgent(f"{account.name} does not work at the desk")
    work.assign(hand.session, hand.ticket, assignee, **hand.told(version))


def _move(hand: Hand, body: MoveIn) -> None:
    handover.move(hand.session, hand.ticket, body.to, **hand.told(body.version))


def _queue(hand: Hand, body: QueueIn) -> None:
    work.set_queue(hand.session, hand.ticket, body.queue, **hand.told(body.version))


def _priority(hand: Hand, body: PriorityIn) -> None:
    work.set_priority(hand.session, hand.ticket, body.priority, **hand.told(body.version))


def _tags(hand: Hand, body: TagsIn) -> None:
    work.tag(hand.session, hand.ticket, body.tags, **hand.told(body.version))
    handover.reindex(hand.session, hand.ticket)


def _fields(hand: Hand, body: FieldsIn) -> None:
    said: Mapping[str, str | None] = {name: redact_secrets(value).text.strip() or None for name, value in body.fields.items()}
    work.describe(hand.session, hand.ticket, said, **hand.told(body.version))
    handover.reindex(hand.session, hand.ticket)


def _contact(hand: Hand, body: ContactIn) -> None:
    """Somebody else's address is not proven any more."""
    ticket = hand.ticket
    email = body.email.strip() or None
    contact = Contact(body.name.strip() or None, email, ticket.contact_verified and email == ticket.contact_email)
    work.set_contact(hand.session, ticket, contact, **hand.told(body.version))
    handover.reindex(hand.session, ticket)


def _merge(hand: Hand, body: MergeIn) -> None:
    into = by_number(hand.session, body.into)
    version = into.version if body.into_version is None else body.into_version
    handover.merge(hand.session, hand.ticket, into, into_version=version, **hand.told(body.version))


def _link(hand: Hand, body: LinkIn) -> None:
    linking.link(hand.session, hand.ticket, by_number(hand.session, body.incident), **hand.told(body.version))


def _unlink(hand: Hand, body: UnlinkIn) -> None:
    linking.unlink(hand.session, hand.ticket, **hand.told(body.version))


def _escalate(hand: Hand, body: EscalateIn) -> None:
    alarms.call_next_tier(hand.session, hand.ticket, **hand.told(body.version))


def _faq(hand: Hand, _body: FaqIn) -> None:
    work.becomes_faq(hand.session, hand.ticket, by=hand.me.account_id, now=hand.now)


def _change_one(hand: Hand, body: BulkIn, version: int) -> None:
    """Only what differs is a change; the queue comes first, for it takes the ticket from whoever had it."""
    ticket, at = hand.ticket, version
    tickets.refuse_stale(hand.session, ticket, version)
    if body.queue is not None and body.queue != ticket.queue:
        work.set_queue(hand.session, ticket, body.queue, **hand.told(at))
        at = ticket.version
    if body.priority is not None and body.priority != ticket.priority:
        work.set_priority(hand.session, ticket, body.priority, **hand.told(at))
        at = ticket.version
    if body.assignee is not None and (body.assignee or None) != ticket.assignee:
        _assign_to(hand, body.assignee or None, at)


DOES: Mapping[type[In], Callable[[Hand, Any], None]] = {
    ReplyIn: _reply,
    NoteIn: _note,
    AssignIn: _assign,
    MoveIn: _move,
    QueueIn: _queue,
    PriorityIn: _priority,
    TagsIn: _tags,
    FieldsIn: _fields,
    ContactIn: _contact,
    MergeIn: _merge,
    LinkIn: _link,
    UnlinkIn: _unlink,
    FaqIn: _faq,
    EscalateIn: _escalate,
}
