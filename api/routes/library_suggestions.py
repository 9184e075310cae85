"""Suggestions for writers: by rank, one at a time beside what it stands on, decided with one key; and the groups they come from."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse

from api.context import limits_address, service_of
from api.desk.forms import Sent, texts
from api.desk.pages import rendered
from api.desk.worklist import names_of
from api.library import forms as library_forms
from api.library import preview as library_preview
from api.library import suggestion_work
from api.library.differences import difference
from api.library.errors import NoSuchGroup
from api.library.pages import MISTAKES, go, missing, page, told
from api.library.shapes import AcceptIn, EditIn, MergeIntoIn, RejectIn, SnoozeIn
from api.library.suggestion_work import Review
from api.shapes import In
from api.staff.door import Writers
from api.staff.sessions import Signed
from knowledge import suggestions
from knowledge.articles import ArticleText
from knowledge.deciding import ArticleChanged, Unsupported
from knowledge.loop_tables import GroupState, SuggestionKind, SuggestionState
from knowledge.suggestions import WAITING, NoSuchSuggestion
from knowledge.tables import ArticleKind

router = APIRouter(prefix="/library", include_in_schema=False, dependencies=[Depends(limits_address)])
VERBS: Mapping[str, type[In]] = {"accept": AcceptIn, "edit": EditIn, "reject": RejectIn, "snooze": SnoozeIn, "merge": MergeIntoIn}
DONE = {"accept": "accepted", "reject": "rejected", "snooze": "snoozed", "merge": "merged"}
MOST_PAGES = 10_000


@router.get("/suggestions")
def listing(request: Request, me: Writers, state: str = SuggestionState.PENDING, at: str = "") -> HTMLResponse:
    """A page of suggestions, the highest rank first."""
    chosen = SuggestionState(state) if state in set(SuggestionState) else SuggestionState.PENDING
    number = _page(at)
    with service_of(request).database.read() as session:
        rows = suggestion_work.listed(session, chosen, number)
        counts = suggestions.counted(session)
        names = names_of(session)
    return page(
        request, "library/suggestions.html", me, part="suggestions", rows=rows, counts=counts, chosen=chosen, number=number, names=names
    )


@router.get("/suggestions/{suggestion_id}")
def read(suggestion_id: str, request: Request, me: Writers) -> HTMLResponse:
    """One suggestion beside what it stands on."""
    return _review(request, me, suggestion_id)


@router.post("/suggestions/{suggestion_id}/{verb}")
def decide(suggestion_id: str, verb: str, request: Request, me: Writers, sent: Sent) -> Response:
    """Edit or decide it; then the next one that waits."""
    service = service_of(request)
    given = dict(texts(sent))
    if verb not in VERBS:
        return missing(request, me, "The library cannot do this.")
    if verb == "merge":
        of, _, id_ = given.pop("into", "").partition(":")
        given[of] = id_
    try:
        suggestion_work.decide(service, me, suggestion_id, library_forms.shape(VERBS[verb], given))
    except NoSuchSuggestion as none:
        return missing(request, me, told(none, {})[1])
    except MISTAKES as mistake:
        with service.database.read() as session:
            status, why = told(mistake, names_of(session))
        asks = "override" if isinstance(mistake, Unsupported) else "anyway" if isinstance(mistake, ArticleChanged) else ""
        typed = given if verb == "edit" else {}
        return _review(request, me, suggestion_id, status, flash=why, flash_kind="bad", asks=asks, typed=typed)
    if verb == "edit":
        return go(f"/library/suggestions/{suggestion_id}", said="edited")
    with service.database.read() as session:
        following = suggestions.after(session, suggestions.get(session, suggestion_id))
    return go(f"/library/suggestions/{following.id}" if following else "/library/suggestions", said=DONE[verb])


@router.get("/groups")
def groups(request: Request, me: Writers, state: str = "", at: str = "") -> HTMLResponse:
    """Questions that ask the same, the highest rank first."""
    chosen = GroupState(state) if state in set(GroupState) else None
    number = _page(at)
    with service_of(request).database.read() as session:
        rows = suggestion_work.groups(session, chosen, number)
        counts = suggestion_work.group_counts(session)
    return page(request, "library/groups.html", me, part="groups", rows=rows, counts=counts, chosen=chosen or "", number=number)


@router.get("/groups/{group_id}")
def group(group_id: str, request: Request, me: Writers) -> HTMLResponse:
    """One group with its questions, masked as they were kept."""
    with service_of(request).database.read() as session:
        try:
            found, questions, suggestion = suggestion_work.group(session, group_id)
        except NoSuchGroup as none:
            return missing(request, me, told(none, {})[1])
    return page(request, "library/group.html", me, part="groups", group=found, questions=questions, suggestion=suggestion)


def _review(request: Request, me: Signed, suggestion_id: str, status: int = HTTPStatus.OK, **values: Any) -> HTMLResponse:
    service = service_of(request)
    with service.database.read() as session:
        try:
            found = suggestion_work.review(session, suggestion_id)
        except NoSuchSuggestion as none:
            return missing(request, me, told(none, {})[1])
        names = names_of(session)
        waiting = suggestions.counted(session).get(SuggestionState.PENDING, 0)
        shown = library_preview.draft(_text(found), found.article, service.now())
        preview = library_preview.help_page(request, session, shown, me.name)
    one = found.suggestion
    before = found.article if one.kind != SuggestionKind.NEW else None
    return page(
        request,
        "library/review.html",
        me,
        status,
        **{
            "part": "suggestions",
            "review": found,
            "one": one,
            "names": names,
            "waiting": waiting,
            "open": one.state in WAITING,
            "preview": preview,
            "pieces_of": difference(before.body, one.text) if before and one.kind != SuggestionKind.RETIRE else [],
            "asks": "",
            "rendered": rendered,
            "typed": {},
            **values,
        },
    )


def _text(found: Review) -> ArticleText:
    """What would be published."""
    one, article = found.suggestion, found.article
    kind = ArticleKind(article.kind) if article and one.kind != SuggestionKind.NEW else ArticleKind.FAQ
    name = article.external_id if article else one.id
    section = article.section if article else ""
    return ArticleText(name, one.title, one.text, kind=kind, section=section, language=one.language, ai_generated=True)


def _page(given: str) -> int:
    return max(1, min(int(given), MOST_PAGES)) if given.isascii() and given.isdigit() and len(given) < 6 else 1  # noqa: PLR2004 - fits
