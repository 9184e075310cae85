"""Public pages: where each source of an answer can be read, and what this server offers."""

from typing import Any
from urllib.parse import unquote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.context import limits_address, service_of
from api.pages import PAGES
from api.rendering import article_html, relative_target
from knowledge.articles import NoSuchArticle
from knowledge.tables import Article, ArticleKind, ArticleState, Image

router = APIRouter(include_in_schema=False, dependencies=[Depends(limits_address)])
MAX_PICTURES = 50  # sources keep no more
SECURITY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


def page(request: Request, name: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page with the headers every public page has."""
    product = service_of(request).settings.assistant.product
    return HTMLResponse(PAGES.get_template(name).render(product=product, **values), status, headers=SECURITY)


@router.get("/")
def front(request: Request) -> HTMLResponse:
    """What this server offers, and three questions to try."""
    with service_of(request).database.read() as session:
        faqs = session.scalars(
            select(Article)
            .where(Article.state == ArticleState.PUBLISHED, Article.kind == ArticleKind.FAQ)
            .order_by(Article.title)
            .limit(3),
        ).all()
    return page(request, "front.html", faqs=faqs)


@router.get("/help")
def contents(request: Request) -> HTMLResponse:
    """Every published article by section, and the FAQs."""
    with service_of(request).database.read() as session:
        query = select(Article).where(Article.state == ArticleState.PUBLISHED).order_by(Article.section, Article.title)
        found = session.scalars(query).all()
    sections: dict[str, list[Article]] = {}
    for article in found:
        if article.kind != ArticleKind.FAQ:
            sections.setdefault(article.section, []).append(article)
    return page(request, "contents.html", sections=sections, faqs=[a for a in found if a.kind == ArticleKind.FAQ])


@router.get("/help/{slug}")
def article(slug: str, request: Request) -> HTMLResponse:
    """One article or FAQ."""
    with service_of(request).database.read() as session:
        found = session.scalar(select(Article).where(Article.slug == slug, Article.state == ArticleState.PUBLISHED))
        if found is None:
            return page(request, "missing.html", 404)
        body = article_html(found.body, lambda link: _address(session, found, link))
    return page(request, "article.html", article=found, body=body)


@router.get("/help/{slug}/pictures/{number}")
def picture(slug: str, number: int, request: Request) -> Response:
    """A picture of an article, by its place in the order of their names."""
    with service_of(request).database.read() as session:
        query = select(Image).join(Article, Article.id == Image.article_id).order_by(Image.name)
        mine = query.where(Article.slug == slug, Article.state == ArticleState.PUBLISHED)
        found = session.scalars(mine.offset(number).limit(1)).first() if 0 <= number < MAX_PICTURES else None
    if found is None:
        raise NoSuchArticle("there is no such picture")
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "public, max-age=3600",
    }
    return Response(found.content, media_type=found.media_type, headers=headers)


def _address(session: Session, of: Article, link: str) -> str | None:
    """Where a relative link leads: another article's page, or a picture's address; None leaves the link as it is."""
    target = relative_target(of.external_id, link)
    if target is None:
        return None
    names = list(session.scalars(select(Image.name).where(Image.article_id == of.id).order_by(Image.name)))
    written = unquote(link.partition("?")[0].partition("#")[0])
    if written in names:
        return f"/help/{of.slug}/pictures/{names.index(written)}"
    slug = session.scalar(select(Article.slug).where(Article.source == of.source, Article.external_id == target))
    anchor = link.partition("#")[2]
    return f"/help/{slug}" + (f"#{anchor}" if anchor else "") if slug else None
