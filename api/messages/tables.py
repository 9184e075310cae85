"""Where messages go: webhooks, what staff want to be told, checks of visitors' addresses, and the links in their mails."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from api.tables import Base


class WebhookFormat(StrEnum):
    """What a webhook's receiver understands: Standard Webhooks, signed; or a text for a chat, as Slack takes it."""

    STANDARD = "standard"
    SLACK = "slack"


class Webhook(Base):
    """An address that is told of ticket events. The secrets are kept as they are, for they sign; no page shows them twice.

    No `kinds` means every kind. After failures in a row it rests until `rests_until`.
    """

    __tablename__ = "webhook"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    url: Mapped[str] = mapped_column(String(2000))
    format: Mapped[str] = mapped_column(String(8))
    secret: Mapped[str] = mapped_column(String(100))
    old_secret: Mapped[str] = mapped_column(String(100), default="")
    old_secret_until: Mapped[datetime | None]
    kinds: Mapped[list[str]] = mapped_column(JSON, default=list)
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(100))
    disabled_at: Mapped[datetime | None]
    disabled_why: Mapped[str] = mapped_column(String(200), default="")
    failures: Mapped[int] = mapped_column(default=0)
    rests_until: Mapped[datetime | None]


class Unwanted(Base):
    """A kind of message that a member of staff does not want by e-mail."""

    __tablename__ = "unwanted_mail"

    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    choice: Mapped[str] = mapped_column(String(16), primary_key=True)


class Follow(Base):
    """A queue that a member of staff follows (`queue billing`), or a tier of a chain that they stand for (`tier Engineering lead`)."""

    __tablename__ = "follow"

    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    what: Mapped[str] = mapped_column(String(120), primary_key=True)


class AddressCheck(Base):
    """When an address was last asked whether it is the visitor's; `caller` is a hash of where the request came from."""

    __tablename__ = "address_check"
    __table_args__ = (Index("ix_address_check_caller", "caller", "asked_at"),)

    email: Mapped[str] = mapped_column(String(320), primary_key=True)
    caller: Mapped[str] = mapped_column(String(64))
    asked_at: Mapped[datetime]


class VisitorLink(Base):
    """A link in a visitor's mail; only its hash is kept. It opens one request in one browser, or confirms `email` for it."""

    __tablename__ = "visitor_link"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(8))
    conversation_id: Mapped[str] = mapped_column(String(32), index=True)
    email: Mapped[str] = mapped_column(String(320))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
