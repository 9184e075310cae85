"""A conversation goes to a person and comes back: the only place where conversation and ticket meet.

While a ticket lives, a person holds the conversation and the assistant is silent. When the ticket closes, the
assistant holds it again and reads nothing of what was settled. Both change in one transaction, under a lock
on the conversation, so that nobody ever finds two who answer or none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant import conversation, expecting
from assistant.conversation import Received
from assistant.smalltalk import smalltalk
from assistant.tables import Conversation, ConversationId, Holder, Message, Outcome, Role, Turn
from assistant.wording import say, words
from escalation import fields, finding, linking, tickets, work
from escalation.fields import Fields, Said
from escalation.tables import Channel, Note, Priority, Reason, Ticket, TicketId, TicketState
from escalation.tickets import Contact, Opening, StaleVersion
from escalation.work import VISITOR

ASSISTANT = "assistant"
MOST_RELATED = 10
OUTCOMES = {
    Reason.POLICY_HANDOVER: Outcome.ESCALATED_POLICY,
    Reason.POLICY_REFUSED: Outcome.ESCALATED_POLICY,
    Reason.POLICY_ROUTED: Outcome.ESCALATED_POLICY,
    Reason.FORM: Outcome.ESCALATED_FORM,
    Reason.ASKED: Outcome.ESCALATED_ASKED,
    Reason.UNKNOWN_LANGUAGE: Outcome.ESCALATED_LANGUAGE,
    Reason.NOT_SOLVED: Outcome.ESCALATED_FEEDBACK,
}


@dataclass(frozen=True)
class Call:
    """Why a person is called, and who. `language` is the one the visitor is answered in, `spoken` the one they write."""

    reason: Reason
    sentence: str
    queue: str
    language: str
    priority: Priority | None = None
    spoken: str = ""

    @property
    def outcome(self) -> Outcome:
        """How the turn ended that called."""
        return OUTCOMES.get(self.reason, Outcome.ESCALATED_UNRESOLVED)


@dataclass(frozen=True)
class Opened:
    """The ticket, and what the visitor is told about it, once."""

    ticket: Ticket
    text: str
    content: dict[str, Any] = field(default_factory=dict)


def open_for(session: Session, held: Conversation, call: Call, ticket_id: TicketId, *, now: datetime) -> Opened:
    """Give a locked conversation to a person: a complete ticket, the holder, and the words of the handover message.

    The same id again gives the same ticket. Raise AlreadyOpen when another ticket has the conversation.
    """
    messages = conversation.since_boundary(session, held)
    read = fields.fill(_transcript(messages), known=_known(held.details))
    opening = Opening(
        conversation_id=held.id,
        reason=call.reason,
        reason_text=call.sentence,
        queue=call.queue,
        language=call.spoken or call.language,
        fields=read,
        sources=_sources(messages),
        priority=call.priority,
        contact=Contact(held.details.get("name"), held.details.get("email"), _proven(held.details)),
        findings=_findings(session, held),
        related=_related(session, held.details.get("email") or read.contact_email, verified=_proven(held.details)),
        asked=held.details.get("asked", ()),
        channel=_channel(held, call),
    )
    ticket = tickets.open_ticket(session, opening, ticket_id, by=ASSISTANT, now=now)
    questions = fields.missing(ticket, call.language)
    if questions:
        asked = [name for question in questions for name in question.fields]
        work.asked(session, ticket, asked, by=ASSISTANT, now=now, expected_version=ticket.version)
    held.holder = Holder.PERSON
    reindex(session, ticket)
    expected = expecting.sentence(session, ticket, held.details, call.language, now=now)
    text = _handover_words(ticket, call, expected, [q.text for q in questions])
    return Opened(ticket, text, _handover_content(ticket, questions))


def _channel(held: Conversation, call: Call) -> Channel:
    """Whoever gives an address in a form awaits the answer there; others look at the form's page, or stay in the chat."""
    if call.reason is not Reason.FORM:
        return Channel.CHAT
    return Channel.EMAIL if held.details.get("email") else Channel.FORM


