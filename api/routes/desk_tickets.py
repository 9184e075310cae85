"""One ticket: read, answered and worked on. Every button is a form; a mistake is told on the same page with what was typed kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.bootstrap import Service
from api.context import limits_address, service_of
from api.desk import forms as desk_forms
from api.desk import templates as desk_templates
from api.desk import work as desk_work
from api.desk.forms import VERBS, Sent
from api.desk.pages import MISTAKES, beside_values, choices, filters_of, go, kept_query, missing, page, policies, told, with_query
from api.desk.shapes import MergeIn
from api.desk.ticket import TicketView, by_number, newer, read_by, ticket_view
from api.desk.worklist import MAX_NUMBER, subject_of
from api.staff.door import Agents
from api.staff.sessions import Signed
from assistant import briefing
from assistant.aiding import Aid, aid
from assistant.tables import Message
from escalation import linking
from escalation.replies import NoSuchTemplate
from escalation.tables import Ticket
from escalation.tickets import NoSuchTicket, StaleVersion
from guardrails.ledger import UnknownDecision

router = APIRouter(prefix="/desk", include_in_schema=False, dependencies=[Depends(limits_address)])


@dataclass(frozen=True)
class Box:
    """What stands in the box where an agent writes. `newer` is what came while they wrote."""

    tab: str = "reply"
    text: str = ""
    note: str = ""
    template: str = ""
    missing: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    newer: Sequence[Message] = ()
    stale: bool = False


@router.get("/tickets/{number}")
def read(number: int, request: Request, me: Agents) -> HTMLResponse:
    """The ticket between its list and what is known of it."""
    query = request.query_params
    if "template" not in query:
        return _ticket(request, me, number, Box(tab="note" if query.get("tab") == "note" else "reply"))
    given = {name.removeprefix("v_"): value for name, value in query.items() if name.startswith("v_")}
    try:
        with service_of(request).database.read() as session:
            ticket = by_number(session, number)
            template, preview = desk_templates.filled(session, query["template"], ticket, me, given)
    except NoSuchTicket as none:
        return missing(request, me, str(none))
    except NoSuchTemplate as none:
        return _ticket(request, me, number, Box(), *told(none))
    box = Box(text=preview.text, template=template.name, missing=preview.missing, values=given)
    return _ticket(request, me, number, box)


@router.get("/tickets/{number}/suggestions")
def suggestions(number: int, request: Request, me: Agents) -> HTMLResponse:
    """Replies that may fit, as a page of its own; the ticket's page fetches it when it has a script."""
    service = service_of(request)
    try:
        found, aided = suggested(service, number)
    except NoSuchTicket as none:
        return missing(request, me, str(none))
    return page(request, "desk/suggestions.html", me, number=number, suggestions=found, aid=aided)


@router.post("/tickets/{number}/{verb}")
def change(number: int, verb: str, request: Request, me: Agents, sent: Sent) -> Response:
    """Do one thing with the ticket, then show it again."""
    given = desk_forms.texts(sent)
    if verb not in VERBS:
        return missing(request, me, "The desk cannot do this.")
    try:
        body = desk_forms.shape(VERBS[verb], given)
        desk_work.change(service_of(request), me, number, body)
    except MISTAKES as mistake:
        return _again(request, me, number, verb, given, mistake)
    at = body.into if isinstance(body, MergeIn) else number
    return go(f"/desk/tickets/{at}", kept_query(request), said=verb)


@router.post("/decisions/{decision}/judgement")
def judge(decision: int, request: Request, me: Agents, sent: Sent) -> Response:
    """Say whether a guard was right."""
    given = desk_forms.texts(sent)
    at = given.get("ticket", "")
    try:
        if decision > MAX_NUMBER:
            raise UnknownDecision("there is no such decision")
        desk_work.judge(service_of(request), me, decision, right=given.get("right") == "yes")
    except MISTAKES as mistake:
        return missing(request, me, told(mistake)[1])
    return go(f"/desk/tickets/{at}" if at.isascii() and at.isdigit() else "/desk", kept_query(request), said="judged")


def suggested(service: Service, number: int) -> tuple[list[briefing.Suggestion], Aid | None]:
    """Replies that may fit a ticket, and what a chat model can do for it. Raise NoSuchTicket."""
    with service.database.read() as session:
        ticket = by_number(session, number)
        messages = _messages(session, ticket)
        found = briefing.suggest(service.assistant, session, ticket, messages)
        request = briefing.request_of(ticket, messages)
    return found, aid(service.assistant, ticket, messages, request)


def _messages(session: Session, ticket: Ticket) -> list[Message]:
    query = select(Message).where(Message.conversation_id.in_(linking.conversations(session, ticket))).order_by(Message.id)
    return list(session.scalars(query))


def _again(request: Request, me: Signed, number: int, verb: str, given: Mapping[str, str], mistake: Exception) -> HTMLResponse:
    """The ticket as it is now with what was typed kept; after a stale send with what came meanwhile above it."""
    status, why = told(mistake)
    if verb not in {"reply", "note"}:
        return _ticket(request, me, number, Box(), status, why)
    text = given.get("text", "")
    box = Box(text=text) if verb == "reply" else Box(tab="note", note=text)
    if not isinstance(mistake, StaleVersion) or verb == "note":
        return _ticket(request, me, number, box, status, why)
    version = int(given.get("version", "0"))
    with service_of(request).database.read() as session:
        later = newer(session, by_number(session, number), version)
    why = "Not sent: something happened since you opened this ticket. Your text is kept below."
    return _ticket(request, me, number, Box(text=box.text, newer=later, stale=True), status, why)


def _ticket(request: Request, me: Signed, number: int, box: Box, status: int = HTTPStatus.OK, why: str = "") -> HTMLResponse:
    service = service_of(request)
    try:
        with service.database.read() as session:
            view = ticket_view(session, number, me.account_id, policies(request), service.now())
            shown: dict[str, Any] = beside_values(session, me, filters_of(request), view.names)
            templates = desk_templates.every(session)
            already = read_by(session, view.ticket, me.account_id)
    except NoSuchTicket as none:
        return missing(request, me, str(none))
    if not already:
        desk_work.seen(service, me, view.ticket)
    if why:
        shown |= {"flash": why, "flash_kind": "bad"}
    shown["self_address"] = with_query(f"/desk/tickets/{number}", kept_query(request))
    shown |= choices() | {"templates": _names(templates, view), "means": desk_templates.MEANS, "known": _known(view, me)}
    return page(
        request,
        "desk/ticket.html",
        me,
        status,
        view=view,
        ticket=view.ticket,
        subject=subject_of(view.ticket),
        box=box,
        filters=filters_of(request),
        **shown,
    )


def _names(templates: Sequence[desk_templates.Kept], view: TicketView) -> list[str]:
    """The templates there are in the ticket's language or in English."""
    spoken = {view.ticket.language, "en"}
    return list(dict.fromkeys(kept.template.name for kept in templates if kept.template.language in spoken))


def _known(view: TicketView, me: Signed) -> dict[str, str]:
    return desk_templates.values_for(view.ticket, me)
