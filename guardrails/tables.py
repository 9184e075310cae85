"""What is stored of guard decisions: each one, the head of their chain, and what people thought of the blocks."""

from datetime import datetime
from typing import Any, NewType

from sqlalchemy import JSON, DateTime, ForeignKey, Index, MetaData, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

DecisionId = NewType("DecisionId", int)

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The guardrails' own metadata: no other folder's table is in it."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - the name SQLAlchemy reads
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSON,
        list[Any]: JSON,
    }


class GuardDecision(Base):
    """One decision of a guard, a pass included; `text` and `salt` may be erased, everything else is chained."""

    __tablename__ = "guard_decision"
    __table_args__ = (Index("ix_guard_decision_conversation", "conversation_id"), Index("ix_guard_decision_at", "at"))

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    stage: Mapped[str] = mapped_column(String(16))
    conversation_id: Mapped[str | None] = mapped_column(String(64))
    turn_id: Mapped[str | None] = mapped_column(String(64))
    version: Mapped[str] = mapped_column(String(64))
    action: Mapped[str | None] = mapped_column(String(16))
    policy: Mapped[str | None] = mapped_column(String(40))
    blocked: Mapped[bool]
    language: Mapped[str | None] = mapped_column(String(8))
    milliseconds: Mapped[float]
    findings: Mapped[list[Any]]
    scores: Mapped[dict[str, Any]]
    text: Mapped[str | None] = mapped_column(Text)
    salt: Mapped[str | None] = mapped_column(String(64))
    text_digest: Mapped[str] = mapped_column(String(64))
    previous: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))


class LedgerHead(Base):
    """One row: how many decisions there are and the digest of the last; print it elsewhere to prove that no tail was cut."""

    __tablename__ = "guard_ledger_head"

    id: Mapped[int] = mapped_column(primary_key=True)
    count: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))


class Judgement(Base):
    """What a person thinks of one block."""

    __tablename__ = "guard_judgement"

    number: Mapped[int] = mapped_column(ForeignKey("guard_decision.number", ondelete="CASCADE"), primary_key=True)
    right: Mapped[bool]
    by: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime]
