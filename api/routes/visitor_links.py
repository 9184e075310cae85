"""The links in visitors' mails: a page with one button, for mail programs look at links, too; the button uses the link up."""

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from api.bootstrap import new_secret
from api.context import limits, limits_address, service_of
from api.forms import cross_site
from api.help import held
from api.identity import address
from api.messages import telling, verifying
from api.messages.verifying import DeadLink
from api.routes.help import page

router = APIRouter(include_in_schema=False, dependencies=[Depends(limits_address)])
SECRETIVE = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}


@router.get("/help/mail/{token}")
def look(token: str, request: Request) -> Response:
    """What the link is for, and the button."""
    service = service_of(request)
    limits(request).logins.take(address(request, service.settings.api.proxies))
    try:
        with service.database.read() as session:
            purpose = verifying.link_of(session, token, now=service.now()).purpose
    except DeadLink:
        return _shown(request, "dead", 404)
    return _shown(request, purpose, token=token)


@router.post("/help/mail/{token}")
def use(token: str, request: Request) -> Response:
    """Confirm the address, or open the request in this browser."""
    cross_site(request)
    service = service_of(request)
    limits(request).logins.take(address(request, service.settings.api.proxies))
    secret = new_secret()
    try:
        with service.database.write() as session:
            if verifying.link_of(session, token, now=service.now()).purpose == telling.CONFIRM:
                verifying.confirm(session, token, now=service.now())
                return _shown(request, "confirmed")
            conversation_id = verifying.open_request(session, token, secret, now=service.now())
    except DeadLink:
        return _shown(request, "dead", 404)
    response = RedirectResponse(f"/help/tickets#t-{conversation_id}", 303, headers={"Cache-Control": "no-store", **SECRETIVE})
    held.hold(request, response, secret)
    return response


def _shown(request: Request, state: str, status: int = 200, token: str = "") -> HTMLResponse:
    response = page(request, "help/mail.html", status, cached=False, state=state, token=token)
    response.headers.update(SECRETIVE)
    return response
