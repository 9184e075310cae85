"""The ways out of this server: mail and webhooks, as the settings say. Built once in bootstrap; nothing else opens a connection."""

from dataclasses import dataclass

from api.messages.guarded import Internal, Limits, Poster
from api.messages.mailing import Mailer
from api.settings import ApiSettings

WEBHOOK_SECONDS = 15.0  # Standard Webhooks: 15 to 30 s


@dataclass(frozen=True)
class Channels:
    """No `mailer` means that no mail is sent to anybody."""

    mailer: Mailer | None
    poster: Poster


def channels_of(api: ApiSettings) -> Channels:
    """As the settings say."""
    mailer = None
    if api.smtp_host:
        mailer = Mailer(
            host=api.smtp_host,
            port=api.smtp_port,
            security=api.smtp_security,
            user=api.smtp_user,
            password=api.smtp_password,
            sender=api.smtp_from,
            seconds=api.smtp_seconds,
        )
    return Channels(mailer, Poster(Internal.of(api.webhook_internal), Limits(seconds=WEBHOOK_SECONDS)))
