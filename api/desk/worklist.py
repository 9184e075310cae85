"""The worklist: which tickets an agent sees, in the order of work, fifty at a time. Read-only; tickets and accounts meet only here."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Integer, Select, String, case, cast, func, literal, select, text, tuple_
from sqlalchemy.orm import Session

from api.tables import Account, StaffRole, TicketSeen
from escalation import finding, queues
from escalation.tables import FAR, EventKind, Priority, Reason, Ticket, TicketEvent, TicketState

PAGE = 50
NAMES = ("queue", "priority", "reason", "language", "tag", "q", "sort", "after")
BY_PRIORITY = "priority"
TELLING = 2  # spaces: fewer than three words rarely say what it is about
LONGEST = 200  # characters of a filter that is typed
MAX_NUMBER = 2**31 - 1
# spelled as the partial indexes of escalation/tables.py spell them: a database uses one only for the very same words
LIVING = text("ticket.state NOT IN ('resolved', 'closed')")
DONE = {"resolved": text("ticket.state = 'resolved'"), "closed": text("ticket.state = 'closed'")}
WAITING = text("ticket.state IN ('waiting_customer', 'waiting_third_party')")


class View(StrEnum):
    """Which tickets: the first four still need work and come in its order, the others newest first."""

    MINE = "mine"
    UNASSIGNED = "unassigned"
    OPEN = "open"
    WAITING = "waiting"
    RESOLVED = "resolved"
    CLOSED = "closed"
    ALL = "all"


IN_ORDER_OF_WORK = frozenset({View.MINE, View.UNASSIGNED, View.OPEN, View.WAITING})


@dataclass(frozen=True)
class Filters:
    """What the address of a worklist says; "" filters nothing. `after` is the place where the page before ended.

    `sort` is "" for the clock that is due next, "priority" for the most urgent and then the oldest.
    """

    view: View = View.OPEN
    queue: str = ""
    priority: str = ""
    reason: str = ""
    language: str = ""
    tag: str = ""
    q: str = ""
    sort: str = ""
    after: str = ""

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "Filters":
        """From an address: what nobody can mean is as if it were not there. A search looks everywhere unless a view is named."""
        known: dict[str, frozenset[str]] = {
            "queue": frozenset(queues.load()),
            "priority": frozenset(Priority),
            "reason": frozenset(Reason),
            "sort": frozenset({BY_PRIORITY}),
        }
        told = {name: _plain(given.get(name, "")) for name in NAMES}
        told |= {name: told[name] if told[name] in among else "" for name, among in known.items()}
        told["tag"] = told["tag"].lower()
        chosen = given.get("view", "")
        return cls(View(chosen) if chosen in set(View) else View.ALL if told["q"] else View.OPEN, **told)

    @property
    def narrowed(self) -> bool:
        """Whether anything but the view is chosen."""
        return any((self.queue, self.priority, self.reason, self.language, self.tag, self.q))

    def query(self, **changes: str) -> str:
        """The same as a query of an address, with changes; a change starts at the first page again."""
        told = {"view": str(self.view), **{name: getattr(self, name) for name in NAMES}}
        told |= {"after": "", **changes} if changes else {}
        return urlencode({name: value for name, value in told.items() if value})


@dataclass(frozen=True)
class Line:
    """One ticket of a list; `mark` says what is new for this agent: "new", "message" or ""."""

    id: str
    number: int
    version: int
    state: str
    queue: str
    priority: str
    reason: str
    language: str
    who: str
    subject: str
    tags: tuple[str, ...]
    assignee: str | None
    assignee_name: str
    opened_at: datetime
    updated_at: datetime
    next_clock: str
    clock_state: str
    due_at: datetime | None
    """When the next clock is due; None when nothing is."""
    mark: str = ""


@dataclass(frozen=True)
class Counts:
    """How many tickets still need work, by view and by queue."""

    views: Mapping[str, int]
    queues: Mapping[str, int]


@dataclass(frozen=True)
class Worklist:
    """One page; `next` is the `after` of the page that follows."""

    filters: Filters
    lines: tuple[Line, ...]
    next: str
    counts: Counts = field(default_factory=lambda: Counts({}, {}))


COLUMNS = (
    Ticket.id,
    Ticket.number,
    Ticket.version,
    Ticket.state,
    Ticket.queue,
    Ticket.priority,
    Ticket.urgency,
    Ticket.reason,
    Ticket.reason_text,
    Ticket.language,
    Ticket.contact_name,
    Ticket.contact_email,
    Ticket.goal,
    Ticket.symptom,
    Ticket.tags,
    Ticket.assignee,
    Ticket.opened_at,
    Ticket.updated_at,
    Ticket.next_clock,
    Ticket.clock_state,
    Ticket.next_due_at,
)


def worklist(session: Session, filters: Filters, me: str) -> Worklist:
    """A page of tickets as the agent `me` sees it, with the counts beside it."""
    return replace(page(session, filters, me), counts=counts(session, me))


def page(session: Session, filters: Filters, me: str, names: Mapping[str, str] | None = None) -> Worklist:
    """A page of tickets without counts; `names` of accounts, when they are known already."""
    rows = session.execute(_ordered(_filtered(session, filters, me), filters).limit(PAGE + 1)).all()
    names = names_of(session) if names is None else names
    marks = _marks(session, [row.id for row in rows[:PAGE]], me)
    lines = tuple(_line(row, names, marks) for row in rows[:PAGE])
    return Worklist(filters, lines, _place(rows[PAGE - 1], filters) if len(rows) > PAGE else "")


def lines(session: Session, ids: Iterable[str], me: str, names: Mapping[str, str]) -> tuple[Line, ...]:
    """Some tickets, newest first."""
    wanted = list(ids)
    if not wanted:
        return ()
    rows = session.execute(select(*COLUMNS).where(Ticket.id.in_(wanted)).order_by(Ticket.number.desc())).all()
    marks = _marks(session, [row.id for row in rows], me)
    return tuple(_line(row, names, marks) for row in rows)


def counts(session: Session, me: str) -> Counts:
    """What still needs work."""
    waiting = case((Ticket.state.in_([TicketState.WAITING_CUSTOMER, TicketState.WAITING_THIRD_PARTY]), 1), else_=0)
    nobody = case((Ticket.assignee.is_(None), 1), else_=0)
    mine = case((Ticket.assignee == me, 1), else_=0)
    query = select(Ticket.queue, func.count(), func.sum(nobody), func.sum(mine), func.sum(waiting)).where(LIVING).group_by(Ticket.queue)
    rows = [(queue, [int(number) for number in numbers]) for queue, *numbers in session.execute(query)]
    total = [sum(numbers) for numbers in zip(*(numbers for _, numbers in rows), strict=True)] or [0, 0, 0, 0]
    views = dict(zip((View.OPEN, View.UNASSIGNED, View.MINE, View.WAITING), total, strict=True))
    return Counts({str(view): number for view, number in views.items()}, {queue: numbers[0] for queue, numbers in rows})


def names_of(session: Session) -> dict[str, str]:
    """The name of every account by its id."""
    return {str(id_): str(name) for id_, name in session.execute(select(Account.id, Account.name))}


def agents(session: Session) -> list[tuple[str, str]]:
    """(id, name) of everybody who may have tickets, by name."""
    query = select(Account.id, Account.name).where(Account.disabled_at.is_(None), Account.role != StaffRole.WRITER).order_by(Account.name)
    return [(str(id_), str(name)) for id_, name in session.execute(query)]


# ── the query ───────────────────────────────────────────────────────────────────────────────────────


def _filtered(session: Session, filters: Filters, me: str) -> Select[Any]:
    columns: tuple[Any, ...] = COLUMNS
    query = _viewed(select(*columns), filters.view, me)
    for name in ("queue", "priority", "reason", "language"):
        if value := getattr(filters, name):
            query = query.where(getattr(Ticket, name) == value)
    if filters.tag:
        query = query.where(cast(Ticket.tags, String).contains(json.dumps(filters.tag), autoescape=True))
    for name, words in (("tagged", filters.tag), ("hits", filters.q)):
        hits = finding.numbers(session, words)
        if hits is not None:
            _by_index(session)
            found = hits.cte(name).prefix_with("MATERIALIZED", dialect="postgresql")
            query = query.where(Ticket.number.in_(select(found.c[0])))
    return query


def _by_index(session: Session) -> None:
    """For a word that most tickets hold Postgres would rather read them all: with 20,000 tickets 1 s, by the index 9 ms."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL enable_seqscan = off"))


