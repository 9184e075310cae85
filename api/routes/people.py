"""Who works here, for admins: invite, change a role, disable, and links for new passwords."""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import HTMLResponse

from api import identity
from api.bootstrap import new_secret
from api.context import limits_address, service_of
from api.staff import accounts
from api.staff.accounts import AddressTaken, BadDetails, Disabled, LastAdmin, Link
from api.staff.door import Admins, go, page
from api.staff.sessions import Signed
from api.tables import StaffRole

log = structlog.get_logger()
router = APIRouter(prefix="/staff", include_in_schema=False, dependencies=[Depends(limits_address)])
Role = Annotated[StaffRole, Form()]

SAID = {
    "disabled": "The account is disabled; whoever was signed in with it is out.",
    "enabled": "The account is in use again, with the password it had.",
    "role": "The role is changed; it counts from the next click on.",
    "withdrawn": "The invitation does not work any more.",
}


@router.get("")
def people(request: Request, me: Admins, said: str = "") -> HTMLResponse:
    """Every account and every open invitation."""
    return _people(request, me, flash=SAID.get(said, ""))


@router.post("/invitations")
def invite(request: Request, me: Admins, role: Role, email: Annotated[str, Form(max_length=300)] = "") -> HTMLResponse:
    """Invite somebody; the link is shown this once."""
    service = service_of(request)
    link = _new_link(request, me)
    try:
        with service.database.write() as session:
            accounts.invite(session, email, role, link, now=service.now())
    except (BadDetails, AddressTaken) as wrong:
        return _people(request, me, HTTPStatus.UNPROCESSABLE_ENTITY, wrong=str(wrong), email=email, chosen=role)
    log.info("staff_invited", role=role, by=me.account_id)
    return _people(request, me, link=_address_of(request, link.token), link_for=email.strip().casefold())


@router.post("/invitations/{invitation_id}/withdraw")
def withdraw(invitation_id: str, request: Request, _me: Admins) -> Response:
    """Make an open invitation worthless."""
    with service_of(request).database.write() as session:
        accounts.withdraw(session, invitation_id)
    return go("/staff?said=withdrawn")


@router.post("/accounts/{account_id}/role")
def change_role(account_id: str, request: Request, me: Admins, role: Role) -> Response:
    """Let somebody do something else."""
    try:
        with service_of(request).database.write() as session:
            accounts.change_role(session, account_id, role)
    except LastAdmin as last:
        return _people(request, me, HTTPStatus.CONFLICT, flash=str(last), flash_kind="bad")
    log.info("staff_role_changed", account=account_id, role=role, by=me.account_id)
    return go("/staff?said=role")


@router.post("/accounts/{account_id}/disable")
def disable(account_id: str, request: Request, me: Admins) -> Response:
    """Keep somebody out from now on."""
    service = service_of(request)
    try:
        with service.database.write() as session:
            accounts.disable(session, account_id, now=service.now())
    except LastAdmin as last:
        return _people(request, me, HTTPStatus.CONFLICT, flash=str(last), flash_kind="bad")
    log.info("staff_disabled", account=account_id, by=me.account_id)
    return go("/staff?said=disabled")


@router.post("/accounts/{account_id}/enable")
def enable(account_id: str, request: Request, me: Admins) -> Response:
    """Let somebody in again."""
    with service_of(request).database.write() as session:
        accounts.enable(session, account_id)
    log.info("staff_enabled", account=account_id, by=me.account_id)
    return go("/staff?said=enabled")


@router.post("/accounts/{account_id}/password")
def offer_new_password(account_id: str, request: Request, me: Admins) -> HTMLResponse:
    """A link for a new password, shown this once; the present one works until it is used."""
    service = service_of(request)
    link = _new_link(request, me)
    try:
        with service.database.write() as session:
            account = accounts.get(session, account_id)
            accounts.offer_new_password(session, account, link, now=service.now())
    except Disabled as disabled:
        return _people(request, me, HTTPStatus.CONFLICT, flash=str(disabled), flash_kind="bad")
    log.info("staff_password_offered", account=account_id, by=me.account_id)
    return _people(request, me, link=_address_of(request, link.token), link_for=account.email, for_password=True)


def _people(request: Request, me: Signed, status: int = HTTPStatus.OK, **values: object) -> HTMLResponse:
    service = service_of(request)
    with service.database.read() as session:
        everybody = accounts.everybody(session)
        invitations = accounts.open_invitations(session, now=service.now())
    names = {account.id: account.name for account in everybody}
    shown = {"wrong": "", "email": "", "chosen": StaffRole.AGENT, "link": "", "link_for": "", "for_password": False, **values}
    hours = service.settings.api.invitation_hours
    shown |= {"everybody": everybody, "invitations": invitations, "names": names, "roles": list(StaffRole), "hours": hours}
    return page(request, "staff/people.html", me, status, here="/staff", **shown)


def _new_link(request: Request, me: Signed) -> Link:
    service = service_of(request)
    return Link(service.new_id(), new_secret(), me.account_id, timedelta(hours=service.settings.api.invitation_hours))


def _address_of(request: Request, token: str) -> str:
    api = service_of(request).settings.api
    scheme = "https" if identity.is_secure(request.scope, api.proxies) else request.url.scheme
    public = api.public_url or str(request.base_url.replace(scheme=scheme))
    return accounts.address(public, token)
