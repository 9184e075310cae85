"""What the door itself stores: keys of programs, accounts of staff, and what readers make of articles: views, thumbs, citations."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import DateTime, ForeignKey, Index, MetaData, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """The door's own metadata."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        },
    )
    type_annotation_map = {datetime: DateTime(timezone=True)}  # noqa: RUF012 - the name SQLAlchemy reads


class ApiKey(Base):
    """A key for programs that keep the articles; only its hash is stored."""

    __tablename__ = "api_key"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class StaffRole(StrEnum):
    """What a member of staff may do: agents work tickets, writers keep articles, admins both and the accounts."""

    AGENT = "agent"
    WRITER = "writer"
    ADMIN = "admin"


class Account(Base):
    """A member of staff. It is never deleted, only disabled: tickets and articles keep saying who worked on them."""

    __tablename__ = "account"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    role: Mapped[str] = mapped_column(String(16))
    password_hash: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class StaffSession(Base):
    """A signed-in browser; only the hash of its cookie is kept. `seen_at` is at most five minutes old while it is used."""

    __tablename__ = "staff_session"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    csrf: Mapped[str] = mapped_column(String(64))
    browser: Mapped[str] = mapped_column(String(60), default="")
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class Invitation(Base):
    """A link that works once and not for long: it makes an account, or gives `account_id` a new password; only its hash is kept."""

    __tablename__ = "invitation"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    email: Mapped[str] = mapped_column(String(254), default="")
    account_id: Mapped[str | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    invited_by: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    used_by: Mapped[str | None] = mapped_column(String(32))


class ArticleFeedback(Base):
    """A reader's thumb on an article of the help centre, with the reason; nobody's name is kept."""

    __tablename__ = "article_feedback"
    __table_args__ = (Index("ix_article_feedback_article_id_at", "article_id", "at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    article_id: Mapped[str] = mapped_column(String(32))
    revision: Mapped[int]
    helpful: Mapped[bool]
    reason: Mapped[str] = mapped_column(String(1000), default="")
    language: Mapped[str] = mapped_column(String(8))
    at: Mapped[datetime]


class ArticleViews(Base):
    """How often an article was opened on a day (UTC), in the help centre and the widget; by whom is not kept."""

    __tablename__ = "article_views"

    article_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    count: Mapped[int]


class ArticleCited(Base):
    """That a reply of the assistant used an article: the other way round than replies tell it, so that an article can be asked."""

    __tablename__ = "article_cited"
    __table_args__ = (Index("ix_article_cited_message_id", "message_id"), Index("ix_article_cited_at", "at", "article_id"))

    article_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    message_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]


class CitedUpTo(Base):
    """One row: the last message whose sources stand in ArticleCited."""

    __tablename__ = "cited_up_to"

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int]


class SavedView(Base):
    """A choice of tickets that an agent named; `query` is the query of the worklist's address."""

    __tablename__ = "saved_view"
    __table_args__ = (UniqueConstraint("account_id", "name"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(60))
    query: Mapped[str] = mapped_column(String(1000))
    created_at: Mapped[datetime]


class TicketSeen(Base):
    """Up to which version an agent has read a ticket."""

    __tablename__ = "ticket_seen"

    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    ticket_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    version: Mapped[int]


class JobRun(Base):
    """What runs by itself, one row a kind: when it is due, who holds it until when, and how it went the last time.

    `failures` counts those since it last went well; a holder that vanished counts as one.
    """

    __tablename__ = "job"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    next_at: Mapped[datetime]
    holder: Mapped[str | None] = mapped_column(String(80))
    leased_until: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    succeeded_at: Mapped[datetime | None]
    seconds: Mapped[float | None]
    runs: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    message: Mapped[str] = mapped_column(String(500), default="")
