"""The clocks of a ticket, told from its events alone: when each began, stood still, ended, and when it is due.

The same events under the same book always give the same clocks. A new queue or priority counts from the beginning: the
working time that has run is measured again under the new target. A premature "resolved" wins nothing, for a ticket that
is opened again goes on with what was left. What is merged carries its unanswered question, and its age, into the other.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from escalation.calendars import NONE, Calendar
from escalation.sla import PROMISED, Book, Chain, Sort, Target, Until
from escalation.tables import Channel, ClockKind, ClockState, EventKind, Priority, Reason, TicketState

K, E, S = ClockKind, EventKind, TicketState
REPLIES = (K.FIRST_REPLY, K.NEXT_REPLY)
DONE = frozenset({S.RESOLVED, S.CLOSED})
VISITOR = "visitor"
Run = tuple[datetime, datetime | None]


@dataclass(frozen=True)
class Happened:
    """An event, as plain values."""

    version: int
    kind: str
    by: str
    at: datetime
    details: Mapping[str, Any]


@dataclass(frozen=True)
class Clock:
    """One clock. `version` is that of the event that started it; `spent` is the working time of its runs that are over.

    `due_at` of a clock that runs is None when it is never due, of one that stands still when it had time left. `alarm_at`
    is when somebody must be told: of the end that comes, of the end, of a tier that passed.
    """

    kind: ClockKind
    version: int
    state: ClockState
    started_at: datetime
    span: timedelta
    calendar: str
    spent: timedelta
    due_at: datetime | None
    alarm_at: datetime | None = None
    warned_at: datetime | None = None
    breached_at: datetime | None = None
    paused_at: datetime | None = None
    ended_at: datetime | None = None
    tier: int = 0


@dataclass(frozen=True)
class Course:
    """What the events of a ticket make of it. `waits_since`: since when somebody waits for a reply; `runs` are the resolution's."""

    clocks: tuple[Clock, ...]
    sort: Sort | None
    state: TicketState
    chain: str = ""
    tier: int = 0
    waits_since: datetime | None = None
    runs: tuple[Run, ...] = ()

    @property
    def next(self) -> Clock | None:
        """The clock that an agent must look at: the promise due first, or one that runs and is never due, or one that stands still."""
        own = [clock for clock in self.clocks if clock.kind in PROMISED]
        running = [clock for clock in own if clock.state is ClockState.RUNNING]
        due = sorted((clock for clock in running if clock.due_at), key=lambda clock: (clock.due_at, clock.version))
        still = [clock for clock in own if clock.state is ClockState.PAUSED]
        return next(iter([*due, *running, *still]), None)


def course(events: Iterable[Happened], book: Book) -> Course:
    """Tell the events one after the other; those of a ticket, first to last."""
    telling = _Telling(book)
    for event in events:
        telling.take(event)
    return telling.told()


@dataclass
class _Ticking:
    """A clock while its story is told."""

    kind: ClockKind
    version: int
    runs: list[Run]
    end: ClockState | None = None
    ended_at: datetime | None = None
    warned_at: datetime | None = None
    breached_at: datetime | None = None
    sort: Sort | None = None
    chain: Chain | None = None
    tier: int = 0

    @property
    def runs_now(self) -> bool:
        return self.end is None and self.runs[-1][1] is None

    def stop(self, at: datetime) -> None:
        if self.runs[-1][1] is None:
            self.runs[-1] = (self.runs[-1][0], max(at, self.runs[-1][0]))

    def go_on(self, at: datetime) -> None:
        if self.runs[-1][1] is not None:
            self.runs.append((max(at, self.runs[-1][1]), None))