def _viewed(query: Select[Any], view: View, me: str) -> Select[Any]:
    match view:
        case View.MINE:
            return query.where(LIVING, Ticket.assignee == me)
        case View.UNASSIGNED:
            return query.where(LIVING, Ticket.assignee.is_(None))
        case View.OPEN:
            return query.where(LIVING)
        case View.WAITING:
            return query.where(WAITING)
        case View.RESOLVED | View.CLOSED:
            return query.where(DONE[view])
        case View.ALL:
            return query


def _ordered(query: Select[Any], filters: Filters) -> Select[Any]:
    after = _place_read(filters)
    if not _by_work(filters):
        query = query.where(Ticket.number < after[-1]) if after else query
        return query.order_by(Ticket.number.desc())
    if filters.sort == BY_PRIORITY:
        order: tuple[Any, ...] = (Ticket.urgency, Ticket.opened_at, Ticket.number)
    else:
        order = (Ticket.next_due_at, Ticket.number)
    if after:
        *first, moment, number = after
        at = literal(datetime.fromtimestamp(moment / 1_000_000, UTC), Ticket.opened_at.type)
        query = query.where(tuple_(*order) > tuple_(*(literal(one, Integer) for one in first), at, literal(number, Integer)))
    return query.order_by(*order)


def _by_work(filters: Filters) -> bool:
    return filters.view in IN_ORDER_OF_WORK and not filters.q


