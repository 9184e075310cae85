"""The operator's numbers over a range of time, each with the sentence that says what it counts. Read-only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Integer, and_, case, cast, exists, func, select
from sqlalchemy.orm import Session

from api.desk.ticket import title_of
from api.desk.worklist import LIVING
from assistant.tables import Conversation, Feedback, Outcome, Turn
from escalation import queues
from escalation.sla import PROMISED
from escalation.tables import ClockState, EventKind, Ticket, TicketClock, TicketEvent, TicketState
from guardrails.policies import Policy
from guardrails.tables import GuardDecision, Judgement

AGES = (
    ("under 4 h", timedelta(hours=4)),
    ("4 h to 1 day", timedelta(days=1)),
    ("1 to 3 days", timedelta(days=3)),
    ("older", timedelta.max),
)
FAMILIES = tuple(dict.fromkeys(outcome.family for outcome in Outcome))
FAMILY_MEANS: Mapping[str, str] = {
    "answered": "from a FAQ, by quoting an article or by a chat model whose sentences were checked, with its source",
    "smalltalk": "greetings, thanks and goodbyes",
    "offered": "titles to choose from, because it was not sure which one was meant",
    "refused": "a guard policy refused, and nothing else could be answered",
    "unanswered": "no article covers it; it counts as a gap",
    "escalated": "the turn opened a ticket",
    "delivered": "a person held the conversation and got the message",
    "merged": "a message that was answered together with the next one",
    "failed": "an error on our side",
}
VISITOR = "visitor"
OVERDUE = "overdue"
PROMISE_MEANS: Mapping[str, str] = {
    ClockState.MET: "done at the due time or before",
    ClockState.BREACHED: "done, but after the due time",
    OVERDUE: "not done yet, and the due time is over",
    ClockState.RUNNING: "not done yet, and still in time",
    ClockState.PAUSED: "stands still while we wait for the customer",
    ClockState.DROPPED: "resolved in time without the reply it waited for",
    ClockState.MERGED: "the other ticket carries it on, and is counted there",
}


@dataclass(frozen=True)
class Figure:
    """A number and what it counts; None where there is nothing to count from."""

    name: str
    value: float | None
    definition: str
    unit: Literal["", "%", "of 5"] = ""


@dataclass(frozen=True)
class Blocks:
    """What one policy did."""

    policy: str
    title: str
    decided: int
    blocked: int
    right: int
    judged: int


@dataclass(frozen=True)
class Promises:
    """What became of the clocks of one kind in one queue; `counts` by the names in PROMISE_MEANS, which add up to all of them."""

    clock: str
    queue: str
    counts: Mapping[str, int]


@dataclass(frozen=True)
class Overview:
    """`open_by_queue` counts tickets by queue, then by age; `outcomes` turns by family."""

    since: datetime
    until: datetime
    figures: tuple[Figure, ...]
    outcomes: Mapping[str, int]
    open_by_queue: Mapping[str, Mapping[str, int]]
    ratings: Mapping[int, int]
    blocks: tuple[Blocks, ...]
    promises: tuple[Promises, ...]


def overview(session: Session, since: datetime, until: datetime, policies: Mapping[str, Policy]) -> Overview:
    """Everything that happened from `since` to `until`, both included; open tickets as they are at `until`."""
    return Overview(
        since=since,
        until=until,
        figures=(*_conversations(session, since, until), *_tickets(session, since, until), *_opinions(session, since, until)),
        outcomes=_outcomes(session, since, until),
        open_by_queue=_open(session, until),
        ratings=_ratings(session, since, until),
        blocks=_blocks(session, since, until, policies),
        promises=_promises(session, since, until),
    )


def _within(column: Any, since: datetime, until: datetime) -> ColumnElement[bool]:
    return and_(column >= since, column <= until)


def _conversations(session: Session, since: datetime, until: datetime) -> list[Figure]:
    begun = _within(Conversation.created_at, since, until) & exists().where(Turn.conversation_id == Conversation.id)
    total = session.scalar(select(func.count()).select_from(Conversation).where(begun)) or 0
    ticketed = exists().where(Ticket.conversation_id == Conversation.id)
    alone = session.scalar(select(func.count()).select_from(Conversation).where(begun, ~ticketed)) or 0
    last = select(Turn.outcome).where(Turn.conversation_id == Conversation.id, Turn.outcome != Outcome.SMALLTALK)
    last_outcome = last.order_by(Turn.message_id.desc()).limit(1).scalar_subquery()
    answered = last_outcome.in_([one for one in Outcome if one.family == "answered"])
    unhappy = exists().where(Feedback.conversation_id == Conversation.id, ~Feedback.helpful)
    happy = exists().where(Feedback.conversation_id == Conversation.id, Feedback.helpful)
    count = select(func.count()).select_from(Conversation).where(begun, ~ticketed, ~unhappy)
    confirmed = session.scalar(count.where(happy)) or 0
    assumed = session.scalar(count.where(~happy, answered)) or 0
    return [
        Figure("Conversations", total, "Conversations begun in this time in which the visitor wrote something."),
        Figure("Without a person", _share(alone, total), "Share of them that have no ticket.", "%"),
        Figure("Solved, confirmed", _share(confirmed, total), "Share with no ticket, a thumb up and none down.", "%"),
        Figure("Solved, assumed", _share(assumed, total), "Share with no ticket and no thumbs, whose last question was answered.", "%"),
    ]


def _tickets(session: Session, since: datetime, until: datetime) -> list[Figure]:
    opened = session.scalar(select(func.count()).select_from(Ticket).where(_within(Ticket.opened_at, since, until))) or 0
    closing = (TicketEvent.kind == EventKind.MOVED) & (TicketEvent.details["to"].as_string() == TicketState.CLOSED)
    happened = _within(TicketEvent.at, since, until)
    closed = select(func.count()).select_from(TicketEvent).where(happened, closing)
    confirmed = session.scalar(closed.where(TicketEvent.by == VISITOR)) or 0
    assumed = session.scalar(closed.where(TicketEvent.by != VISITOR)) or 0
    reopened = session.scalar(select(func.count()).select_from(TicketEvent).where(happened, TicketEvent.kind == EventKind.REOPENED)) or 0
    living = session.scalar(select(func.count()).select_from(Ticket).where(LIVING)) or 0
    return [
        Figure("Tickets opened", opened, "Tickets opened in this time, by whatever reason."),
        Figure("Tickets open now", living, "Tickets that are neither resolved nor closed, whenever they were opened."),
        Figure("Closed, confirmed", confirmed, "Times a resolved ticket was closed because the visitor said that it is solved."),
        Figure(
            "Closed, assumed", assumed, "Times a resolved ticket was closed without such a word: by an agent, or because nothing more came."
        ),
        Figure("Reopened", reopened, "Times a resolved or closed ticket was opened again, by the visitor or by an agent."),
    ]


def _opinions(session: Session, since: datetime, until: datetime) -> list[Figure]:
    stars = _ratings(session, since, until)
    given = sum(stars.values())
    mean = round(sum(star * count for star, count in stars.items()) / given, 2) if given else None
    thumbs = select(func.count(), func.sum(cast(Feedback.helpful, Integer))).where(_within(Feedback.at, since, until))
    total, helpful = session.execute(thumbs).one()
    return [
        Figure("Rating", mean, f"Mean of the stars that visitors gave to tickets in this time ({given} ratings).", "of 5"),
        Figure("Helpful", _share(int(helpful or 0), total), f"Share of thumbs up among the thumbs on replies in this time ({total}).", "%"),
    ]


def _outcomes(session: Session, since: datetime, until: datetime) -> dict[str, int]:
    query = (
        select(Turn.outcome, func.count()).where(_within(Turn.started_at, since, until), Turn.outcome.is_not(None)).group_by(Turn.outcome)
    )
    found = dict.fromkeys(FAMILIES, 0)
    for outcome, count in session.execute(query):
        found[Outcome(str(outcome)).family] += count
    return found


def _open(session: Session, until: datetime) -> dict[str, dict[str, int]]:
    rows = session.execute(select(Ticket.queue, Ticket.opened_at).where(LIVING)).all()
    found = {queue: dict.fromkeys((name for name, _ in AGES), 0) for queue in queues.load()}
    for queue, opened_at in rows:
        age = next(name for name, most in AGES if until - opened_at < most)
        found.setdefault(queue, dict.fromkeys((name for name, _ in AGES), 0))[age] += 1
    return found


def _ratings(session: Session, since: datetime, until: datetime) -> dict[int, int]:
    rated = exists().where(TicketEvent.ticket_id == Ticket.id, TicketEvent.kind == EventKind.RATED, _within(TicketEvent.at, since, until))
    query = select(Ticket.rating, func.count()).where(Ticket.rating.is_not(None), rated).group_by(Ticket.rating)
    return {**dict.fromkeys(range(5, 0, -1), 0), **{int(stars or 0): count for stars, count in session.execute(query)}}


def _blocks(session: Session, since: datetime, until: datetime, policies: Mapping[str, Policy]) -> tuple[Blocks, ...]:
    query = (
        select(
            GuardDecision.policy,
            func.count(),
            func.sum(cast(GuardDecision.blocked, Integer)),
            func.sum(cast(Judgement.right, Integer)),
            func.count(Judgement.number),
        )
        .outerjoin(Judgement, Judgement.number == GuardDecision.number)
        .where(GuardDecision.policy.is_not(None), _within(GuardDecision.at, since, until))
        .group_by(GuardDecision.policy)
        .order_by(func.count().desc(), GuardDecision.policy)
    )
    rows = session.execute(query)
    return tuple(Blocks(str(p), title_of(str(p), policies), int(n), int(b or 0), int(r or 0), int(j)) for p, n, b, r, j in rows)


def _promises(session: Session, since: datetime, until: datetime) -> tuple[Promises, ...]:
    """By kind and queue, how the clocks that began in this time stand at its end."""
    over = TicketClock.due_at.is_not(None) & (TicketClock.due_at < until)
    moving = TicketClock.state.in_([ClockState.RUNNING, ClockState.PAUSED])
    how = case((moving & over, OVERDUE), else_=TicketClock.state)
    query = (
        select(TicketClock.kind, TicketClock.queue, how, func.count())
        .where(_within(TicketClock.started_at, since, until), TicketClock.kind.in_(PROMISED))
        .group_by(TicketClock.kind, TicketClock.queue, how)
    )
    found: dict[tuple[str, str], dict[str, int]] = {}
    for kind, queue, state, count in session.execute(query):
        found.setdefault((kind, queue), dict.fromkeys(PROMISE_MEANS, 0))[state] += count
    order = [str(kind) for kind in PROMISED]
    return tuple(Promises(kind, queue, found[kind, queue]) for kind, queue in sorted(found, key=lambda key: (order.index(key[0]), key[1])))


def _share(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 1) if whole else None
