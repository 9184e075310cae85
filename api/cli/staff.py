"""The command line's staff side: invite, list, disable, enable, and a link for a forgotten password. Works beside a running server."""

import json
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:  # imported late where they are used, so that --help is instant
    from api.settings import Settings
    from api.staff.accounts import Link

staff = typer.Typer(no_args_is_help=True, help="Accounts of agents, writers and admins.")
Email = Annotated[str, typer.Argument(help="The account's e-mail address.")]
BY = "command line"


@staff.command()
def invite(
    email: Annotated[str, typer.Argument(help="The e-mail address of the new member of staff.")],
    role: Annotated[str, typer.Option(help="agent, writer or admin.")] = "agent",
) -> None:
    """Print a link with which one person makes an account: once, and within 72 hours."""
    from api.bootstrap import utc_now
    from api.cli.main import database, fail
    from api.settings import from_environment
    from api.staff import accounts
    from api.tables import StaffRole

    if role not in list(StaffRole):
        fail(f"there is no role {role}; choose agent, writer or admin")
    settings = from_environment()
    link = _new_link(settings)
    with database() as opened, opened.write() as session:
        try:
            accounts.invite(session, email, StaffRole(role), link, now=utc_now())
        except (accounts.BadDetails, accounts.AddressTaken) as wrong:
            fail(str(wrong))
    _print_link(settings, link)


@staff.command("list")
def list_accounts() -> None:
    """Every account and every open invitation."""
    from api.bootstrap import utc_now
    from api.cli.main import database
    from api.staff import accounts

    with database() as opened, opened.read() as session:
        for account in accounts.everybody(session):
            state = f"disabled {account.disabled_at.astimezone(UTC):%Y-%m-%d}" if account.disabled_at else "in use"
            typer.echo(f"{account.role:7} {state:20} {account.email}  {account.name}")
        for one in accounts.open_invitations(session, now=utc_now()):
            until = f"until {one.expires_at.astimezone(UTC):%Y-%m-%d %H:%M}"
            typer.echo(f"{one.role:7} {until:20} {one.email or 'whoever has the link'}  invited, not joined yet")


@staff.command()
def disable(email: Email) -> None:
    """Keep somebody out from now on: their sessions end, their history stays."""
    from api.bootstrap import utc_now
    from api.cli.main import database, fail
    from api.staff import accounts

    with database() as opened, opened.write() as session:
        try:
            account = accounts.disable(session, accounts.by_email(session, email).id, now=utc_now())
        except (accounts.NoSuchAccount, accounts.LastAdmin) as wrong:
            fail(str(wrong))
    typer.echo(f"disabled {account.email}")


@staff.command()
def enable(email: Email) -> None:
    """Let somebody in again, with the password they had."""
    from api.cli.main import database, fail
    from api.staff import accounts

    with database() as opened, opened.write() as session:
        try:
            account = accounts.enable(session, accounts.by_email(session, email).id)
        except accounts.NoSuchAccount as wrong:
            fail(str(wrong))
    typer.echo(f"enabled {account.email}")


@staff.command()
def reset(email: Email) -> None:
    """Print a link with which somebody sets a new password; the present one works until then."""
    from api.bootstrap import utc_now
    from api.cli.main import database, fail
    from api.settings import from_environment
    from api.staff import accounts

    settings = from_environment()
    link = _new_link(settings)
    with database() as opened, opened.write() as session:
        try:
            accounts.offer_new_password(session, accounts.by_email(session, email), link, now=utc_now())
        except (accounts.NoSuchAccount, accounts.Disabled) as wrong:
            fail(str(wrong))
    _print_link(settings, link)


def _new_link(settings: "Settings") -> "Link":
    from api.bootstrap import new_id, new_secret
    from api.staff.accounts import Link

    return Link(new_id(), new_secret(), BY, timedelta(hours=settings.api.invitation_hours))


def _print_link(settings: "Settings", link: "Link") -> None:
    """The link alone on standard output, so that a script can pass it on."""
    from api.staff.accounts import address

    typer.echo(address(settings.api.public_url or _server(settings), link.token))
    typer.echo(f"It works once, within {settings.api.invitation_hours} hours.", err=True)


def _server(settings: "Settings") -> str:
    """Where the server is that runs on this machine, or would be."""
    from api.bootstrap import owner_file

    file = owner_file(settings)
    told = json.loads(file.read_text(encoding="utf-8") or "{}") if file.exists() else {}
    return str(told.get("url") or f"http://{settings.api.host}:{settings.api.port}")
