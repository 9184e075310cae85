"""Promises, chains and calendars as an operator reads them on the command line."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import groupby

from escalation.calendars import DAYS, Calendar
from escalation.datafile import words
from escalation.sla import PROMISED, Book, Chain, Profile, Row, Tier, Until
from escalation.tables import Channel, ClockKind, Priority

CLOCKS = {ClockKind.FIRST_REPLY: "first reply", ClockKind.NEXT_REPLY: "next reply", ClockKind.RESOLUTION: "resolution"}
CHANNELS = {Channel.CHAT: "from the chat", Channel.FORM: "from a form", Channel.EMAIL: "to be answered by e-mail"}
WAITS = {
    "waiting_customer": "the customer is waited for",
    "waiting_third_party": "a third party is waited for",
    "acknowledged": "the ticket is acknowledged",
    "in_diagnosis": "it is in diagnosis",
}
LOOKS_AHEAD = 400  # days, for the next holidays
SHOWN_HOLIDAYS = 3


def profile_lines(profile: Profile) -> Iterator[str]:
    """What is promised, row by row."""
    yield f"Promises to visitors: profile “{profile.name}” ({profile.title})"
    yield ""
    about = [_about(row) for row in profile.rows]
    wide = max(map(len, about))
    for row, tickets in zip(profile.rows, about, strict=True):
        said = ", ".join(f"{CLOCKS[kind]} {_within(row, kind)}" for kind in PROMISED if kind in row.spans)
        other = f" (in {row.calendar.title})" if row.calendar != profile.calendar else ""
        yield f"  {tickets:{wide}}  {said}{other}"
    yield ""
    yield "For each clock the first line that fits the ticket counts."
    yield f"Times are working time in {_calendar_in_short(profile.calendar)}."
    yield f"Agents are warned when {profile.warn_at:.0%} of a clock's time is over."
    if profile.paused_while:
        waits = " or ".join(WAITS[state] for state in WAITS if state in profile.paused_while)
        yield f"Next reply and resolution stand still while {waits}; the first reply never does."


def chain_lines(book: Book) -> Iterator[str]:
    """Who is called when nobody comes."""
    for chain in book.chains.values():
        yield f"{chain.title} chain, for the queues {', '.join(chain.queues)} (working time in {chain.calendar.title}):"
        for number, tier in enumerate(chain.tiers, start=1):
            yield f"  {number}. {_tier(tier, chain, number)}"


def calendar_lines(calendar: Calendar, today: date) -> Iterator[str]:
    """When somebody works, and the days from today on which nobody does although the week says so."""
    yield f"{calendar.name}: {calendar.title}, zone {calendar.zone.key}"
    if calendar.always:
        yield "  every hour of every day"
        return
    hours = {day: _hours(intervals) for day, intervals in zip(DAYS, calendar.weekly, strict=True)}
    for said, days in groupby(DAYS, key=lambda day: hours[day]):
        first, *rest = [day.capitalize() for day in days]
        yield f"  {first + (f' to {rest[-1]}' if rest else ''):20} {said}"
    place = " ".join(filter(None, (calendar.country, calendar.subdivision)))
    named = [(day, name) for day in _ahead(today) if (name := calendar.holiday(day))][:SHOWN_HOLIDAYS]
    yield f"  public holidays: {place or 'none'}"
    if named:
        yield "  closed next: " + "; ".join(
            f"{day:%a %d %b %Y} ({name})" if name != "closed" else f"{day:%a %d %b %Y}" for day, name in named
        )


def _ahead(today: date) -> Iterator[date]:
    return (today + timedelta(days=later) for later in range(LOOKS_AHEAD))


def _about(row: Row) -> str:
    priorities = ", ".join(one for one in reversed(Priority) if one in row.priorities)
    channels = " or ".join(CHANNELS[one] for one in Channel if one in row.channels)
    queues = f"in {', '.join(sorted(row.queues))}" if row.queues else ""
    told = " ".join(filter(None, (priorities, "tickets", queues, channels)))
    return told[:1].upper() + told[1:] if told != "tickets" else "All tickets"


def _within(row: Row, kind: ClockKind) -> str:
    span = row.spans[kind]
    return "not promised" if span is None else f"within {words(span)}"


def _calendar_in_short(calendar: Calendar) -> str:
    if calendar.always:
        return f"“{calendar.title}”"
    open_days = [(day, intervals) for day, intervals in zip(DAYS, calendar.weekly, strict=True) if intervals]
    parts = []
    for hours, days in groupby(open_days, key=lambda pair: _hours(pair[1])):
        names = [day.capitalize() for day, _ in days]
        parts.append(f"{names[0]}{f' to {names[-1]}' if len(names) > 1 else ''} {hours}")
    return f"“{calendar.title}”: {'; '.join(parts) or 'never open'}, zone {calendar.zone.key}"


def _hours(intervals: tuple[tuple[int, int], ...]) -> str:
    return ", ".join(f"{_wall(opens)}–{_wall(closes)}" for opens, closes in intervals) or "closed"


def _wall(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _tier(tier: Tier, chain: Chain, number: int) -> str:
    does = f", who {tier.does}," if tier.does else ""
    only = f" (only for {', '.join(one for one in reversed(Priority) if one in tier.only)} tickets)" if tier.only else ""
    if not tier.within or number == len(chain.tiers):
        return f"{tier.who}{does.rstrip(',')}{only}; nobody is called after them"
    what = "acknowledge the ticket" if tier.until is Until.ACKNOWLEDGED else "resolve it"
    return f"{tier.who}{does}{only} has {words(tier.within)} to {what}"
