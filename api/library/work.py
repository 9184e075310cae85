"""What writers do with articles: every change of the library, for its forms and its interface alike.

Whoever publishes is the reviewer: the article and its revision carry their account.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.bootstrap import Service
from api.help.addresses import resolver
from api.help.rendering import relative_target
from api.library.errors import StaleArticle
from api.library.shapes import MoveArticleIn, RestoreIn, ReviewedIn, TextIn, WriteIn
from api.library.shelf import HERE
from api.staff.sessions import Signed
from knowledge import articles
from knowledge.articles import ArticleText
from knowledge.lint import Complaint, lint_text
from knowledge.publishing import Change, Origin, Published
from knowledge.tables import Article, ArticleKind, ArticleState


@dataclass(frozen=True)
class Saved:
    """The article as it stands after a change, and whether anything changed."""

    article: Article
    change: Change


def write(service: Service, me: Signed, article_id: str | None, body: WriteIn, name: str = "") -> Saved:
    """Keep a text in review, or publish it; `name` is what a new one is called in the library's own source.

    Raise StaleArticle, NoSuchArticle.
    """
    with service.database.read() as session:
        known = articles.get(session, article_id) if article_id else None
        text = text_of(body, session, known, name or service.new_id())
        source = known.source if known else HERE
    origin = Origin(source, me.account_id, by_hand=True, note=body.note, overwrite=True, revision=body.revision)
    done = _published(service, me, text, origin) if body.publish else service.library.publisher.keep(text, origin, now=service.now())
    return _after(service, done, source, lambda article: articles.plan_review(article, body.review_due))


def move(service: Service, me: Signed, article_id: str, body: MoveArticleIn) -> Saved:
    """Publish it as it stands, take it back into review, or retire it. Raise StaleArticle, NoSuchArticle, AlreadyThere."""
    with service.database.read() as session:
        article = articles.get(session, article_id)
        text = articles.text_of(session, article)
    origin = Origin(article.source, me.account_id, by_hand=True, note=body.note, overwrite=True, revision=body.revision)
    if body.to is ArticleState.PUBLISHED:
        return _after(service, _published(service, me, text, origin), article.source)
    done = service.library.publisher.withdraw(article_id, body.to, origin, now=service.now())
    return _after(service, done, article.source)


def restore(service: Service, me: Signed, article_id: str, body: RestoreIn) -> Saved:
    """Publish an earlier revision again. Raise StaleArticle, NoSuchArticle, NoSuchRevision."""
    who = me.account_id
    publisher = service.library.publisher
    done = publisher.restore(article_id, body.number, author=who, now=service.now(), reviewer=who, revision=body.revision)
    with service.database.read() as session:
        source = articles.get(session, article_id).source
    return _after(service, done, source)


def reviewed(service: Service, me: Signed, article_id: str, body: ReviewedIn) -> Article:
    """Say that it was read through and is right. Raise NoSuchArticle."""
    with service.database.write() as session:
        article = articles.get(session, article_id)
        articles.reviewed(article, me.account_id, due=body.due, now=service.now())
        return article


def text_of(body: TextIn, session: Session, known: Article | None, name: str) -> ArticleText:
    """What a writer typed as an article's text; address, pictures and origin stay those of the article that is known."""
    before = articles.text_of(session, known) if known else ArticleText(name, "", "")
    wordings = tuple(body.wordings) if isinstance(body, WriteIn) else before.wordings
    learned = tuple(body.learned) if isinstance(body, WriteIn) and body.learned is not None else before.learned
    return ArticleText(
        external_id=before.external_id,
        title=body.title.strip(),
        body=body.body,
        kind=ArticleKind(body.kind),
        section=body.section.strip(),
        summary=body.summary.strip(),
        language=body.language,
        url=before.url,
        tags=tuple(body.tags),
        wordings=wordings,
        learned=learned,
        slug=before.slug,
        images=before.images,
        ai_generated=before.ai_generated,
    )


def checked(session: Session, text: ArticleText, shown: Article) -> list[Complaint]:
    """What the house style says about a text; `shown` is the article that it would be."""
    resolve = resolver(session, shown)

    def leads(link: str) -> bool:
        return relative_target(shown.external_id, link) is None or resolve(link) is not None

    return lint_text(text, leads)


def _published(service: Service, me: Signed, text: ArticleText, origin: Origin) -> Published:
    """The one way from these pages into the answers: whoever publishes has reviewed."""
    by_name = Origin(**{**vars(origin), "reviewer": me.account_id})
    return service.library.publisher.publish([text], by_name, now=service.now())[0]


def _after(service: Service, done: Published, source: str, then: Callable[[Article], None] = lambda _: None) -> Saved:
    """The article after a change, with what belongs to no revision. Raise StaleArticle."""
    query = select(Article).where(Article.source == source, Article.external_id == done.external_id)
    if done.change is Change.CONFLICT:
        with service.database.read() as session:
            newer = session.scalars(query).one()
        raise StaleArticle(newer)
    with service.database.write() as session:
        article = session.scalars(query).one()
        then(article)
    return Saved(article, done.change)