def deliver(session: Session, received: Received, close_after: timedelta, *, now: datetime) -> Message | Received:
    """Give a visitor's message to the person who holds the conversation.

    The message itself comes back, marked as delivered; or the received message for the assistant to answer, when the
    ticket was resolved so long ago that this is a new matter. Thanks alone reopen nothing.
    """
    held = conversation.locked(session, received.conversation_id)
    ticket = tickets.of_conversation(session, held.id)
    if ticket is None:
        held.holder = Holder.ASSISTANT
        return replace(received, holder=Holder.ASSISTANT)
    if ticket.state == TicketState.RESOLVED and ticket.resolved_at and now - ticket.resolved_at > close_after:
        boundary = received.message_id - 1
        close(session, ticket, by=ASSISTANT, now=now, boundary=boundary)
        return replace(received, holder=Holder.ASSISTANT, history=(), earlier=())
    message = conversation.delivered(session, received, now=now)
    if ticket.state == TicketState.RESOLVED and smalltalk(received.text) is None:
        tickets.reopen(session, ticket, by=VISITOR, now=now, expected_version=ticket.version)
    elif ticket.state == TicketState.WAITING_CUSTOMER:
        tickets.move(session, ticket, TicketState.IN_DIAGNOSIS, by=VISITOR, now=now, expected_version=ticket.version)
    work.visitor_wrote(session, ticket, str(message.id), now=now, smalltalk=smalltalk(received.text) is not None)
    _learn(session, held, ticket, now)
    reindex(session, ticket)
    return message


@dataclass(frozen=True)
class AgentReply:
    """What an agent sends: the text, who wrote it, their name for the visitor, and the ticket's state afterwards.

    Without `then` the state stays as it is, but is at least acknowledged.
    """

    text: str
    by: str
    name: str
    then: TicketState | None = None


def answer(session: Session, ticket: Ticket, reply: AgentReply, *, now: datetime, expected_version: int) -> list[Message]:
    """An agent's reply, to every conversation of the ticket, and of an incident's tickets too: each once.

    Only the ticket's own visitors are asked whether it is solved: the tickets that hang on an incident go their own way.
    Raise StaleVersion when the ticket changed since it was read, IllegalMove when it is closed.
    """
    own = linking.conversations(session, ticket)
    reached = linking.audience(session, ticket) if linking.linked(session, ticket) else own
    for conversation_id in sorted(reached):
        conversation.locked(session, conversation_id)
    content: dict[str, Any] = {"agent": reply.name}
    asks = {"resolves": ticket.number} if reply.then is TicketState.RESOLVED else {}
    sent = [
        conversation.say_in(session, one, Role.AGENT, reply.text, {**content, **(asks if one in own else {})}, now=now) for one in reached
    ]
    hanging = [one for one in linking.linked(session, ticket) if one.state != TicketState.CLOSED]
    for one in sorted([ticket, *hanging], key=lambda one: one.id):
        tickets.lock(session, one, expected_version if one is ticket else None)
    work.replied(session, ticket, str(sent[0].id), by=reply.by, now=now, expected_version=expected_version)
    for one in hanging:
        work.reached(session, one, str(sent[0].id), ticket.number, by=reply.by, now=now)
    if ticket.state == TicketState.OPEN:
        tickets.move(session, ticket, TicketState.ACKNOWLEDGED, by=reply.by, now=now, expected_version=ticket.version)
    if reply.then is not None and reply.then != ticket.state:
        tickets.advance(session, ticket, reply.then, by=reply.by, now=now)
    if ticket.assignee is None and ticket.state != TicketState.CLOSED:
        work.assign(session, ticket, reply.by, by=reply.by, now=now, expected_version=ticket.version)
    reindex(session, ticket)
    return sent


def move(session: Session, ticket: Ticket, to: TicketState, *, by: str, now: datetime, expected_version: int) -> None:
    """Move a ticket, with what that means for its conversations: closing gives them back, reopening takes them again."""
    if to is TicketState.CLOSED:
        close(session, ticket, by=by, now=now, expected_version=expected_version)
        return
    held = [conversation.locked(session, one) for one in sorted(linking.conversations(session, ticket))]
    tickets.move(session, ticket, to, by=by, now=now, expected_version=expected_version)
    for one in held:
        one.holder = Holder.PERSON


