"""What is stored of an article: itself, each revision, its passages and its images."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, NewType

from sqlalchemy import JSON, DateTime, ForeignKey, Index, LargeBinary, MetaData, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from knowledge.passages import Cut, embedded_text

ArticleId = NewType("ArticleId", str)
PassageId = NewType("PassageId", str)

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class ArticleKind(StrEnum):
    """An article is read; a FAQ is one question with its answer."""

    ARTICLE = "article"
    FAQ = "faq"


class ArticleState(StrEnum):
    """Only a published article may be answered from."""

    IN_REVIEW = "in_review"
    PUBLISHED = "published"
    RETIRED = "retired"


class Base(DeclarativeBase):
    """Knowledge's own metadata: no other folder's table is in it."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - the name SQLAlchemy reads
        ArticleId: String(32),
        PassageId: String(64),
        datetime: DateTime(timezone=True),
        list[str]: JSON,
        list[dict[str, Any]]: JSON,
        dict[str, Any]: JSON,
    }


class Article(Base):
    """The current text of a help article or FAQ; `revision` counts its Revisions.

    `learned` are masked ways in which people asked what it answers: they are searched and never shown, and no source may erase them.
    `reviewed_by` is the account of the person who last read this text through; `ai_generated` text is never published without one.
    """

    __tablename__ = "article"
    __table_args__ = (
        UniqueConstraint("source", "external_id"),
        UniqueConstraint("slug"),
        Index("ix_article_state_section", "state", "section"),
        Index("ix_article_updated_at", "updated_at", "id"),
    )

    id: Mapped[ArticleId] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(String(80))
    external_id: Mapped[str] = mapped_column(String(300))
    slug: Mapped[str] = mapped_column(String(160))
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    title: Mapped[str] = mapped_column(String(500))
    body: Mapped[str] = mapped_column(Text)
    section: Mapped[str] = mapped_column(String(200), default="")
    summary: Mapped[str] = mapped_column(Text, default="")
    language: Mapped[str] = mapped_column(String(8), default="en")
    url: Mapped[str | None] = mapped_column(String(2000))
    tags: Mapped[list[str]] = mapped_column(default=list)
    wordings: Mapped[list[str]] = mapped_column(default=list)
    learned: Mapped[list[str]] = mapped_column(default=list)
    content_hash: Mapped[str] = mapped_column(String(64))
    imported_hash: Mapped[str | None] = mapped_column(String(64))
    revision: Mapped[int]
    indexed_revision: Mapped[int | None]
    ai_generated: Mapped[bool] = mapped_column(default=False)
    reviewed_by: Mapped[str] = mapped_column(String(32), default="")
    reviewed_at: Mapped[datetime | None]
    review_due: Mapped[date | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Revision(Base):
    """One version of an article, never changed after it is written."""

    __tablename__ = "revision"

    article_id: Mapped[ArticleId] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(500))
    body: Mapped[str] = mapped_column(Text)
    details: Mapped[dict[str, Any]]
    content_hash: Mapped[str] = mapped_column(String(64))
    author: Mapped[str] = mapped_column(String(200))
    note: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime]


class Passage(Base):
    """A piece of one revision of an article, with its place; `live` pieces are the ones answers may use."""

    __tablename__ = "passage"
    __table_args__ = (Index("ix_passage_article_live", "article_id", "live"), Index("ix_passage_live_epoch", "live", "epoch"))

    id: Mapped[PassageId] = mapped_column(primary_key=True)
    article_id: Mapped[ArticleId] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"))
    revision: Mapped[int]
    epoch: Mapped[str] = mapped_column(String(40))
    position: Mapped[int]
    heading_path: Mapped[list[str]]
    anchor: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    live: Mapped[bool]
    held: Mapped[str | None] = mapped_column(Text)

    def embedded(self, title: str) -> str:
        """What is embedded for this passage of the article `title`."""
        return embedded_text(title, Cut(self.position, tuple(self.heading_path), self.anchor, self.text))


class TitleVector(Base):
    """The vectors of an article's title and other wordings by one encoder: float16, `count` rows."""

    __tablename__ = "title_vector"

    article_id: Mapped[ArticleId] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"), primary_key=True)
    epoch: Mapped[str] = mapped_column(String(40), primary_key=True)
    encoder: Mapped[str] = mapped_column(String(40), primary_key=True)
    count: Mapped[int]
    vectors: Mapped[bytes] = mapped_column(LargeBinary)


class Image(Base):
    """A picture that stands beside an article, kept for the help centre."""

    __tablename__ = "image"

    article_id: Mapped[ArticleId] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(300), primary_key=True)
    media_type: Mapped[str] = mapped_column(String(40))
    content: Mapped[bytes] = mapped_column(LargeBinary)


class IndexState(Base):
    """One row: which epoch of the index answers come from."""

    __tablename__ = "index_state"

    id: Mapped[int] = mapped_column(primary_key=True)
    epoch: Mapped[str] = mapped_column(String(40))
    version: Mapped[int] = mapped_column(default=0)
    switched_at: Mapped[datetime]
