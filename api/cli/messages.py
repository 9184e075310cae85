"""The command line's side of messages: what was given up, and webhooks. Works beside a running server."""

from datetime import UTC
from typing import Annotated

import typer

outbox = typer.Typer(no_args_is_help=True, help="Messages to staff, visitors and webhooks.")
webhooks = typer.Typer(no_args_is_help=True, help="Addresses that are told what happens to tickets.")
BY = "command line"
Id = Annotated[str, typer.Argument(help="The webhook's id, as `firstline webhooks list` shows it.")]


@outbox.command("list")
def list_messages(state: Annotated[str, typer.Option(help="dead, waiting, sent or dropped.")] = "dead") -> None:
    """Messages in a state, the latest first, and how many there are in each."""
    from api.cli.main import database, fail
    from escalation import outbox as store
    from escalation.outbox_tables import DeliveryState

    if state not in list(DeliveryState):
        fail(f"there is no state {state}; choose {', '.join(DeliveryState)}")
    with database() as opened, opened.read() as session:
        for one in store.listed(session, DeliveryState(state), 1000):
            when = f"{one.happened_at.astimezone(UTC):%Y-%m-%d %H:%M}"
            typer.echo(f"{one.id}  {when}  {one.way:8} {one.kind:16} {one.tries} tries  {one.error}")
        counted = store.counts(session)
    typer.echo(", ".join(f"{count} {name}" for name, count in counted.items()), err=True)


@outbox.command("replay")
def replay_messages(
    name: Annotated[str, typer.Argument(help="The message's id.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Everything that was given up.")] = False,
) -> None:
    """Send again what was given up, with the id it had."""
    from api.bootstrap import utc_now
    from api.cli.main import database, fail
    from escalation import outbox as store

    if bool(name) == every:
        fail("name one message, or say --all")
    with database() as opened, opened.write() as session:
        try:
            count = store.replay_all(session, now=utc_now()) if every else bool(store.replay(session, name, now=utc_now()))
        except store.NoSuchDelivery as wrong:
            fail(str(wrong))
    typer.echo(f"{int(count)} to be sent again")


@webhooks.command("list")
def list_webhooks() -> None:
    """Every webhook; of its address only the host."""
    from api.cli.main import database
    from api.messages import webhooks as kept

    with database() as opened, opened.read() as session:
        for one in kept.everyone(session):
            state = f"off: {one.disabled_why}" if one.disabled_at else f"{one.failures} failures" if one.failures else "on"
            typer.echo(f"{one.id}  {one.format:8} {kept.host_of(one):30} {state:14} {one.name}  {','.join(one.kinds) or 'all events'}")


@webhooks.command("add")
def add_webhook(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    url: Annotated[str, typer.Argument(help="Its address.")],
    slack: Annotated[bool, typer.Option("--slack", help="A line for a chat instead of a signed message.")] = False,
    event: Annotated[list[str] | None, typer.Option(help="Only this kind of event; may be given several times.")] = None,
) -> None:
    """Keep a webhook and print its secret: it is shown this once."""
    from api.bootstrap import new_id, new_secret_bytes, utc_now
    from api.cli.main import database, fail
    from api.messages import webhooks as kept
    from api.messages.channels import channels_of
    from api.messages.tables import WebhookFormat
    from api.settings import from_environment

    internal = channels_of(from_environment().api).poster.internal
    secret = kept.secret_of(new_secret_bytes())
    wanted = kept.Wanted(name, url, WebhookFormat.SLACK if slack else WebhookFormat.STANDARD, event or ())
    with database() as opened, opened.write() as session:
        try:
            made = kept.add(session, wanted, internal, new_id=new_id(), secret=secret, by=BY, now=utc_now())
        except kept.BadWebhook as wrong:
            fail(str(wrong))
    typer.echo(f"added {made.id}", err=True)
    if not slack:
        typer.echo(secret)


@webhooks.command("rotate")
def rotate_webhook(webhook_id: Id) -> None:
    """Print a new secret; for a day messages are signed with both."""
    from api.bootstrap import new_secret_bytes, utc_now
    from api.cli.main import database, fail
    from api.messages import webhooks as kept

    secret = kept.secret_of(new_secret_bytes())
    with database() as opened, opened.write() as session:
        try:
            kept.rotate(session, webhook_id, secret, now=utc_now())
        except kept.NoSuchWebhook as wrong:
            fail(str(wrong))
    typer.echo(secret)


@webhooks.command("drop")
def drop_webhook(webhook_id: Id) -> None:
    """Forget a webhook; what was waiting for it is dropped."""
    from api.cli.main import database, fail
    from api.messages import webhooks as kept

    with database() as opened, opened.write() as session:
        try:
            kept.drop(session, webhook_id)
        except kept.NoSuchWebhook as wrong:
            fail(str(wrong))
    typer.echo(f"dropped {webhook_id}")


@webhooks.command("disable")
def disable_webhook(webhook_id: Id) -> None:
    """Tell it nothing more."""
    _switch(webhook_id, on=False)


@webhooks.command("enable")
def enable_webhook(webhook_id: Id) -> None:
    """Tell it of what happens from now on."""
    _switch(webhook_id, on=True)


def _switch(webhook_id: str, *, on: bool) -> None:
    from api.bootstrap import utc_now
    from api.cli.main import database, fail
    from api.messages import webhooks as kept

    with database() as opened, opened.write() as session:
        try:
            found = kept.enable(session, webhook_id) if on else kept.disable(session, webhook_id, "by hand", now=utc_now())
        except kept.NoSuchWebhook as wrong:
            fail(str(wrong))
    typer.echo(f"{'on' if on else 'off'}: {found.name}")
