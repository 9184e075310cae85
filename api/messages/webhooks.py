"""Webhooks: kept by admins, signed by Standard Webhooks (https://www.standardwebhooks.com), or a line for a chat as Slack takes it.

What goes there: numbers, names of states and queues, and links; no word of a visitor and no address of anybody.
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session
from standardwebhooks.webhooks import Webhook as Signer

from api.messages.guarded import ForbiddenAddress, Internal, target_of
from api.messages.tables import Webhook, WebhookFormat
from escalation.notifications import RULES
from escalation.outbox_tables import Delivery
from escalation.tables import Ticket

MOST = 20
OLD_SECRET_LASTS = timedelta(hours=24)
REST_AFTER = 5  # failures in a row
SHORTEST_REST, LONGEST_REST = timedelta(seconds=15), timedelta(minutes=5)
NAME_CHARACTERS = 100
FIELDS = (
    "event, time and id",
    "ticket: number, state, queue, priority, language",
    "who did it: visitor, assistant, clock or agent",
    "link",
)
DETAILS = (
    "from",
    "to",
    "reason",
    "stars",
    "clock",
    "due",
    "chain",
    "tier",
    "who",
    "number",
)  # of an event; none of them is a visitor's word


class BadWebhook(ValueError):
    """A webhook that cannot be kept like that."""


class NoSuchWebhook(LookupError):
    """No webhook has that id."""


@dataclass(frozen=True)
class Wanted:
    """What an admin asks for; no `kinds` means every kind of event."""

    name: str
    url: str
    format: WebhookFormat = WebhookFormat.STANDARD
    kinds: Sequence[str] = ()


@dataclass(frozen=True)
class Signed:
    """A request as it goes out."""

    headers: Mapping[str, str]
    body: bytes


def secret_of(drawn: bytes) -> str:
    """A secret in the standard's form, from 24 to 64 random bytes."""
    return "whsec_" + base64.b64encode(drawn).decode()


def add(session: Session, wanted: Wanted, internal: Internal, *, new_id: str, secret: str, by: str, now: datetime) -> Webhook:
    """Keep a new webhook. Raise BadWebhook, which says what is wrong."""
    if len(everyone(session)) >= MOST:
        raise BadWebhook(f"There are {MOST} webhooks already; drop one first.")
    checked = _checked(wanted, internal)
    made = Webhook(
        id=new_id,
        name=checked.name,
        url=checked.url,
        format=checked.format,
        secret=secret,
        kinds=list(checked.kinds),
        created_at=now,
        created_by=by,
    )
    session.add(made)
    session.flush()
    return made


def change(session: Session, webhook_id: str, wanted: Wanted, internal: Internal) -> Webhook:
    """Other name, address or kinds; the secret stays. Raise NoSuchWebhook, BadWebhook."""
    found, checked = get(session, webhook_id), _checked(wanted, internal)
    found.name, found.url, found.format, found.kinds = checked.name, checked.url, checked.format, list(checked.kinds)
    found.failures, found.rests_until = 0, None
    return found


def rotate(session: Session, webhook_id: str, secret: str, *, now: datetime) -> Webhook:
    """A new secret; for a day messages are signed with both, so that the receiver can change over. Raise NoSuchWebhook."""
    found = get(session, webhook_id)
    found.old_secret, found.old_secret_until, found.secret = found.secret, now + OLD_SECRET_LASTS, secret
    return found


def disable(session: Session, webhook_id: str, why: str, *, now: datetime) -> Webhook:
    """Tell it nothing more. Raise NoSuchWebhook."""
    found = get(session, webhook_id)
    found.disabled_at, found.disabled_why = now, why
    return found


def enable(session: Session, webhook_id: str) -> Webhook:
    """Tell it of what happens from now on. Raise NoSuchWebhook."""
    found = get(session, webhook_id)
    found.disabled_at, found.disabled_why, found.failures, found.rests_until = None, "", 0, None
    return found


