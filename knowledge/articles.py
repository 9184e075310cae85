"""The life of an article or FAQ: written, changed, moved, restored; each change leaves a Revision.

These functions change rows only. What a change means for search is publishing.py's business. Nobody else assigns `article.state`.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from knowledge.tables import Article, ArticleId, ArticleKind, ArticleState, Image, Revision

MAX_SLUG = 120
MOVES = {
    ArticleState.IN_REVIEW: frozenset({ArticleState.PUBLISHED, ArticleState.RETIRED}),
    ArticleState.PUBLISHED: frozenset({ArticleState.IN_REVIEW, ArticleState.RETIRED}),
    ArticleState.RETIRED: frozenset({ArticleState.IN_REVIEW, ArticleState.PUBLISHED}),
}


class NoSuchArticle(LookupError):
    """No article with that id, or it was deleted."""


class NoSuchRevision(LookupError):
    """The article never had that revision."""


class EditedConflict(Exception):
    """A person edited the article here since its source was last read."""


class NotReviewed(Exception):
    """What a machine wrote is published only when a named person has reviewed it."""


class AlreadyThere(Exception):
    """The article is already in that state."""


@dataclass(frozen=True)
class Picture:
    """An image file that stands beside an article."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class ArticleText:
    """What an article says, wherever it comes from; `external_id` is its name at its source.

    `learned` are masked ways in which people asked for it: searched like `wordings`, never shown, no part of
    the content; None keeps those that the article has. `ai_generated`: a machine wrote it.
    """

    external_id: str
    title: str
    body: str
    kind: ArticleKind = ArticleKind.ARTICLE
    section: str = ""
    summary: str = ""
    language: str = "en"
    url: str | None = None
    tags: tuple[str, ...] = ()
    wordings: tuple[str, ...] = ()
    learned: tuple[str, ...] | None = None
    slug: str = ""
    images: tuple[Picture, ...] = field(default=(), repr=False)
    ai_generated: bool = False

    @property
    def asked(self) -> tuple[str, ...]:
        """Every way to ask for it beside its title: those of its author and those learned from people."""
        return (*self.wordings, *(self.learned or ()))

    @property
    def content_hash(self) -> str:
        """SHA-256 over everything a reader or the search could notice, images included."""
        parts: list[Any] = [self.title, self.body, self.kind, self.section, self.summary, self.language, self.url]
        parts += [list(self.tags), list(self.wordings)]
        parts += [[image.name, hashlib.sha256(image.content).hexdigest()] for image in self.images]
        return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class Hand:
    """Who changes an article when, and why. `reviewer` is the account of the person who has read the text through."""

    author: str
    now: datetime
    note: str = ""
    reviewer: str = ""


def create(
    session: Session, text: ArticleText, article_id: ArticleId, hand: Hand, *, source: str, state: ArticleState = ArticleState.PUBLISHED
) -> Article:
    """A new article with its first revision. Raise NotReviewed."""
    article = Article(
        id=article_id,
        source=source,
        external_id=text.external_id,
        slug=_free_slug(session, text.slug or slugify(text.title) or article_id),
        kind=text.kind,
        content_hash="",
        revision=0,
        created_at=hand.now,
    )
    session.add(article)
    _apply(session, article, text, state, hand)
    return article


def change(session: Session, article: Article, text: ArticleText, hand: Hand, *, state: ArticleState = ArticleState.PUBLISHED) -> None:
    """Replace what the article says; a retired article is published again. Raise NotReviewed."""
    _apply(session, article, text, state, hand)


def retire(article: Article, *, now: datetime) -> None:
    """No answer may use it any more; its text and revisions stay."""
    article.state = ArticleState.RETIRED
    article.updated_at = now


def move(session: Session, article: Article, to: ArticleState, hand: Hand) -> None:
    """Out of the answers, with the same text: back into review, or retired; it leaves a revision. Raise AlreadyThere."""
    if to not in MOVES[ArticleState(article.state)]:
        raise AlreadyThere(f"“{article.title}” is already {to.replace('_', ' ')}")
    article.state, article.updated_at = to, hand.now
    _leave_revision(session, article, hand)


def reviewed(article: Article, by: str, *, due: date | None, now: datetime) -> None:
    """Somebody has read it through and found it right; `due` is the day it should be read again."""
    article.reviewed_by, article.reviewed_at, article.review_due = by, now, due


