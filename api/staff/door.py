"""What every page for staff stands on: who is signed in and may do this, that the form is ours, and the frame.

A route says who may: `me: Agents` (agents and admins), `Writers`, `Admins` or `AnyStaff`; it gets a `Signed`. Unsafe
requests must carry the session's form token, as the field `csrf` or the header X-CSRF-Token.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.routing import Match

from api import assets, headers
from api.context import service_of
from api.errors import ForeignForm, problem
from api.forms import cross_site
from api.identity import is_secure
from api.pages import PAGES
from api.staff import sessions
from api.staff.sessions import Lasting, Signed
from api.tables import StaffRole

COOKIE, LOOPBACK_COOKIE = "__Host-firstline", "firstline"
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
SAFE = {"GET", "HEAD"}
EVERY_ROLE = (StaffRole.AGENT, StaffRole.WRITER, StaffRole.ADMIN)
NAVIGATION = (
    ("Desk", "/desk", (StaffRole.AGENT,)),
    ("Library", "/library", (StaffRole.WRITER,)),
    ("Overview", "/desk/overview", (StaffRole.AGENT,)),
    ("Staff", "/staff", (StaffRole.ADMIN,)),
    ("Operations", "/staff/jobs", (StaffRole.ADMIN,)),
)
LONGEST_NEXT = 500


class SignInFirst(Exception):
    """Nobody is signed in in this browser."""


class NotAllowed(Exception):
    """Somebody is signed in, but their role is for something else."""


# ── who is it ───────────────────────────────────────────────────────────────────────────────────────


def cookie_name(request: Request) -> str | None:
    """What the session's cookie is called here; None over plain http from elsewhere, where browsers drop `__Host-` cookies (trap M18)."""
    if is_secure(request.scope, service_of(request).settings.api.proxies):
        return COOKIE
    return LOOPBACK_COOKIE if request.url.hostname in LOOPBACK else None


def session_token(request: Request) -> str:
    """The token in the browser's cookie; empty when there is none."""
    name = cookie_name(request)
    return request.cookies.get(name, "") if name else ""


def lasting(request: Request) -> Lasting:
    """How long sessions last here."""
    api = service_of(request).settings.api
    return Lasting(timedelta(hours=api.session_hours), timedelta(hours=api.session_idle_hours))


def signed_in(request: Request) -> Signed | None:
    """Who is signed in in this browser, read anew from the database: streams may ask again while they last."""
    token = session_token(request)
    if not token:
        return None
    service = service_of(request)
    with service.database.read() as session:
        found = sessions.holder(session, token, lasting(request), now=service.now())
    if found is None:
        return None
    signed, stale = found
    if stale and "text/event-stream" not in request.headers.get("accept", ""):  # an open page listens, whether or not somebody is there
        with service.database.write() as session:
            sessions.seen(session, signed.session_id, now=service.now())
    return signed


def staff(request: Request, roles: tuple[StaffRole, ...] = EVERY_ROLE) -> Signed:
    """Who asks, when their role is one of these or admin. Forms are not checked here. Raise SignInFirst, NotAllowed."""
    signed = signed_in(request)
    if signed is None:
        raise SignInFirst("sign in first")
    if not signed.may(*roles):
        raise NotAllowed("your role does not allow this")
    return signed


async def form_token(request: Request) -> str:
    """What an unsafe request offers as proof that it comes from our page."""
    if request.method in SAFE:
        return ""
    given = request.headers.get("x-csrf-token")
    return given if given is not None else str((await request.form()).get("csrf", ""))


@dataclass(frozen=True)
class Only:
    """A dependency that lets in some roles, and admins, with forms of their own session. Raise SignInFirst, NotAllowed, ForeignForm."""

    roles: tuple[StaffRole, ...]

    def __call__(self, request: Request, given: Annotated[str, Depends(form_token)]) -> Signed:
        """Who asks."""
        signed = staff(request, self.roles)
        if request.method not in SAFE:
            cross_site(request)
            if not signed.sent(given):
                raise ForeignForm("this form is out of date; open the page again and repeat what you did")
        return signed


Agents = Annotated[Signed, Depends(Only((StaffRole.AGENT,)))]
Writers = Annotated[Signed, Depends(Only((StaffRole.WRITER,)))]
Admins = Annotated[Signed, Depends(Only((StaffRole.ADMIN,)))]
AnyStaff = Annotated[Signed, Depends(Only(EVERY_ROLE))]


# ── where to go ─────────────────────────────────────────────────────────────────────────────────────