def _place(row: Any, filters: Filters) -> str:
    if not _by_work(filters):
        return str(row.number)
    if filters.sort == BY_PRIORITY:
        return f"{row.urgency}.{_microseconds(row.opened_at)}.{row.number}"
    return f"{_microseconds(row.next_due_at)}.{row.number}"


def _microseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)


def _place_read(filters: Filters) -> tuple[int, ...]:
    """The numbers of a place; none when they are not such a place."""
    parts = filters.after.split(".")
    by_priority = filters.sort == BY_PRIORITY
    wanted = (3 if by_priority else 2) if _by_work(filters) else 1
    if len(parts) != wanted or not all(part.isascii() and part.isdigit() and len(part) < 17 for part in parts):  # noqa: PLR2004 - fits a moment
        return ()
    found = tuple(int(part) for part in parts)
    small = (found[0], found[-1]) if by_priority else found[-1:]
    return found if max(small) <= MAX_NUMBER else ()


# ── its rows ────────────────────────────────────────────────────────────────────────────────────────


COPIED = (
    "id",
    "number",
    "version",
    "state",
    "queue",
    "priority",
    "reason",
    "language",
    "assignee",
    "opened_at",
    "updated_at",
    "next_clock",
    "clock_state",
)


def _line(row: Any, names: Mapping[str, str], marks: Mapping[str, str]) -> Line:
    return Line(
        **{name: getattr(row, name) for name in COPIED},
        who=row.contact_name or row.contact_email or "",
        subject=subject_of(row)[:LONGEST],
        tags=tuple(row.tags),
        assignee_name=names.get(row.assignee, row.assignee) if row.assignee else "",
        due_at=row.next_due_at if row.next_due_at < FAR else None,
        mark=marks.get(row.id, ""),
    )


def subject_of(ticket: Any) -> str:
    """What a ticket is about, in one line that begins with a capital: goal or symptom, the first that says more than a word or two."""
    told = [" ".join(text.split()) for text in (ticket.goal, ticket.symptom) if text]
    said = next((text for text in told if text.count(" ") >= TELLING), told[0] if told else ticket.reason_text)
    return said[:1].upper() + said[1:]


def _marks(session: Session, ids: Sequence[str], me: str) -> dict[str, str]:
    """What is new: a ticket nobody has answered and `me` has not opened, or a message since the last answer that `me` has not read."""
    if not ids:
        return {}

    def last(*kinds: EventKind) -> Any:
        return func.max(case((TicketEvent.kind.in_(kinds), TicketEvent.version), else_=0))

    read_before = select(TicketSeen.ticket_id, TicketSeen.version).where(TicketSeen.account_id == me, TicketSeen.ticket_id.in_(ids))
    seen = {str(row[0]): int(row[1]) for row in session.execute(read_before)}
    query = (
        select(TicketEvent.ticket_id, last(EventKind.VISITOR_WROTE), last(EventKind.REPLIED, EventKind.REACHED))
        .where(TicketEvent.ticket_id.in_(ids))
        .group_by(TicketEvent.ticket_id)
    )
    marks = {}
    for ticket_id, wrote, replied in session.execute(query):
        read = seen.get(ticket_id, 0)
        if wrote > max(replied, read):
            marks[ticket_id] = "message"
        elif not replied and not read:
            marks[ticket_id] = "new"
    return marks


def _plain(given: str) -> str:
    return "".join(c for c in given.encode("utf-8", "replace").decode() if c.isprintable()).strip()[:LONGEST]
