"""What tests of the desk share: visitors whose conversations became tickets, and agents who open them."""

from dataclasses import replace
from typing import Any

from sqlalchemy import select, update

from api.bootstrap import Service
from assistant import handover
from assistant.handover import AgentReply
from assistant.tables import ConversationId, Message
from escalation.tables import URGENCY, Priority, Ticket, TicketState
from guardrails import ledger
from guardrails.findings import Action, Finding, Stage, Verdict
from guardrails.ledger import Entry
from knowledge.confidence import Band
from tests.builders import article, begin, decided, publish, say_to

ASK = "I want to talk to a human please"
TROUBLE = "I cannot export my dashboard, it says error E42 in Firefox."


def answering(service: Service) -> Service:
    """The service with an article about refunds, sure enough to answer."""
    publish(service, article())
    return decided(service, Band.ANSWER)


def ticket_from(service: Service, *says: str, locale: str = "en", **details: Any) -> Ticket:
    """The ticket of a visitor who says this and then asks for a person; `details` is what the page tells of them."""
    started = begin(service, locale)
    if details:
        with service.database.write() as session:
            held = session.get_one(type(started), started.id)
            held.details = {**held.details, **details}
    for text in (*(says or (TROUBLE,)), ASK):
        say_to(service, started.id, text)
    with service.database.read() as session:
        return session.scalars(select(Ticket).where(Ticket.conversation_id == started.id).order_by(Ticket.number.desc())).first()  # type: ignore[return-value]


def now_of(service: Service, number: int) -> Ticket:
    """The ticket as it is stored now."""
    with service.database.read() as session:
        return session.scalars(select(Ticket).where(Ticket.number == number)).one()


def said_in(service: Service, ticket: Ticket) -> list[Message]:
    """The messages of its conversation."""
    with service.database.read() as session:
        return list(session.scalars(select(Message).where(Message.conversation_id == ticket.conversation_id).order_by(Message.id)))


def visitor_says(service: Service, ticket: Ticket, text: str) -> Message:
    """One more message of the visitor."""
    return say_to(service, ConversationId(ticket.conversation_id), text)


def answered_by(service: Service, number: int, text: str, *, by: str = "agent-1", then: TicketState | None = None) -> None:
    """An agent's reply."""
    with service.database.write() as session:
        ticket = session.scalars(select(Ticket).where(Ticket.number == number)).one()
        handover.answer(session, ticket, AgentReply(text, by, "Kim", then), now=service.now(), expected_version=ticket.version)


def given(service: Service, ticket: Ticket, **columns: Any) -> Ticket:
    """The ticket with other values, as no verb would write them: for lists of many."""
    values = dict(columns)
    if "priority" in values:
        values["urgency"] = URGENCY[Priority(values["priority"])]
    with service.database.write() as session:
        session.execute(update(Ticket).where(Ticket.id == ticket.id).values(**values))
    return now_of(service, ticket.number)


def sure_of(service: Service, band: Band) -> Service:
    """The same service with another judgement of its search."""
    return replace(service, assistant=decided(service, band).assistant)


def blocked(service: Service, conversation_id: str, *, score: float = 0.9) -> int:
    """The number of a decision of the guards in the ledger."""
    finding = Finding("legal_advice", Stage.INCOMING, Action.REFUSE, score, (0, 5), enforced=True, reason="classifier")
    verdict = Verdict((finding,), Action.REFUSE, "", "legal_advice")
    entry = Entry(Stage.INCOMING, verdict, "may I sue", "salt", "v1", 1.0, conversation_id=conversation_id, turn_id="t1")
    with service.database.write() as session:
        return ledger.append(session, [entry], service.now())[0]
