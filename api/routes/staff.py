"""Signing in and out, and joining by an invitation. Pages for people who work here, not for visitors."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from api import accounts, identity
from api.accounts import BadInvitation, WeakPassword, WrongLogin
from api.bootstrap import new_secret
from api.console import COOKIE, Staff, console_page, cross_site, signed_in_staff
from api.context import limits, limits_address, service_of
from api.tables import Account, StaffRole

router = APIRouter(prefix="/staff", include_in_schema=False, dependencies=[Depends(limits_address)])
Text = Annotated[str, Form(max_length=300)]


@router.get("/login")
def login_page(request: Request) -> HTMLResponse:
    """Ask for address and password, or say why signing in cannot work over this connection."""
    return console_page(request, "login.html", staff=None, insecure=_insecure(request))


@router.post("/login")
def login(request: Request, email: Text = "", password: Text = "") -> Response:
    """Sign in; a wrong address and a wrong password get the same answer in the same time."""
    cross_site(request)
    service = service_of(request)
    if _insecure(request):
        return console_page(request, "login.html", HTTPStatus.FORBIDDEN, staff=None, insecure=True)
    limits(request).logins.take(identity.address(request, service.settings.api.proxies))
    limits(request).logins_by_email.take(email.strip().casefold())
    with service.database.write() as session:
        try:
            account = accounts.sign_in(session, email=email, password=password)
        except WrongLogin as wrong:
            return console_page(request, "login.html", HTTPStatus.UNAUTHORIZED, staff=None, insecure=False, wrong=str(wrong), email=email)
        return _signed_in(request, session, account)


@router.post("/logout")
def logout(request: Request, staff: Annotated[Staff, Depends(signed_in_staff)]) -> Response:
    """End this browser's session on the server."""
    with service_of(request).database.write() as session:
        accounts.sign_out(session, staff.token)
    response = RedirectResponse("/staff/login", HTTPStatus.SEE_OTHER)
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    return response


@router.get("/join/{token}")
def join_page(token: str, request: Request) -> HTMLResponse:
    """Offer the form that an invitation is for."""
    service = service_of(request)
    with service.database.read() as session:
        try:
            offered = accounts.invitation(session, token, now=service.now())
        except BadInvitation as bad:
            return console_page(request, "join.html", HTTPStatus.NOT_FOUND, staff=None, bad=str(bad))
        return console_page(request, "join.html", staff=None, token=token, role=offered.role, insecure=_insecure(request))


@router.post("/join/{token}")
def join(token: str, request: Request, email: Text = "", name: Text = "", password: Text = "") -> Response:
    """Make the account and sign in."""
    cross_site(request)
    service = service_of(request)
    limits(request).logins.take(identity.address(request, service.settings.api.proxies))
    form = {"token": token, "email": email, "name": name, "insecure": _insecure(request)}
    if "@" not in email:
        return console_page(request, "join.html", HTTPStatus.UNPROCESSABLE_ENTITY, staff=None, wrong="Please give your e-mail address.", **form)
    try:
        with service.database.write() as session:
            account = accounts.accept(
                session, token, email=email, name=name, password=password, account_id=service.new_id(), now=service.now()
            )
            return _signed_in(request, session, account)
    except WeakPassword as weak:
        return console_page(request, "join.html", HTTPStatus.UNPROCESSABLE_ENTITY, staff=None, wrong=str(weak), **form)
    except BadInvitation as bad:
        return console_page(request, "join.html", HTTPStatus.NOT_FOUND, staff=None, bad=str(bad))


def _signed_in(request: Request, session: Session, account: Account) -> Response:
    token = new_secret()
    accounts.open_session(session, account, token=token, csrf=new_secret(), now=service_of(request).now())
    home = "/library" if account.role == StaffRole.WRITER else "/desk"
    response = RedirectResponse(home, HTTPStatus.SEE_OTHER)
    response.set_cookie(COOKIE, token, max_age=accounts.SESSION_DAYS * 86_400, path="/", secure=True, httponly=True, samesite="lax")
    return response


def _insecure(request: Request) -> bool:
    """Whether a browser would drop our cookie: plain http from anywhere but this machine (trap M18)."""
    return request.url.scheme != "https" and (request.url.hostname or "") not in {"127.0.0.1", "localhost", "::1"}
