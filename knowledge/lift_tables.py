"""Golden questions, on which edits are tried before they are published, and the measured lift of each suggestion."""

from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from knowledge.tables import ArticleId, Base

GoldenId = NewType("GoldenId", str)


class GoldenOrigin(StrEnum):
    """How a golden question came to be one."""

    WRITTEN = "written"
    IMPORTED = "imported"
    CONFIRMED = "confirmed"  # a visitor said that the answer helped


class GoldenQuestion(Base):
    """A question and the article that must answer it. A `protected` one blocks every publish that would break it.

    `key` is a hash of the question without case and spaces, so that it stands here once. `changed_by` is who last protected it or
    lifted the protection.
    """

    __tablename__ = "golden_question"
    __table_args__ = (Index("ix_golden_question_protected_added_at", "protected", "added_at"),)

    id: Mapped[GoldenId] = mapped_column(String(32), primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    question: Mapped[str] = mapped_column(Text)
    article_id: Mapped[ArticleId] = mapped_column(String(32), ForeignKey("article.id", ondelete="CASCADE"), index=True)
    protected: Mapped[bool]
    origin: Mapped[str] = mapped_column(String(16))
    added_by: Mapped[str] = mapped_column(String(200))
    added_at: Mapped[datetime]
    changed_by: Mapped[str] = mapped_column(String(200), default="")
    changed_at: Mapped[datetime | None]


class GoldenAct(StrEnum):
    """What a person did to a golden question."""

    ADDED = "added"
    MOVED = "moved"  # another article must answer it
    PROTECTED = "protected"
    LIFTED = "lifted"
    REMOVED = "removed"


class GoldenEvent(Base):
    """One act on a golden question, kept when the question is gone: who, what, when. Rows are only ever added.

    `question` and `article_id` as they were after it.
    """

    __tablename__ = "golden_event"
    __table_args__ = (Index("ix_golden_event_article_id_at", "article_id", "at"),)

    number: Mapped[int] = mapped_column(primary_key=True)
    golden_id: Mapped[str] = mapped_column(String(32))
    article_id: Mapped[str] = mapped_column(String(32))
    question: Mapped[str] = mapped_column(Text)
    act: Mapped[str] = mapped_column(String(16))
    by: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime]


class SuggestionLift(Base):
    """What an accepted suggestion changed. `replay` are its group's questions before and after, `lift` what live traffic says."""

    __tablename__ = "suggestion_lift"

    suggestion_id: Mapped[str] = mapped_column(String(32), ForeignKey("suggestion.id", ondelete="CASCADE"), primary_key=True)
    replay: Mapped[dict[str, Any]]
    replayed_at: Mapped[datetime | None]
    lift: Mapped[dict[str, Any]]
    measured_at: Mapped[datetime | None]
