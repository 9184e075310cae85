"""Open pages learn of changes: one small query for all of them, and each stream reads its own rows after the last it has seen."""

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import anyio.to_thread
from fastapi import HTTPException, Request
from fastapi.responses import StreamingResponse
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.database import Database
from assistant.tables import Message
from escalation.tables import TicketEvent

EVERY_SECONDS = 0.5
LOOK_AGAIN_SECONDS = 5.0  # a beat may come before its rows are visible; and whoever may no longer listen is noticed
MAX_STREAMS = 500
LOOK_BACK = 100  # events of other transactions that may still become visible
MOST_EVENTS = 200  # told at a time


@dataclass(frozen=True)
class Event:
    """What a page is told; `id` comes back as Last-Event-ID when the page reconnects."""

    id: int
    name: str
    data: dict[str, Any]

    def encoded(self) -> str:
        """As a server-sent event."""
        return f"id: {self.id}\nevent: {self.name}\ndata: {json.dumps(self.data, ensure_ascii=True, default=str)}\n\n"


class Pulse:
    """Beats when something was written, by whatever process; asks only while somebody listens. Belongs to one event loop."""

    def __init__(self, database: Database) -> None:
        """Nothing is asked before the first listener."""
        self.database = database
        self.listeners = 0
        self._beat = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def listening(self) -> Any:
        """Count as a listener."""
        self.listeners += 1
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._watch())
        try:
            yield
        finally:
            self.listeners -= 1

    async def changed(self) -> None:
        """Wait for the next beat, or a while."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._beat.wait(), LOOK_AGAIN_SECONDS)

    async def _watch(self) -> None:
        seen: tuple[int, int] | None = None
        while self.listeners:
            now = seen
            with contextlib.suppress(Exception):  # a database that is away for a moment must not end the watch
                now = await anyio.to_thread.run_sync(self._newest)
            if now != seen:
                seen = now
                self._beat.set()
                self._beat = asyncio.Event()
            await asyncio.sleep(EVERY_SECONDS)

    def _newest(self) -> tuple[int, int]:
        with self.database.read() as session:
            messages = session.scalar(select(func.max(Message.id))) or 0
            return messages, session.scalar(select(func.max(TicketEvent.id))) or 0


Read = Callable[[int], list[Event] | None]


def stream(request: Request, pulse: Pulse, read: Read, after: int) -> StreamingResponse:
    """The events that `read` gives after an id, as they come; `read` returns None when the caller may listen no longer.

    Raise HTTPException 503 when more pages listen than this server serves at once.
    """
    if pulse.listeners >= MAX_STREAMS:
        raise HTTPException(503, "too many open pages; ask for messages instead", headers={"Retry-After": "30"})
    headers = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
    return StreamingResponse(_follow(pulse, read, after_of(request, after)), media_type="text/event-stream", headers=headers)


def after_of(request: Request, after: int) -> int:
    """The event from which a page listens: the last it heard, when it reconnects, else `after`."""
    told = request.headers.get("last-event-id", "")
    return int(told) if told.isascii() and told.isdigit() and len(told) < 16 else after  # noqa: PLR2004 - more digits than ids have


async def _follow(pulse: Pulse, read: Read, after: int) -> AsyncIterator[str]:
    with pulse.listening():
        yield "retry: 2000\n\n"
        while True:
            events = await anyio.to_thread.run_sync(read, after)
            if events is None:
                yield "event: ended\ndata: {}\n\n"
                return
            for event in events:
                after = max(after, event.id)
                yield event.encoded()
            if not events:
                yield ": still here\n\n"
            await pulse.changed()


class TicketNews:
    """What happens to tickets, for one open page of the desk: which ticket, its version and what kind of change, each once.

    On Postgres an event can become visible after one with a greater id, so each look goes a little back.
    """

    def __init__(self, start: int) -> None:
        """Nothing up to the event `start` is told."""
        self.start = start
        self._told: deque[int] = deque(maxlen=2 * LOOK_BACK + MOST_EVENTS)

    def read(self, session: Session, after: int) -> list[Event]:
        """The events after one that were not told yet."""
        since = max(self.start, after - LOOK_BACK)
        query = select(TicketEvent).where(TicketEvent.id > since).order_by(TicketEvent.id).limit(LOOK_BACK + MOST_EVENTS)
        fresh = [event for event in session.scalars(query) if event.id not in self._told]
        self._told.extend(event.id for event in fresh)
        return [Event(e.id, "ticket", {"ticket": e.ticket_id, "version": e.version, "kind": e.kind, "by": e.by}) for e in fresh]


def newest_ticket_event(session: Session) -> int:
    """The id of the last thing that happened to any ticket: where a freshly loaded page begins to listen."""
    return session.scalar(select(func.max(TicketEvent.id))) or 0
