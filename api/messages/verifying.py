"""Whether an address is the visitor's: asked by one mail of fixed words, and the links that visitors' mails hold.

To an address that is not confirmed goes at most one mail a day, whatever is sent to us and from where; one caller may name
at most three new addresses an hour. Only a click on the link confirms, and only for the request that named the address.
"""

from datetime import datetime, timedelta

import structlog
from fastapi import Request
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from api import identity
from api.context import service_of
from api.messages import telling
from api.messages.mailing import BadAddress, address_of
from api.messages.tables import AddressCheck, VisitorLink
from assistant import conversation
from assistant.conversation import Incoming, StillRunning, hash_secret
from assistant.tables import Conversation, ConversationId, ConversationKey, Message
from escalation import outbox, tickets, work
from escalation.outbox_tables import Delivery, DeliveryState, Way
from escalation.tables import Ticket, TicketState
from escalation.tickets import Contact

ASK_AGAIN = timedelta(hours=24)
PER_CALLER, CALLER_WINDOW = 3, timedelta(hours=1)
KEY_LASTS = timedelta(days=90)  # as long as the cookie that holds it
log = structlog.get_logger()
LOCK = 7_201_035  # any number that no other lock of Postgres here has


class DeadLink(LookupError):
    """A link that never was, is over, or was used."""


def ask(request: Request, conversation_id: str) -> None:
    """Send the question to the address of the conversation's ticket, if there is one that should be asked now."""
    service = service_of(request)
    if service.channels.mailer is None:
        return
    caller = hash_secret(f"address {identity.address(request, service.settings.api.proxies)}")
    with service.database.read() as session:
        if _askable(telling.own_ticket(session, conversation_id)) is None:
            return
    with service.database.write() as session:
        ask_once(session, conversation_id, caller, now=service.now())


def ask_after(request: Request, conversation_id: str, incoming: Incoming, turn: Message | StillRunning) -> None:
    """As `ask`, after a turn that may have told an address or opened the ticket; the turn stands whatever becomes of the question."""
    if "@" not in incoming.text and not (isinstance(turn, Message) and turn.content.get("handover")):
        return
    try:
        ask(request, conversation_id)
    except Exception as error:
        log.exception("address_not_asked", error=type(error).__name__)


def ask_once(session: Session, conversation_id: str, caller: str, *, now: datetime) -> bool:
    """Write down the mail that asks; False when there is nothing to ask, or it must not be asked now."""
    ticket = telling.own_ticket(session, conversation_id)
    email = _askable(ticket)
    if ticket is None or email is None or not _allowed(session, email, caller, now):
        return False
    name = outbox.delivery_id(ticket.id, Way.CONFIRM, email, now.isoformat())
    session.add(
        Delivery(
            id=name,
            way=Way.CONFIRM,
            recipient=conversation_id,
            event_id=0,
            ticket_id=ticket.id,
            kind="confirm",
            state=DeliveryState.WAITING,
            next_at=now,
            happened_at=now,
            created_at=now,
        )
    )
    return True


def link_of(session: Session, token: str, *, now: datetime) -> VisitorLink:
    """The link with this token; looking does not use it up. Raise DeadLink."""
    link = session.get(VisitorLink, hash_secret(token))
    if link is None or link.used_at is not None or link.expires_at <= now:
        raise DeadLink("this link does not work any more")
    return link


def confirm(session: Session, token: str, *, now: datetime) -> Ticket:
    """The address of the link is the visitor's: the ticket says so from now on. Raise DeadLink."""
    link = _used(session, token, telling.CONFIRM, now)
    ticket = telling.own_ticket(session, link.conversation_id)
    if ticket is None or ticket.state == TicketState.CLOSED or (ticket.contact_email or "").casefold() != link.email.casefold():
        raise DeadLink("the request is over, or has another address by now")
    contact = Contact(ticket.contact_name, ticket.contact_email, verified=True)
    tickets.lock(session, ticket, None)
    work.set_contact(session, ticket, contact, by=work.VISITOR, now=now, expected_version=ticket.version)
    held = session.get(Conversation, ConversationId(link.conversation_id))
    if held is not None and str(held.details.get("email", "")).casefold() == link.email.casefold():
        held.details = {**held.details, "verified": link.email}  # the address, for another one may be told later
    return ticket


def open_request(session: Session, token: str, secret: str, *, now: datetime) -> str:
    """Let `secret` open the link's conversation, too; its id. Raise DeadLink, also when its request has another address by now."""
    link = _used(session, token, telling.OPEN, now)
    ticket = telling.own_ticket(session, link.conversation_id)
    if ticket is None or (ticket.contact_email or link.email).casefold() != link.email.casefold():
        raise DeadLink("the request is gone, or has another address by now")
    key = ConversationKey(
        secret_hash=hash_secret(secret), conversation_id=ConversationId(link.conversation_id), created_at=now, expires_at=now + KEY_LASTS
    )
    session.add(key)
    conversation.locked(session, key.conversation_id)
    return link.conversation_id


def _used(session: Session, token: str, purpose: str, now: datetime) -> VisitorLink:
    session.get(VisitorLink, hash_secret(token), with_for_update=True, populate_existing=True)  # of two clicks at once, one finds it used
    link = link_of(session, token, now=now)
    if link.purpose != purpose:
        raise DeadLink("this link is for something else")
    link.used_at = now
    return link


def _askable(ticket: Ticket | None) -> str | None:
    """The address of a ticket that still lives and whose address nobody has confirmed, in small letters."""
    if ticket is None or ticket.contact_verified or not ticket.contact_email or ticket.state == TicketState.CLOSED:
        return None
    try:
        return address_of(ticket.contact_email).addr_spec.casefold()
    except BadAddress:
        return None


def _allowed(session: Session, email: str, caller: str, now: datetime) -> bool:
    """Whether this address may be asked now, by this caller; if so, that is noted in the same breath."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    recent = (
        select(func.count()).select_from(AddressCheck).where(AddressCheck.caller == caller, AddressCheck.asked_at > now - CALLER_WINDOW)
    )
    if (session.scalar(recent) or 0) >= PER_CALLER:
        return False
    known = session.get(AddressCheck, email, with_for_update=True)
    if known is None:
        try:
            with session.begin_nested():
                session.add(AddressCheck(email=email, caller=caller, asked_at=now))
        except IntegrityError:
            return False
        return True
    if known.asked_at > now - ASK_AGAIN:
        return False
    session.execute(update(AddressCheck).where(AddressCheck.email == email).values(caller=caller, asked_at=now))
    return True
