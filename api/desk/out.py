"""From what the desk reads to the shapes of its interface."""

from api.desk import clock_words
from api.desk import words as desk_words
from api.desk.clock_shapes import ClockOut, PromisesOut, TierOut
from api.desk.overview import Overview
from api.desk.overview_shapes import FigureOut, OverviewOut
from api.desk.shapes import (
    AnsweredOut,
    BriefingOut,
    DeskTicketOut,
    EventOut,
    FindingOut,
    LineOut,
    SaidOut,
)
from api.desk.ticket import Said, TicketView
from api.desk.worklist import Line
from assistant.briefing import Briefing
from escalation.tables import TicketClock
from escalation.work import DESCRIBABLE

COPIED = (
    "number",
    "version",
    "state",
    "queue",
    "priority",
    "reason",
    "reason_text",
    "language",
    "assignee",
    "contact_name",
    "contact_email",
    "contact_verified",
    "error_texts",
    "tried",
    "tags",
    "rating",
    "rating_text",
    "becomes_faq",
    "opened_at",
    "updated_at",
    "resolved_at",
    "closed_at",
    "channel",
    "chain",
)


def line_out(line: Line) -> LineOut:
    """A ticket of a list."""
    return LineOut(**{name: getattr(line, name) for name in LineOut.model_fields if name != "tags"}, tags=list(line.tags))


def ticket_out(view: TicketView) -> DeskTicketOut:
    """A ticket with everything around it."""
    ticket = view.ticket
    return DeskTicketOut(
        **{name: getattr(ticket, name) for name in COPIED},
        moves=[str(state) for state in view.moves],
        assignee_name=view.names.get(ticket.assignee, ticket.assignee) if ticket.assignee else "",
        fields={name: getattr(ticket, name) for name in sorted(DESCRIBABLE)},
        sources=ticket.sources or [],
        conversations=list(view.conversations),
        said=[said_out(said, view) for said in view.said],
        events=[EventOut(version=e.version, kind=e.kind, by=e.by, text=desk_words.happened(e, view.names), at=e.at) for e in view.events],
        findings=[FindingOut(**{name: getattr(found, name) for name in FindingOut.model_fields}) for found in view.findings],
        related=[line_out(line) for line in view.related],
        linked=[line_out(line) for line in view.linked],
        incident=view.incident.number if view.incident else None,
        merged=[line.number for line in view.merged],
        merged_into=view.into.number if view.into else None,
        clocks=[clock_out(row, view) for row in view.clocks],
        tiers=[TierOut(number=at, who=tier.who, here=at == ticket.tier) for at, tier in enumerate(view.tiers, start=1)],
        briefing=briefing_out(view.briefing),
    )


def clock_out(row: TicketClock, view: TicketView) -> ClockOut:
    """A clock as it stands now."""
    names = ("kind", "state", "started_at", "due_at", "paused_at", "ended_at", "warned_at", "breached_at", "calendar")
    words = str(clock_words.of_row(row, view.now))
    return ClockOut(**{name: getattr(row, name) for name in names}, words=words, span_seconds=row.span_s, spent_seconds=row.spent_s)


def said_out(said: Said, view: TicketView) -> SaidOut:
    """A message, note or event."""
    return SaidOut(
        kind=said.kind,
        by=said.by,
        text=desk_words.happened(said.event, view.names) if said.event else said.text,
        at=said.at,
        id=said.id,
        outcome=said.outcome,
        sources=[dict(source) for source in said.sources],
        helpful=said.thumb.helpful if said.thumb else None,
        blocked=list(said.blocked),
        conversation=said.conversation,
    )


def briefing_out(briefing: Briefing) -> BriefingOut:
    """The ticket in a few lines."""
    answered = [AnsweredOut(question=a.question, outcome=a.outcome, text=a.text, titles=list(a.titles)) for a in briefing.answered]
    lists = {name: list(getattr(briefing, name)) for name in ("errors", "versions", "addresses", "codes", "missing")}
    return BriefingOut(first_ask=briefing.first_ask, last_ask=briefing.last_ask, why=briefing.why, answered=answered, **lists)


def overview_out(overview: Overview) -> OverviewOut:
    """The operator's numbers."""
    return OverviewOut(
        since=overview.since,
        until=overview.until,
        figures=[FigureOut(name=f.name, value=f.value, unit=f.unit, definition=f.definition) for f in overview.figures],
        outcomes=dict(overview.outcomes),
        open_by_queue_and_age={queue: dict(ages) for queue, ages in overview.open_by_queue.items()},
        ratings={str(stars): count for stars, count in overview.ratings.items()},
        blocks=[vars(blocks) for blocks in overview.blocks],
        promises=[PromisesOut(clock=one.clock, queue=one.queue, counts=dict(one.counts)) for one in overview.promises],
    )
