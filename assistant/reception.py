"""A visitor calls a person by a button or a form, outside any turn; both are harmless when done twice."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant import conversation, handover
from assistant.calling import POLICY_REASONS
from assistant.handover import Call
from assistant.tables import Conversation, ConversationId, Holder, Message, Role, Turn
from assistant.turn import Assistant
from assistant.wording import shipped
from escalation import tickets
from escalation.rules import RULES, Escalate, Form, Offer, Signals, decide
from escalation.tables import Priority, Reason, Ticket, TicketId
from escalation.triage import matter
from knowledge.language import detect

LAST_SAID = 3  # messages that find the queue
SENTENCES: Mapping[Reason, str] = {rule.reason: rule.sentence for rule in RULES}
TOOK_OFFER = "The visitor took the person who was offered: {because}"


@dataclass(frozen=True)
class Wanted:
    """Why a person is called, as far as the conversation tells: the last offer with its sentence, and the policy that made it."""

    text: str
    locale: str
    offer: Offer | None = None
    policy: str | None = None


def call_person(assistant: Assistant, conversation_id: ConversationId, told: Mapping[str, Any], *, now: datetime) -> Message:
    """The visitor pressed “talk to a person”: the handover message, the one of before when a person has the conversation already.

    `told` is what the page knows of the visitor and what they filled in. Raise NoSuchConversation.
    """
    with assistant.sessions.read() as session:
        wanted = _wanted(session, session.get_one(Conversation, conversation_id))
    call = _call(assistant, wanted)
    with assistant.sessions.write() as session:
        held = conversation.locked(session, conversation_id)
        held.details = {**held.details, **told}
        if held.holder == Holder.PERSON:
            known = handover.handed(session, conversation_id)
            if known is not None:
                return known
        return _hand(session, held, call, TicketId(assistant.new_id()), now)


def send_form(
    assistant: Assistant, form: Form, told: Mapping[str, Any], text: str, started: Conversation, *, ticket_id: TicketId, now: datetime
) -> tuple[Ticket, Message]:
    """A contact form or bug report becomes a conversation with one message and its ticket; the same id again gives the same ticket.

    `started` is a conversation that is not stored yet; `text` is what the visitor wrote, secrets already replaced.
    """
    language = shipped(detect(text) or started.locale)
    decision = decide(Signals(form=form), assistant.triage.settings)
    assert isinstance(decision, Escalate)  # noqa: S101 - the table has a row for forms
    masked = matter(assistant.mask(text))
    queue = assistant.triage.route(masked, assistant.embed([masked]), detect(masked)).queue
    with assistant.sessions.write() as session:
        if (known := session.get(Ticket, ticket_id)) is not None:
            message = handover.told(session, ConversationId(known.conversation_id))
            assert message is not None  # noqa: S101 - a form's ticket is opened with its message
            return known, message
        session.add(started)
        started.details = dict(told)
        session.flush()
        conversation.say_in(session, started.id, Role.VISITOR, text, {"form": form.value}, now=now)
        message = _hand(session, started, Call(decision.reason, decision.sentence, queue, language), ticket_id, now)
        return tickets.get(session, ticket_id), message


def _hand(session: Session, held: Conversation, call: Call, ticket_id: TicketId, now: datetime) -> Message:
    opened = handover.open_for(session, held, call, ticket_id, now=now)
    content = {"outcome": call.outcome, "language": call.language, "handover": opened.content}
    return conversation.say_in(session, held.id, Role.ASSISTANT, opened.text, content, now=now)


def _wanted(session: Session, held: Conversation) -> Wanted:
    messages = conversation.since_boundary(session, held)
    said = "\n".join([message.text for message in messages if message.role == Role.VISITOR][-LAST_SAID:])
    offers = [message for message in messages if message.content.get("offer")]
    if not offers:
        return Wanted(said, held.locale)
    last = offers[-1]
    reason = Reason(last.content["offer"])
    trace = session.scalar(select(Turn.trace).where(Turn.reply_id == last.id)) or {}
    offer = Offer(reason, last.content.get("because") or SENTENCES[reason])
    return Wanted(said, held.locale, offer, trace.get("guard", {}).get("policy") if reason in POLICY_REASONS else None)


def _call(assistant: Assistant, wanted: Wanted) -> Call:
    """Asked for by itself, or because of what was offered last."""
    spoken = detect(wanted.text)
    language = shipped(spoken or wanted.locale)
    policy = assistant.guard.policies.get(wanted.policy or "")
    if policy is not None:
        queue, priority = policy.queue, Priority(policy.priority)
    else:
        masked = matter(assistant.mask(wanted.text))
        queue, priority = assistant.triage.route(masked, assistant.embed([masked]), spoken).queue, None
    if wanted.offer is None:
        return Call(Reason.ASKED, SENTENCES[Reason.ASKED], queue, language, priority, spoken or "")
    return Call(wanted.offer.reason, TOOK_OFFER.format(because=wanted.offer.sentence), queue, language, priority, spoken or "")
