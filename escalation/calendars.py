"""Working hours: several intervals a day, holidays, time zones with their jumps; sums of working time, exact in UTC.

An interval is told by the wall clock. The moment a wall time stands for is the first one at which the clock shows it or
a later one: inside a gap that is the end of the gap, and of a time that comes twice it is the first. This never runs
backwards, and the end of a day is the beginning of the next, so a calendar without a break is plain addition.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

import holidays

from escalation.datafile import BadData, Place, read

SHIPPED = Path(__file__).parent / "calendars.yaml"
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAY = 24 * 60  # minutes
HOURS = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")
EACH_YEAR = re.compile(r"(\d{2})-(\d{2})")
LEAP_YEAR = 2024
GIVE_UP_DAYS = 1830  # closed for five years on end means never open
NONE = timedelta()
Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class Calendar:
    """When somebody works. `weekly` holds for each weekday its intervals in minutes of the wall clock, in order, apart."""

    name: str
    title: str
    zone: ZoneInfo
    weekly: tuple[tuple[tuple[int, int], ...], ...] = ((),) * 7
    always: bool = False
    country: str = ""
    subdivision: str = ""
    closed: frozenset[date] = frozenset()
    closed_yearly: frozenset[tuple[int, int]] = field(default_factory=frozenset)

    def holiday(self, day: date) -> str | None:
        """Why nobody works on that day although the week says so; None when somebody does."""
        if day in self.closed or (day.month, day.day) in self.closed_yearly:
            return "closed"
        return _public(self.country, self.subdivision, day.year).get(day) if self.country else None

    def add(self, start: datetime, length: timedelta) -> datetime | None:
        """The first moment at which `length` of working time has passed since `start`; None when that never comes.

        A moment in UTC, for any aware `start`. Not longer than nothing gives `start` itself.
        """
        start = start.astimezone(UTC)
        try:
            return start + length if self.always or length <= NONE else self._walk(start, length)
        except OverflowError:
            return None  # behind the end of all dates

    def _walk(self, start: datetime, left: timedelta) -> datetime | None:
        last_open = day = start.astimezone(self.zone).date() - timedelta(days=1)
        while (day - last_open).days <= GIVE_UP_DAYS:
            for opens, closes in _open(self, day):
                from_ = max(opens, start)
                if from_ < closes:
                    if left <= closes - from_:
                        return from_ + left
                    left -= closes - from_
                    last_open = day
            day += timedelta(days=1)
        return None

    def between(self, start: datetime, end: datetime) -> timedelta:
        """The working time from `start` to `end`; none when the end is not later."""
        start, end = start.astimezone(UTC), end.astimezone(UTC)
        if self.always or end <= start:
            return max(end - start, NONE)
        return sum((closes - opens for opens, closes in self.spans(start, end)), NONE)

    def spans(self, start: datetime, end: datetime) -> Iterator[Span]:
        """The stretches from `start` to `end` in which somebody works, in UTC; those that touch are not joined."""
        start, end = start.astimezone(UTC), end.astimezone(UTC)
        if self.always:
            yield from [(start, end)] if start < end else []
            return
        day, last = start.astimezone(self.zone).date() - timedelta(days=1), end.astimezone(self.zone).date() + timedelta(days=1)
        while day <= last:
            for opens, closes in _open(self, day):
                if max(opens, start) < min(closes, end):
                    yield max(opens, start), min(closes, end)
            day += timedelta(days=1)

    def is_open(self, moment: datetime) -> bool:
        """Whether somebody works at that moment; the end of an interval does not belong to it."""
        day = moment.astimezone(self.zone).date()
        near = (day - timedelta(days=1), day, day + timedelta(days=1))
        return self.always or any(opens <= moment < closes for one in near for opens, closes in _open(self, one))


@lru_cache(maxsize=16_384)
def _open(calendar: Calendar, day: date) -> tuple[Span, ...]:
    """The intervals of a local day in UTC; an interval that a jump of the clock swallowed is gone."""
    weekly = calendar.weekly[day.weekday()]
    if not weekly or calendar.holiday(day):
        return ()
    spans = [(moment_of(calendar.zone, day, opens), moment_of(calendar.zone, day, closes)) for opens, closes in weekly]
    return tuple((opens, closes) for opens, closes in spans if opens < closes)


def moment_of(zone: ZoneInfo, day: date, minutes: int) -> datetime:
    """The first moment at which the clock of a zone shows that many minutes of a day, or a later time; in UTC.

    Wall times and their `fold` are PEP 495's.
    """
    wall = datetime.combine(day, time()) + timedelta(minutes=minutes)
    found = wall.replace(tzinfo=zone).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == wall:
        return found
    low, high = sorted((found, wall.replace(tzinfo=zone, fold=1).astimezone(UTC)))
    low -= timedelta(seconds=1)
    while high - low > timedelta(seconds=1):  # the jump, to the second
        middle = low + (high - low) // 2
        middle = middle.replace(microsecond=0)
        low, high = (low, middle) if middle.astimezone(zone).replace(tzinfo=None) >= wall else (middle, high)
    return high


@cache
def _public(country: str, subdivision: str, year: int) -> Mapping[date, str]:
    """The public holidays of a year by day. Raise NotImplementedError for an unknown place."""
    return dict(holidays.country_holidays(country, subdiv=subdivision or None, years=year))


# ── from YAML ───────────────────────────────────────────────────────────────────────────────────────


@cache
def load(file: Path = SHIPPED) -> Mapping[str, Calendar]:
    """The calendars of a file by name. Raise BadData."""
    return MappingProxyType({name: _calendar(name, place) for name, place in read(file).fields().items()})


def zone_of(name: str) -> ZoneInfo | None:
    """The zone of that IANA name; None when there is none, or when somebody tries to name a file."""
    try:
        return ZoneInfo(name) if name and len(name) <= 64 else None  # noqa: PLR2004 - the longest is 32
    except (ValueError, OSError, LookupError):
        return None


def _calendar(name: str, place: Place) -> Calendar:
    given = place.fields(("title", "zone", "hours", "always", "holidays", "closed"), needed=("title", "zone"))
    zone = zone_of(given["zone"].text())
    if zone is None:
        raise given["zone"].wrong(f"there is no time zone {given['zone'].text()!r}; use a name such as Europe/Berlin")
    always = "always" in given and given["always"].one_of(("true", "false")) == "true"
    if always and given.keys() & {"hours", "holidays", "closed"}:
        raise place.wrong("a calendar that is always open has neither hours nor holidays")
    country, subdivision = _country(given["holidays"]) if "holidays" in given else ("", "")
    closed, yearly = _closed(given["closed"]) if "closed" in given else (frozenset[date](), frozenset[tuple[int, int]]())
    weekly = _weekly(given["hours"]) if "hours" in given else ((),) * 7
    return Calendar(name, given["title"].text(80), zone, weekly, always, country, subdivision, closed, yearly)


def _weekly(place: Place) -> tuple[tuple[tuple[int, int], ...], ...]:
    found: list[list[tuple[int, int]]] = [[] for _ in DAYS]
    for days, hours in place.fields().items():
        for day in _days(days, hours):
            for opens, closes in _hours(hours):
                found[day].append((opens, min(closes, DAY)))
                if closes > DAY:  # into the next day
                    found[(day + 1) % 7].append((0, closes - DAY))
    return tuple(_joined(one, place) for one in found)


def _joined(intervals: list[tuple[int, int]], place: Place) -> tuple[tuple[int, int], ...]:
    joined: list[tuple[int, int]] = []
    for opens, closes in sorted(intervals):
        if joined and opens < joined[-1][1]:
            raise place.wrong("two intervals of a day overlap")
        if joined and opens == joined[-1][1]:
            joined[-1] = (joined[-1][0], closes)
        else:
            joined.append((opens, closes))
    return tuple(joined)


def _days(names: str, place: Place) -> list[int]:
    """The weekdays that "monday", "monday-friday" or "saturday, sunday" mean."""
    found: list[int] = []
    for part in re.split(r"\s*,\s*", names.strip().lower()):
        first, _, last = part.partition("-")
        if first not in DAYS or (last and last not in DAYS):
            raise place.wrong(f"{part!r} is no weekday; write monday, or monday-friday")
        at, end = DAYS.index(first), DAYS.index(last or first)
        found += [(at + step) % 7 for step in range((end - at) % 7 + 1)]
    return found


def _hours(place: Place) -> Iterator[tuple[int, int]]:
    if place.node.value in {"closed", ""}:
        return
    for one in re.split(r"\s*,\s*", place.text()):
        match = HOURS.fullmatch(one)
        opens, closes = (int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])) if match else (0, 0)
        if not match or opens >= DAY or closes > DAY or int(match[2]) > 59 or int(match[4]) > 59:  # noqa: PLR2004 - minutes of an hour
            raise place.wrong(f"{one!r} is no interval; write 09:00-12:30, and 24:00 for the end of the day")
        if closes == DAY - 1:
            raise place.wrong("23:59 leaves the last minute of the day closed; write 24:00")
        if opens == closes:
            raise place.wrong(f"{one!r} is no time at all; write 00:00-24:00 for a whole day, closed for none")
        yield opens, closes + DAY if closes < opens else closes


def _country(place: Place) -> tuple[str, str]:
    given = place.fields(("country", "subdivision"), needed=("country",))
    country = given["country"].text(3)
    subdivision = given["subdivision"].text(20) if "subdivision" in given else ""
    try:
        _public(country, subdivision, LEAP_YEAR)
    except (NotImplementedError, KeyError):
        at = given["subdivision"] if subdivision and country in holidays.list_supported_countries() else given["country"]
        raise at.wrong(f"the package holidays knows no {country} {subdivision}".rstrip()) from None
    return country, subdivision


def _closed(place: Place) -> tuple[frozenset[date], frozenset[tuple[int, int]]]:
    once, yearly = set[date](), set[tuple[int, int]]()
    for one in place.items():
        try:
            if match := EACH_YEAR.fullmatch(one.text()):
                yearly.add((int(match[1]), date(LEAP_YEAR, int(match[1]), int(match[2])).day))
            else:
                once.add(date.fromisoformat(one.text()))
        except ValueError:
            raise one.wrong(f"{one.text()!r} is no day; write 2026-12-31, or 12-31 for every year") from None
    return frozenset(once), frozenset(yearly)


__all__ = ["BadData", "Calendar", "load", "moment_of", "zone_of"]
