"""The library's articles for writers: found, written, checked, published, withdrawn, compared and restored. Works by forms alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from api.bootstrap import Service
from api.context import limits_address, service_of
from api.desk.forms import Sent, texts
from api.desk.pages import KEYS_COOKIE, OFF
from api.desk.worklist import names_of
from api.library import forms as library_forms
from api.library import golden_work
from api.library import numbers as library_numbers
from api.library import preview as library_preview
from api.library import shelf as library_views
from api.library import work as library_work
from api.library.differences import Piece, changed, difference
from api.library.errors import StaleArticle
from api.library.pages import MISTAKES, go, missing, page, told
from api.library.shapes import MoveArticleIn, RestoreIn, ReviewedIn, TextIn, WriteIn
from api.library.shelf import Chosen
from api.shapes import In
from api.staff import door as staff
from api.staff.door import Writers, own_path
from api.staff.sessions import Signed
from assistant.wording import LANGUAGES
from knowledge import articles, golden
from knowledge.articles import ArticleText, NoSuchArticle, NoSuchRevision
from knowledge.golden import NoSuchGolden
from knowledge.lint import Complaint
from knowledge.publishing import Change
from knowledge.tables import Article, ArticleKind, ArticleState

router = APIRouter(prefix="/library", include_in_schema=False, dependencies=[Depends(limits_address)])
YEAR = 31_536_000
FOUND = 30  # what the search by meaning adds to a list
LATEST = 8
FIELDS = ("kind", "section", "summary", "language", "tags", "wordings")


@dataclass(frozen=True)
class Desk:
    """What lies on the editor's desk: what is typed, and what was found about it."""

    typed: Mapping[str, Any]
    revision: int
    name: str = ""
    complaints: Sequence[Complaint] = ()
    previews: Mapping[str, str] = field(default_factory=dict)
    newer: Sequence[Piece] = ()


@router.get("")
def shelf(request: Request, me: Writers) -> HTMLResponse:
    """The articles that the address asks for."""
    service = service_of(request)
    chosen = Chosen.read(request.query_params)
    library_numbers.follow(service)
    with service.database.read() as session:
        shown = library_views.shelf(session, chosen, service.now(), service.settings.knowledge.stale_days, found_by(service, chosen.q))
        choices = library_views.choices(session)
    return page(request, "library/articles.html", me, shelf=shown, chosen=chosen, choices=choices, today=service.now().date())


@router.post("/keys")
def switch_keys(
    request: Request, _me: Writers, on: Annotated[str, Form(max_length=3)] = "", back: Annotated[str, Form(max_length=500)] = ""
) -> Response:
    """Keyboard shortcuts on or off in this browser."""
    path = (own_path(back) or "/library").partition("?")[0]
    response = go(path if path.startswith("/library") else "/library", said="keys-on" if on else "keys-off")
    secure = staff.cookie_name(request) == staff.COOKIE
    response.set_cookie(KEYS_COOKIE, "on" if on else OFF, max_age=YEAR, path="/library", secure=secure, samesite="lax")
    return response


# ── writing ─────────────────────────────────────────────────────────────────────────────────────────


@router.get("/articles/new")
def begin(request: Request, me: Writers, kind: str = "article") -> HTMLResponse:
    """An empty editor."""
    chosen = kind if kind in set(ArticleKind) else ArticleKind.ARTICLE
    typed = library_forms.typed({"kind": chosen, "language": "en"})
    return _editor(request, me, None, Desk(typed, 0, service_of(request).new_id()))


@router.post("/articles/new")
def create(request: Request, me: Writers, sent: Sent) -> Response:
    """Check what was typed, keep it in review, or publish it."""
    return _written(request, me, None, texts(sent))


@router.get("/articles/{article_id}")
def read(article_id: str, request: Request, me: Writers) -> HTMLResponse:
    """An article in the editor, checked and shown as readers see it."""
    with service_of(request).database.read() as session:
        try:
            article = articles.get(session, article_id)
        except NoSuchArticle as none:
            return missing(request, me, told(none, {})[1])
        text = articles.text_of(session, article)
    desk = Desk(_typed(text, article), article.revision)
    return _editor(request, me, article, _checked(request, me, article, text, desk))