def merge(session: Session, ticket: Ticket, into: Ticket, *, by: str, now: datetime, expected_version: int, into_version: int) -> None:
    """Close `ticket` and continue in `into`, which then has both conversations; a person holds them all the while.

    Raise what `linking.merge` raises.
    """
    both = {*linking.conversations(session, ticket), *linking.conversations(session, into)}
    for conversation_id in sorted(both):
        conversation.locked(session, conversation_id)
    linking.merge(session, ticket, into, by=by, now=now, expected_version=expected_version, into_version=into_version)
    reindex(session, into)


@dataclass(frozen=True)
class Rating:
    """What a visitor thinks of how their ticket was handled: 1 to 5 stars, and perhaps a word."""

    stars: int
    text: str = ""


def solved(session: Session, held: Conversation, *, yes: bool, now: datetime, rating: Rating | None = None) -> Ticket | None:
    """The visitor's answer to “did this solve it?”: yes closes a resolved ticket, no opens it again; a rating is kept in any case.

    The conversation's last ticket comes back; None when it never had one.
    """
    ticket = tickets.of_conversation(session, held.id)
    if ticket is None or ticket.state != TicketState.RESOLVED:
        ticket = last_ticket(session, held)
    elif yes:
        close(session, ticket, by=VISITOR, now=now)
    else:
        tickets.reopen(session, ticket, by=VISITOR, now=now, expected_version=ticket.version)
    if ticket is not None and rating is not None:
        work.rated(session, ticket, rating.stars, rating.text, now=now)
    return ticket


def close(
    session: Session, ticket: Ticket, *, by: str, now: datetime, boundary: int | None = None, expected_version: int | None = None
) -> None:
    """Close a resolved ticket and give its conversations back; the assistant starts behind `boundary`, or behind the last message.

    Raise IllegalMove when it is not resolved, StaleVersion when it changed or took in another ticket meanwhile.
    """
    ids = linking.conversations(session, ticket)
    for conversation_id in sorted(ids):
        held = conversation.locked(session, conversation_id)
        held.holder = Holder.ASSISTANT
        held.boundary = boundary if boundary is not None and held.id == ticket.conversation_id else conversation.last_id(session, held)
    expected = ticket.version if expected_version is None else expected_version
    tickets.move(session, ticket, TicketState.CLOSED, by=by, now=now, expected_version=expected)
    if linking.conversations(session, ticket) != ids:
        raise StaleVersion(ticket, expected)


def describe(session: Session, held: Conversation, told: dict[str, str], *, now: datetime) -> Ticket | None:
    """What the visitor filled into the form of the handover: kept with the conversation, and put into its ticket where there is one."""
    held.details = {**held.details, **{name: value for name, value in told.items() if value}}
    ticket = tickets.of_conversation(session, held.id)
    if ticket is None or ticket.state == TicketState.CLOSED:
        return None
    _describe(session, ticket, told, VISITOR, now)
    reindex(session, ticket)
    return ticket


def reindex(session: Session, ticket: Ticket) -> None:
    """Write the ticket's words for full-text search anew."""
    query = select(Message.text).where(Message.conversation_id.in_(linking.conversations(session, ticket))).order_by(Message.id)
    notes = select(Note.text).where(Note.ticket_id == ticket.id).order_by(Note.at)
    session.flush()
    finding.index(session, ticket, [*session.scalars(query), *session.scalars(notes)])


def handed(session: Session, conversation_id: ConversationId) -> Message | None:
    """The message that told the visitor of the ticket which has the conversation now; None when none has it."""
    return told(session, conversation_id) if tickets.of_conversation(session, conversation_id) else None


def told(session: Session, conversation_id: ConversationId) -> Message | None:
    """The last message that told the visitor of a ticket, whatever became of it."""
    query = select(Message).where(Message.conversation_id == conversation_id, Message.role == Role.ASSISTANT)
    for message in session.scalars(query.order_by(Message.id.desc())):
        if "handover" in message.content:
            return message
    return None


