"""One ticket as an agent needs it: what was said in all its conversations, what the guards did, and what happened. Read-only."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.desk import worklist as views
from api.desk.worklist import Line
from api.tables import TicketSeen
from assistant import briefing
from assistant.briefing import Briefing
from assistant.tables import Feedback, Message, Role, Turn
from escalation import fields, keeping, linking, tickets
from escalation.sla import Chain, Tier
from escalation.tables import ClockKind, EventKind, Note, Ticket, TicketClock, TicketEvent, TicketState
from escalation.tickets import MOVES, NoSuchTicket
from guardrails.policies import Policy
from guardrails.tables import GuardDecision, Judgement

MOST_MESSAGES = 400  # of one ticket; the beginning of a longer conversation is left out
SHOWN_BETWEEN = frozenset({EventKind.MOVED, EventKind.REOPENED, EventKind.ABSORBED, EventKind.ESCALATED, EventKind.CLOCK_BREACHED})


@dataclass(frozen=True)
class Thumb:
    """What the visitor thought of a reply."""

    helpful: bool
    reason: str


@dataclass(frozen=True)
class Said:
    """Something in the course of a ticket: a message (visitor, assistant, agent), a note, or an event."""

    kind: str
    by: str
    text: str
    at: datetime
    id: str = ""
    outcome: str = ""
    sources: tuple[Mapping[str, Any], ...] = ()
    choices: tuple[str, ...] = ()
    thumb: Thumb | None = None
    blocked: tuple[str, ...] = ()
    """Titles of the policies that spoke about a visitor's message."""
    conversation: int = 1
    """1 is the ticket's own, 2 … those of tickets merged into it."""
    event: TicketEvent | None = None


@dataclass(frozen=True)
class Judged:
    """What a guard found, by its number in the ledger; `right` is what a person thinks of it, None while nobody has said."""

    number: int
    policy: str
    title: str
    stage: str
    action: str
    blocked: bool
    score: float | None
    text: str
    reason: str
    right: bool | None
    by: str


@dataclass(frozen=True)
class TicketView:
    """Everything a ticket's page shows. `names` gives accounts their names."""

    ticket: Ticket
    said: tuple[Said, ...]
    conversations: tuple[str, ...]
    events: tuple[TicketEvent, ...]
    findings: tuple[Judged, ...]
    related: tuple[Line, ...]
    linked: tuple[Line, ...]
    incident: Line | None
    merged: tuple[Line, ...]
    into: Line | None
    names: Mapping[str, str]
    lacking: tuple[str, ...]
    briefing: Briefing
    clocks: tuple[TicketClock, ...]
    """Promises to the visitor: those that count now, then those that are over, the latest first."""
    chain: Chain | None
    now: datetime

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """Whom the chain calls, in order."""
        return self.chain.tiers if self.chain else ()

    @property
    def moves(self) -> tuple[TicketState, ...]:
        """The states it may be moved to, in the order of the work; none for one that was merged away."""
        possible = MOVES[TicketState(self.ticket.state)]
        return () if self.ticket.merged_into else tuple(state for state in TicketState if state in possible)

    @property
    def living(self) -> bool:
        """Whether it can be changed."""
        return self.ticket.state != TicketState.CLOSED


def by_number(session: Session, number: int) -> Ticket:
    """The ticket. Raise NoSuchTicket."""
    found = session.scalar(select(Ticket).where(Ticket.number == number)) if number <= views.MAX_NUMBER else None
    if found is None:
        raise NoSuchTicket(f"there is no ticket {number}")
    return found


def ticket_view(session: Session, number: int, me: str, policies: Mapping[str, Policy], now: datetime) -> TicketView:
    """The ticket as the agent `me` sees it. Raise NoSuchTicket."""
    ticket = by_number(session, number)
    conversations = linking.conversations(session, ticket)
    messages = _messages(session, conversations)
    names = views.names_of(session)
    events = tuple(tickets.history(session, ticket))
    findings = _findings(session, conversations, policies)
    linked, merged = [one.id for one in linking.linked(session, ticket)], _merged(session, ticket)
    near = {line.id: line for line in views.lines(session, _neighbours(ticket, linked, merged), me, names)}
    return TicketView(
        ticket=ticket,
        said=_course(session, ticket, events, conversations, messages, names, policies),
        conversations=tuple(conversations),
        events=events,
        findings=findings,
        related=tuple(near[id_] for id_ in ticket.related if id_ in near),
        linked=tuple(near[id_] for id_ in linked),
        incident=near.get(ticket.incident_id or ""),
        merged=tuple(near[id_] for id_ in merged),
        into=near.get(ticket.merged_into or ""),
        names=names,
        lacking=fields.lacking(ticket),
        briefing=briefing.brief(ticket, messages),
        clocks=_clocks(session, ticket),
        chain=keeping.book_of(session).chain(ticket.queue),
        now=now,
    )


def newer(session: Session, ticket: Ticket, version: int) -> list[Message]:
    """The messages of visitors and agents that came after a version of the ticket."""
    query = select(TicketEvent).where(TicketEvent.ticket_id == ticket.id, TicketEvent.version > version)
    ids = [event.details.get("message_id", "") for event in session.scalars(query)]
    wanted = [int(id_) for id_ in ids if id_]
    return list(session.scalars(select(Message).where(Message.id.in_(wanted)).order_by(Message.id))) if wanted else []