def plan_review(article: Article, due: date | None) -> None:
    """The day the article should be read through."""
    article.review_due = due


def text_of(session: Session, article: Article) -> ArticleText:
    """What the article says now, in the form that `change` takes."""
    images = session.scalars(select(Image).where(Image.article_id == article.id).order_by(Image.name))
    return ArticleText(
        external_id=article.external_id,
        title=article.title,
        body=article.body,
        kind=ArticleKind(article.kind),
        section=article.section,
        summary=article.summary,
        language=article.language,
        url=article.url,
        tags=tuple(article.tags),
        wordings=tuple(article.wordings),
        learned=tuple(article.learned),
        slug=article.slug,
        images=tuple(Picture(i.name, i.media_type, i.content) for i in images),
        ai_generated=article.ai_generated,
    )


def at_revision(session: Session, article: Article, number: int) -> ArticleText:
    """What the article said at a revision. Raise NoSuchRevision."""
    revision = session.get(Revision, (article.id, number))
    if revision is None:
        raise NoSuchRevision(f"“{article.title}” has no revision {number}")
    details = revision.details
    return ArticleText(
        external_id=article.external_id,
        title=revision.title,
        body=revision.body,
        kind=ArticleKind(details["kind"]),
        section=details["section"],
        summary=details["summary"],
        language=details["language"],
        url=details["url"],
        tags=tuple(details["tags"]),
        wordings=tuple(details["wordings"]),
        learned=tuple(article.learned),
        slug=article.slug,
        images=text_of(session, article).images,
        ai_generated=details.get("ai_generated", False),
    )


def get(session: Session, article_id: str) -> Article:
    """The article. Raise NoSuchArticle."""
    article = session.get(Article, article_id)
    if article is None:
        raise NoSuchArticle(f"there is no article {article_id}")
    return article


def by_external_id(session: Session, source: str, external_ids: Sequence[str]) -> dict[str, Article]:
    """The articles of a source that have one of these names there."""
    found: dict[str, Article] = {}
    for start in range(0, len(external_ids), 500):
        part = external_ids[start : start + 500]
        query = select(Article).where(Article.source == source, Article.external_id.in_(part))
        found |= {article.external_id: article for article in session.scalars(query)}
    return found


def slugify(title: str) -> str:
    """Words of a title as they may stand in an address; empty when nothing is left."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:MAX_SLUG].strip("-")


def _apply(session: Session, article: Article, text: ArticleText, state: ArticleState, hand: Hand) -> None:
    if hand.reviewer or article.content_hash != text.content_hash:  # what nobody changed stays reviewed
        article.reviewed_by, article.reviewed_at = hand.reviewer, hand.now if hand.reviewer else None
    if state is ArticleState.PUBLISHED and text.ai_generated and not article.reviewed_by:
        raise NotReviewed(f"a machine wrote “{text.title}”; somebody must review it before it is published")
    article.state, article.ai_generated = state, text.ai_generated
    article.title, article.body, article.kind = text.title, text.body, text.kind
    article.section, article.summary, article.language = text.section, text.summary, text.language
    article.url, article.tags, article.wordings = text.url, list(text.tags), list(text.wordings)
    article.learned = list(article.learned or () if text.learned is None else text.learned)
    article.content_hash, article.updated_at = text.content_hash, hand.now
    session.flush()
    session.execute(delete(Image).where(Image.article_id == article.id))
    session.add_all(Image(article_id=article.id, name=i.name, media_type=i.media_type, content=i.content) for i in text.images)
    _leave_revision(session, article, hand)


def _leave_revision(session: Session, article: Article, hand: Hand) -> None:
    article.revision += 1
    session.flush()
    copied = ("kind", "section", "summary", "language", "url", "tags", "wordings", "source", "state", "ai_generated")
    session.add(
        Revision(
            article_id=article.id,
            number=article.revision,
            title=article.title,
            body=article.body,
            details={name: getattr(article, name) for name in copied} | {"reviewed_by": hand.reviewer},
            content_hash=article.content_hash,
            author=hand.author,
            note=hand.note,
            at=hand.now,
        ),
    )


def _free_slug(session: Session, wanted: str) -> str:
    taken: Callable[[str], bool | None] = lambda slug: session.scalar(select(exists().where(Article.slug == slug)))  # noqa: E731
    slug, count = wanted, 1
    while taken(slug):
        count += 1
        slug = f"{wanted}-{count}"
    return slug
