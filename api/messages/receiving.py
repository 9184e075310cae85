"""Who outside receives something from this server, and what: for the page that tells the operator, from the settings as they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from api.bootstrap import Service
from api.messages import webhooks
from api.messages.tables import WebhookFormat


@dataclass(frozen=True)
class Receiver:
    """One recipient: where, for what, and which fields go there."""

    name: str
    where: str
    what: Sequence[str]


def receivers(session: Session, service: Service) -> list[Receiver]:
    """Every external recipient that is set; none when nothing leaves this server."""
    api = service.settings.api
    found = []
    if service.channels.mailer is not None:
        found.append(Receiver("Mail server", f"{api.smtp_host}:{api.smtp_port} ({api.smtp_security})", MAIL_FIELDS))
    chat = service.settings.assistant
    if chat.chat_model:
        where = urlsplit(chat.chat_base_url).hostname or "the provider's own address"
        found.append(Receiver(f"Chat model {chat.chat_model}", where, CHAT_MODEL_FIELDS))
    for hook in webhooks.everyone(session):
        if hook.disabled_at is None:
            fields = CHAT_FIELDS if hook.format == WebhookFormat.SLACK else webhooks.FIELDS
            found.append(Receiver(f"Webhook “{hook.name}”", webhooks.host_of(hook), fields))
    return found


MAIL_FIELDS = (
    "to staff: address; ticket number, queue, priority, state, event, link",
    "to visitors with a confirmed address: address; request number, the agent's name and reply, link",
    "to an address that is not confirmed: address, fixed words, link",
)
CHAT_MODEL_FIELDS = ("the visitor's question and what was said before, without card numbers and secrets; passages of your articles",)
CHAT_FIELDS = ("one line: event, ticket number, queue, priority, state, link",)
