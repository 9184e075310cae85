"""What is stored of a conversation: its messages, its turns with how each ended, and the thumbs."""

from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

from sqlalchemy import JSON, DateTime, ForeignKey, Index, MetaData, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

ConversationId = NewType("ConversationId", str)
MessageId = NewType("MessageId", int)
TurnId = NewType("TurnId", str)

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Role(StrEnum):
    """Who wrote a message."""

    VISITOR = "visitor"
    ASSISTANT = "assistant"
    AGENT = "agent"


class Holder(StrEnum):
    """Who answers next in a conversation; never two at once."""

    ASSISTANT = "assistant"
    PERSON = "person"


class TurnState(StrEnum):
    """A running turn whose lease has passed was killed: whoever asks again runs it again."""

    RUNNING = "running"
    DONE = "done"


class Outcome(StrEnum):
    """How a turn ended; the first word is its family."""

    ANSWERED_FAQ = "answered_faq"
    ANSWERED_QUOTED = "answered_quoted"
    ANSWERED_WRITTEN = "answered_written"
    ANSWERED_IN_PART = "answered_in_part"
    SMALLTALK = "smalltalk"
    OFFERED_CHOICES = "offered_choices"
    REFUSED_POLICY = "refused_policy"
    UNANSWERED_NOT_COVERED = "unanswered_not_covered"
    ESCALATED_ASKED = "escalated_asked"
    ESCALATED_POLICY = "escalated_policy"
    ESCALATED_LANGUAGE = "escalated_language"
    ESCALATED_UNRESOLVED = "escalated_unresolved"
    ESCALATED_FEEDBACK = "escalated_feedback"
    ESCALATED_FORM = "escalated_form"
    DELIVERED = "delivered"
    MERGED = "merged"
    FAILED_ERROR = "failed_error"

    @property
    def family(self) -> str:
        """The first word: answered, offered, refused, unanswered, escalated, …."""
        return self.value.split("_", maxsplit=1)[0]


class Base(DeclarativeBase):
    """The assistant's own metadata."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - the name SQLAlchemy reads
        ConversationId: String(32),
        TurnId: String(32),
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSON,
        list[Any]: JSON,
    }


class Conversation(Base):
    """One visitor's exchange. Only the hash of its secret is kept.

    `boundary` is the last message of what a person has settled: the assistant reads nothing up to it.
    `details` is what the host page or a form told of the visitor, unverified.
    """

    __tablename__ = "conversation"

    id: Mapped[ConversationId] = mapped_column(primary_key=True)
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    holder: Mapped[str] = mapped_column(String(16), default=Holder.ASSISTANT)
    locale: Mapped[str] = mapped_column(String(16), default="en")
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    boundary: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class ConversationKey(Base):
    """A further secret that opens a conversation, for another browser of the same visitor; only its hash is kept."""

    __tablename__ = "conversation_key"

    secret_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    conversation_id: Mapped[ConversationId] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class Message(Base):
    """One message, as it may be kept: secrets and card numbers are placeholders already."""

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("conversation_id", "client_message_id"),
        Index("ix_message_conversation_id_id", "conversation_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    conversation_id: Mapped[ConversationId] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"))
    client_message_id: Mapped[str | None] = mapped_column(String(100))
    role: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(Text)
    content: Mapped[dict[str, Any]] = mapped_column(default=dict)
    at: Mapped[datetime]


class Turn(Base):
    """From a visitor's message to its reply, with what was found and decided on the way."""

    __tablename__ = "turn"
    __table_args__ = (Index("ix_turn_outcome_started_at", "outcome", "started_at"),)

    id: Mapped[TurnId] = mapped_column(primary_key=True)
    conversation_id: Mapped[ConversationId] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"), index=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"), unique=True)
    reply_id: Mapped[int | None] = mapped_column(ForeignKey("message.id", ondelete="SET NULL"))
    state: Mapped[str] = mapped_column(String(16))
    attempt: Mapped[int] = mapped_column(default=1)
    lease_until: Mapped[datetime]
    outcome: Mapped[str | None] = mapped_column(String(40))
    question: Mapped[str | None] = mapped_column(Text)
    language: Mapped[str | None] = mapped_column(String(8))
    probability: Mapped[float | None]
    trace: Mapped[dict[str, Any]] = mapped_column(default=dict)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class Feedback(Base):
    """A visitor's thumb on a reply; the last one counts."""

    __tablename__ = "feedback"

    message_id: Mapped[int] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"), primary_key=True)
    conversation_id: Mapped[ConversationId] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"), index=True)
    helpful: Mapped[bool]
    reason: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime]


class ModelCall(Base):
    """One call of the chat model and what it cost; `day` is the UTC day its tokens count for."""

    __tablename__ = "model_call"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    conversation_id: Mapped[ConversationId | None] = mapped_column(ForeignKey("conversation.id", ondelete="SET NULL"), index=True)
    day: Mapped[str] = mapped_column(String(10), index=True)
    prompt: Mapped[str] = mapped_column(String(20))
    fingerprint: Mapped[str] = mapped_column(String(16))
    model: Mapped[str] = mapped_column(String(200))
    input_tokens: Mapped[int]
    output_tokens: Mapped[int]
    milliseconds: Mapped[float | None]
    ended: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime]