@router.post("/articles/{article_id}")
def save(article_id: str, request: Request, me: Writers, sent: Sent) -> Response:
    """Check what was typed, keep it in review, or publish it; what was typed survives every mistake."""
    with service_of(request).database.read() as session:
        try:
            article = articles.get(session, article_id)
        except NoSuchArticle as none:
            return missing(request, me, told(none, {})[1])
    return _written(request, me, article, texts(sent))


VERBS: Mapping[str, type[In]] = {"move": MoveArticleIn, "restore": RestoreIn, "reviewed": ReviewedIn, **golden_work.FORMS}


@router.post("/articles/{article_id}/{verb}")
def change(article_id: str, verb: str, request: Request, me: Writers, sent: Sent) -> Response:
    """Do one thing with an article, then show it again."""
    service = service_of(request)
    if verb not in VERBS:
        return missing(request, me, "The library cannot do this.")
    try:
        body = library_forms.shape(VERBS[verb], texts(sent))
        said = _do(service, me, article_id, body)
    except (NoSuchArticle, NoSuchRevision, NoSuchGolden) as none:
        return missing(request, me, told(none, {})[1])
    except MISTAKES as mistake:
        with service.database.read() as session:
            article = articles.get(session, article_id)
            text = articles.text_of(session, article)
        status, why = told(mistake, {})
        if isinstance(mistake, StaleArticle):
            why = "Somebody changed this article since you opened it, so nothing was done. This is how it stands now."
        desk = Desk(_typed(text, article), article.revision)
        return _editor(request, me, article, _checked(request, me, article, text, desk), status, flash=why, flash_kind="bad")
    return go(f"/library/articles/{article_id}", said=said)


@router.get("/articles/{article_id}/revisions")
def revisions(article_id: str, request: Request, me: Writers, of: str = "", against: str = "") -> HTMLResponse:
    """Every revision, and what one of them changed against another."""
    with service_of(request).database.read() as session:
        try:
            article = articles.get(session, article_id)
            newer = _number(of, article.revision)
            older = _number(against, max(newer - 1, 1))
            two = [library_views.revision_of(session, article_id, number) for number in (older, newer)]
        except (NoSuchArticle, NoSuchRevision) as none:
            return missing(request, me, told(none, {})[1])
        history = library_views.history(session, article_id)
    pieces = {name: difference(getattr(two[0], name), getattr(two[1], name)) for name in ("title", "body")}
    fields = {name: (two[0].details[name], two[1].details[name]) for name in FIELDS if two[0].details[name] != two[1].details[name]}
    return page(
        request,
        "library/revisions.html",
        me,
        article=article,
        history=history,
        older=older,
        newer=newer,
        pieces_of=pieces,
        differs=any(changed(found) for found in pieces.values()),
        fields=fields,
    )


# ── parts ───────────────────────────────────────────────────────────────────────────────────────────


def found_by(service: Service, query: str) -> list[str]:
    """Ids of published articles that a search by meaning and words finds, best first."""
    if not query:
        return []
    found = service.library.find(query, service.assistant.embed([query]), limit=FOUND)
    return list(dict.fromkeys(str(hit.article_id) for hit in found.passages))


def _do(service: Service, me: Signed, article_id: str, body: In) -> str:
    """What was done, as `said` names it."""
    if isinstance(body, tuple(golden_work.FORMS.values())):
        return golden_work.do(service, me, article_id, body)
    if isinstance(body, MoveArticleIn):
        library_work.move(service, me, article_id, body)
        return str(body.to)
    if isinstance(body, RestoreIn):
        done = library_work.restore(service, me, article_id, body)
        return "unchanged" if done.change is Change.UNCHANGED else "restored"
    assert isinstance(body, ReviewedIn)  # noqa: S101 - what is left
    library_work.reviewed(service, me, article_id, body)
    return "reviewed"