@dataclass
class _Telling:
    book: Book
    sort: Sort | None = None
    state: TicketState = S.OPEN
    all: list[_Ticking] = field(default_factory=list)
    chain: Chain | None = None
    tier: int = 0

    def take(self, event: Happened) -> None:
        does = TELLS.get(event.kind)
        if does is not None and (self.sort is not None or event.kind == E.OPENED):
            does(self, event)

    # ── what happens ────────────────────────────────────────────────────────────────────────────────

    def opened(self, event: Happened) -> None:
        told = event.details
        channel = told.get("channel") or (Channel.FORM if told.get("reason") == Reason.FORM else Channel.CHAT)
        self.sort = Sort(told["queue"], channel, told.get("priority") or Priority.NORMAL)
        self.start(K.FIRST_REPLY, event)
        self.start(K.RESOLUTION, event)
        self.enter_chain(event)

    def replied(self, event: Happened) -> None:
        for clock in self.open(*REPLIES):
            self.end(clock, ClockState.MET, event.at)
        self.acknowledged(event)

    def wrote(self, event: Happened) -> None:
        if self.state not in DONE and not event.details.get("smalltalk"):
            self.ask(event)

    def ask(self, event: Happened) -> None:
        if not self.open(*REPLIES):
            self.start(K.NEXT_REPLY, event)

    def moved(self, event: Happened) -> None:
        self.state = S(event.details["to"])
        if self.state in DONE:
            for clock in self.open(*REPLIES):
                self.end(clock, ClockState.DROPPED, event.at)
            for clock in self.open(K.RESOLUTION, K.TIER):
                self.end(clock, ClockState.MET, event.at)
            return
        for clock in self.open(K.NEXT_REPLY, K.RESOLUTION, K.TIER):
            self.stop_or_go(clock, event.at)
        self.acknowledged(event)

    def reopened(self, event: Happened) -> None:
        self.state = S.OPEN
        for clock in self.all:
            if clock.kind is K.RESOLUTION and clock.end is ClockState.MET:
                clock.end = clock.ended_at = clock.sort = None
                clock.go_on(event.at)
        if event.by == VISITOR:
            self.ask(event)
        self.start_tier(event)

    def sorted_anew(self, event: Happened) -> None:
        before = self.sort
        assert before is not None  # noqa: S101 - `take` asks
        to = event.details["to"]
        self.sort = replace(before, queue=to) if event.kind == E.QUEUE_CHANGED else replace(before, priority=to)
        for clock in self.open(*PROMISED):
            target = self.book.profile.target(clock.kind, self.sort)
            if target != self.book.profile.target(clock.kind, before) and not self.still_late(clock, target, event.at):
                clock.warned_at = clock.breached_at = None
        if self.book.chain(self.sort.queue) != self.chain:
            for clock in self.open(K.TIER):
                self.end(clock, ClockState.DROPPED, event.at)
            self.enter_chain(event)

    def still_late(self, clock: _Ticking, target: Target | None, at: datetime) -> bool:
        """Whether it was told to be late and is so under the new target, too: then there is nothing new to tell."""
        if clock.breached_at is None or target is None:
            return False
        due = reached(clock.runs, target.span, target.calendar, ended=False)[0]
        return due is not None and due <= at

    def merged(self, event: Happened) -> None:
        self.state = S.CLOSED
        for clock in self.open(*K):
            self.end(clock, ClockState.MERGED, event.at)

    def absorbed(self, event: Happened) -> None:
        since = event.details.get("waits_since")
        if since and self.state not in DONE:
            began = datetime.fromisoformat(since)
            self.ask(event)
            for clock in self.open(*REPLIES):
                if began < clock.runs[0][0]:
                    clock.runs[0] = (began, clock.runs[0][1])
        ran = [(datetime.fromisoformat(a), datetime.fromisoformat(b)) for a, b in event.details.get("ran", ())]
        for clock in self.all:
            if clock.kind is K.RESOLUTION:
                first = clock.runs[0][0]
                clock.runs[:0] = [(a, min(b, first)) for a, b in ran if a < first]

    def marked(self, event: Happened) -> None:
        for clock in self.all:
            if (clock.kind, clock.version) == (event.details.get("clock"), event.details.get("since")):
                if event.kind == E.CLOCK_WARNED:
                    clock.warned_at = event.at
                else:
                    clock.breached_at = event.at

    def escalated(self, event: Happened) -> None:
        how = ClockState.DROPPED if event.details.get("by_hand") else ClockState.BREACHED
        for clock in self.open(K.TIER):
            self.end(clock, how, event.at)
        self.tier = int(event.details["tier"])
        if not event.details.get("quiet"):  # nobody was told, so nobody's time runs
            self.start_tier(event)

    # ── clocks and tiers ────────────────────────────────────────────────────────────────────────────

    def open(self, *kinds: ClockKind) -> list[_Ticking]:
        return [clock for clock in self.all if clock.end is None and clock.kind in kinds]

    def start(self, kind: ClockKind, event: Happened) -> None:
        chain, tier = (self.chain, self.tier) if kind is K.TIER else (None, 0)
        self.all.append(_Ticking(kind, event.version, [(event.at, None)], chain=chain, tier=tier))
        if kind is not K.FIRST_REPLY:
            self.stop_or_go(self.all[-1], event.at)

    def end(self, clock: _Ticking, how: ClockState, at: datetime) -> None:
        clock.stop(at)
        clock.end, clock.ended_at, clock.sort = how, at, self.sort

    def stop_or_go(self, clock: _Ticking, at: datetime) -> None:
        if self.state in self.book.profile.paused_while:
            clock.stop(at)
        else:
            clock.go_on(at)

    def enter_chain(self, event: Happened) -> None:
        assert self.sort is not None  # noqa: S101 - told by the opening
        self.chain = self.book.chain(self.sort.queue)
        self.tier = 1 if self.chain else 0
        self.start_tier(event)

    def start_tier(self, event: Happened) -> None:
        """Let the tier's time run, unless what the tier is for is done already."""
        tier = self.chain.tier(self.tier) if self.chain else None
        needed = self.state not in DONE and tier is not None and (self.state is S.OPEN or tier.until is Until.RESOLVED or self.tier > 1)
        if tier and tier.within and needed and not self.open(K.TIER):
            self.start(K.TIER, event)

    def acknowledged(self, event: Happened) -> None:
        tier = self.chain.tier(self.tier) if self.chain else None
        if tier and tier.until is Until.ACKNOWLEDGED:
            for clock in self.open(K.TIER):
                self.end(clock, ClockState.MET, event.at)

    # ── the end of the story ────────────────────────────────────────────────────────────────────────

    def told(self) -> Course:
        waiting = [clock.runs[0][0] for clock in self.open(*REPLIES)]
        runs = next((tuple(clock.runs) for clock in self.all if clock.kind is K.RESOLUTION), ())
        clocks = tuple(told for clock in self.all if (told := self.clock(clock)) is not None)
        return Course(clocks, self.sort, self.state, self.chain.name if self.chain else "", self.tier, min(waiting, default=None), runs)

    def target(self, clock: _Ticking) -> Target | None:
        if clock.kind is K.TIER:
            tier = clock.chain.tier(clock.tier) if clock.chain else None
            return Target(tier.within, clock.chain.calendar) if clock.chain and tier and tier.within else None
        sort = clock.sort or self.sort
        assert sort is not None  # noqa: S101 - a clock is started by an opened ticket
        return self.book.profile.target(clock.kind, sort)

    def clock(self, clock: _Ticking) -> Clock | None:
        target = self.target(clock)
        if target is None:
            return None
        span, calendar = target.span, target.calendar
        due, spent = reached(clock.runs, span, calendar, ended=clock.end is not None)
        last = clock.runs[-1][1]
        late = due is not None and last is not None and due < last
        state = clock.end or (ClockState.RUNNING if clock.runs_now else ClockState.PAUSED)
        if late and state in {ClockState.MET, ClockState.DROPPED} and clock.kind is not K.TIER:
            state = ClockState.BREACHED
        told = Clock(
            clock.kind, clock.version, state, clock.runs[0][0], span, calendar.name, spent, due, None, clock.warned_at, clock.breached_at,
            paused_at=last if state is ClockState.PAUSED else None, ended_at=clock.ended_at, tier=clock.tier,
        )  # fmt: skip
        return replace(told, alarm_at=self.alarm(clock, told, calendar)) if state is ClockState.RUNNING else told

    def alarm(self, clock: _Ticking, told: Clock, calendar: Calendar) -> datetime | None:
        if told.kind is K.TIER:
            assert self.sort is not None  # noqa: S101 - as above
            goes_on = clock.chain is not None and clock.chain.after(told.tier, self.sort.priority) is not None
            return told.due_at if goes_on else None
        if told.breached_at is not None:
            return None
        if told.warned_at is not None:
            return told.due_at
        return reached(clock.runs, told.span * self.book.profile.warn_at, calendar, ended=False)[0]


