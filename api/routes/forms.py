"""Contact form, bug report and status page of the help centre: plain forms, which need no script and lose nothing that was typed."""

import re
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.bootstrap import new_secret
from api.context import limits, limits_address, service_of
from api.errors import TooMany
from api.forms import cross_site
from api.help import held
from api.help.environment import environment
from api.help.rendering import article_html
from api.help.visitors import OwnTicket, own_ticket, shown_text
from api.identity import address
from api.messages import verifying
from api.routes.chat import MAX_ID
from api.routes.handover import sent
from api.routes.help import language_of, page
from api.shapes import CONTROL, DetailsIn, FormIn
from assistant import conversation, expecting, handover
from assistant.conversation import Incoming, SameIdOtherText
from assistant.handover import Rating
from assistant.tables import Conversation, ConversationId, Message, Role
from assistant.turn import take_turn
from escalation import rules
from escalation.tickets import of_conversation
from guardrails.checks.personal_data import redact_secrets
from knowledge.confidence import Band
from knowledge.tables import Article, ArticleState

router = APIRouter(include_in_schema=False, dependencies=[Depends(limits_address)])
CONTACT, REPORT = rules.Form.CONTACT, rules.Form.BUG_REPORT
EMAIL = re.compile(r"[^\s@<>\"]+@[^\s@<>\"]+\.[^\s@<>\"]+")
STORY, LINE, ERROR = 4000, 200, 2000
LINES = ("name", "email", "browser", "os", "device", "app_version", "page")
LONGEST = {"goal": STORY, "happened": STORY, "expected": STORY, "email": 254, "page": 2000, "app_version": 100, "errors": ERROR}
OFFERED = 3
MOST_MESSAGES = 500
CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{16,100}")


class Typed(BaseModel):
    """What stands in a form, as it was typed. `client_id` and `secret` were chosen by the page, so a second press changes nothing."""

    model_config = ConfigDict(extra="ignore")

    goal: str = ""
    happened: str = ""
    expected: str = ""
    email: str = ""
    name: str = ""
    browser: str = ""
    os: str = ""
    device: str = ""
    app_version: str = ""
    page: str = ""
    errors: str = ""
    client_id: str = ""
    secret: str = ""
    step: str = ""

    def wrong(self) -> dict[str, str]:
        """The fields that cannot be taken, with the name of the sentence that says why."""
        found = {name: "error_long" for name, value in self if len(value) > LONGEST.get(name, LINE) and name not in {"client_id", "secret"}}
        if not self.goal.strip() and not self.happened.strip():
            found["goal"] = "error_empty"
        if self.email.strip() and not EMAIL.fullmatch(self.email.strip()):
            found["email"] = "error_email"
        return found


@router.get("/help/contact")
def contact(request: Request) -> HTMLResponse:
    """The contact form."""
    return _form(request, CONTACT, _fresh(request))


@router.post("/help/contact")
def send_contact(request: Request, typed: Annotated[Typed, Form()]) -> Response:
    """The contact form, filled in."""
    return _taken(request, CONTACT, typed)


@router.get("/help/report")
def report(request: Request) -> HTMLResponse:
    """The bug report."""
    return _form(request, REPORT, _fresh(request))


@router.post("/help/report")
def send_report(request: Request, typed: Annotated[Typed, Form()]) -> Response:
    """The bug report, filled in."""
    return _taken(request, REPORT, typed)


@router.get("/help/tickets")
def tickets(
    request: Request, sent: Annotated[int, Query(ge=0, le=MAX_ID)] = 0, wrong: Annotated[str, Query(max_length=32)] = ""
) -> HTMLResponse:
    """What this browser has sent, with how it stands and every answer."""
    language = language_of(request)
    with service_of(request).database.read() as session:
        now = service_of(request).now()
        found = [_status(session, one, ticket, language, now) for one, ticket in _own(session, request, language)]
    mails = service_of(request).channels.mailer is not None
    mine = sent if any(one.ticket.number == sent for one in found) else 0
    return page(request, "help/tickets.html", cached=False, tickets=found, sent=mine, wrong=wrong, client_id=new_secret(), mails=mails)


@router.post("/help/tickets/{conversation_id}/reply")
def reply(
    conversation_id: str, request: Request, text: Annotated[str, Form()] = "", client_id: Annotated[str, Form(max_length=100)] = ""
) -> Response:
    """Something more for the person who has the ticket."""
    cross_site(request)
    service = service_of(request)
    with service.database.read() as session:
        found = held.one_of(session, request, conversation_id)
        ticket = own_ticket(session, found)
    words = CONTROL.sub("", text).strip()[: service.settings.api.message_characters]
    if not words or ticket is None or not ticket.living:
        return _back(conversation_id, "" if words else conversation_id)
    limits(request).messages.take(found.id)
    incoming = Incoming(redact_secrets(words).text, client_id if CLIENT_ID.fullmatch(client_id) else None)
    try:
        turn = take_turn(service.assistant, ConversationId(found.id), incoming, now=service.now())
    except SameIdOtherText:  # another text from a page that was left open: a message of its own
        turn = take_turn(service.assistant, ConversationId(found.id), Incoming(incoming.text), now=service.now())
    verifying.ask_after(request, found.id, incoming, turn)
    return _back(conversation_id)