def _written(request: Request, me: Signed, article: Article | None, given: Mapping[str, str]) -> Response:
    service = service_of(request)
    name = given.get("name", "") if article is None else ""
    desk = Desk(library_forms.typed(given), _number(given.get("revision", ""), 0), name)
    try:
        if given.get("do") == "check":
            body = library_forms.shape(TextIn, given)
            return _editor(request, me, article, _of_typed(request, me, article, body, desk))
        write = library_forms.shape(WriteIn, given)
        saved = library_work.write(service, me, article.id if article else None, write, name if _is_name(name) else "")
    except StaleArticle as stale:
        now = stale.article
        newer = difference(now.body, given.get("body", "").strip())
        status, why = told(stale, {})
        again = Desk(desk.typed, now.revision, newer=newer)
        return _editor(request, me, now, again, status, flash=why, flash_kind="bad")
    except MISTAKES as mistake:
        status, why = told(mistake, {})
        return _editor(request, me, article, desk, status, flash=why, flash_kind="bad")
    said = "unchanged" if saved.change is Change.UNCHANGED else "published" if write.publish else "kept"
    return go(f"/library/articles/{saved.article.id}", said=said)


def _of_typed(request: Request, me: Signed, article: Article | None, body: TextIn, desk: Desk) -> Desk:
    with service_of(request).database.read() as session:
        text = library_work.text_of(body, session, article, desk.name)
    return _checked(request, me, article, text, desk)


def _checked(request: Request, me: Signed, article: Article | None, text: ArticleText, desk: Desk) -> Desk:
    """With complaints, and the text as the help centre and the widget show it."""
    service = service_of(request)
    with service.database.read() as session:
        shown = library_preview.draft(text, article, service.now())
        complaints = library_work.checked(session, text, shown)
        previews = {
            "help": library_preview.help_page(request, session, shown, me.name),
            "panel": library_preview.panel_page(request, session, shown),
        }
    return Desk(desk.typed, desk.revision, desk.name, complaints, previews, desk.newer)


def _editor(request: Request, me: Signed, article: Article | None, desk: Desk, status: int = HTTPStatus.OK, **values: str) -> HTMLResponse:
    service = service_of(request)
    with service.database.read() as session:
        about = _about(session, service, article) if article else {}
        choices = library_views.choices(session)
    return page(
        request,
        "library/editor.html",
        me,
        status,
        article=article,
        desk=desk,
        choices=choices,
        known_languages=sorted({*LANGUAGES, *choices.languages}),
        lines=str(desk.typed["body"]).split("\n"),
        **about,
        **values,
    )


def _about(session: Session, service: Service, article: Article) -> dict[str, Any]:
    """What stands beside an article."""
    now = service.now()
    numbers = library_numbers.numbers_of(session, [article.id], now)[article.id]
    return {
        "line": library_views.line_of(article, numbers, names_of(session), now, service.settings.knowledge.stale_days),
        "history": library_views.history(session, article.id, LATEST),
        "answered": library_numbers.answered_by(session, article.id, LATEST),
        "thumbs_down": library_numbers.complaints_about(session, article.id, LATEST),
        "held": library_views.held_reasons(session, article.id),
        "golden": golden.listed(session, article_id=article.id)[: golden_work.SHOWN],
        "golden_acts": golden_work.acts(session, article.id, names_of(session)),
        "moves": [state for state in ArticleState if state in articles.MOVES[ArticleState(article.state)]],
    }


def _typed(text: ArticleText, article: Article) -> dict[str, Any]:
    given = {
        "title": text.title,
        "body": text.body,
        "kind": str(text.kind),
        "section": text.section,
        "summary": text.summary,
        "language": text.language,
        "tags": ", ".join(text.tags),
        "wordings": "\n".join(text.wordings),
        "learned": "\n".join(text.learned or ()),
        "review_due": article.review_due.isoformat() if article.review_due else "",
    }
    return library_forms.typed(given)


def _number(given: str, usual: int) -> int:
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else usual  # noqa: PLR2004 - fits the column


def _is_name(name: str) -> bool:
    return len(name) == 32 and all(c in "0123456789abcdef" for c in name)  # noqa: PLR2004 - as new_id makes them
