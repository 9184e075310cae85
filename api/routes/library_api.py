"""The library as an interface: what its pages show and do, for programs that are signed in like a browser and send X-CSRF-Token."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request

from api.bootstrap import Service
from api.context import limits_address, service_of
from api.desk.worklist import names_of
from api.library import numbers as library_numbers
from api.library import preview as library_preview
from api.library import shelf as library_views
from api.library import suggestion_work
from api.library import work as library_work
from api.library.differences import difference
from api.library.shapes import (
    MAX_INT,
    AcceptIn,
    ArticleLineOut,
    ArticleListOut,
    CheckIn,
    CheckOut,
    ComplaintOut,
    DecidedOut,
    DifferenceOut,
    EditIn,
    GroupOut,
    GroupsOut,
    LibraryArticleOut,
    LibrarySuggestionOut,
    MergeIntoIn,
    MoveArticleIn,
    NewIn,
    NumbersOut,
    PieceOut,
    RejectIn,
    RestoreIn,
    ReviewedIn,
    RevisionOut,
    RevisionsOut,
    SavedOut,
    SnoozeIn,
    SuggestionLineOut,
    SuggestionListOut,
    WriteIn,
)
from api.library.shelf import Chosen, Line
from api.routes.library import FIELDS, found_by
from api.shapes import In, problems
from api.staff.door import Writers
from api.staff.sessions import Signed
from knowledge import articles, suggestions
from knowledge.loop_tables import GapGroup, GroupState, Suggestion, SuggestionState

router = APIRouter(prefix="/api/library", tags=["library"], dependencies=[Depends(limits_address)])
READ = problems(401, 403, 404, 422, 429, 503)
CHANGE = problems(400, 401, 403, 404, 409, 413, 415, 422, 429, 503)
Name = Annotated[str, Path(max_length=32, pattern="^[0-9a-f]*$")]
Number = Annotated[int, Path(ge=1, le=MAX_INT)]
Text = Annotated[str, Query(max_length=200)]
Page = Annotated[int, Query(ge=1, le=10_000)]


# ── articles ────────────────────────────────────────────────────────────────────────────────────────


@router.get("/articles", responses=READ)
def list_articles(
    request: Request,
    _me: Writers,
    q: Text = "",
    section: Text = "",
    kind: Text = "",
    state: Text = "",
    source: Text = "",
    language: Text = "",
    fresh: Text = "",
    sort: Text = "",
    page: Page = 1,
) -> ArticleListOut:
    """A page of 50 articles. A filter nobody can mean filters nothing."""
    service = service_of(request)
    given = {"q": q, "section": section, "kind": kind, "state": state, "source": source, "language": language, "fresh": fresh}
    chosen = Chosen.read({**given, "sort": sort, "page": str(page)})
    library_numbers.follow(service)
    with service.database.read() as session:
        found = library_views.shelf(session, chosen, service.now(), service.settings.knowledge.stale_days, found_by(service, chosen.q))
    return ArticleListOut(articles=[ArticleLineOut(**_line(line)) for line in found.lines], total=found.total, page=page, pages=found.pages)


@router.post("/articles", status_code=201, responses=CHANGE)
def create(body: NewIn, request: Request, me: Writers) -> SavedOut:
    """A new article or FAQ."""
    return _saved(library_work.write(service_of(request), me, None, body, body.id or ""))


@router.get("/articles/{article_id}", responses=READ)
def read(article_id: Name, request: Request, _me: Writers) -> LibraryArticleOut:
    """An article with its text and everything that is known of it."""
    service = service_of(request)
    now = service.now()
    with service.database.read() as session:
        article = articles.get(session, article_id)
        numbers = library_numbers.numbers_of(session, [article.id], now)[article.id]
        line = library_views.line_of(article, numbers, names_of(session), now, service.settings.knowledge.stale_days)
        held = library_views.held_reasons(session, article.id)
    told = {name: getattr(article, name) for name in ("external_id", "url", "body", "summary", "tags", "wordings", "learned")}
    return LibraryArticleOut(**_line(line), slug=article.slug, held=held, **told)


@router.put("/articles/{article_id}", responses=CHANGE)
def write(article_id: Name, body: WriteIn, request: Request, me: Writers) -> SavedOut:
    """Publish another text, or keep it in review."""
    return _saved(library_work.write(service_of(request), me, article_id, body))


@router.post("/articles/{article_id}/move", responses=CHANGE)
def move(article_id: Name, body: MoveArticleIn, request: Request, me: Writers) -> SavedOut:
    """Publish it as it stands, take it back into review, or retire it."""
    return _saved(library_work.move(service_of(request), me, article_id, body))


@router.post("/articles/{article_id}/restore", responses=CHANGE)
def restore(article_id: Name, body: RestoreIn, request: Request, me: Writers) -> SavedOut:
    """Publish an earlier revision again, as a new one."""
    return _saved(library_work.restore(service_of(request), me, article_id, body))


@router.post("/articles/{article_id}/reviewed", responses=CHANGE)
def reviewed(article_id: Name, body: ReviewedIn, request: Request, me: Writers) -> SavedOut:
    """Say that it was read through and is right."""
    article = library_work.reviewed(service_of(request), me, article_id, body)
    return SavedOut(id=article.id, revision=article.revision, state=article.state)


@router.post("/check", responses=CHANGE)
def check(body: CheckIn, request: Request, _me: Writers) -> CheckOut:
    """What the house style says of a text, and how the help centre would show it; nothing is kept."""
    service = service_of(request)
    with service.database.read() as session:
        known = articles.get(session, body.article) if body.article else None
        text = library_work.text_of(body, session, known, "new")
        shown = library_preview.draft(text, known, service.now())
        complaints = library_work.checked(session, text, shown)
        html = library_preview.html_of(session, shown)
    return CheckOut(complaints=[ComplaintOut(line=one.line, rule=one.rule, message=one.message) for one in complaints], html=html)


@router.get("/articles/{article_id}/revisions", responses=READ)
def revisions(article_id: Name, request: Request, _me: Writers) -> RevisionsOut:
    """Every revision, the newest first."""
    with service_of(request).database.read() as session:
        articles.get(session, article_id)
        found = library_views.history(session, article_id)
    return RevisionsOut(revisions=[RevisionOut(**{**vars(one), "reviewed_by": one.reviewer}) for one in found])


@router.get("/articles/{article_id}/revisions/{number}", responses=READ)
def compare(
    article_id: Name, number: Number, request: Request, _me: Writers, against: Annotated[int, Query(ge=0, le=MAX_INT)] = 0
) -> DifferenceOut:
    """What a revision changed against another, by default the one before it."""
    with service_of(request).database.read() as session:
        newer = library_views.revision_of(session, article_id, number)
        older = library_views.revision_of(session, article_id, against or max(number - 1, 1))
    pieces = {name: difference(getattr(older, name), getattr(newer, name)) for name in ("title", "body")}
    shown = {name: [PieceOut(kind=piece.kind.value, text=piece.text) for piece in found] for name, found in pieces.items()}
    fields = {name: [older.details[name], newer.details[name]] for name in FIELDS if older.details[name] != newer.details[name]}
    return DifferenceOut(title=shown["title"], body=shown["body"], fields=fields)


# ── suggestions ─────────────────────────────────────────────────────────────────────────────────────


@router.get("/suggestions", responses=READ)
def list_suggestions(request: Request, _me: Writers, state: SuggestionState = SuggestionState.PENDING, page: Page = 1) -> SuggestionListOut:
    """A page of 50, the highest rank first."""
    with service_of(request).database.read() as session:
        rows = suggestion_work.listed(session, state, page)
        counts = {str(name): number for name, number in suggestions.counted(session).items()}
    found = [SuggestionLineOut(**_suggestion(one, group)) for one, group in rows]
    return SuggestionListOut(suggestions=found, counts=counts, page=page)


@router.get("/suggestions/{suggestion_id}", responses=READ)
def read_suggestion(suggestion_id: Name, request: Request, _me: Writers) -> LibrarySuggestionOut:
    """A suggestion with its sentences and what they stand on."""
    with service_of(request).database.read() as session:
        found = suggestion_work.review(session, suggestion_id)
    one = found.suggestion
    told = {name: getattr(one, name) for name in ("text", "why", "wordings", "similar", "article_id", "decided_by", "decided_at", "reason")}
    questions = [gap.question for gap in found.questions]
    return LibrarySuggestionOut(**_suggestion(one, found.group), sentences=one.body, questions=questions, **told)


@router.post("/suggestions/{suggestion_id}/accept", responses=CHANGE)
def accept(suggestion_id: Name, body: AcceptIn, request: Request, me: Writers) -> DecidedOut:
    """Publish it, reviewed by whoever is signed in."""
    return _decided(service_of(request), me, suggestion_id, body)


@router.post("/suggestions/{suggestion_id}/edit", responses=CHANGE)
def edit(suggestion_id: Name, body: EditIn, request: Request, me: Writers) -> DecidedOut:
    """Change it; a sentence that stays keeps its evidence."""
    return _decided(service_of(request), me, suggestion_id, body)


@router.post("/suggestions/{suggestion_id}/reject", responses=CHANGE)
def reject(suggestion_id: Name, body: RejectIn, request: Request, me: Writers) -> DecidedOut:
    """Not this; it comes back only when many more people ask."""
    return _decided(service_of(request), me, suggestion_id, body)


@router.post("/suggestions/{suggestion_id}/snooze", responses=CHANGE)
def snooze(suggestion_id: Name, body: SnoozeIn, request: Request, me: Writers) -> DecidedOut:
    """Put it aside for some days."""
    return _decided(service_of(request), me, suggestion_id, body)


@router.post("/suggestions/{suggestion_id}/merge", responses=CHANGE)
def merge(suggestion_id: Name, body: MergeIntoIn, request: Request, me: Writers) -> DecidedOut:
    """An article or another suggestion takes over what people asked."""
    return _decided(service_of(request), me, suggestion_id, body)


@router.get("/groups", responses=READ)
def list_groups(request: Request, _me: Writers, state: GroupState | None = None, page: Page = 1) -> GroupsOut:
    """A page of 50 groups, the highest rank first."""
    with service_of(request).database.read() as session:
        found = suggestion_work.groups(session, state, page)
    return GroupsOut(groups=[_group(one) for one in found], page=page)


@router.get("/groups/{group_id}", responses=READ)
def read_group(group_id: Name, request: Request, _me: Writers) -> GroupOut:
    """A group with its questions, personal data masked."""
    with service_of(request).database.read() as session:
        found, questions, _ = suggestion_work.group(session, group_id)
    return _group(found).model_copy(update={"questions": [gap.question for gap in questions]})


# ── shapes ──────────────────────────────────────────────────────────────────────────────────────────


def _line(line: Line) -> dict[str, Any]:
    told = {name: getattr(line, name) for name in ArticleLineOut.model_fields if name not in {"numbers", "reviewed_by", "fresh"}}
    numbers = line.numbers
    counted = NumbersOut(views=numbers.views, answers=numbers.answers, up=numbers.up, down=numbers.down)
    return {**told, "numbers": counted, "reviewed_by": line.reviewer, "fresh": line.fresh.value}


def _saved(saved: library_work.Saved) -> SavedOut:
    return SavedOut(id=saved.article.id, revision=saved.article.revision, state=saved.article.state)


def _suggestion(one: Suggestion, group: GapGroup | None) -> dict[str, Any]:
    copied = ("id", "kind", "state", "version", "title", "rank", "people", "size", "created_at")
    return {**{name: getattr(one, name) for name in copied}, "group": group.id if group else None, "trend": group.trend if group else None}


def _decided(service: Service, me: Signed, suggestion_id: str, body: In) -> DecidedOut:
    one = suggestion_work.decide(service, me, suggestion_id, body)
    with service.database.read() as session:
        following = suggestions.after(session, one)
    return DecidedOut(id=one.id, state=one.state, version=one.version, article_id=one.article_id, next=following.id if following else None)


def _group(one: GapGroup) -> GroupOut:
    copied = ("id", "title", "state", "people", "size", "trend", "rank", "last_at")
    return GroupOut(**{name: getattr(one, name) for name in copied})
