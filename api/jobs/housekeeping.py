"""Chores that nobody asks for: the index is brought in line with SQL, and what has run out is deleted."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, delete

from api.bootstrap import Service
from api.messages.tables import AddressCheck, VisitorLink
from api.tables import Invitation, StaffSession
from assistant.learning import learn
from assistant.tables import ConversationKey
from escalation import outbox

INDEX = "compares the index with the database, adds what is missing and removes what is too much"
SWEEP = "deletes sessions, links and keys that have run out, and messages that were sent a month ago"
LEARN = "groups the questions that were left open and suggests FAQs and changes of articles to writers"
ASKED_KEPT = timedelta(days=2)  # longer than an address is left alone
KEPT = timedelta(days=30)  # how long a link that ran out still tells who was invited


def repair_index(service: Service, _now: datetime) -> str:
    """Bring the index in line with SQL while others search and publish."""
    removed, added = service.library.repair()
    return f"{added} vectors added, {removed} removed" if added or removed else "nothing to repair"


def sweep(service: Service, now: datetime) -> str:
    """Delete sessions that are over, visitors' links and keys that ran out, and a month later what was sent, dead or an invitation."""
    idle = timedelta(hours=service.settings.api.session_idle_hours)
    over = (StaffSession.expires_at <= now) | (StaffSession.seen_at <= now - idle)
    with service.database.write() as session:
        sessions: CursorResult[Any] = session.execute(delete(StaffSession).where(over))  # type: ignore[assignment]
        links: CursorResult[Any] = session.execute(delete(Invitation).where(Invitation.expires_at <= now - KEPT))  # type: ignore[assignment]
        session.execute(delete(VisitorLink).where(VisitorLink.expires_at <= now))
        session.execute(delete(ConversationKey).where(ConversationKey.expires_at <= now))
        session.execute(delete(AddressCheck).where(AddressCheck.asked_at <= now - ASKED_KEPT))
        messages = outbox.forget(session, before=now - KEPT)
    return f"{sessions.rowcount} sessions, {links.rowcount} links and {messages} messages deleted"


def suggest(service: Service, now: datetime) -> str:
    """Learn from what happened and suggest what is ready."""
    learned = learn(service.assistant, service.settings.knowledge, now=now)
    return f"{learned.new} new open questions, {len(learned.suggested)} suggestions"