def reached(runs: Iterable[Run], span: timedelta, calendar: Calendar, *, ended: bool) -> tuple[datetime | None, timedelta]:
    """When so much working time has run, and how much ran in the runs that are over.

    None when it never will, or while the clock stands still before; of an ended clock it is when it would have been.
    """
    spent, found = NONE, None
    since: datetime | None = None
    before = NONE
    for begins, ends in runs:
        since, before = begins, spent
        ran = calendar.between(begins, ends) if ends is not None else NONE
        if found is None and (ends is None or spent + ran >= span):
            found = calendar.add(begins, span - spent)
        spent += ran
    if found is None and ended and since is not None:
        found = calendar.add(since, span - before)
    return found, spent


TELLS: Mapping[str, Callable[[_Telling, Happened], None]] = {
    E.OPENED: _Telling.opened,
    E.REPLIED: _Telling.replied,
    E.REACHED: _Telling.replied,
    E.VISITOR_WROTE: _Telling.wrote,
    E.MOVED: _Telling.moved,
    E.REOPENED: _Telling.reopened,
    E.QUEUE_CHANGED: _Telling.sorted_anew,
    E.PRIORITY_CHANGED: _Telling.sorted_anew,
    E.MERGED: _Telling.merged,
    E.ABSORBED: _Telling.absorbed,
    E.CLOCK_WARNED: _Telling.marked,
    E.CLOCK_BREACHED: _Telling.marked,
    E.ESCALATED: _Telling.escalated,
}
TELLING = frozenset(TELLS)
