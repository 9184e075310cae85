"""Clocks and chains as the desk's interface tells them."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field, StrictInt

from api.shapes import In


class EscalateIn(In):
    """Call the next tier of its chain by hand."""

    version: Annotated[StrictInt, Field(ge=0, le=2**31 - 1, description="the version that was read", examples=[3])]


class ClockOut(BaseModel):
    """A clock of a ticket; seconds of working time. `words` says how it stands."""

    kind: str
    state: str
    words: str
    started_at: datetime
    due_at: datetime | None
    paused_at: datetime | None
    ended_at: datetime | None
    warned_at: datetime | None
    breached_at: datetime | None
    span_seconds: int
    spent_seconds: int
    calendar: str


class TierOut(BaseModel):
    """A tier of a ticket's chain; `here` is the one that has the ticket."""

    number: int
    who: str
    here: bool


class PromisesOut(BaseModel):
    """What became of promises of one kind in one queue, in tickets."""

    clock: str
    queue: str
    counts: dict[str, int]