def read_by(session: Session, ticket: Ticket, me: str) -> bool:
    """Whether `me` has read this version."""
    found = session.get(TicketSeen, (me, ticket.id))
    return found is not None and found.version >= ticket.version


def _clocks(session: Session, ticket: Ticket) -> tuple[TicketClock, ...]:
    own = [row for row in keeping.of_ticket(session, ticket) if row.kind != ClockKind.TIER]
    return tuple(sorted(own, key=lambda row: (row.ended_at is not None, row.kind == ClockKind.RESOLUTION, -row.version)))


def _messages(session: Session, conversations: Sequence[str]) -> list[Message]:
    query = select(Message).where(Message.conversation_id.in_(conversations)).order_by(Message.id.desc()).limit(MOST_MESSAGES)
    return list(reversed(session.scalars(query).all()))


def _neighbours(ticket: Ticket, linked: Sequence[str], merged: Sequence[str]) -> list[str]:
    """The ids of every ticket its page names."""
    single = [id_ for id_ in (ticket.incident_id, ticket.merged_into) if id_]
    return [*ticket.related, *linked, *single, *merged]


def _merged(session: Session, ticket: Ticket) -> Sequence[str]:
    return session.scalars(select(Ticket.id).where(Ticket.merged_into == ticket.id).order_by(Ticket.number)).all()


# ── its course ──────────────────────────────────────────────────────────────────────────────────────


def _course(
    session: Session,
    ticket: Ticket,
    events: Sequence[TicketEvent],
    conversations: Sequence[str],
    messages: Sequence[Message],
    names: Mapping[str, str],
    policies: Mapping[str, Policy],
) -> tuple[Said, ...]:
    """Messages, notes and the events that a reader should meet between them, in the order of time."""
    place = {one: at for at, one in enumerate(conversations, start=1)}
    thumbs = {
        one.message_id: Thumb(one.helpful, one.reason)
        for one in session.scalars(select(Feedback).where(Feedback.conversation_id.in_(conversations)))
    }
    blocked = _blocked(session, conversations, policies)
    said = [_said(message, place, thumbs, blocked, ticket) for message in messages if not message.content.get("notice")]
    notes = session.scalars(select(Note).where(Note.ticket_id == ticket.id).order_by(Note.at))
    said += [Said("note", names.get(note.by, note.by), note.text, note.at, id=note.id) for note in notes]
    between = (event for event in events if event.kind in SHOWN_BETWEEN)
    said += [Said("event", names.get(event.by, event.by), "", event.at, event=event) for event in between]
    return tuple(sorted(said, key=lambda one: one.at))


def _said(
    message: Message, place: Mapping[str, int], thumbs: Mapping[int, Thumb], blocked: Mapping[int, tuple[str, ...]], ticket: Ticket
) -> Said:
    content = message.content
    by = {Role.VISITOR: ticket.contact_name or "", Role.AGENT: content.get("agent", "")}
    return Said(
        kind=message.role,
        by=by.get(Role(message.role), ""),
        text=message.text,
        at=message.at,
        id=str(message.id),
        outcome=content.get("outcome") or "",
        sources=tuple(content.get("sources", ())),
        choices=tuple(choice["title"] for choice in content.get("choices", ())),
        thumb=thumbs.get(message.id),
        blocked=blocked.get(message.id, ()),
        conversation=place[message.conversation_id],
    )


def _blocked(session: Session, conversations: Sequence[str], policies: Mapping[str, Policy]) -> dict[int, tuple[str, ...]]:
    """By the visitor's message, the titles of the policies that decided about it."""
    rows = session.execute(select(Turn.message_id, Turn.trace).where(Turn.conversation_id.in_(conversations)))
    decided = {message_id: trace.get("guard", {}).get("policy") for message_id, trace in rows}
    return {message_id: (title_of(policy, policies),) for message_id, policy in decided.items() if policy}


def _findings(session: Session, conversations: Sequence[str], policies: Mapping[str, Policy]) -> tuple[Judged, ...]:
    """What the guards did in these conversations, in its order; passes are left out."""
    query = (
        select(GuardDecision, Judgement.right, Judgement.by)
        .outerjoin(Judgement, Judgement.number == GuardDecision.number)
        .where(GuardDecision.conversation_id.in_(conversations), GuardDecision.policy.is_not(None))
        .order_by(GuardDecision.number)
    )
    return tuple(_judged(row, right, by or "", policies) for row, right, by in session.execute(query))


def _judged(row: GuardDecision, right: bool | None, by: str, policies: Mapping[str, Policy]) -> Judged:  # noqa: FBT001 - as it is stored
    policy = str(row.policy)
    found: Iterable[Mapping[str, Any]] = (one for one in row.findings if one["policy"] == policy)
    first = next(iter(found), {})
    return Judged(
        number=row.number,
        policy=policy,
        title=title_of(policy, policies),
        stage=row.stage,
        action=row.action or "",
        blocked=row.blocked,
        score=first.get("score"),
        text=row.text or "",
        reason=first.get("reason", ""),
        right=right,
        by=by,
    )


def title_of(policy: str, policies: Mapping[str, Policy]) -> str:
    """What a policy is called."""
    return policies[policy].title if policy in policies else policy.replace("_", " ").capitalize()