def own_path(path: str) -> str:
    """A path on this server as it was given; empty for everything that could lead elsewhere."""
    plain = path.startswith("/") and not path.startswith("//") and len(path) <= LONGEST_NEXT
    if not plain or "\\" in path or not path.isprintable() or not path.isascii() or " " in path:
        return ""
    parts = urlsplit(path)
    return "" if parts.scheme or parts.netloc else path


def home_of(request: Request, role: StaffRole) -> str:
    """Where somebody begins their work."""
    return next((path for _, path in navigation(request, role)), "/staff/account")


def navigation(request: Request, role: StaffRole) -> list[tuple[str, str]]:
    """Title and path of the parts that exist here and are for this role."""
    return [(title, path) for title, path, roles in NAVIGATION if (role in roles or role == StaffRole.ADMIN) and path in _existing(request)]


def _existing(request: Request) -> frozenset[str]:
    """The paths of the navigation that this app serves, looked up once: its routes do not change."""
    state = request.app.state
    if not hasattr(state, "navigation"):
        scopes = {path: {**request.scope, "method": "GET", "path": path, "root_path": ""} for _, path, _ in NAVIGATION}
        served = (path for path, scope in scopes.items() if any(route.matches(scope)[0] == Match.FULL for route in request.app.routes))
        state.navigation = frozenset(served)
    found: frozenset[str] = state.navigation
    return found


# ── pages ───────────────────────────────────────────────────────────────────────────────────────────


def page(request: Request, template: str, me: Signed | None, status: int = HTTPStatus.OK, /, **values: Any) -> HTMLResponse:
    """A page on the staff frame. `flash` is said above it; `here` is the path of the part it belongs to, by default its own."""
    now = service_of(request).now()
    shown: Mapping[str, Any] = {
        "product": service_of(request).settings.assistant.product,
        "me": me,
        "navigation": navigation(request, me.role) if me else [],
        "here": "/" + request.url.path.split("/")[1],
        "asset": assets.address,
        "ago": lambda moment: ago(moment, now),
        "flash": "",
        "flash_kind": "good",
        **values,
    }
    return HTMLResponse(PAGES.get_template(template).render(shown), status, headers=headers.STAFF)


def go(path: str) -> RedirectResponse:
    """To another page after a form was taken."""
    return RedirectResponse(path, HTTPStatus.SEE_OTHER, headers=headers.STAFF)


def ago(moment: datetime, now: datetime) -> str:
    """How long ago something was, or how far ahead it is, in the unit that tells it best."""
    seconds = (now - moment).total_seconds()
    size = abs(seconds)
    if size < 60:  # noqa: PLR2004 - a minute
        return "just now" if seconds >= 0 else "in a minute"
    unit, length = next((unit, length) for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)) if size >= 2 * length or length == 60)  # noqa: PLR2004
    count = f"{round(size / length)} {unit}"
    return f"{count} ago" if seconds >= 0 else f"in {count}"


def wants_page(request: Request) -> bool:
    """Whether a browser shows the answer to a person: scripts and programs ask for something else."""
    return "text/html" in request.headers.get("accept", "")


def install(app: FastAPI) -> None:
    """People who may not do something are told so on a page, programs in a problem document."""
    app.add_exception_handler(SignInFirst, _sign_in_first)
    app.add_exception_handler(NotAllowed, _refused)
    app.add_exception_handler(ForeignForm, _refused)


def _sign_in_first(request: Request, error: Exception) -> Response:
    """To the sign-in page and back afterwards; a program gets a problem."""
    if not wants_page(request):
        return problem(HTTPStatus.UNAUTHORIZED, str(error))
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "") if request.method in SAFE else _from_page(request)
    path = own_path(wanted)
    return go("/staff/login" + (f"?next={quote(path, safe='/')}" if path else ""))


def _refused(request: Request, error: Exception) -> Response:
    """That somebody may not do this, or that their form is not ours."""
    if not wants_page(request) or not request.url.path.startswith(headers.STAFF_PATHS):
        return problem(HTTPStatus.FORBIDDEN, str(error))
    foreign = isinstance(error, ForeignForm)
    return page(request, "staff/refused.html", signed_in(request), HTTPStatus.FORBIDDEN, why=str(error), foreign=foreign)


def _from_page(request: Request) -> str:
    """The page on which a form stood, as the browser tells it."""
    before = urlsplit(request.headers.get("referer", ""))
    return before.path if before.netloc == request.headers.get("host") else ""
