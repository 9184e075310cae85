"""Pages for whoever runs Firstline: jobs, messages and dead letters, webhooks, and who outside receives what."""

from http import HTTPStatus
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy import select

from api.bootstrap import new_secret_bytes
from api.context import limits_address, service_of
from api.jobs import leases as job_store
from api.jobs.kinds import JOBS
from api.messages import receiving, webhooks
from api.messages.tables import WebhookFormat
from api.messages.webhooks import BadWebhook, Wanted
from api.staff.door import Admins, go, page
from api.staff.sessions import Signed
from escalation import outbox
from escalation.notifications import RULES
from escalation.outbox_tables import DeliveryState
from escalation.tables import Ticket

log = structlog.get_logger()
router = APIRouter(prefix="/staff", include_in_schema=False, dependencies=[Depends(limits_address)])
HERE = "/staff/jobs"
SHOWN = 100
SAID = {
    "due": "The job is due; a worker takes it within seconds.",
    "replayed": "It is sent again, with the id it had.",
    "changed": "The webhook is changed.",
    "dropped": "The webhook is forgotten; what was waiting for it is dropped.",
}
TITLES = {"confirm": "Is this address yours?", "late": "Tickets that were late already"}
WAYS = {"mail": "Mail to staff", "reply": "Reply to a visitor", "confirm": "Question to an address", "webhook": "Webhook"}


@router.get("/jobs")
def jobs(request: Request, me: Admins, said: str = "") -> HTMLResponse:
    """What runs by itself, and how it went."""
    service = service_of(request)
    with service.database.read() as session:
        rows = job_store.listed(session, [job.name for job in JOBS])
    return page(request, "staff/jobs.html", me, here=HERE, jobs=JOBS, rows=rows, now=service.now(), flash=SAID.get(said, ""))


@router.post("/jobs/{name}/run")
def run_job(name: str, request: Request, me: Admins) -> Response:
    """Make a job due at once."""
    service = service_of(request)
    with service.database.write() as session:
        job_store.register(session, [job.name for job in JOBS], now=service.now())
        job_store.run_soon(session, name, now=service.now())
    log.info("job_made_due", job=name, by=me.account_id)
    return go("/staff/jobs?said=due")


@router.get("/outbox")
def messages(request: Request, me: Admins, said: str = "") -> HTMLResponse:
    """How many messages wait, went and were given up; the dead ones with a button."""
    service = service_of(request)
    with service.database.read() as session:
        counts = outbox.counts(session)
        dead = outbox.listed(session, DeliveryState.DEAD, SHOWN)
        waiting = outbox.listed(session, DeliveryState.WAITING, SHOWN)
        ids = {one.ticket_id for one in [*dead, *waiting]}
        numbers = {id_: number for id_, number in session.execute(select(Ticket.id, Ticket.number).where(Ticket.id.in_(ids)))}  # noqa: C416
        names = {hook.id: hook.name for hook in webhooks.everyone(session)}
    listed = {"counts": counts, "dead": dead, "waiting": waiting, "numbers": numbers, "names": names}
    said_of = {"ways": WAYS, "tries": outbox.TRIES, "titles": {kind: rule.title for kind, rule in RULES.items()} | TITLES}
    return page(request, "staff/outbox.html", me, here=HERE, flash=SAID.get(said, ""), **listed, **said_of)


@router.post("/outbox/replay")
def replay(request: Request, me: Admins, delivery: Annotated[str, Form(max_length=32)] = "") -> Response:
    """Send again what was given up: one message, or all of them."""
    service = service_of(request)
    with service.database.write() as session:
        if delivery:
            outbox.replay(session, delivery, now=service.now())
        else:
            outbox.replay_all(session, now=service.now())
    log.info("messages_replayed", delivery=delivery or "all", by=me.account_id)
    return go("/staff/outbox?said=replayed")


@router.get("/recipients")
def recipients(request: Request, me: Admins) -> HTMLResponse:
    """Who outside receives something, and what."""
    service = service_of(request)
    with service.database.read() as session:
        found = receiving.receivers(session, service)
    return page(request, "staff/recipients.html", me, here=HERE, receivers=found)


@router.get("/webhooks")
def hooks(request: Request, me: Admins, said: str = "") -> HTMLResponse:
    """Every webhook, and the form for a new one."""
    return _hooks(request, me, flash=SAID.get(said, ""))


@router.post("/webhooks")
def add_hook(
    request: Request,
    me: Admins,
    kinds: Annotated[list[str], Form(default_factory=list)],
    name: Annotated[str, Form(max_length=300)] = "",
    url: Annotated[str, Form(max_length=3000)] = "",
    form: Annotated[WebhookFormat, Form(alias="format")] = WebhookFormat.STANDARD,
) -> HTMLResponse:
    """A new webhook; its secret is shown this once."""
    service = service_of(request)
    secret = webhooks.secret_of(new_secret_bytes())
    try:
        with service.database.write() as session:
            wanted = Wanted(name, url, form, kinds)
            internal = service.channels.poster.internal
            made = webhooks.add(session, wanted, internal, new_id=service.new_id(), secret=secret, by=me.account_id, now=service.now())
    except BadWebhook as wrong:
        typed = {"name": name, "url": url, "format": form, "kinds": kinds}
        return _hooks(request, me, HTTPStatus.UNPROCESSABLE_ENTITY, wrong=str(wrong), typed=typed)
    log.info("webhook_added", webhook=made.id, by=me.account_id)
    return _hooks(request, me, secret=secret if form == WebhookFormat.STANDARD else "", secret_of=made.name)


@router.post("/webhooks/{webhook_id}/{verb}")
def change_hook(webhook_id: str, verb: str, request: Request, me: Admins) -> Response:
    """A new secret, off, on, or forgotten."""
    service = service_of(request)
    secret = webhooks.secret_of(new_secret_bytes())
    with service.database.write() as session:
        found = webhooks.get(session, webhook_id)
        if verb == "rotate":
            webhooks.rotate(session, webhook_id, secret, now=service.now())
        elif verb == "disable":
            webhooks.disable(session, webhook_id, "by hand", now=service.now())
        elif verb == "enable":
            webhooks.enable(session, webhook_id)
        elif verb == "drop":
            webhooks.drop(session, webhook_id)
        else:
            raise webhooks.NoSuchWebhook("a webhook cannot do that")
    log.info("webhook_changed", webhook=webhook_id, verb=verb, by=me.account_id)
    if verb == "rotate":
        return _hooks(request, me, secret=secret, secret_of=found.name)
    return go(f"/staff/webhooks?said={'dropped' if verb == 'drop' else 'changed'}")


def _hooks(request: Request, me: Signed, status: int = HTTPStatus.OK, **values: object) -> HTMLResponse:
    with service_of(request).database.read() as session:
        found = webhooks.everyone(session)
    typed = {"name": "", "url": "", "format": WebhookFormat.STANDARD, "kinds": []}
    shown = {
        "wrong": "",
        "secret": "",
        "secret_of": "",
        "typed": typed,
        "hooks": found,
        "host_of": webhooks.host_of,
        "rules": RULES,
        **values,
    }
    return page(request, "staff/webhooks.html", me, status, here=HERE, **shown)
