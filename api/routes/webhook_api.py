"""Webhooks over HTTP, for admins who are signed in like a browser and send X-CSRF-Token."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, Field

from api.bootstrap import new_secret_bytes
from api.context import limits_address, service_of
from api.messages import webhooks
from api.messages.tables import Webhook, WebhookFormat
from api.messages.webhooks import Wanted
from api.shapes import In, problems
from api.staff.door import Admins

router = APIRouter(prefix="/api/desk/webhooks", tags=["desk"], dependencies=[Depends(limits_address)])
READ = problems(401, 403, 422, 429, 503)
CHANGE = problems(400, 401, 403, 404, 413, 415, 422, 429, 503)
WebhookId = Annotated[str, Path(max_length=32)]


class WebhookIn(In):
    """What a webhook is; no `kinds` means every kind of event."""

    name: Annotated[str, Field(min_length=1, max_length=100, examples=["Team chat"])]
    url: Annotated[str, Field(min_length=1, max_length=2000, examples=["https://hooks.example.com/firstline"])]
    format: WebhookFormat = WebhookFormat.STANDARD
    kinds: Annotated[list[Annotated[str, Field(max_length=24)]], Field(max_length=40, default_factory=list)]

    def wanted(self) -> Wanted:
        """As it is kept."""
        return Wanted(self.name, self.url, self.format, self.kinds)


class WebhookOut(BaseModel):
    """A webhook; of its address only the host, and its secret only in the answer that made it."""

    id: str
    name: str
    host: str
    format: str
    kinds: list[str]
    created_at: datetime
    disabled_at: datetime | None
    disabled_why: str
    secret: str | None = None


class WebhooksOut(BaseModel):
    """Every webhook by name."""

    webhooks: list[WebhookOut]


@router.get("", responses=READ)
def read_webhooks(request: Request, _me: Admins) -> WebhooksOut:
    """Every webhook."""
    with service_of(request).database.read() as session:
        return WebhooksOut(webhooks=[_out(one) for one in webhooks.everyone(session)])


@router.post("", status_code=201, responses=CHANGE)
def add_webhook(body: WebhookIn, request: Request, me: Admins) -> WebhookOut:
    """A new webhook, with the secret that signs: it is told this once."""
    service = service_of(request)
    secret = webhooks.secret_of(new_secret_bytes())
    internal = service.channels.poster.internal
    with service.database.write() as session:
        made = webhooks.add(session, body.wanted(), internal, new_id=service.new_id(), secret=secret, by=me.account_id, now=service.now())
        return _out(made, secret)


@router.put("/{webhook_id}", responses=CHANGE)
def change_webhook(webhook_id: WebhookId, body: WebhookIn, request: Request, _me: Admins) -> WebhookOut:
    """Another name, address, format or kinds; the secret stays."""
    service = service_of(request)
    with service.database.write() as session:
        return _out(webhooks.change(session, webhook_id, body.wanted(), service.channels.poster.internal))


@router.post("/{webhook_id}/rotate", responses=CHANGE)
def rotate_webhook(webhook_id: WebhookId, request: Request, _me: Admins) -> WebhookOut:
    """A new secret, told this once; for a day messages are signed with both."""
    service = service_of(request)
    secret = webhooks.secret_of(new_secret_bytes())
    with service.database.write() as session:
        return _out(webhooks.rotate(session, webhook_id, secret, now=service.now()), secret)


@router.delete("/{webhook_id}", status_code=204, responses=CHANGE)
def drop_webhook(webhook_id: WebhookId, request: Request, _me: Admins) -> None:
    """Forget a webhook."""
    with service_of(request).database.write() as session:
        webhooks.drop(session, webhook_id)


def _out(one: Webhook, secret: str | None = None) -> WebhookOut:
    return WebhookOut(
        id=one.id,
        name=one.name,
        host=webhooks.host_of(one),
        format=one.format,
        kinds=list(one.kinds),
        created_at=one.created_at,
        disabled_at=one.disabled_at,
        disabled_why=one.disabled_why,
        secret=secret,
    )
