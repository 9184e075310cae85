"""What the door itself stores: keys of programs, accounts of staff, events for open pages, and thumbs on articles."""

from datetime import datetime

from sqlalchemy import DateTime, Index, MetaData, String
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
