"""Articles for programs: list, read, upsert by the name they have at their source, delete. Needs an API key."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy import select

from api import identity
from api.context import limits_address, service_of
from api.shapes import ArticleIn, ArticleOut, ArticlesOut, PublishedOut, article_out, problems
from knowledge import articles
from knowledge.articles import ArticleText, EditedConflict
from knowledge.publishing import Change, Origin
from knowledge.tables import Article, ArticleKind


def caller(request: Request) -> str:
    """The name of the API key that the caller holds. Raise Unauthorised."""
    with service_of(request).database.read() as session:
        return identity.program(session, request).name


router = APIRouter(prefix="/api/articles", tags=["articles"], dependencies=[Depends(limits_address)])
Caller = Annotated[str, Depends(caller)]


@router.get("", responses=problems(401, 422, 429, 503))
def list_articles(
    request: Request,
    _caller: Caller,
    after: Annotated[str, Query(max_length=32, pattern="^[0-9a-f]*$")] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> ArticlesOut:
    """Articles in the order of their ids, a page at a time."""
    with service_of(request).database.read() as session:
        rows = session.scalars(select(Article).where(Article.id > after).order_by(Article.id).limit(limit + 1)).all()
    page = rows[:limit]
    return ArticlesOut(articles=[article_out(a) for a in page], next=page[-1].id if len(rows) > limit else None)


@router.get("/{article_id}", responses=problems(401, 404, 422, 429, 503))
def read_article(article_id: str, request: Request, _caller: Caller) -> ArticleOut:
    """One article as it stands."""
    with service_of(request).database.read() as session:
        return article_out(articles.get(session, article_id))


@router.put("", responses={201: {"model": PublishedOut, "description": "It is new"}, **problems(400, 401, 409, 413, 415, 422, 429, 503)})
def upsert_article(body: ArticleIn, request: Request, response: Response, caller: Caller) -> PublishedOut:
    """Publish an article, or its new text; the next answer can use it. 409 when a person edited it here."""
    service = service_of(request)
    text = ArticleText(
        external_id=body.external_id,
        title=body.title,
        body=body.body,
        kind=ArticleKind(body.kind),
        section=body.section,
        summary=body.summary,
        language=body.language,
        url=body.url,
        tags=tuple(body.tags),
        wordings=tuple(body.wordings),
    )
    result = service.library.publisher.publish([text], Origin(body.source, f"key: {caller}"), now=service.now())[0]
    if result.change is Change.CONFLICT:
        raise EditedConflict(result.reason)
    response.status_code = 201 if result.change is Change.NEW else 200
    return PublishedOut(article_id=result.article_id or "", change=result.change.value)


@router.delete("/{article_id}", status_code=204, responses=problems(401, 404, 422, 429, 503))
def delete_article(article_id: str, request: Request, _caller: Caller) -> None:
    """Remove an article with its history; the very next answer cannot use it."""
    service_of(request).library.publisher.delete(article_id)
