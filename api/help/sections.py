"""The sections of the help centre: what articles say they belong to, in one list."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge.passages import slug
from knowledge.tables import Article, ArticleKind, ArticleState

OTHER = "more"


@dataclass(frozen=True)
class Section:
    """A section with its articles and FAQs by title."""

    slug: str
    title: str
    articles: tuple[Article, ...] = ()
    faqs: tuple[Article, ...] = ()


def sections_of(session: Session, other: str) -> list[Section]:
    """Every section that has something published, by title; `other` is the title of what belongs to none, which stands last."""
    query = select(Article).where(Article.state == ArticleState.PUBLISHED).order_by(Article.section, Article.title)
    found: dict[str, list[Article]] = {}
    for article in session.scalars(query):
        found.setdefault(section_of(article, other).slug, []).append(article)
    named = sorted(found.items(), key=lambda item: (item[0] == OTHER, item[1][0].section.casefold()))
    return [_section(articles, other) for _, articles in named]


def section_of(article: Article, other: str) -> Section:
    """The section of one article, without its neighbours."""
    return Section(slug(article.section) or OTHER, article.section or other)


def _section(articles: list[Article], other: str) -> Section:
    head = section_of(articles[0], other)
    faqs = tuple(a for a in articles if a.kind == ArticleKind.FAQ)
    return Section(head.slug, head.title, tuple(a for a in articles if a.kind != ArticleKind.FAQ), faqs)
