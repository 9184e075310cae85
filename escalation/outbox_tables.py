"""What is owed to people outside: events that nobody was told of yet, and every message with how its delivery stands."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from escalation.tables import Base

SHORT = 300


class Way(StrEnum):
    """How a message goes out, and to whom: e-mail to staff, the visitor's reply, the question whether an address is theirs, a webhook."""

    MAIL = "mail"
    REPLY = "reply"
    CONFIRM = "confirm"
    WEBHOOK = "webhook"


class DeliveryState(StrEnum):
    """How a delivery stands. Dropped: there was nobody left to tell, or nothing left to say."""

    WAITING = "waiting"
    SENT = "sent"
    DEAD = "dead"
    DROPPED = "dropped"


class Outbox(Base):
    """A ticket event that somebody must be told of; written with the event, deleted when its deliveries are."""

    __tablename__ = "outbox"

    event_id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False)
    ticket_id: Mapped[str] = mapped_column(String(32))
    kind: Mapped[str] = mapped_column(String(24))
    by: Mapped[str] = mapped_column(String(200))
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    at: Mapped[datetime]


class Delivery(Base):
    """One message to one recipient. Its id goes out with it, the same at every try, so that a receiver knows a double.

    `recipient` is an account, a webhook or a conversation, never an address: that is read when the message is written.
    `event_id` keeps the order of what happened; 0 where it was no event of a ticket.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        Index(
            "ix_delivery_waiting",
            "way",
            "next_at",
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
        Index("ix_delivery_state_created_at", "state", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    way: Mapped[str] = mapped_column(String(8))
    recipient: Mapped[str] = mapped_column(String(64))
    event_id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"))
    ticket_id: Mapped[str] = mapped_column(String(32))
    kind: Mapped[str] = mapped_column(String(24))
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(String(8))
    tries: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(String(SHORT), default="")
    happened_at: Mapped[datetime]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
