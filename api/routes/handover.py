"""The visitor and a person: call one, tell what is missing, hear replies as they come, say whether it is solved; and the forms."""

from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import StreamingResponse
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from api import identity, live
from api.bootstrap import Service, new_secret
from api.context import limits, limits_address, service_of
from api.help.environment import environment
from api.live import Event
from api.messages import verifying
from api.routes.chat import MANY, MAX_ID
from api.shapes import DetailsIn, FormIn, FormOut, MessageOut, SolvedIn, TicketOut, message_out, problems
from assistant import conversation, handover, reception
from assistant.handover import Rating
from assistant.tables import Conversation, ConversationId, Holder, Message
from escalation import keeping, tickets
from escalation.rules import Form
from escalation.tables import Ticket, TicketId
from escalation.tickets import NoSuchTicket
from guardrails.checks.personal_data import redact_secrets

router = APIRouter(prefix="/api", tags=["visitor"], dependencies=[Depends(limits_address)])
LISTED = 100


@router.post("/conversations/{conversation_id}/handover", responses=problems(401, 404, 409, 415, *MANY))
def call_person(conversation_id: str, body: DetailsIn, request: Request) -> MessageOut:
    """Give the conversation to a person; the message that tells the ticket. Doing it again gives the same message."""
    service = service_of(request)
    with service.database.read() as session:
        found = identity.visitor(session, request, conversation_id)
    limits(request).messages.take(found.id)
    told = environment(request.headers.get("user-agent", "")) | {"locale": found.locale} | _safe(body)
    message = reception.call_person(service.assistant, found.id, told, now=service.now())
    verifying.ask(request, found.id)
    return message_out(message)


@router.get("/conversations/{conversation_id}/ticket", responses=problems(401, 404, 422, 429, 503))
def read_ticket(conversation_id: str, request: Request) -> TicketOut:
    """The ticket that has the conversation now, as far as the visitor may know it."""
    with service_of(request).database.read() as session:
        found = identity.visitor(session, request, conversation_id)
        return ticket_out(session, _there(tickets.of_conversation(session, found.id)))


@router.put("/conversations/{conversation_id}/details", responses=problems(401, 404, 409, 415, *MANY))
def tell_details(conversation_id: str, body: DetailsIn, request: Request) -> TicketOut:
    """What the handover asked for: contact, account, role, what was tried and what happened. Empty fields change nothing."""
    service = service_of(request)
    with service.database.write() as session:
        found = identity.visitor(session, request, conversation_id)
        limits(request).messages.take(found.id)
        ticket = _there(handover.describe(session, conversation.locked(session, found.id), _safe(body), now=service.now()))
        shown = ticket_out(session, ticket)
    verifying.ask(request, found.id)
    return shown


@router.post("/conversations/{conversation_id}/solved", responses=problems(401, 404, 409, 415, *MANY))
def tell_solved(conversation_id: str, body: SolvedIn, request: Request) -> TicketOut:
    """Whether the person's answer solved it, with a rating if one likes; “no” opens the ticket again. A rating may come later, too."""
    service = service_of(request)
    with service.database.write() as session:
        found = identity.visitor(session, request, conversation_id)
        held = conversation.locked(session, found.id)
        rating = None if body.rating is None else Rating(body.rating, redact_secrets(body.text).text)
        return ticket_out(session, _there(handover.solved(session, held, yes=body.solved, now=service.now(), rating=rating)))


@router.get(
    "/conversations/{conversation_id}/events",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"text/event-stream": {}}, "description": "`message` events as messages come"},
        **problems(401, 404, 422, 429, 503),
    },
)
async def follow(conversation_id: str, request: Request, after: Annotated[int, Query(ge=0, le=MAX_ID)] = 0) -> StreamingResponse:
    """The conversation's messages as they come, after an id or Last-Event-ID."""
    service = service_of(request)
    found = await anyio.to_thread.run_sync(_visitor, service, request, conversation_id)

    def read(last: int) -> list[Event] | None:
        with service.database.read() as session:
            later = conversation.messages_after(session, found, last, LISTED)
            return [Event(m.id, "message", message_out(m).model_dump(mode="json")) for m in later]

    return live.stream(request, request.app.state.pulse, read, after)


@router.post("/forms/{form}", status_code=201, responses=problems(409, 415, *MANY))
def send_form(form: Form, body: FormIn, request: Request) -> FormOut:
    """A contact form or bug report: becomes a complete ticket at once. The same `client_id` again gives the same ticket."""
    service = service_of(request)
    limits(request).conversations.take(identity.address(request, service.settings.api.proxies))
    out = sent(service, form, body, environment(request.headers.get("user-agent", "")))
    if out.conversation_id:
        verifying.ask(request, out.conversation_id)
    return out


def sent(service: Service, form: Form, body: FormIn, told: dict[str, str]) -> FormOut:
    """Store a form that was sent. A repeated one gives its ticket again, but no second secret: only the first sender has it."""
    secret = body.secret or new_secret()
    details: dict[str, Any] = told | {"locale": body.locale} | _safe(body.details)
    details |= {
        "goal": redact_secrets(body.goal).text,
        "symptom": redact_secrets(body.happened).text,
        "asked": ["contact", "account", "role", "environment"],
    }
    details["errors"] = [redact_secrets(error).text[:500] for error in body.errors]
    ticket_id = TicketId(conversation.hash_secret(f"form {body.client_id}")[:32])
    text = redact_secrets(body.as_text()).text
    hashed = conversation.hash_secret(secret)

    def send() -> tuple[Ticket, Message]:
        started = _started(service, hashed, body.locale)
        return reception.send_form(service.assistant, form, details, text, started, ticket_id=ticket_id, now=started.created_at)

    try:
        ticket, message = send()
    except IntegrityError as taken:  # a twin was faster; or the secret opens another conversation already
        with service.database.read() as session:
            if session.get(Ticket, ticket_id) is None:
                raise HTTPException(409, "this secret was used before; choose another") from taken
        ticket, message = send()
    with service.database.read() as session:
        mine = session.get_one(Conversation, ticket.conversation_id).secret_hash == hashed
        shown = ticket_out(session, ticket)
    return FormOut(
        conversation_id=ticket.conversation_id if mine else None,
        secret=secret if mine else None,
        message=message_out(message),
        ticket=shown,
    )


def _started(service: Service, secret_hash: str, locale: str) -> Conversation:
    """A conversation that is not stored yet."""
    now = service.now()
    new_id = ConversationId(service.new_id())
    return Conversation(id=new_id, secret_hash=secret_hash, holder=Holder.ASSISTANT, locale=locale, created_at=now, updated_at=now)


def ticket_out(session: Session, ticket: Ticket) -> TicketOut:
    """What the visitor may know of their ticket; `answer_by` is when the reply is due that they wait for."""
    names = ("number", "state", "queue", "opened_at", "rating")
    return TicketOut(**{name: getattr(ticket, name) for name in names}, answer_by=keeping.reply_due(session, ticket))


def _visitor(service: Service, request: Request, conversation_id: str) -> ConversationId:
    with service.database.read() as session:
        return identity.visitor(session, request, conversation_id).id


def _there(ticket: Ticket | None) -> Ticket:
    if ticket is None:
        raise NoSuchTicket("this conversation has no ticket")
    return ticket


def _safe(body: DetailsIn) -> dict[str, str]:
    """What was told, without secrets and without empty fields."""
    return {name: redact_secrets(value).text for name, value in body.model_dump().items() if value}
