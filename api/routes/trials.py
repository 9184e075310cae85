"""What an edit, a retirement or a suggestion would change for visitors, shown to the writer before anything is published."""

from collections.abc import Sequence
from http import HTTPStatus

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse

from api.context import limits_address, service_of
from api.desk.forms import Sent, texts
from api.library import forms as library_forms
from api.library import work as library_work
from api.library.pages import MISTAKES, missing, page, told
from api.library.shapes import WriteIn
from api.staff.door import Writers
from api.staff.sessions import Signed
from knowledge import articles, deciding, suggestions
from knowledge.articles import ArticleText, NoSuchArticle
from knowledge.confidence import Band
from knowledge.golden import Trial
from knowledge.suggestions import NoSuchSuggestion

router = APIRouter(prefix="/library", include_in_schema=False, dependencies=[Depends(limits_address)])
NEW = "new"
OWN = 50  # questions of a suggestion's group that are asked too, the newest
BANDS = {Band.ANSWER: "Answers", Band.UNSURE: "Offers first", Band.NOT_COVERED: "Nothing"}


@router.get("/suggestions/{suggestion_id}/trial")
def of_suggestion(suggestion_id: str, request: Request, me: Writers) -> HTMLResponse:
    """What accepting it would change, for golden questions and for those of its group."""
    service = service_of(request)
    try:
        with service.database.read() as session:
            one = suggestions.get(session, suggestion_id)
            wanted = deciding.plan(session, one, anyway=True)
            own = [gap.question for gap in deciding.asked_by(session, one, OWN)]
            title = one.title
    except (NoSuchSuggestion, NoSuchArticle) as none:
        return missing(request, me, told(none, {})[1])
    except MISTAKES as mistake:
        status, why = told(mistake, {})
        return page(request, "library/missing.html", me, status, why=why)
    trial = service.library.attempt(wanted.texts, wanted.source, wanted.retiring, list(dict.fromkeys(own)))
    return _page(request, me, trial, f"/library/suggestions/{suggestion_id}", title)


@router.get("/articles/{article_id}/trial")
def of_retiring(article_id: str, request: Request, me: Writers) -> HTMLResponse:
    """What would change if the article left the answers."""
    service = service_of(request)
    try:
        with service.database.read() as session:
            title = articles.get(session, article_id).title
    except NoSuchArticle as none:
        return missing(request, me, told(none, {})[1])
    trial = service.library.attempt((), "", [article_id])
    return _page(request, me, trial, f"/library/articles/{article_id}", title, retiring=True)


@router.post("/articles/{article_id}/trial")
def of_text(article_id: str, request: Request, me: Writers, sent: Sent) -> Response:
    """What publishing the typed text would change; nothing is kept."""
    service = service_of(request)
    try:
        body = library_forms.shape(WriteIn, texts(sent))
        with service.database.read() as session:
            known = None if article_id == NEW else articles.get(session, article_id)
            text = library_work.text_of(body, session, known, NEW)
            source = known.source if known else NEW
    except NoSuchArticle as none:
        return missing(request, me, told(none, {})[1])
    except MISTAKES as mistake:
        status, why = told(mistake, {})
        return page(request, "library/missing.html", me, status, why=why)
    return _page(request, me, _tried(request, [text], source), f"/library/articles/{article_id}", text.title)


def _tried(request: Request, wanted: Sequence[ArticleText], source: str) -> Trial:
    return service_of(request).library.attempt(wanted, source)


def _page(request: Request, me: Signed, trial: Trial, back: str, title: str, *, retiring: bool = False) -> HTMLResponse:
    shown = {"trial": trial, "back": back, "title": title, "bands": BANDS, "retiring": retiring}
    return page(request, "library/trial.html", me, HTTPStatus.OK, **shown)
