"""What every page for staff shares: who is signed in, that the form is ours, and the headers."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import HTMLResponse

from api import accounts
from api.context import service_of
from api.errors import ForeignForm, NotAllowed, SignInFirst
from api.pages import PAGES
from api.tables import Account, StaffRole, StaffSession

COOKIE = "__Host-firstline"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; form-action 'self'; "
        "base-uri 'none'; object-src 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Staff:
    """The member of staff who is asking."""

    account: Account
    opened: StaffSession
    token: str

    @property
    def is_admin(self) -> bool:
        """Admins may do everything."""
        return self.account.role == StaffRole.ADMIN


async def signed_in_staff(request: Request) -> Staff:
    """Who is signed in; an unsafe request must also carry the form token. Raise SignInFirst, ForeignForm."""
    token = request.cookies.get(COOKIE, "")
    service = service_of(request)
    with service.database.read() as session:
        found = accounts.signed_in(session, token, now=service.now()) if token else None
    if found is None:
        raise SignInFirst("sign in first")
    if request.method not in {"GET", "HEAD"}:
        cross_site(request)
        given = request.headers.get("x-csrf-token") or str((await request.form()).get("csrf", ""))
        if not accounts.same_csrf(found[1], given):
            raise ForeignForm("this form is too old; open the page again")
    return Staff(found[0], found[1], token)


def only(*roles: StaffRole) -> Callable[[Request], Any]:
    """A dependency that lets in these roles, and admins. Raise NotAllowed."""

    async def check(request: Request) -> Staff:
        staff = await signed_in_staff(request)
        if staff.account.role not in roles and not staff.is_admin:
            raise NotAllowed("your account is not for this")
        return staff

    return check


def cross_site(request: Request) -> None:
    """Refuse a form that another site sent. Raise ForeignForm."""
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise ForeignForm("this request came from another site")
    origin = request.headers.get("origin")
    if origin and origin != "null" and urlsplit(origin).netloc != request.headers.get("host", ""):
        raise ForeignForm("this request came from another site")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in {"application/x-www-form-urlencoded", "application/json", ""}:
        raise ForeignForm("this kind of form is not taken")


def console_page(request: Request, name: str, status: int = HTTPStatus.OK, *, staff: Staff | None, **values: Any) -> HTMLResponse:
    """A page for staff with its headers."""
    product = service_of(request).settings.assistant.product
    return HTMLResponse(PAGES.get_template(f"console/{name}").render(product=product, staff=staff, **values), status, headers=HEADERS)
