"""The public help centre: the same articles that answers come from, readable without a script."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from api import assets
from api.context import limits_address, service_of
from api.forms import cross_site
from api.headers import PICTURE, PUBLIC
from api.help import structured
from api.help.addresses import resolver
from api.help.contact import contact_of
from api.help.popular import most_asked
from api.help.rendering import article_html, headings_of
from api.help.sections import Section, section_of, sections_of
from api.library import numbers as library_numbers
from api.library.reviewing import reviewer_of
from api.pages import PAGES
from api.routes.chat import search as search_articles
from api.tables import ArticleFeedback
from assistant.wording import LANGUAGES, shipped, words
from guardrails.checks.personal_data import redact_secrets
from knowledge.articles import NoSuchArticle
from knowledge.tables import Article, ArticleKind, ArticleState, Image

router = APIRouter(include_in_schema=False, dependencies=[Depends(limits_address)])
MAX_PICTURES = 50  # sources keep no more
MAX_FAQS = 200  # shown on one page
MOST_ASKED = 10
PARTS = ("widget", "more", "help")  # of the words: these pages use some of each
REASONS = ("wrong", "unclear", "missing")
SHORTLY = {"Cache-Control": "public, max-age=60"}


def page(request: Request, name: str, status: int = HTTPStatus.OK, *, cached: bool = True, **values: Any) -> HTMLResponse:
    """A page with the words, headers and contact every public page has."""
    settings = service_of(request).settings
    language = values.pop("language", None) or language_of(request)
    product = settings.assistant.product
    shown = {
        "product": product,
        "language": language,
        "w": {key: text.replace("{product}", product) for part in PARTS for key, text in words(part, language).items()},
        "contact": contact_of(settings.assistant.contact),
        "indexed": settings.api.help_indexed,
        "asset": assets.address,
        "preview": False,
        **values,
    }
    headers = {**PUBLIC, "Vary": "Accept-Language", **(SHORTLY if cached and status == HTTPStatus.OK else {"Cache-Control": "no-store"})}
    return HTMLResponse(PAGES.get_template(name).render(shown), status, headers=headers)


def language_of(request: Request) -> str:
    """The shipped language that the address (`?lang=`) or the browser asks for first; English when none is shipped."""
    asked = [request.query_params.get("lang", "")]
    asked += [part.partition(";")[0].strip() for part in request.headers.get("accept-language", "").split(",")[:10]]
    primaries = [tag.replace("_", "-").partition("-")[0].lower() for tag in asked]
    return shipped(next((primary for primary in primaries if primary in LANGUAGES), ""))


@router.get("/")
def front(request: Request) -> HTMLResponse:
    """What this server offers, and what is asked most."""
    with service_of(request).database.read() as session:
        return page(request, "help/front.html", faqs=most_asked(session, 3))


@router.get("/help")
def contents(request: Request) -> HTMLResponse:
    """Every section with its first articles, and the FAQs asked most."""
    with service_of(request).database.read() as session:
        sections = [section for section in _sections(session, request) if section.articles]
        faqs = most_asked(session, MOST_ASKED)
    return page(request, "help/contents.html", sections=sections, faqs=faqs, canonical=_absolute(request, "/help"))


@router.get("/help/sections/{name}")
def section(name: str, request: Request) -> HTMLResponse:
    """The articles and FAQs of one section."""
    with service_of(request).database.read() as session:
        found = next((section for section in _sections(session, request) if section.slug == name), None)
    if found is None:
        return _missing(request, name)
    return page(request, "help/section.html", section=found, canonical=_absolute(request, f"/help/sections/{name}"))


@router.get("/faq")
def faq(request: Request) -> HTMLResponse:
    """Questions with their answers: the most asked first, then by section."""
    with service_of(request).database.read() as session:
        asked = most_asked(session, MOST_ASKED)
        known = {article.id for article in asked}
        answers = {a.id: article_html(a.body, resolver(session, a)) for a in [*asked, *_faqs(session)]}
        others = [(of.title, [a for a in of.faqs if a.id not in known and a.id in answers]) for of in _sections(session, request)]
    groups = [(title, faqs) for title, faqs in [(words("help", language_of(request))["faq_most"], asked), *others] if faqs]
    shown = [(title, [_answered(a, answers[a.id]) for a in of]) for title, of in groups]
    graph = structured.faq_page([(a.title, answers[a.id]) for _, of in groups for a in of])
    return page(request, "help/faq.html", groups=shown, structured=graph, canonical=_absolute(request, "/faq"))


@router.get("/search")
def search(request: Request, q: Annotated[str, Query(max_length=200)] = "") -> HTMLResponse:
    """Search, without a script."""
    return page(request, "help/search.html", query=q.strip(), found=_found(request, q))


@router.get("/sitemap.xml")
def sitemap(request: Request) -> Response:
    """The addresses of everything that can be read here; an article that has its home elsewhere is listed there."""
    with service_of(request).database.read() as session:
        own = select(Article).where(Article.state == ArticleState.PUBLISHED, Article.url.is_(None)).order_by(Article.slug)
        articles = [(f"/help/{a.slug}", a.updated_at.date().isoformat()) for a in session.scalars(own)]
        sections = [(f"/help/sections/{s.slug}", "") for s in _sections(session, request)]
    pages = [(_absolute(request, path), date) for path, date in [("/help", ""), ("/faq", ""), *sections, *articles]]
    return Response(PAGES.get_template("help/sitemap.xml").render(pages=pages), media_type="application/xml", headers=SHORTLY)


@router.get("/help/{slug}")
def article(slug: str, request: Request, thanks: Annotated[str, Query(max_length=1)] = "") -> HTMLResponse:
    """One article or FAQ."""
    with service_of(request).database.read() as session:
        found = _published(session, slug)
        if found is None:
            return _missing(request, slug)
        values = article_values(request, session, found, reviewer_of(session, found))
    library_numbers.viewed(service_of(request), found.id)
    return page(request, "help/article.html", **{**values, "thanked": thanks == "1"})


def article_values(request: Request, session: Session, found: Article, reviewer: str) -> dict[str, Any]:
    """What the page of an article shows."""
    body = article_html(found.body, resolver(session, found), title=found.title)
    spoken = words("help", language_of(request))
    of = section_of(found, spoken["other_articles"])
    canonical = found.url or _absolute(request, f"/help/{found.slug}")
    trail = [(spoken["home"], _absolute(request, "/help")), (of.title, _absolute(request, f"/help/sections/{of.slug}"))]
    return {
        "article": found,
        "section": of,
        "body": body,
        "canonical": canonical,
        "headings": headings_of(found.body),
        "structured": structured.article(found, body, canonical, trail),
        "thanked": False,
        "reviewer": reviewer,
    }


@router.post("/help/{slug}/feedback")
def feedback(
    slug: str,
    request: Request,
    helpful: Annotated[str, Form(pattern="^(yes|no)$")],
    kind: Annotated[str, Form(max_length=20)] = "",
    reason: Annotated[str, Form(max_length=1000)] = "",
    id: Annotated[str, Form(max_length=32)] = "",  # noqa: A002 - the name of the form's field
) -> Response:
    """Keep a thumb on an article; after a thumb down ask for the reason and keep that with it."""
    cross_site(request)
    service = service_of(request)
    with service.database.write() as session:
        found = _published(session, slug)
        if found is None:
            raise NoSuchArticle("there is no such article")
        kept = session.get(ArticleFeedback, id) if id else None
        if kept is None or kept.article_id != found.id:
            kept = ArticleFeedback(
                id=service.new_id(),
                article_id=found.id,
                revision=found.revision,
                helpful=helpful == "yes",
                language=language_of(request),
                reason="",
                at=service.now(),
            )
            session.add(kept)
        said = redact_secrets(reason.replace("\x00", "").strip()).text
        kept.reason = ": ".join(part for part in (kind if kind in REASONS else "", said) if part)[:1000]
        name = kept.id
    if helpful == "no" and not id:
        return page(request, "help/feedback.html", cached=False, article=found, id=name, reasons=REASONS)
    return RedirectResponse(f"/help/{slug}?thanks=1#feedback", HTTPStatus.SEE_OTHER, headers={"Cache-Control": "no-store"})


@router.get("/help/{slug}/pictures/{number}")
def picture(slug: str, number: int, request: Request) -> Response:
    """A picture of an article, by its place in the order of their names."""
    with service_of(request).database.read() as session:
        query = select(Image).join(Article, Article.id == Image.article_id).order_by(Image.name)
        mine = query.where(Article.slug == slug, Article.state == ArticleState.PUBLISHED)
        found = session.scalars(mine.offset(number).limit(1)).first() if 0 <= number < MAX_PICTURES else None
    if found is None:
        raise NoSuchArticle("there is no such picture")
    return Response(found.content, media_type=found.media_type, headers={**PICTURE, "Cache-Control": "public, max-age=3600"})


def _missing(request: Request, name: str) -> HTMLResponse:
    """A 404 that has already searched for what the address says."""
    query = " ".join(part for part in name.replace("_", "-").split("-") if part)[:200]
    return page(request, "help/missing.html", HTTPStatus.NOT_FOUND, query=query, found=_found(request, query)[:5])


def _found(request: Request, query: str) -> list[Article]:
    ids = [article.article_id for article in search_articles(request, query).articles]
    with service_of(request).database.read() as session:
        live = select(Article).where(Article.id.in_(ids), Article.state == ArticleState.PUBLISHED)
        by_id: dict[str, Article] = {a.id: a for a in session.scalars(live)}
    return [by_id[id_] for id_ in ids if id_ in by_id]


def _published(session: Session, slug: str) -> Article | None:
    return session.scalar(select(Article).where(Article.slug == slug, Article.state == ArticleState.PUBLISHED))


def _faqs(session: Session) -> list[Article]:
    query = select(Article).where(Article.state == ArticleState.PUBLISHED, Article.kind == ArticleKind.FAQ)
    return list(session.scalars(query.order_by(Article.section, Article.title).limit(MAX_FAQS)))


def _sections(session: Session, request: Request) -> list[Section]:
    return sections_of(session, words("help", language_of(request))["other_articles"])


def _answered(faq: Article, html: str) -> dict[str, str]:
    return {"slug": faq.slug, "title": faq.title, "language": faq.language, "html": html}


def _absolute(request: Request, path: str) -> str:
    public = service_of(request).settings.api.public_url or str(request.base_url)
    return public.rstrip("/") + path
