"""What is stored of a ticket: itself, everything that ever happened to it, its notes, and reply templates."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NewType

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

TicketId = NewType("TicketId", str)
EventId = NewType("EventId", int)
NoteId = NewType("NoteId", str)

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class TicketState(StrEnum):
    """Where a ticket stands on the way from "somebody must look" to "done"."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    IN_DIAGNOSIS = "in_diagnosis"
    WAITING_CUSTOMER = "waiting_customer"
    WAITING_THIRD_PARTY = "waiting_third_party"
    RESOLVED = "resolved"
    CLOSED = "closed"


class Priority(StrEnum):
    """How soon, the least urgent first."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


URGENCY = {Priority.URGENT: 0, Priority.HIGH: 1, Priority.NORMAL: 2, Priority.LOW: 3}  # how a worklist is sorted


class Reason(StrEnum):
    """Why a conversation came, or should come, to a person."""

    POLICY_HANDOVER = "policy_handover"
    FORM = "form"
    ASKED = "asked"
    UNKNOWN_LANGUAGE = "unknown_language"
    POLICY_REFUSED = "policy_refused"
    POLICY_ROUTED = "policy_routed"
    NOT_SOLVED = "not_solved"
    REPEATED = "repeated"
    FAILED_TURNS = "failed_turns"
    ANGER = "anger"
    NOT_COVERED = "not_covered"


class Channel(StrEnum):
    """Where a ticket came in and the answer is awaited, which decides how soon somebody expects it."""

    CHAT = "chat"
    FORM = "form"
    EMAIL = "email"


class ClockKind(StrEnum):
    """What a clock measures: three promises to the visitor, and the time of a tier of the escalation chain."""

    FIRST_REPLY = "first_reply"
    NEXT_REPLY = "next_reply"
    RESOLUTION = "resolution"
    TIER = "tier"


class ClockState(StrEnum):
    """How a clock stands. Dropped: it ended in time, but without what it waited for; merged: another ticket carries it on."""

    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    BREACHED = "breached"
    DROPPED = "dropped"
    MERGED = "merged"


FAR = datetime(2200, 1, 1, tzinfo=UTC)  # when nothing is due: an index sorts it last, and it fits the address of a page


class EventKind(StrEnum):
    """What happened to a ticket."""

    OPENED = "opened"
    MOVED = "moved"
    REOPENED = "reopened"
    ASSIGNED = "assigned"
    NOTED = "noted"
    REPLIED = "replied"
    QUEUE_CHANGED = "queue_changed"
    PRIORITY_CHANGED = "priority_changed"
    DESCRIBED = "described"
    ASKED = "asked"
    MERGED = "merged"
    ABSORBED = "absorbed"
    LINKED = "linked"
    UNLINKED = "unlinked"
    VISITOR_WROTE = "visitor_wrote"
    RATED = "rated"
    REACHED = "reached"
    CLOCK_WARNED = "clock_warned"
    CLOCK_BREACHED = "clock_breached"
    ESCALATED = "escalated"


QUIET = frozenset({EventKind.CLOCK_WARNED, EventKind.CLOCK_BREACHED, EventKind.ESCALATED})  # nothing to read before one answers


def partial(name: str, where: str, *columns: str) -> Index:
    """An index over the tickets for which `where` holds; a query uses it when it says the same in the same words."""
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


def living(name: str, *columns: str) -> Index:
    """An index over the tickets that still need work."""
    return partial(name, "state NOT IN ('resolved', 'closed')", *columns)


class AppendOnlyError(Exception):
    """Something tried to change what already happened."""


class Base(DeclarativeBase):
    """Escalation's own metadata: no other folder's table is in it."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - the name SQLAlchemy reads
        TicketId: String(32),
        NoteId: String(32),
        EventId: BigInteger().with_variant(Integer, "sqlite"),  # SQLite numbers rows by itself only as INTEGER
        datetime: DateTime(timezone=True),
        list[str]: JSON,
        list[dict[str, Any]]: JSON,
        dict[str, Any]: JSON,
    }


