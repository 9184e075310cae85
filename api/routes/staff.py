"""Signing in and out, joining by an invitation, and one's own account. Pages for people who work here, not for visitors."""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import HTMLResponse

from api import identity
from api.bootstrap import new_secret
from api.context import limits, limits_address, service_of
from api.errors import TooMany
from api.forms import cross_site
from api.staff import accounts, choices, sessions
from api.staff.accounts import AddressTaken, BadDetails, BadInvitation, Details, WrongLogin
from api.staff.door import COOKIE, AnyStaff, cookie_name, go, home_of, lasting, own_path, page, session_token, signed_in
from api.staff.passwords import WeakPassword
from api.staff.sessions import NewSession, Signed
from api.tables import Account, StaffRole

log = structlog.get_logger()
router = APIRouter(prefix="/staff", include_in_schema=False, dependencies=[Depends(limits_address)])
Text = Annotated[str, Form(max_length=300)]
Password = Annotated[str, Form(max_length=1000)]

SAID = {
    "messages": "Your choice is kept.",
    "password": "Your password is changed. Everybody else who was signed in with it is out.",
    "ended": "That browser is signed out.",
}
BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "macOS"), ("Linux", "Linux"))


@router.get("/login")
def login_page(request: Request, next: str = "") -> Response:  # noqa: A002 - the name in the address
    """Ask for address and password, or say why signing in cannot work over this connection."""
    signed = signed_in(request)
    return go(own_path(next) or home_of(request, signed.role)) if signed else _login(request, next)


@router.post("/login")
def login(request: Request, email: Text = "", password: Password = "", next: Text = "") -> Response:  # noqa: A002 - the field's name
    """Sign in; an unknown address and a wrong password get the same answer after the same work."""
    cross_site(request)
    if cookie_name(request) is None:
        return _login(request, next, HTTPStatus.FORBIDDEN)
    service = service_of(request)
    new = _new_session(request)
    try:
        _count(request, email)
        account = accounts.log_in(service.database, email, password, new, lasting(request), now=service.now())
    except TooMany as many:
        return _told_to_wait(_login(request, next, HTTPStatus.TOO_MANY_REQUESTS, email=email, wrong=_later(many)), many)
    except WrongLogin as wrong:
        log.info("staff_login_failed", address=_address(request))
        return _login(request, next, HTTPStatus.UNAUTHORIZED, email=email, wrong=str(wrong))
    return _entered(request, account, new, own_path(next))


@router.post("/logout")
def logout(request: Request, me: AnyStaff) -> Response:
    """End this browser's session on the server."""
    with service_of(request).database.write() as session:
        sessions.end(session, me.account_id, me.session_id)
    return _left(request)


# ── joining ─────────────────────────────────────────────────────────────────────────────────────────


@router.get("/join/{token}")
def join_page(token: str, request: Request) -> HTMLResponse:
    """The form an invitation is for. Looking at it does not use it up: mail programs look at links too."""
    service = service_of(request)
    try:
        limits(request).logins.take(_address(request))
        with service.database.read() as session:
            offered = accounts.invitation(session, token, now=service.now())
    except BadInvitation as bad:
        return page(request, "staff/join.html", None, HTTPStatus.NOT_FOUND, bad=str(bad))
    return page(request, "staff/join.html", None, token=token, offered=offered, insecure=cookie_name(request) is None)


@router.post("/join/{token}")
def join(token: str, request: Request, email: Text = "", name: Text = "", password: Password = "") -> Response:
    """Make the account, or set its new password, and sign in."""
    cross_site(request)
    service = service_of(request)
    if cookie_name(request) is None:
        return join_page(token, request)
    try:
        limits(request).logins.take(_address(request))
        with service.database.read() as session:
            offered = accounts.invitation(session, token, now=service.now())
        account = accounts.join(service.database, token, Details(name, email, password), service.new_id(), now=service.now())
    except BadInvitation as bad:
        return page(request, "staff/join.html", None, HTTPStatus.NOT_FOUND, bad=str(bad))
    except (BadDetails, AddressTaken, WeakPassword) as wrong:
        values = {"token": token, "offered": offered, "insecure": False, "email": email, "name": name, "wrong": str(wrong)}
        return page(request, "staff/join.html", None, HTTPStatus.UNPROCESSABLE_ENTITY, **values)
    new = _new_session(request)
    with service.database.write() as session:
        sessions.begin(session, account, new, lasting(request), now=service.now())
    log.info("staff_joined", account=account.id, role=account.role, again=offered.account_id is not None)
    return _entered(request, account, new, "")


# ── one's own account ───────────────────────────────────────────────────────────────────────────────


@router.get("/account")
def account_page(request: Request, me: AnyStaff, said: str = "") -> HTMLResponse:
    """Name and role, password, and the browsers in which one is signed in."""
    return _account(request, me, flash=SAID.get(said, ""))


