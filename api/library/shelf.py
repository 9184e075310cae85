"""The library's articles as writers look for them: filtered, sorted, fifty at a time, with what readers make of each. Read-only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Select, and_, case, func, or_, select
from sqlalchemy.orm import Session

from api.desk.worklist import names_of
from api.library import numbers as library_numbers
from api.library.numbers import Numbers
from knowledge import articles
from knowledge.deciding import SOURCE as SUGGESTED
from knowledge.tables import Article, ArticleKind, ArticleState, Passage, Revision

PAGE = 50
HERE = "library"  # the source of what is written on these pages
OWN = frozenset({HERE, SUGGESTED})
LONGEST = 200
MOST_PAGES = 100_000


class Sort(StrEnum):
    """The order of a list; views and answers begin with the most, helpfulness with the least."""

    UPDATED = "updated"
    TITLE = "title"
    VIEWS = "views"
    ANSWERS = "answers"
    HELPFUL = "helpful"
    REVIEW = "review"


class Fresh(StrEnum):
    """How an article stands in time."""

    OK = "ok"
    DUE = "due"
    OLD = "old"


NAMES = ("q", "section", "kind", "state", "source", "language", "fresh")


@dataclass(frozen=True)
class Chosen:
    """What the address of a list says; "" chooses nothing."""

    q: str = ""
    section: str = ""
    kind: str = ""
    state: str = ""
    source: str = ""
    language: str = ""
    fresh: str = ""
    sort: Sort = Sort.UPDATED
    page: int = 1

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "Chosen":
        """From an address: what nobody can mean is as if it were not there."""
        known: dict[str, frozenset[str]] = {"kind": frozenset(ArticleKind), "state": frozenset(ArticleState), "fresh": frozenset(Fresh)}
        told = {name: _plain(given.get(name, "")) for name in NAMES}
        told |= {name: told[name] if told[name] in among else "" for name, among in known.items()}
        sort, page = given.get("sort", ""), given.get("page", "")
        number = int(page) if page.isascii() and page.isdigit() and len(page) < 7 else 1  # noqa: PLR2004 - fits MOST_PAGES
        return cls(**told, sort=Sort(sort) if sort in set(Sort) else Sort.UPDATED, page=max(1, min(number, MOST_PAGES)))

    @property
    def narrowed(self) -> bool:
        """Whether anything is filtered."""
        return any(getattr(self, name) for name in NAMES)

    def query(self, **changes: str) -> str:
        """The same as a query of an address, with changes; a change starts at the first page again."""
        told = {name: getattr(self, name) for name in NAMES}
        told |= {"sort": "" if self.sort is Sort.UPDATED else str(self.sort), "page": "" if changes or self.page == 1 else str(self.page)}
        return urlencode({name: value for name, value in (told | changes).items() if value})


@dataclass(frozen=True)
class Line:
    """One article of a list."""

    id: str
    title: str
    slug: str
    kind: str
    state: str
    section: str
    source: str
    language: str
    revision: int
    updated_at: datetime
    reviewed_at: datetime | None
    review_due: date | None
    ai_generated: bool
    edited_here: bool
    reviewer: str
    fresh: Fresh
    numbers: Numbers


@dataclass(frozen=True)
class Shelf:
    """A page of the list, with what it can be narrowed to."""

    chosen: Chosen
    lines: tuple[Line, ...]
    total: int
    states: Mapping[str, int]

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // PAGE))


@dataclass(frozen=True)
class Choices:
    """What there is to choose from."""

    sections: tuple[str, ...]
    sources: tuple[str, ...]
    languages: tuple[str, ...]


@dataclass(frozen=True)
class Version:
    """One revision as the history shows it."""

    number: int
    title: str
    state: str
    author: str
    note: str
    at: datetime
    ai_generated: bool
    reviewer: str


COLUMNS = (
    *(Article.id, Article.title, Article.slug, Article.kind, Article.state, Article.section, Article.source, Article.language),
    *(Article.revision, Article.updated_at, Article.reviewed_at, Article.reviewed_by, Article.review_due, Article.ai_generated),
    *(Article.content_hash, Article.imported_hash),
)


def shelf(session: Session, chosen: Chosen, now: datetime, stale_days: int, found: Sequence[str] = ()) -> Shelf:
    """A page of articles. `found` are ids that the search by meaning gives for `chosen.q`, best first; they come first."""
    narrowed = _conditions(chosen, now, stale_days, found)
    total = session.scalar(select(func.count()).select_from(Article).where(*narrowed)) or 0
    rows_of: Select[Any] = select(*COLUMNS).where(*narrowed)  # type: ignore[assignment]
    query = _sorted(rows_of, chosen, now, found)
    rows = session.execute(query.limit(PAGE).offset((chosen.page - 1) * PAGE)).all()
    numbers = library_numbers.numbers_of(session, [row.id for row in rows], now)
    names = names_of(session)
    lines = tuple(line_of(row, numbers[row.id], names, now, stale_days) for row in rows)
    states = {str(state): int(count) for state, count in session.execute(select(Article.state, func.count()).group_by(Article.state))}
    return Shelf(chosen, lines, total, states)


def choices(session: Session) -> Choices:
    """Sections, sources and languages of what there is."""
    columns = (Article.section, Article.source, Article.language)
    found = [tuple(str(value) for value in session.scalars(select(column).distinct().order_by(column)) if value) for column in columns]
    return Choices(*found)


def line_of(row: Any, numbers: Numbers, names: Mapping[str, str], now: datetime, stale_days: int) -> Line:
    """An article, or the columns of one, as a list shows it."""
    copied = (
        "id",
        "title",
        "slug",
        "kind",
        "state",
        "section",
        "source",
        "language",
        "revision",
        "updated_at",
        "reviewed_at",
        "review_due",
    )
    return Line(
        **{name: getattr(row, name) for name in copied},
        ai_generated=row.ai_generated,
        edited_here=row.source not in OWN and row.imported_hash != row.content_hash,
        reviewer=names.get(row.reviewed_by, row.reviewed_by),
        fresh=freshness(row, now, stale_days),
        numbers=numbers,
    )


def freshness(row: Any, now: datetime, stale_days: int) -> Fresh:
    """Due when its review date has come; old when it is published and nobody has changed or reviewed it for long."""
    if row.review_due is not None and row.review_due <= now.date():
        return Fresh.DUE
    last = max(row.updated_at, row.reviewed_at or row.updated_at)
    return Fresh.OLD if row.state == ArticleState.PUBLISHED and last < now - timedelta(days=stale_days) else Fresh.OK


def history(session: Session, article_id: str, limit: int = 500) -> list[Version]:
    """The revisions of an article, the newest first."""
    query = select(Revision).where(Revision.article_id == article_id).order_by(Revision.number.desc()).limit(limit)
    names = names_of(session)
    return [_version(revision, names) for revision in session.scalars(query)]


def revision_of(session: Session, article_id: str, number: int) -> Revision:
    """One of them. Raise NoSuchArticle, NoSuchRevision."""
    article = articles.get(session, article_id)
    found = session.get(Revision, (article.id, number))
    if found is None:
        raise articles.NoSuchRevision(f"“{article.title}” has no revision {number}")
    return found


def held_reasons(session: Session, article_id: str) -> list[str]:
    """Why passages of it are held back from answers."""
    query = select(Passage.held).where(Passage.article_id == article_id, Passage.live, Passage.held.is_not(None))
    return [str(reason) for reason in session.scalars(query.order_by(Passage.position))]


def _version(revision: Revision, names: Mapping[str, str]) -> Version:
    details = revision.details
    by = str(details.get("reviewed_by", ""))
    return Version(
        number=revision.number,
        title=revision.title,
        state=str(details.get("state", ArticleState.PUBLISHED)),
        author=names.get(revision.author, revision.author),
        note=revision.note,
        at=revision.at,
        ai_generated=bool(details.get("ai_generated", False)),
        reviewer=names.get(by, by),
    )


# ── the query ───────────────────────────────────────────────────────────────────────────────────────


def _conditions(chosen: Chosen, now: datetime, stale_days: int, found: Sequence[str]) -> list[Any]:
    conditions: list[Any] = [getattr(Article, name) == value for name in _EXACT if (value := getattr(chosen, name))]
    due = and_(Article.review_due.is_not(None), Article.review_due <= now.date())
    before = now - timedelta(days=stale_days)
    unreviewed = or_(Article.reviewed_at.is_(None), Article.reviewed_at < before)
    old = and_(Article.state == ArticleState.PUBLISHED, Article.updated_at < before, unreviewed)
    match chosen.fresh:
        case Fresh.DUE:
            conditions.append(due)
        case Fresh.OLD:
            conditions += [old, or_(Article.review_due.is_(None), Article.review_due > now.date())]
        case Fresh.OK:
            conditions += [~old, or_(Article.review_due.is_(None), Article.review_due > now.date())]
    if chosen.q:
        conditions.append(or_(and_(*(_has(word) for word in chosen.q.split()[:10])), Article.id.in_(found)))
    return conditions


_EXACT = ("section", "kind", "state", "source", "language")


def _has(word: str) -> Any:
    """Whether an article names a word outside its body; what is not published is in no index, so there the body is read too."""
    named = [column.icontains(word, autoescape=True) for column in (Article.title, Article.summary, Article.section, Article.external_id)]
    return or_(*named, and_(Article.state != ArticleState.PUBLISHED, Article.body.icontains(word, autoescape=True)))


def _sorted(query: Select[Any], chosen: Chosen, now: datetime, found: Sequence[str]) -> Select[Any]:
    since = now - library_numbers.LATELY
    match chosen.sort:
        case Sort.TITLE:
            return query.order_by(func.lower(Article.title), Article.id)
        case Sort.VIEWS:
            return _by_number(query, library_numbers.views_since(since.date()))
        case Sort.ANSWERS:
            return _by_number(query, library_numbers.answers_since(since))
        case Sort.HELPFUL:
            thumbs = library_numbers.thumbs_given().subquery()
            share = 1.0 * thumbs.c.up / thumbs.c.number
            return query.outerjoin(thumbs, thumbs.c.article_id == Article.id).order_by(
                thumbs.c.number.is_(None), share, thumbs.c.number.desc(), Article.id
            )
        case Sort.REVIEW:
            return query.order_by(Article.review_due.is_(None), Article.review_due, Article.updated_at, Article.id)
        case Sort.UPDATED:
            best = {id_: place for place, id_ in enumerate(found)}
            first = [case(best, value=Article.id, else_=len(best))] if best and chosen.q else []
            return query.order_by(*first, Article.updated_at.desc(), Article.id.desc())


def _by_number(query: Select[Any], numbers: Select[Any]) -> Select[Any]:
    counted = numbers.subquery()
    joined = query.outerjoin(counted, counted.c.article_id == Article.id)
    return joined.order_by(func.coalesce(counted.c.number, 0).desc(), Article.updated_at.desc(), Article.id)


def _plain(given: str) -> str:
    return "".join(c for c in given.encode("utf-8", "replace").decode() if c.isprintable()).strip()[:LONGEST]