@router.post("/help/tickets/{conversation_id}/solved")
def solved(
    conversation_id: str,
    request: Request,
    solved: Annotated[str, Form(pattern="^(yes|no)$")],
    rating: Annotated[str, Form(pattern="^[1-5]?$")] = "",
    text: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Whether it is solved, and a rating; as POST …/solved of the interface."""
    cross_site(request)
    service = service_of(request)
    with service.database.write() as session:
        found = conversation.locked(session, held.one_of(session, request, conversation_id).id)
        stars = Rating(int(rating), redact_secrets(CONTROL.sub("", text).strip()).text) if rating else None
        handover.solved(session, found, yes=solved == "yes", now=service.now(), rating=stars)
    return _back(conversation_id)


# ── the forms ───────────────────────────────────────────────────────────────────────────────────────


def _taken(request: Request, form: rules.Form, typed: Typed) -> Response:
    """What was sent: shown again with what is wrong, or with articles that may answer, or made a ticket."""
    cross_site(request)
    typed = typed.model_copy(update={"client_id": _valid(typed.client_id), "secret": _valid(typed.secret)})
    if typed.step == "edit":
        return _form(request, form, typed)
    if wrong := typed.wrong():
        return _form(request, form, typed, HTTPStatus.UNPROCESSABLE_ENTITY, wrong=wrong)
    if typed.step != "send" and (articles := _answering(request, f"{typed.goal}\n{typed.happened}".strip())):
        return page(request, "help/perhaps.html", cached=False, form=form.value, typed=typed, articles=articles)
    service = service_of(request)
    try:
        limits(request).conversations.take(address(request, service.settings.api.proxies))
    except TooMany:
        return _form(request, form, typed, HTTPStatus.TOO_MANY_REQUESTS, problem="form_busy")
    out = sent(service, form, _as_form(typed, language_of(request)), environment(request.headers.get("user-agent", "")))
    if out.conversation_id:
        verifying.ask(request, out.conversation_id)
    response = RedirectResponse(f"/help/tickets?sent={out.ticket.number}", HTTPStatus.SEE_OTHER, headers={"Cache-Control": "no-store"})
    held.hold(request, response, typed.secret)
    return response


def _form(request: Request, form: rules.Form, typed: Typed, status: int = HTTPStatus.OK, **told: Any) -> HTMLResponse:
    values = {"form": form.value, "typed": typed, "wrong": {}, "problem": "", "longest": LONGEST, "line": LINE, **told}
    return page(request, "help/form.html", status, cached=False, **values)


def _fresh(request: Request) -> Typed:
    """An empty form with the browser filled in, and names that make sending it twice harmless."""
    return Typed(client_id=new_secret(), secret=new_secret(), **environment(request.headers.get("user-agent", "")))


def _valid(given: str) -> str:
    return given if held.SECRET.fullmatch(given) else new_secret()


def _as_form(typed: Typed, language: str) -> FormIn:
    """As the interface takes it."""
    lines = {name: " ".join(CONTROL.sub(" ", getattr(typed, name)).split()) for name in LINES}
    stories = {name: CONTROL.sub("", getattr(typed, name)) for name in ("goal", "happened", "expected")}
    shown = CONTROL.sub("", typed.errors).strip()
    return FormIn(
        client_id=typed.client_id,
        secret=typed.secret,
        locale=language,
        errors=[shown[:ERROR]] if shown else [],
        details=DetailsIn(**lines),
        **stories,
    )


def _answering(request: Request, text: str) -> list[Article]:
    """Articles that may answer, best first; none where search finds nothing near."""
    service = service_of(request)
    found = service.assistant.library.find(text, service.assistant.embed([text]), limit=10)
    if found.band is Band.NOT_COVERED:
        return []
    ids = list(dict.fromkeys(hit.article_id for hit in found.passages))[:OFFERED]
    with service.database.read() as session:
        published = select(Article).where(Article.id.in_(ids), Article.state == ArticleState.PUBLISHED)
        return sorted(session.scalars(published), key=lambda article: ids.index(article.id))


# ── the status page ─────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Shown:
    """One message of a ticket; `html` of ours is safe, a visitor's is only text."""

    role: str
    name: str
    text: str
    html: str
    at: str


@dataclass(frozen=True)
class Status:
    """One ticket on the status page."""

    conversation_id: str
    ticket: OwnTicket
    opened: str
    messages: list[Shown]
    expected: str
    """When an answer may be expected, as a sentence; "" when none is waited for."""


def _own(session: Session, request: Request, language: str) -> list[tuple[Conversation, OwnTicket]]:
    found = [(one, own_ticket(session, one, language)) for one in held.held(session, request)]
    return [(one, ticket) for one, ticket in found if ticket is not None]


def _status(session: Session, one: Conversation, ticket: OwnTicket, language: str, now: datetime) -> Status:
    messages = conversation.messages_after(session, one.id, 0, MOST_MESSAGES)
    has = of_conversation(session, one.id)
    expected = expecting.sentence(session, has, one.details, language, now=now) if has is not None else ""
    return Status(one.id, ticket, f"{one.created_at:%Y-%m-%d}", _said(messages), expected)


def _said(messages: list[Message]) -> list[Shown]:
    shown = [message for message in messages if not message.content.get("notice")]
    return [
        Shown(
            role=message.role,
            name=str(message.content.get("agent") or ""),
            text=message.text if message.role == Role.VISITOR else "",
            html="" if message.role == Role.VISITOR else article_html(shown_text(message), lambda _: None),
            at=f"{message.at:%Y-%m-%d %H:%M} UTC",
        )
        for message in shown
    ]


def _back(conversation_id: str, wrong: str = "") -> Response:
    query = f"?wrong={quote(wrong)}" if wrong else ""
    return RedirectResponse(f"/help/tickets{query}#t-{quote(conversation_id)}", HTTPStatus.SEE_OTHER, headers={"Cache-Control": "no-store"})