def last_ticket(session: Session, held: Conversation) -> Ticket | None:
    """The latest ticket of the conversation, closed or not, the one it was merged into included."""
    ticket = session.scalar(select(Ticket).where(Ticket.conversation_id == held.id).order_by(Ticket.number.desc()))
    return tickets.get(session, ticket.merged_into) if ticket is not None and ticket.merged_into else ticket


def _learn(session: Session, held: Conversation, ticket: Ticket, now: datetime) -> None:
    """Fill what is still unknown from what the visitor has written since."""
    read = fields.fill(_transcript(conversation.since_boundary(session, held)), known=_known(held.details))
    found = {name: value for name, value in read.columns().items() if name in work.DESCRIBABLE and value and not getattr(ticket, name)}
    if read.contact_email and not ticket.contact_email:
        found["email"] = read.contact_email
    _describe(session, ticket, found, ASSISTANT, now)


def _describe(session: Session, ticket: Ticket, told: dict[str, str], by: str, now: datetime) -> None:
    described = {name: value for name, value in told.items() if name in work.DESCRIBABLE and value}
    if described:
        work.describe(session, ticket, described, by=by, now=now, expected_version=ticket.version)
    if ticket.contact_verified and told.get("email"):  # what nobody has proven never takes the place of what is proven
        told = {**told, "email": ""}
    if told.get("name") or told.get("email"):
        contact = Contact(told.get("name") or ticket.contact_name, told.get("email") or ticket.contact_email, ticket.contact_verified)
        work.set_contact(session, ticket, contact, by=by, now=now, expected_version=ticket.version)


def _transcript(messages: Sequence[Message]) -> list[Said]:
    return [Said(message.role, message.text) for message in messages if not message.content.get("notice")]


def _known(details: dict[str, Any]) -> Fields:
    """What the page or a form told, as fields."""
    names = {"goal", "symptom", "device", "browser", "os", "app_version", "page", "locale", "account", "role", "plan"}
    told: dict[str, Any] = {name: str(value) for name, value in details.items() if name in names and value}
    errors = tuple(str(error) for error in details.get("errors", ()))
    return Fields(**told, errors=errors, contact_name=details.get("name"), contact_email=details.get("email"))


def _sources(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """The articles that were shown, each once, in order."""
    shown = [source for message in messages for source in message.content.get("sources", ())]
    return list(
        {source["article_id"]: {k: source[k] for k in ("article_id", "revision", "title", "url", "quote")} for source in shown}.values()
    )


def _findings(session: Session, held: Conversation) -> list[dict[str, Any]]:
    """What the guards said in the turns since the boundary, with the turn that it was about."""
    query = select(Turn).where(Turn.conversation_id == held.id, Turn.message_id > held.boundary).order_by(Turn.message_id)
    return [
        {**finding, "turn_id": turn.id} for turn in session.scalars(query) for finding in turn.trace.get("guard", {}).get("findings", ())
    ]


def _proven(details: dict[str, Any]) -> bool:
    """Whether the address that was told is the one that was confirmed: who confirms one and then names another has proven nothing of it."""
    email = str(details.get("email") or "").casefold()
    return bool(email) and str(details.get("verified") or "").casefold() == email


def _related(session: Session, email: str | None, *, verified: bool) -> list[str]:
    """Tickets of the same address; an address that somebody only says is theirs never meets one that is proven."""
    if not email:
        return []
    query = (
        select(Ticket.id)
        .where(Ticket.contact_email == email, Ticket.contact_verified == verified)
        .order_by(Ticket.number.desc())
        .limit(MOST_RELATED)
    )
    return list(session.scalars(query))


def _handover_words(ticket: Ticket, call: Call, expected: str, questions: Sequence[str]) -> str:
    queue = words("queues", call.language).get(ticket.queue, ticket.queue)
    said = " ".join(filter(None, [say("handover", call.language, number=str(ticket.number), queue=queue), expected]))
    if not questions:
        return said
    asked = "\n".join([say("handover_questions", call.language), *(f"- {question}" for question in questions)])
    return f"{said}\n\n{asked}"


def _handover_content(ticket: Ticket, questions: Sequence[fields.Question]) -> dict[str, Any]:
    asked = [{"fields": list(question.fields), "text": question.text} for question in questions]
    return {"number": ticket.number, "queue": ticket.queue, "questions": asked}
