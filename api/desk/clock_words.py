"""A clock in words and colour: due in 35 min, overdue by 2 h, paused while waiting for the customer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from escalation.datafile import words
from escalation.keeping import NEVER
from escalation.tables import FAR, ClockKind, ClockState, TicketClock

NAMES: Mapping[str, str] = {
    ClockKind.FIRST_REPLY: "First reply",
    ClockKind.NEXT_REPLY: "Next reply",
    ClockKind.RESOLUTION: "Resolution",
    ClockKind.TIER: "Tier",
}
SOON = timedelta(hours=1)
PAUSED = "paused while waiting for the customer"
ENDED: Mapping[str, tuple[str, str]] = {
    ClockState.MET: ("good", "met"),
    ClockState.BREACHED: ("overdue", "missed"),
    ClockState.DROPPED: ("plain", "ended without a reply"),
    ClockState.MERGED: ("plain", "continues in the merged ticket"),
}


@dataclass(frozen=True)
class Told:
    """`badge` is a colour of the pages; `text` follows the clock's name."""

    badge: str
    name: str
    text: str

    def __str__(self) -> str:
        """As one sentence without its full stop."""
        return f"{self.name} {self.text}"


def told(kind: str, state: str, due_at: datetime | None, now: datetime) -> Told | None:
    """The next clock of a list; None when nothing is promised."""
    name = NAMES.get(kind)
    if name is None or not state:
        return None
    late = due_at is not None and due_at < FAR and due_at < now
    if state in ENDED:
        return Told(ENDED[state][0], name, ENDED[state][1])
    if late and due_at is not None:
        return Told("overdue", name, f"overdue by {words(now - due_at)}")
    if state == ClockState.PAUSED:
        return Told("plain", name, PAUSED)
    if state == NEVER or due_at is None or due_at >= FAR:
        return Told("plain", name, "never due: its calendar has no open hours")
    return Told("waiting" if due_at - now <= SOON else "info", name, f"due in {words(due_at - now)}")


def of_row(row: TicketClock, now: datetime) -> Told:
    """A stored clock; one that ended late says by how much."""
    found = told(row.kind, row.state, row.due_at, now)
    assert found is not None  # noqa: S101 - a stored clock has a kind and a state
    if row.state == ClockState.BREACHED and row.due_at and row.ended_at:
        return Told(found.badge, found.name, f"missed by {words(row.ended_at - row.due_at)}")
    if row.state == ClockState.MET and row.due_at and row.ended_at and row.ended_at <= row.due_at:
        return Told(found.badge, found.name, f"met, {words(row.due_at - row.ended_at)} before its end")
    return found
