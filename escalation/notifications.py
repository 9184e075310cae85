"""Which event of a ticket tells whom: one table of rules, and the outbox row that is written with the event."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from sqlalchemy.orm import Session

from escalation.outbox_tables import Outbox
from escalation.tables import TicketEvent


class Audience(StrEnum):
    """Who may be told."""

    QUEUE = "queue"  # who follows the ticket's queue
    ASSIGNEE = "assignee"  # who has the ticket
    ASSIGNED = "assigned"  # who was just given it
    TIER = "tier"  # who stands for the tier that was called
    VISITOR = "visitor"  # whose address is confirmed


class Choice(StrEnum):
    """What members of staff may want by e-mail or not."""

    NEW = "new"
    ASSIGNED = "assigned"
    WROTE = "wrote"
    CLOCK = "clock"
    CALLED = "called"


CHOICES: Mapping[Choice, str] = MappingProxyType(
    {
        Choice.NEW: "A new ticket in a queue that I follow, or one that came back",
        Choice.ASSIGNED: "A ticket is given to me",
        Choice.WROTE: "A visitor writes to me, or opens my ticket again",
        Choice.CLOCK: "A ticket of mine is nearly late, or late",
        Choice.CALLED: "The tier that I stand for is called",
    }
)


@dataclass(frozen=True)
class Rule:
    """Whom an event tells, and which choice of theirs covers it. Whoever did it is never told. Webhooks get every kind listed here."""

    to: frozenset[Audience]
    choice: Choice | None
    title: str


def _rule(title: str, choice: Choice | None = None, *to: Audience) -> Rule:
    return Rule(frozenset(to), choice, title)


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "opened": _rule("New ticket", Choice.NEW, Audience.QUEUE),
        "queue_changed": _rule("Ticket moved to your queue", Choice.NEW, Audience.QUEUE),
        "reopened": _rule("Ticket opened again", Choice.WROTE, Audience.ASSIGNEE),
        "assigned": _rule("Ticket given to you", Choice.ASSIGNED, Audience.ASSIGNED),
        "visitor_wrote": _rule("The visitor wrote", Choice.WROTE, Audience.ASSIGNEE),
        "replied": _rule("Reply sent", None, Audience.VISITOR),
        "reached": _rule("Reply to its incident sent", None, Audience.VISITOR),
        "moved": _rule("State changed"),
        "merged": _rule("Merged into another ticket", Choice.WROTE, Audience.ASSIGNEE),
        "rated": _rule("The visitor rated the help"),
        "clock_warned": _rule("Nearly late", Choice.CLOCK, Audience.ASSIGNEE),
        "clock_breached": _rule("Late", Choice.CLOCK, Audience.ASSIGNEE, Audience.QUEUE),
        "escalated": _rule("Your tier is called", Choice.CALLED, Audience.TIER),
    }
)
# seen at the desk, told to nobody
SILENT = frozenset({"noted", "priority_changed", "described", "asked", "absorbed", "linked", "unlinked"})


def owe(session: Session, event: TicketEvent) -> None:
    """Write down, in the event's own transaction, that somebody may have to be told of it; the event has its id already."""
    if event.kind in RULES:
        owed = Outbox(
            event_id=event.id, ticket_id=event.ticket_id, kind=str(event.kind), by=event.by, details=dict(event.details), at=event.at
        )
        session.add(owed)