def drop(session: Session, webhook_id: str) -> None:
    """Forget it. Raise NoSuchWebhook."""
    session.delete(get(session, webhook_id))
    session.flush()


def get(session: Session, webhook_id: str) -> Webhook:
    """One webhook. Raise NoSuchWebhook."""
    found = session.get(Webhook, webhook_id)
    if found is None:
        raise NoSuchWebhook("there is no such webhook")
    return found


def everyone(session: Session) -> list[Webhook]:
    """Every webhook by name."""
    return list(session.scalars(select(Webhook).order_by(Webhook.name, Webhook.id)))


def listening(session: Session, kind: str) -> list[str]:
    """Ids of the webhooks in use that want this kind of event."""
    return [one.id for one in everyone(session) if one.disabled_at is None and (not one.kinds or kind in one.kinds)]


def host_of(webhook: Webhook) -> str:
    """Where it goes, without the path: a Slack address is a secret itself."""
    return urlsplit(webhook.url).hostname or ""


def answered(webhook: Webhook, *, well: bool, now: datetime) -> None:
    """Note how the receiver answered: after five failures in a row it rests, longer each time, up to five minutes."""
    webhook.failures = 0 if well else webhook.failures + 1
    over = webhook.failures - REST_AFTER
    webhook.rests_until = None if over < 0 else now + min(SHORTEST_REST * 2 ** min(over, 10), LONGEST_REST)


def signed(webhook: Webhook, delivery: Delivery, ticket: Ticket, link: str, *, now: datetime) -> Signed:
    """The request for one delivery: the same id and text at every try, the time and signature of this one."""
    if webhook.format == WebhookFormat.SLACK:
        return Signed({"Content-Type": "application/json"}, _json({"text": _line(delivery, ticket, link)}))
    body = _json({"type": f"ticket.{delivery.kind}", "timestamp": delivery.happened_at.isoformat(), "data": _data(delivery, ticket, link)})
    secrets = [webhook.secret]
    if webhook.old_secret and webhook.old_secret_until and now < webhook.old_secret_until:
        secrets.append(webhook.old_secret)
    signatures = " ".join(Signer(secret).sign(delivery.id, now, body.decode()) for secret in secrets)
    headers = {
        "Content-Type": "application/json",
        "webhook-id": delivery.id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signatures,
    }
    return Signed(headers, body)


def _data(delivery: Delivery, ticket: Ticket, link: str) -> dict[str, Any]:
    by = delivery.details.get("by", "")
    return {
        "number": ticket.number,
        "state": ticket.state,
        "queue": ticket.queue,
        "priority": ticket.priority,
        "language": ticket.language,
        "by": by if by in {"visitor", "assistant", "clock"} else "agent",
        "details": {name: delivery.details[name] for name in DETAILS if name in delivery.details},
        "url": link,
    }


def _line(delivery: Delivery, ticket: Ticket, link: str) -> str:
    """One line in Slack's own markup, in which three signs must be escaped."""
    rule = RULES.get(delivery.kind)
    told = f"{rule.title if rule else delivery.kind}: ticket {ticket.number} ({ticket.queue}, {ticket.priority}, {ticket.state})"
    escaped = told.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"{escaped} <{link}|Open>" if link.startswith(("https://", "http://")) else escaped


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()


def _checked(wanted: Wanted, internal: Internal) -> Wanted:
    name = re.sub(r"\s+", " ", wanted.name).strip()
    if not name or len(name) > NAME_CHARACTERS or not name.isprintable():
        raise BadWebhook(f"Give it a name of at most {NAME_CHARACTERS} letters.")
    try:
        target_of(wanted.url.strip(), internal)
    except ForbiddenAddress as wrong:
        raise BadWebhook(f"It cannot be told there: {wrong}.") from None
    if unknown := set(wanted.kinds) - set(RULES):
        raise BadWebhook(f"There is no kind of event called {', '.join(sorted(unknown))}.")
    return Wanted(name, wanted.url.strip(), WebhookFormat(wanted.format), sorted(wanted.kinds))
