"""What visitors are promised, and who is called when nobody comes: profiles and chains, read from YAML."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path

from escalation import calendars, queues
from escalation.calendars import Calendar
from escalation.datafile import BadData, Place, read
from escalation.tables import Channel, ClockKind, Priority, TicketState

HERE = Path(__file__).parent
PROFILES, CHAINS = HERE / "sla.yaml", HERE / "chains.yaml"
DEFAULT = "office"
PROMISED = (ClockKind.FIRST_REPLY, ClockKind.NEXT_REPLY, ClockKind.RESOLUTION)
PAUSING = (TicketState.ACKNOWLEDGED, TicketState.IN_DIAGNOSIS, TicketState.WAITING_CUSTOMER, TicketState.WAITING_THIRD_PARTY)


class NoSuchProfile(LookupError):
    """No profile has that name."""


@dataclass(frozen=True)
class Sort:
    """What decides the targets of a ticket."""

    queue: str
    channel: str
    priority: str


@dataclass(frozen=True)
class Target:
    """So much working time of a calendar."""

    span: timedelta
    calendar: Calendar


@dataclass(frozen=True)
class Row:
    """Targets for some tickets; an empty set means any. None promises nothing."""

    queues: frozenset[str]
    channels: frozenset[str]
    priorities: frozenset[str]
    spans: Mapping[ClockKind, timedelta | None]
    calendar: Calendar

    def fits(self, sort: Sort) -> bool:
        """Whether it speaks of such tickets."""
        pairs = ((self.queues, sort.queue), (self.channels, sort.channel), (self.priorities, sort.priority))
        return all(not among or one in among for among, one in pairs)


@dataclass(frozen=True)
class Profile:
    """A set of promises under a name."""

    name: str
    title: str
    calendar: Calendar
    rows: tuple[Row, ...]
    warn_at: float
    paused_while: frozenset[str]

    def target(self, kind: ClockKind, sort: Sort) -> Target | None:
        """What is promised; None when nothing is."""
        for row in self.rows:
            if kind in row.spans and row.fits(sort):
                span = row.spans[kind]
                return Target(span, row.calendar) if span is not None else None
        return None


class Until(StrEnum):
    """What a tier is for."""

    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


@dataclass(frozen=True)
class Tier:
    """Who is called. Without `within` nobody is called after them; `only` are the priorities they are called for by themselves."""

    who: str
    does: str = ""
    within: timedelta | None = None
    until: Until = Until.ACKNOWLEDGED
    only: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Chain:
    """Tiers in their order; the first is number 1."""

    name: str
    title: str
    queues: tuple[str, ...]
    calendar: Calendar
    tiers: tuple[Tier, ...]

    def tier(self, number: int) -> Tier | None:
        """The tier of that number."""
        return self.tiers[number - 1] if 0 < number <= len(self.tiers) else None

    def after(self, number: int, priority: str) -> int | None:
        """The tier that is called by itself after that one; None when that was the last."""
        later = range(number + 1, len(self.tiers) + 1)
        return next((one for one in later if not self.tiers[one - 1].only or priority in self.tiers[one - 1].only), None)


@dataclass(frozen=True)
class Book:
    """Everything that counts now. `edition` changes with every byte of the files and with the chosen profile."""

    profile: Profile
    chains: Mapping[str, Chain]
    edition: str

    def chain(self, queue: str) -> Chain | None:
        """The chain of a queue."""
        return next((chain for chain in self.chains.values() if queue in chain.queues), None)


@dataclass(frozen=True)
class Files:
    """Where calendars, profiles and chains stand."""

    calendars: Path = calendars.SHIPPED
    profiles: Path = PROFILES
    chains: Path = CHAINS


@cache
def book(profile: str = DEFAULT, files: Files = Files()) -> Book:
    """What counts under a profile. Raise BadData, or NoSuchProfile."""
    known = calendars.load(files.calendars)
    profiles = {name: _profile(name, place, known) for name, place in read(files.profiles).fields().items()}
    if profile not in profiles:
        raise NoSuchProfile(f"there is no SLA profile {profile!r} in {files.profiles}; there are {', '.join(profiles)}")
    chains = {name: _chain(name, place, known) for name, place in read(files.chains).fields().items()}
    _refuse_doubles(chains.values(), files.chains)
    text = b"\0".join(file.read_bytes() for file in (files.calendars, files.profiles, files.chains)) + profile.encode()
    return Book(profiles[profile], chains, hashlib.sha256(text).hexdigest()[:12])


def titles(file: Path = PROFILES) -> Mapping[str, str]:
    """The title of every profile of a file by its name. Raise BadData."""
    known = ("title", "calendar", "warn_at", "paused_while", "targets")
    return {name: place.fields(known, needed=("title",))["title"].text(120) for name, place in read(file).fields().items()}


def _profile(name: str, place: Place, known: Mapping[str, Calendar]) -> Profile:
    given = place.fields(("title", "calendar", "warn_at", "paused_while", "targets"), needed=("title", "calendar", "targets"))
    calendar = known[given["calendar"].one_of(list(known))]
    rows = tuple(_row(row, known, calendar) for row in given["targets"].items())
    warn_at = given["warn_at"].number(0.1, 0.99) if "warn_at" in given else 0.75
    paused = _among(given.get("paused_while"), [str(state) for state in PAUSING])
    return Profile(name, given["title"].text(120), calendar, rows, warn_at, paused or frozenset())


def _row(place: Place, known: Mapping[str, Calendar], calendar: Calendar) -> Row:
    given = place.fields(("queue", "channel", "priority", "calendar", *PROMISED))
    spans: dict[ClockKind, timedelta | None] = {}
    for kind in PROMISED:
        if kind in given:
            spans[kind] = None if given[kind].text() == "none" else given[kind].length()
    if not spans:
        raise place.wrong(f"a target names at least one of {', '.join(PROMISED)}")
    own = known[given["calendar"].one_of(list(known))] if "calendar" in given else calendar
    return Row(
        _among(given.get("queue"), list(queues.load())),
        _among(given.get("channel"), list(Channel)),
        _among(given.get("priority"), list(Priority)),
        spans,
        own,
    )


def _chain(name: str, place: Place, known: Mapping[str, Calendar]) -> Chain:
    given = place.fields(("title", "queues", "calendar", "tiers"), needed=("title", "queues", "calendar", "tiers"))
    calendar = known[given["calendar"].one_of(list(known))]
    tiers = tuple(_tier(tier) for tier in given["tiers"].items())
    if not tiers:
        raise given["tiers"].wrong("a chain has at least one tier")
    served = tuple(one.one_of(list(queues.load())) for one in given["queues"].items())
    return Chain(name, given["title"].text(80), served, calendar, tiers)


def _tier(place: Place) -> Tier:
    given = place.fields(("who", "does", "within", "until", "only"), needed=("who",))
    return Tier(
        given["who"].text(80),
        given["does"].text(200) if "does" in given else "",
        given["within"].length() if "within" in given else None,
        Until(given["until"].one_of(list(Until))) if "until" in given else Until.ACKNOWLEDGED,
        _among(given.get("only"), list(Priority)),
    )


def _among(place: Place | None, choices: Sequence[str]) -> frozenset[str]:
    return frozenset(one.one_of(choices) for one in place.items()) if place else frozenset()


def _refuse_doubles(chains: object, file: Path) -> None:
    seen: dict[str, str] = {}
    for chain in chains:  # type: ignore[attr-defined]
        for queue in chain.queues:
            if queue in seen:
                raise BadData(f"{file}: the queue {queue} stands in the chains {seen[queue]} and {chain.name}")
            seen[queue] = chain.name
