"""Chores that nobody asks for: the index is brought in line with SQL, and what has run out is deleted."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, delete

from api.bootstrap import Service
from api.tables import Invitation, StaffSession

INDEX = "compares the index with the database, adds what is missing and removes what is too much"
SWEEP = "deletes sessions of staff and links that have run out"
KEPT = timedelta(days=30)  # how long a link that ran out still tells who was invited


def repair_index(service: Service, _now: datetime) -> str:
    """Bring the index in line with SQL while others search and publish."""
    removed, added = service.library.repair()
    return f"{added} vectors added, {removed} removed" if added or removed else "nothing to repair"


def sweep(service: Service, now: datetime) -> str:
    """Delete sessions that are over, and links that ran out a month ago."""
    idle = timedelta(hours=service.settings.api.session_idle_hours)
    over = (StaffSession.expires_at <= now) | (StaffSession.seen_at <= now - idle)
    with service.database.write() as session:
        sessions: CursorResult[Any] = session.execute(delete(StaffSession).where(over))  # type: ignore[assignment]
        links: CursorResult[Any] = session.execute(delete(Invitation).where(Invitation.expires_at <= now - KEPT))  # type: ignore[assignment]
    return f"{sessions.rowcount} sessions and {links.rowcount} links deleted"
