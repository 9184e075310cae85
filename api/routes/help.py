"""Public pages: where each source of an answer can be read, and what this server offers."""

from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, select_autoescape
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.context import limits_address, service_of
from api.rendering import article_html, relative_target
from knowledge.articles import NoSuchArticle
from knowledge.tables import Article, ArticleKind, ArticleState, Image

router = APIRouter(include_in_schema=False, dependencies=[Depends(limits_address)])
PAGES = Environment(loader=PackageLoader("api", "templates"), autoescape=select_autoescape(), trim_blocks=True, lstrip_blocks=True)
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


@router.get("/help/{slug}/images/{name}")
def image(slug: str, name: str, request: Request) -> Response:
    """A picture of an article."""
    with service_of(request).database.read() as session:
        query = select(Image).join(Article, Article.id == Image.article_id)
        found = session.scalar(query.where(Article.slug == slug, Article.state == ArticleState.PUBLISHED, Image.name == name))
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
    slug = session.scalar(select(Article.slug).where(Article.source == of.source, Article.external_id == target))
    if slug:
        anchor = link.partition("#")[2]
        return f"/help/{slug}" + (f"#{anchor}" if anchor else "")
    name = target.rpartition("/")[2]
    known = session.scalar(select(Image.name).where(Image.article_id == of.id, Image.name.in_([target, name, link])))
    return f"/help/{of.slug}/images/{known}" if known else None