class Ticket(Base):
    """What a person must know to continue; a field that is None was not said.

    `version` counts the changes, `urgency` sorts by priority; `boundary_at` is where the assistant's memory starts again after a resolve.
    """

    __tablename__ = "ticket"
    __table_args__ = (
        UniqueConstraint("number"),
        # What needs work, in the order of work: all, of a queue, nobody's, somebody's, what waits; what is counted; what is done.
        living("ix_ticket_worklist", "urgency", "opened_at", "number"),
        living("ix_ticket_queue", "queue", "urgency", "opened_at", "number"),
        living("ix_ticket_counted", "queue", "assignee", "state"),
        partial("ix_ticket_unassigned", "assignee IS NULL AND state NOT IN ('resolved', 'closed')", "urgency", "opened_at", "number"),
        living("ix_ticket_assignee", "assignee", "urgency", "opened_at", "number"),
        partial("ix_ticket_waiting", "state IN ('waiting_customer', 'waiting_third_party')", "urgency", "opened_at", "number"),
        # the same by the clock that is due next
        living("ix_ticket_due", "next_due_at", "number"),
        living("ix_ticket_queue_due", "queue", "next_due_at", "number"),
        partial("ix_ticket_unassigned_due", "assignee IS NULL AND state NOT IN ('resolved', 'closed')", "next_due_at", "number"),
        living("ix_ticket_assignee_due", "assignee", "next_due_at", "number"),
        partial("ix_ticket_waiting_due", "state IN ('waiting_customer', 'waiting_third_party')", "next_due_at", "number"),
        partial("ix_ticket_clock_book", "state <> 'closed'", "clock_book"),
        partial("ix_ticket_resolved", "state = 'resolved'", "number"),
        partial("ix_ticket_closed", "state = 'closed'", "number"),
        Index("ix_ticket_contact_email", "contact_email"),
        Index("ix_ticket_incident_id", "incident_id"),
        Index("ix_ticket_merged_into", "merged_into"),
        Index(  # one conversation, at most one ticket that still lives
            "uq_ticket_live_conversation",
            "conversation_id",
            unique=True,
            sqlite_where=text("state <> 'closed'"),
            postgresql_where=text("state <> 'closed'"),
        ),
        CheckConstraint("merged_into IS NULL OR (state = 'closed' AND merged_into <> id)", name="merged_is_closed"),
        CheckConstraint("incident_id IS NULL OR incident_id <> id", name="not_its_own_incident"),
    )

    id: Mapped[TicketId] = mapped_column(primary_key=True)
    number: Mapped[int]
    conversation_id: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(24))
    queue: Mapped[str] = mapped_column(String(40))
    priority: Mapped[str] = mapped_column(String(8))
    urgency: Mapped[int]
    reason: Mapped[str] = mapped_column(String(24))
    reason_text: Mapped[str] = mapped_column(Text, default="")
    language: Mapped[str] = mapped_column(String(8))

    contact_name: Mapped[str | None] = mapped_column(String(200))
    contact_email: Mapped[str | None] = mapped_column(String(320))
    contact_verified: Mapped[bool] = mapped_column(default=False)
    role: Mapped[str | None] = mapped_column(String(200))
    account: Mapped[str | None] = mapped_column(String(200))
    plan: Mapped[str | None] = mapped_column(String(200))

    goal: Mapped[str | None] = mapped_column(Text)
    symptom: Mapped[str | None] = mapped_column(Text)
    error_texts: Mapped[list[str]] = mapped_column(default=list)
    tried: Mapped[list[str]] = mapped_column(default=list)

    environment: Mapped[str | None] = mapped_column(Text)
    device: Mapped[str | None] = mapped_column(String(200))
    browser: Mapped[str | None] = mapped_column(String(200))
    os: Mapped[str | None] = mapped_column(String(200))
    app_version: Mapped[str | None] = mapped_column(String(100))
    page: Mapped[str | None] = mapped_column(String(2000))
    locale: Mapped[str | None] = mapped_column(String(35))

    tags: Mapped[list[str]] = mapped_column(default=list)
    asked: Mapped[list[str]] = mapped_column(default=list)
    sources: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))
    findings: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    related: Mapped[list[str]] = mapped_column(default=list)
    merged_into: Mapped[TicketId | None] = mapped_column(ForeignKey("ticket.id"))
    incident_id: Mapped[TicketId | None] = mapped_column(ForeignKey("ticket.id"))
    assignee: Mapped[str | None] = mapped_column(String(200))

    channel: Mapped[str] = mapped_column(String(8), default=Channel.CHAT, server_default=Channel.CHAT)
    next_due_at: Mapped[datetime] = mapped_column(default=FAR, server_default="2200-01-01 00:00:00.000000")
    next_clock: Mapped[str] = mapped_column(String(16), default="", server_default="")
    clock_state: Mapped[str] = mapped_column(String(16), default="", server_default="")
    chain: Mapped[str] = mapped_column(String(40), default="", server_default="")
    tier: Mapped[int] = mapped_column(default=0, server_default="0")
    clock_book: Mapped[str] = mapped_column(String(12), default="", server_default="")

    rating: Mapped[int | None]
    rating_text: Mapped[str | None] = mapped_column(Text)
    becomes_faq: Mapped[bool] = mapped_column(default=False)

    version: Mapped[int]
    opened_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    reopened_at: Mapped[datetime | None]
    boundary_at: Mapped[datetime | None]


