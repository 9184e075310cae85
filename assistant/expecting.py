"""When a visitor may expect an answer, told in their language and by their clock; by the operator's where theirs is not known."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from assistant.wording import say, words
from escalation import keeping
from escalation.calendars import zone_of
from escalation.tables import Ticket

STEP = timedelta(minutes=5)  # a promise to the second sounds like a machine


def sentence(session: Session, ticket: Ticket, details: dict[str, Any], language: str, *, now: datetime) -> str:
    """That we aim to answer today by 15:45 (Europe/Berlin); "" when nobody waits for a reply, or none is promised, or it is late."""
    due = keeping.reply_due(session, ticket)
    if due is None or due <= now:
        return ""
    return say("handover_expected", language, when=when(due, zone_for(session, details), language, now=now))


def zone_for(session: Session, details: dict[str, Any]) -> ZoneInfo:
    """The zone that the visitor's browser told, else that of the hours in which we work."""
    return zone_of(str(details.get("zone") or "")) or keeping.book_of(session).profile.calendar.zone


def when(due: datetime, zone: ZoneInfo, language: str, *, now: datetime) -> str:
    """A moment as somebody would say it: today, tomorrow or a day, the time rounded up to five minutes, and whose clock it is."""
    over = (due - datetime.min.replace(tzinfo=due.tzinfo)) % STEP
    local = (due + (STEP - over if over else timedelta())).astimezone(zone)
    days = (local.date() - now.astimezone(zone).date()).days
    told = words("expected", language)
    key = "today" if days <= 0 else "tomorrow" if days == 1 else "day"
    day = {"weekday": told[f"weekday_{local.weekday()}"], "day": str(local.day), "month": told[f"month_{local.month}"]}
    return f"{told[key].format(time=f'{local:%H:%M}', **day)} ({zone.key})"