@router.post("/account/password")
def change_password(request: Request, me: AnyStaff, old: Password = "", new: Password = "") -> Response:
    """Change one's own password; every other browser is signed out."""
    service = service_of(request)
    try:
        limits(request).logins_by_account.take(me.email)
        accounts.change_password(service.database, me, old, new)
    except TooMany as many:
        return _told_to_wait(_account(request, me, HTTPStatus.TOO_MANY_REQUESTS, wrong_old=_later(many)), many)
    except WrongLogin as wrong:
        return _account(request, me, HTTPStatus.UNPROCESSABLE_ENTITY, wrong_old=str(wrong))
    except WeakPassword as weak:
        return _account(request, me, HTTPStatus.UNPROCESSABLE_ENTITY, wrong_new=str(weak))
    log.info("staff_password_changed", account=me.account_id)
    return go("/staff/account?said=password")


@router.post("/account/sessions/{session_id}/end")
def end_session(session_id: str, request: Request, me: AnyStaff) -> Response:
    """Sign out one browser of one's own."""
    with service_of(request).database.write() as session:
        sessions.end(session, me.account_id, session_id)
    return _left(request) if session_id == me.session_id else go("/staff/account?said=ended")


@router.post("/account/sessions/end")
def end_sessions(request: Request, me: AnyStaff) -> Response:
    """Sign out everywhere, here too."""
    with service_of(request).database.write() as session:
        sessions.end_all(session, me.account_id)
    return _left(request)


@router.post("/account/messages")
def choose_messages(
    request: Request,
    me: AnyStaff,
    wanted: Annotated[list[str], Form(default_factory=list)],
    follows: Annotated[list[str], Form(default_factory=list)],
) -> Response:
    """Which mails one wants, which queues one follows, and for which tiers one stands."""
    with service_of(request).database.write() as session:
        choices.choose(session, me.account_id, wanted, follows)
    return go("/staff/account?said=messages#messages")


# ── shared ──────────────────────────────────────────────────────────────────────────────────────────


def _login(request: Request, wanted: str, status: int = HTTPStatus.OK, *, email: str = "", wrong: str = "") -> HTMLResponse:
    with service_of(request).database.read() as session:
        fresh = not accounts.has_admin(session)
    values = {"email": email, "wrong": wrong, "next": own_path(wanted), "insecure": cookie_name(request) is None, "fresh": fresh}
    return page(request, "staff/login.html", None, status, **values)


def _account(request: Request, me: Signed, status: int = HTTPStatus.OK, **values: str) -> HTMLResponse:
    service = service_of(request)
    with service.database.read() as session:
        opened = sessions.of_account(session, me.account_id, lasting(request), now=service.now())
        chosen = choices.of(session, me.account_id)
    shown = {"wrong_old": "", "wrong_new": "", "chosen": chosen, "mails": service.channels.mailer is not None, **values}
    return page(request, "staff/account.html", me, status, here="/staff/account", opened=opened, **shown)


def _count(request: Request, email: str) -> None:
    """One more try from this address and for this account, whether it exists or not. Raise TooMany."""
    limits(request).logins.take(_address(request))
    limits(request).logins_by_account.take(email.strip().casefold())


def _later(many: TooMany) -> str:
    seconds = many.retry_after
    wait = f"{seconds} seconds" if seconds < 120 else f"{-(-seconds // 60)} minutes"  # noqa: PLR2004 - two minutes
    return f"Too many attempts. Please try again in {wait}."


def _told_to_wait(response: HTMLResponse, many: TooMany) -> HTMLResponse:
    response.headers["Retry-After"] = str(many.retry_after)
    return response


def _new_session(request: Request) -> NewSession:
    agent = request.headers.get("user-agent", "")
    browser = next((name for mark, name in BROWSERS if mark in agent), "Browser")
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    return NewSession(service_of(request).new_id(), new_secret(), new_secret(), f"{browser} on {system}" if system else browser)


def _entered(request: Request, account: Account, new: NewSession, wanted: str) -> Response:
    """Signed in: the new cookie takes the place of an older one, whose session ends."""
    name = cookie_name(request)
    assert name is not None  # noqa: S101 - asked before the password was
    older = session_token(request)
    if older:
        with service_of(request).database.write() as session:
            sessions.end_token(session, older)
    log.info("staff_signed_in", account=account.id)
    response = go(wanted or home_of(request, StaffRole(account.role)))
    hours = timedelta(hours=service_of(request).settings.api.session_hours)
    response.set_cookie(name, new.token, max_age=int(hours.total_seconds()), path="/", secure=name == COOKIE, httponly=True, samesite="lax")
    return response


def _left(request: Request) -> Response:
    name = cookie_name(request)
    assert name is not None  # noqa: S101 - without a cookie nobody is signed in
    response = go("/staff/login")
    response.delete_cookie(name, path="/", secure=name == COOKIE, httponly=True, samesite="lax")
    return response


def _address(request: Request) -> str:
    return identity.address(request, service_of(request).settings.api.proxies)
