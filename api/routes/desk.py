"""The desk's worklist: which tickets there are, in the order of work, with filters, views and changes for many at once."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse

from api import live
from api.context import limits_address, service_of
from api.desk import forms as desk_forms
from api.desk import saved_views
from api.desk import work as desk_work
from api.desk.forms import Sent
from api.desk.pages import KEYS_COOKIE, MISTAKES, OFF, choices, filters_of, go, page, queue_values, told
from api.desk.words import LANGUAGES
from api.desk.worklist import Filters
from api.live import Event
from api.routes.chat import MAX_ID
from api.staff import door as staff
from api.staff.door import Agents, own_path, signed_in
from api.staff.sessions import Signed
from api.tables import StaffRole

router = APIRouter(prefix="/desk", include_in_schema=False, dependencies=[Depends(limits_address)])
YEAR = 31_536_000


@router.get("")
def worklist(request: Request, me: Agents) -> HTMLResponse:
    """The tickets that the address asks for."""
    return _worklist(request, me, filters_of(request))


@router.post("/bulk")
def change_many(request: Request, me: Agents, sent: Sent) -> Response:
    """The same change for every ticked ticket; those that changed meanwhile are left and named."""
    filters = filters_of(request)
    try:
        changed, left = desk_work.bulk(service_of(request), me, desk_forms.bulk(sent))
    except MISTAKES as mistake:
        status, why = told(mistake)
        return _worklist(request, me, filters, status, flash=why, flash_kind="bad")
    if not left:
        return go("/desk", filters.query(), changed=str(len(changed)))
    why = "; ".join(left.values())
    return _worklist(request, me, filters, flash=f"{len(changed)} changed, {len(left)} left as they are: {why}.", flash_kind="warn")


@router.post("/views")
def keep_view(request: Request, me: Agents, sent: Sent) -> Response:
    """Keep the present choice under a name."""
    service = service_of(request)
    given = desk_forms.texts(sent)
    try:
        body = desk_forms.saved_view(given)
        with service.database.write() as session:
            kept = saved_views.keep(session, me.account_id, body, service.new_id(), now=service.now())
    except MISTAKES as mistake:
        status, why = told(mistake)
        return _worklist(request, me, filters_of(request), status, flash=why, flash_kind="bad")
    return go("/desk", kept.query, said="view")


@router.post("/views/{view_id}/drop")
def drop_view(view_id: str, request: Request, me: Agents) -> Response:
    """Forget a view of one's own."""
    try:
        with service_of(request).database.write() as session:
            saved_views.drop(session, me.account_id, view_id)
    except MISTAKES as mistake:
        status, why = told(mistake)
        return _worklist(request, me, Filters(), status, flash=why, flash_kind="bad")
    return go("/desk", said="view-dropped")


@router.post("/keys")
def switch_keys(
    request: Request, _me: Agents, on: Annotated[str, Form(max_length=3)] = "", back: Annotated[str, Form(max_length=500)] = ""
) -> Response:
    """Keyboard shortcuts on or off in this browser."""
    path, _, query = (own_path(back) or "/desk").partition("?")
    response = go(path if path.startswith("/desk") else "/desk", query, said="keys-on" if on else "keys-off")
    secure = staff.cookie_name(request) == staff.COOKIE
    response.set_cookie(KEYS_COOKIE, "on" if on else OFF, max_age=YEAR, path="/desk", secure=secure, samesite="lax")
    return response


@router.get("/events")
def follow(request: Request, _me: Agents, after: Annotated[int, Query(ge=0, le=MAX_ID)] = 0) -> StreamingResponse:
    """What happens to tickets, as it happens, after an event or Last-Event-ID; it ends with the session."""
    service = service_of(request)
    news = live.TicketNews(live.after_of(request, after))

    def read(last: int) -> list[Event] | None:
        signed = signed_in(request)
        if signed is None or not signed.may(StaffRole.AGENT):
            return None
        with service.database.read() as session:
            return news.read(session, last)

    return live.stream(request, request.app.state.pulse, read, after)


def _worklist(request: Request, me: Signed, filters: Filters, status: int = 200, **values: str) -> HTMLResponse:
    with service_of(request).database.read() as session:
        shown = queue_values(session, me, filters)
    changed = request.query_params.get("changed", "")
    if changed.isdigit() and "flash" not in values:
        values["flash"] = f"{changed} {'ticket' if changed == '1' else 'tickets'} changed."
    return page(
        request,
        "desk/queue.html",
        me,
        status,
        **choices(),
        **shown,
        **values,
        filters=filters,
        languages=LANGUAGES,
        self_address=f"/desk?{filters.query()}",
    )