class TicketEvent(Base):
    """One change of a ticket, never altered; `version` is the ticket's after it, so no change can be told twice.

    Ids rise, and rise with the version within a ticket; on Postgres two tickets' events may become visible out of order.
    """

    __tablename__ = "ticket_event"
    __table_args__ = (UniqueConstraint("ticket_id", "version"), {"sqlite_autoincrement": True})

    id: Mapped[EventId] = mapped_column(primary_key=True, autoincrement=True)
    ticket_id: Mapped[TicketId] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    version: Mapped[int]
    kind: Mapped[str] = mapped_column(String(24))
    by: Mapped[str] = mapped_column(String(200))
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    at: Mapped[datetime]


class TicketClock(Base):
    """A clock of a ticket, as its events tell it; `version` is that of the event that started it.

    Lengths are whole seconds of working time. `alarm_at` is when the ticket's next event by itself is due.
    """

    __tablename__ = "ticket_clock"
    __table_args__ = (
        partial("ix_ticket_clock_alarm_at", "alarm_at IS NOT NULL", "alarm_at"),
        Index("ix_ticket_clock_started_at", "started_at"),
    )

    ticket_id: Mapped[TicketId] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(String(16))
    queue: Mapped[str] = mapped_column(String(40))
    started_at: Mapped[datetime]
    span_s: Mapped[int]
    spent_s: Mapped[int]
    calendar: Mapped[str] = mapped_column(String(80))
    due_at: Mapped[datetime | None]
    alarm_at: Mapped[datetime | None]
    warned_at: Mapped[datetime | None]
    breached_at: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    tier: Mapped[int] = mapped_column(default=0)


class TicketText(Base):
    """What full-text search reads of a ticket, by its number; written anew by `finding.index` when any of it changes."""

    __tablename__ = "ticket_text"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    ticket_id: Mapped[TicketId] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), unique=True)
    text: Mapped[str] = mapped_column(Text)


class Note(Base):
    """What agents tell each other; no visitor ever reads it."""

    __tablename__ = "ticket_note"
    __table_args__ = (Index("ix_ticket_note_ticket_id", "ticket_id", "at"),)

    id: Mapped[NoteId] = mapped_column(primary_key=True)
    ticket_id: Mapped[TicketId] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    by: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class ReplyTemplate(Base):
    """A reply that agents wrote for themselves; the shipped ones are in data/replies.yaml."""

    __tablename__ = "reply_template"
    __table_args__ = (UniqueConstraint("name", "language"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    language: Mapped[str] = mapped_column(String(8))
    kind: Mapped[str] = mapped_column(String(24))
    text: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(String(200))
    updated_at: Mapped[datetime]


class Counter(Base):
    """The last number given out, raised inside the transaction that uses it: no gaps, no doubles."""

    __tablename__ = "ticket_counter"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[int]


@event.listens_for(TicketEvent, "before_update")
def _refuse_update(_mapper: object, _connection: object, happened: TicketEvent) -> None:
    raise AppendOnlyError(f"event {happened.id} already happened and cannot be changed")
