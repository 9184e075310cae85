"""Reply templates: the shipped ones and the agents' own, with a preview before anything is kept."""

from http import HTTPStatus

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse

from api.context import limits_address, service_of
from api.desk import forms as desk_forms
from api.desk import templates as desk_templates
from api.desk.forms import Sent
from api.desk.pages import MISTAKES, go, page, told
from api.staff.door import Agents
from api.staff.sessions import Signed
from assistant.wording import LANGUAGES
from escalation import replies
from escalation.replies import ReplyKind, Template

router = APIRouter(prefix="/desk/templates", include_in_schema=False, dependencies=[Depends(limits_address)])
EXAMPLE = {"name": "Ada", "number": "41", "issue": "the export of a dashboard", "team": "Technical support"}


@router.get("")
def templates(request: Request, me: Agents, name: str = "", language: str = "en") -> HTMLResponse:
    """Every template, and one of them to be read or changed."""
    service = service_of(request)
    with service.database.read() as session:
        found = next(
            (kept.template for kept in desk_templates.every(session) if (kept.template.name, kept.template.language) == (name, language)),
            None,
        )
    return _page(request, me, found or Template("", ReplyKind.OWN, "en", ""))


@router.post("")
def keep(request: Request, me: Agents, sent: Sent) -> Response:
    """Show what is written as it would be sent, or keep it."""
    given = desk_forms.texts(sent)
    service = service_of(request)
    typed = Template(given.get("name", ""), ReplyKind.OWN, given.get("language", "en"), given.get("text", ""))
    if given.get("do") == "preview":
        return _page(request, me, typed)
    try:
        body = desk_forms.template(given)
        template = Template(body.name, body.kind, body.language, body.text)
        with service.database.write() as session:
            replies.keep(session, template, service.new_id(), by=me.account_id, now=service.now())
    except MISTAKES as mistake:
        status, why = told(mistake)
        return _page(request, me, typed, status, flash=why, flash_kind="bad")
    return go("/desk/templates", name=body.name, language=body.language, said="template")


@router.post("/drop")
def drop(request: Request, me: Agents, sent: Sent) -> Response:
    """Remove an own template; a shipped one of that name shows again."""
    given = desk_forms.texts(sent)
    try:
        with service_of(request).database.write() as session:
            replies.drop(session, given.get("name", ""), given.get("language", ""))
    except MISTAKES as mistake:
        status, why = told(mistake)
        return _page(request, me, Template("", ReplyKind.OWN, "en", ""), status, flash=why, flash_kind="bad")
    return go("/desk/templates", said="template-dropped")


def _page(request: Request, me: Signed, chosen: Template, status: int = HTTPStatus.OK, **values: str) -> HTMLResponse:
    with service_of(request).database.read() as session:
        kept = desk_templates.every(session)
    own = any(one.own for one in kept if (one.template.name, one.template.language) == (chosen.name, chosen.language))
    return page(
        request,
        "desk/templates.html",
        me,
        status,
        kept=kept,
        chosen=chosen,
        own=own,
        preview=replies.preview(chosen, EXAMPLE | {"agent": me.name}),
        means=desk_templates.MEANS,
        languages=LANGUAGES,
        **values,
    )
