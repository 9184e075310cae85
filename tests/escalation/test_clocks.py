"""The clocks of a ticket: told from its events alone, and stored as they are told, whatever happens in whatever order."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import Engine, create_engine, select
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from api.database import Database
from escalation import alarms, clocks, keeping, linking, sla, tickets, work
from escalation.clocks import Clock, Course, Happened
from escalation.datafile import BadData
from escalation.fields import Fields
from escalation.sla import Book, Files, NoSuchProfile
from escalation.tables import (
    FAR,
    Base,
    Channel,
    ClockKind,
    ClockState,
    EventKind,
    Priority,
    Reason,
    Ticket,
    TicketClock,
    TicketEvent,
    TicketId,
    TicketState,
)
from escalation.tickets import MOVES, IllegalMove, Opening, StaleVersion

E, K, S, C = EventKind, ClockKind, TicketState, ClockState
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
OFFICE, ALWAYS = sla.book(), sla.book("channels")


def told(*events: tuple[float, EventKind, dict[str, Any]], book: Book = OFFICE, by: str = "ann", **opened: Any) -> Course:
    """The course of a ticket opened on Monday at nine; events are hours after that, what, and details."""
    first = {"queue": "technical", "priority": "normal", "channel": "chat", "number": 1, "reason": "asked"} | opened
    happened = [Happened(1, E.OPENED, "assistant", MONDAY, first)]
    for version, (hours, kind, details) in enumerate(events, start=2):
        happened.append(Happened(version, kind, details.pop("by", by), MONDAY + hours * HOUR, details))
    return clocks.course(happened, book)


def moved(hours: float, to: TicketState) -> tuple[float, EventKind, dict[str, Any]]:
    return hours, E.MOVED, {"to": to}


def wrote(hours: float, **more: Any) -> tuple[float, EventKind, dict[str, Any]]:
    return hours, E.VISITOR_WROTE, {"by": "visitor", **more}


def replied(hours: float) -> tuple[float, EventKind, dict[str, Any]]:
    return hours, E.REPLIED, {}


def one(course: Course, kind: ClockKind) -> Clock:
    """The last clock of a kind."""
    return [clock for clock in course.clocks if clock.kind is kind][-1]


def hours(moment: datetime | None) -> float | None:
    """Hours after Monday at nine."""
    return None if moment is None else (moment - MONDAY) / HOUR


# ── told by hand ────────────────────────────────────────────────────────────────────────────────────


def test_a_new_ticket_waits_for_a_first_reply_and_a_resolution() -> None:
    course = told()
    assert hours(one(course, K.FIRST_REPLY).due_at) == 1
    assert hours(one(course, K.RESOLUTION).due_at) == 8
    assert course.next == one(course, K.FIRST_REPLY)
    assert hours(one(course, K.FIRST_REPLY).alarm_at) == 0.75


@pytest.mark.parametrize(
    ("opened", "profile", "first", "resolution"),
    [
        ({"channel": "form"}, "office", 8, 8),
        ({"channel": "email"}, "channels", 24, 24),
        ({"channel": "chat"}, "channels", 1, 24),
        ({}, "overall", 4, 24),
        ({}, "b2b", 1, 24),
        ({"priority": "urgent"}, "b2b", 0.25, 4),
        ({"priority": "urgent"}, "office", 0.25, 4),
    ],
)
def test_profiles_promise_what_their_documents_say(opened: dict[str, str], profile: str, first: float, resolution: float) -> None:
    course = told(book=sla.book(profile), **opened)
    assert hours(one(course, K.FIRST_REPLY).due_at) == first
    assert hours(one(course, K.RESOLUTION).due_at) == resolution


def test_a_reply_at_the_last_moment_is_in_time_and_one_later_is_not() -> None:
    assert one(told(replied(1)), K.FIRST_REPLY).state is C.MET
    late = one(told((1 + 1 / 3600, E.REPLIED, {})), K.FIRST_REPLY)
    assert (late.state, hours(late.due_at)) == (C.BREACHED, 1)


def test_a_reply_after_hours_to_what_was_due_at_their_end_is_late() -> None:
    assert one(told(moved(1, S.ACKNOWLEDGED), moved(11, S.RESOLVED)), K.RESOLUTION).state is C.BREACHED


def test_a_question_after_the_first_reply_waits_for_the_next() -> None:
    course = told(replied(0.5), wrote(2), wrote(2.5))
    assert [clock.kind for clock in course.clocks].count(K.NEXT_REPLY) == 1
    assert hours(one(course, K.NEXT_REPLY).due_at) == 3
    assert one(told(replied(0.5), wrote(2), replied(2.9)), K.NEXT_REPLY).state is C.MET


def test_thanks_wait_for_nothing_and_neither_does_more_before_the_first_reply() -> None:
    assert K.NEXT_REPLY not in {clock.kind for clock in told(replied(0.5), wrote(2, smalltalk=True)).clocks}
    assert K.NEXT_REPLY not in {clock.kind for clock in told(wrote(0.2)).clocks}


def test_the_resolution_stands_still_while_the_customer_is_waited_for() -> None:
    waiting = told(replied(1), moved(1, S.ACKNOWLEDGED), moved(1, S.WAITING_CUSTOMER))
    still = one(waiting, K.RESOLUTION)
    assert (still.state, still.due_at, hours(still.paused_at), still.spent) == (C.PAUSED, None, 1, HOUR)
    assert waiting.next == still
    again = told(replied(1), moved(1, S.ACKNOWLEDGED), moved(1, S.WAITING_CUSTOMER), moved(6, S.IN_DIAGNOSIS), wrote(6))
    assert hours(one(again, K.RESOLUTION).due_at) == 29, "five hours later, which is Tuesday at two"


def test_the_first_reply_does_not_stand_still() -> None:
    assert one(told(moved(0.1, S.ACKNOWLEDGED), moved(0.2, S.WAITING_CUSTOMER)), K.FIRST_REPLY).state is C.RUNNING


def test_a_ticket_opened_again_goes_on_with_what_was_left() -> None:
    done = (replied(1), moved(1, S.ACKNOWLEDGED), moved(6, S.RESOLVED))
    assert one(told(*done), K.RESOLUTION).state is C.MET
    again = told(*done, (24, E.REOPENED, {"by": "visitor"}))
    assert hours(one(again, K.RESOLUTION).due_at) == 26
    assert hours(one(again, K.NEXT_REPLY).due_at) == 25
    by_agent = told(*done, (24, E.REOPENED, {}))
    assert K.NEXT_REPLY not in {clock.kind for clock in by_agent.clocks}


def test_a_ticket_that_is_resolved_without_a_reply_drops_the_reply() -> None:
    assert one(told(moved(0.5, S.ACKNOWLEDGED), moved(0.6, S.RESOLVED)), K.FIRST_REPLY).state is C.DROPPED
    assert one(told(moved(0.5, S.ACKNOWLEDGED), moved(2, S.RESOLVED)), K.FIRST_REPLY).state is C.BREACHED


def test_another_priority_counts_from_the_beginning() -> None:
    course = told((0.5, E.PRIORITY_CHANGED, {"from": "normal", "to": "urgent"}))
    assert hours(one(course, K.FIRST_REPLY).due_at) == 0.25, "half an hour has run already"
    assert hours(one(course, K.RESOLUTION).due_at) == 4


def test_a_warning_counts_again_only_when_the_target_changed() -> None:
    warned = (0.8, E.CLOCK_WARNED, {"clock": "first_reply", "since": 1})
    assert hours(one(told(warned), K.FIRST_REPLY).alarm_at) == 1
    other_queue = told(dict_free(warned), (0.9, E.QUEUE_CHANGED, {"from": "technical", "to": "billing"}))
    assert hours(one(other_queue, K.FIRST_REPLY).alarm_at) == 1
    urgent = told(dict_free(warned), (0.9, E.PRIORITY_CHANGED, {"from": "normal", "to": "urgent"}))
    assert one(urgent, K.FIRST_REPLY).warned_at is None
    over = told(dict_free(warned), (1.1, E.CLOCK_BREACHED, {"clock": "first_reply", "since": 1}))
    assert one(over, K.FIRST_REPLY).alarm_at is None


def dict_free(event: tuple[float, EventKind, dict[str, Any]]) -> tuple[float, EventKind, dict[str, Any]]:
    return event[0], event[1], dict(event[2])


def test_what_was_told_to_be_late_is_not_told_again_when_priority_is_raised() -> None:
    late = (1.1, E.CLOCK_BREACHED, {"clock": "first_reply", "since": 1})
    raised = one(told(late, (1.2, E.PRIORITY_CHANGED, {"from": "normal", "to": "urgent"})), K.FIRST_REPLY)
    assert (hours(raised.due_at), raised.alarm_at, hours(raised.breached_at)) == (0.25, None, 1.1)
    slow = (1.2, E.PRIORITY_CHANGED, {"from": "urgent", "to": "normal"})
    early = (0.3, E.CLOCK_BREACHED, {"clock": "first_reply", "since": 1})
    lowered = one(told(early, (0.5, *slow[1:]), priority="urgent"), K.FIRST_REPLY)
    assert (hours(lowered.due_at), hours(lowered.alarm_at), lowered.breached_at) == (1, 0.75, None), (
        "it may be kept now, so it is told anew"
    )
    assert one(told(dict_free(early), slow, priority="urgent"), K.FIRST_REPLY).alarm_at is None, "too late under both"


def test_a_ticket_moved_to_another_queue_takes_the_time_that_has_run_with_it() -> None:
    moved_on = told((0.5, E.QUEUE_CHANGED, {"from": "technical", "to": "billing"}), replied(0.7), wrote(0.8), moved(2, S.WAITING_CUSTOMER))
    assert [(c.kind, c.state) for c in moved_on.clocks if c.kind is not K.TIER] == [
        (K.FIRST_REPLY, C.MET),
        (K.RESOLUTION, C.PAUSED),
        (K.NEXT_REPLY, C.PAUSED),
    ]
    assert one(moved_on, K.RESOLUTION).spent == 2 * HOUR


def test_a_late_resolution_stays_late_through_a_second_opening_and_is_told_once() -> None:
    course = told(
        moved(1, S.ACKNOWLEDGED),
        (8, E.CLOCK_BREACHED, {"clock": "resolution", "since": 1}),
        moved(24, S.RESOLVED),
        (25, E.REOPENED, {"from": "resolved", "to": "open"}),
    )
    again = one(course, K.RESOLUTION)
    assert (again.state, again.alarm_at, hours(again.due_at)) == (C.RUNNING, None, 8)
    assert len([clock for clock in course.clocks if clock.kind is K.RESOLUTION]) == 1


def test_a_pause_over_a_jump_of_the_clock_stops_only_the_time_that_there_was(tmp_path: Path) -> None:
    """Berlin, 29 March 2026: after 01:59 comes 03:00. Somebody works from midnight to six, five hours of that day."""
    file = tmp_path / "calendars.yaml"
    hours_of = "{saturday-monday: 00:00-06:00}"
    file.write_text(
        f"always: {{title: a, zone: UTC, always: true}}\noffice: {{title: o, zone: Europe/Berlin, hours: {hours_of}}}\n", "utf-8"
    )
    book = sla.book("office", Files(calendars=file))

    def berlin(day: int, hour: int) -> datetime:
        return datetime(2026, 3, day, hour, tzinfo=ZoneInfo("Europe/Berlin"))

    details = {"queue": "technical", "priority": "normal", "channel": "chat", "number": 1, "reason": "asked"}
    events = [
        Happened(1, E.OPENED, "assistant", berlin(29, 0), details),
        Happened(2, E.MOVED, "ann", berlin(29, 1), {"to": S.WAITING_CUSTOMER}),
        Happened(3, E.MOVED, "visitor", berlin(29, 4), {"to": S.IN_DIAGNOSIS}),
    ]
    resolution = one(clocks.course(events, book), K.RESOLUTION)
    assert resolution.spent == HOUR
    # an hour before the pause, two after it on that day, five of the next
    assert resolution.due_at == berlin(30, 5)
    paused = one(clocks.course(events[:2], book), K.RESOLUTION)
    assert (paused.state, paused.due_at, paused.spent) == (C.PAUSED, None, HOUR)


def test_what_is_merged_carries_its_question_and_its_age() -> None:
    gone = told((0.4, E.MERGED, {"into": "x", "number": 2}))
    assert {clock.state for clock in gone.clocks} == {C.MERGED}
    since, ran = (MONDAY - HOUR / 2).isoformat(), [[(MONDAY - 2 * HOUR).isoformat(), (MONDAY - HOUR).isoformat()]]
    into = told(replied(0.1), (0.4, E.ABSORBED, {"waits_since": since, "ran": ran}), book=ALWAYS)
    assert hours(one(into, K.NEXT_REPLY).due_at) == 0.5
    assert hours(one(into, K.RESOLUTION).due_at) == 23, "one hour had run in the other"


# ── chains ──────────────────────────────────────────────────────────────────────────────────────────


def test_the_first_tier_stops_when_somebody_acknowledges() -> None:
    assert hours(one(told(), K.TIER).alarm_at) == 1
    assert one(told(moved(0.5, S.ACKNOWLEDGED)), K.TIER).state is C.MET
    assert one(told(replied(0.5)), K.TIER).state is C.MET


def test_the_second_tier_runs_until_it_is_resolved_and_calls_the_third_only_when_urgent() -> None:
    up = (1.0, E.ESCALATED, {"tier": 2, "by": "clock"})
    normal = told(dict_free(up), replied(1.5))
    assert (normal.tier, one(normal, K.TIER).state, one(normal, K.TIER).alarm_at) == (2, C.RUNNING, None)
    assert hours(one(told(dict_free(up), priority="urgent"), K.TIER).alarm_at) == 5
    assert one(told(dict_free(up), moved(1.5, S.ACKNOWLEDGED), moved(2, S.RESOLVED)), K.TIER).state is C.MET


def test_another_queue_has_its_own_chain() -> None:
    course = told((1.0, E.ESCALATED, {"tier": 2}), (2, E.QUEUE_CHANGED, {"from": "technical", "to": "billing"}))
    assert (course.chain, course.tier) == ("commercial", 1)
    assert hours(one(course, K.TIER).due_at) == 6


# ── stored as they are told ─────────────────────────────────────────────────────────────────────────


def opening(conversation: str, **changes: Any) -> Opening:
    values: dict[str, Any] = {
        "conversation_id": conversation,
        "reason": Reason.ASKED,
        "reason_text": "asked",
        "queue": "technical",
        "language": "en",
        "fields": Fields(goal="export a report"),
        "sources": [],
    }
    return Opening(**(values | changes))


@pytest.fixture
def stored(database: Database) -> Database:
    """A database of each kind that carries the shipped promises."""
    database.info[keeping.BOOK] = OFFICE
    return database


def new(database: Database, number: int = 1, now: datetime = MONDAY, **changes: Any) -> TicketId:
    id_ = TicketId(f"{number:032x}")
    with database.write() as session:
        tickets.open_ticket(session, opening(f"c{number}", **changes), id_, by="assistant", now=now)
    return id_


def kinds(database: Database, id_: str) -> list[str]:
    with database.read() as session:
        return [event.kind for event in tickets.history(session, tickets.get(session, id_))]


def test_alarms_are_told_once_each_and_escalate(stored: Database) -> None:
    id_ = new(stored)
    with stored.read() as session:
        assert keeping.alarms(session, MONDAY + 44 * MINUTE, 10) == []
        assert keeping.alarms(session, MONDAY + 45 * MINUTE, 10) == [id_]
    for minutes in (45, 46, 60, 61, 300, 301):
        with stored.write() as session:
            alarms.ring(session, id_, now=MONDAY + minutes * MINUTE)
    assert kinds(stored, id_) == [E.OPENED, E.CLOCK_WARNED, E.CLOCK_BREACHED, E.ESCALATED]
    with stored.write() as session:
        rung = alarms.ring(session, id_, now=MONDAY + 9 * HOUR)
    assert (rung.warned, rung.breached, rung.escalated) == (0, 1, 0), "the resolution; too late to warn"
    with stored.read() as session:
        assert keeping.alarms(session, MONDAY + 1000 * HOUR, 10) == []


def test_an_agent_answers_although_the_clock_wrote_an_event_meanwhile(stored: Database) -> None:
    id_ = new(stored)
    with stored.write() as session:
        alarms.ring(session, id_, now=MONDAY + 2 * HOUR)
    with stored.write() as session:
        work.replied(session, tickets.get(session, id_), "m1", by="ann", now=MONDAY + 2 * HOUR, expected_version=1)
    with pytest.raises(StaleVersion), stored.write() as session:
        work.replied(session, tickets.get(session, id_), "m2", by="ann", now=MONDAY + 2 * HOUR, expected_version=1)


def test_an_agent_calls_the_next_tier_by_hand_until_there_is_none(stored: Database) -> None:
    id_ = new(stored)

    def call(session: Session, version: int) -> Ticket:
        ticket = tickets.get(session, id_)
        alarms.call_next_tier(session, ticket, by="ann", now=MONDAY, expected_version=version)
        return ticket

    for tier in (2, 3):
        with stored.write() as session:
            ticket = call(session, tier - 1)
            assert (ticket.chain, ticket.tier) == ("technical", tier)
    with pytest.raises(IllegalMove), stored.write() as session:
        call(session, 3)


def test_a_merged_tickets_visitor_is_still_waited_for(stored: Database) -> None:
    old, into = new(stored, 1), new(stored, 2, MONDAY + HOUR)
    with stored.write() as session:
        target = tickets.get(session, into)
        work.replied(session, target, "m1", by="ann", now=MONDAY + HOUR, expected_version=1)
        linking.merge(
            session, tickets.get(session, old), target, by="ann", now=MONDAY + 1.5 * HOUR, expected_version=1, into_version=target.version
        )
        rows = {row.kind: row for row in keeping.of_ticket(session, target)}
        assert rows[K.NEXT_REPLY].due_at == MONDAY + HOUR
        assert rows[K.RESOLUTION].due_at == MONDAY + 8 * HOUR, "the elder's age counts"
        assert {row.state for row in keeping.of_ticket(session, tickets.get(session, old))} == {C.MERGED}


def test_other_files_tell_living_tickets_anew(stored: Database) -> None:
    id_ = new(stored)
    stored.info[keeping.BOOK] = sla.book("overall")
    with stored.write() as session:
        assert keeping.stale(session, 10) == [id_]
        assert keeping.stale(session, 10, [id_]) == []
        alarms.tell_anew(session, id_, now=MONDAY)
        assert tickets.get(session, id_).next_due_at == MONDAY + 4 * HOUR
    with stored.read() as session:
        assert keeping.stale(session, 10) == []


def test_what_was_late_before_its_clocks_were_told_is_written_down_quietly(stored: Database) -> None:
    id_ = new(stored)
    with stored.write() as session:
        rung = alarms.tell_anew(session, id_, now=MONDAY + 2 * HOUR)
    assert rung == alarms.Rung(quiet=2)
    with stored.read() as session:
        ticket = tickets.get(session, id_)
        events = tickets.history(session, ticket)
        assert [(e.kind, e.details.get("quiet")) for e in events[1:]] == [(E.CLOCK_BREACHED, True), (E.ESCALATED, True)]
        assert (ticket.tier, [row.kind for row in keeping.of_ticket(session, ticket) if row.state == C.RUNNING]) == (
            2,
            [K.FIRST_REPLY, K.RESOLUTION],
        )
        assert keeping.alarms(session, MONDAY + 5 * HOUR, 10) == [], "the tier that nobody told cannot be late"
    with stored.write() as session:
        assert alarms.ring(session, id_, now=MONDAY + 6 * HOUR) == alarms.Rung(warned=1), "what comes now is told"


def test_an_alarm_is_quiet_once_its_patience_is_over_and_a_warning_never_is(stored: Database) -> None:
    late, soon = new(stored, 1), new(stored, 2)
    with stored.write() as session:
        assert alarms.ring(session, soon, now=MONDAY + 50 * MINUTE, patience=timedelta(0)) == alarms.Rung(warned=1)
        assert alarms.ring(session, soon, now=MONDAY + 2 * HOUR, patience=HOUR + MINUTE) == alarms.Rung(breached=1, escalated=1)
        assert alarms.ring(session, late, now=MONDAY + 2 * HOUR, patience=HOUR) == alarms.Rung(quiet=2)


def test_a_calendar_that_never_opens_is_told_as_never_due(stored: Database, tmp_path: Path) -> None:
    file = tmp_path / "calendars.yaml"
    file.write_text("always: {title: a, zone: UTC, always: true}\noffice: {title: o, zone: UTC, hours: {}}\n", encoding="utf-8")
    stored.info[keeping.BOOK] = sla.book("office", Files(calendars=file))
    id_ = new(stored)
    with stored.read() as session:
        ticket = tickets.get(session, id_)
        assert (ticket.next_due_at, ticket.next_clock, ticket.clock_state) == (FAR, "first_reply", "never")
        assert keeping.alarms(session, FAR, 10) == []


def memory() -> Engine:
    return create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})


@cache
def with_tables() -> Engine:
    """A database to copy: making its tables takes longer than an example."""
    made = memory()
    Base.metadata.create_all(made)
    return made


class ClocksAgainstEvents(RuleBasedStateMachine):
    """Verbs in any order at any time: what is stored is what the events tell, and every clock is in one state that its times allow."""

    @initialize()
    def begin(self) -> None:
        self.engine = memory()
        with closing(self.engine.raw_connection()) as raw, closing(with_tables().raw_connection()) as made:
            made.driver_connection.backup(raw.driver_connection)
        self.now, self.count = MONDAY, 0

    def teardown(self) -> None:
        if hasattr(self, "engine"):
            self.engine.dispose()

    def living(self, session: Session) -> list[Ticket]:
        return list(session.scalars(select(Ticket).where(Ticket.state != S.CLOSED).order_by(Ticket.number)))

    @rule(minutes=st.integers(1, 4000))
    def wait(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    @rule(priority=st.sampled_from(Priority), queue=st.sampled_from(["technical", "billing"]), channel=st.sampled_from(Channel))
    def open(self, priority: Priority, queue: str, channel: Channel) -> None:
        self.count += 1
        with Session(self.engine) as session, session.begin():
            what = opening(f"c{self.count}", priority=priority, queue=queue, channel=channel)
            tickets.open_ticket(session, what, TicketId(f"{self.count:032x}"), by="assistant", now=self.now)

    @rule(at=st.integers(0, 5), what=st.integers(0, 40))
    def act(self, at: int, what: int) -> None:
        with Session(self.engine) as session, session.begin():
            those = self.living(session)
            if not those:
                return
            ticket = those[at % len(those)]
            told = {"by": "ann", "now": self.now, "expected_version": ticket.version}
            moves = sorted(MOVES[S(ticket.state)])
            match what % 7:
                case 0:
                    work.replied(session, ticket, "m", **told)
                case 1:
                    work.visitor_wrote(session, ticket, "m", now=self.now, smalltalk=what > 20)
                case 2:
                    work.set_priority(session, ticket, list(Priority)[what % 4], **told)
                case 3:
                    work.set_queue(session, ticket, ["technical", "billing", "legal"][what % 3], **told)
                case 4 if len(those) > 1 and ticket is not those[0]:
                    linking.merge(session, ticket, those[0], **told, into_version=those[0].version)
                case _:
                    tickets.move(session, ticket, moves[what % len(moves)], **told)

    @rule(minutes=st.sampled_from([0, 60, 1440]))
    def ring(self, minutes: int) -> None:
        for _ in range(2):
            with Session(self.engine) as session, session.begin():
                for id_ in keeping.alarms(session, self.now, 10):
                    alarms.ring(session, id_, now=self.now, patience=minutes * MINUTE)
        with Session(self.engine) as session:
            assert keeping.alarms(session, self.now, 10) == []

    @invariant()
    def stored_is_told(self) -> None:
        if not hasattr(self, "engine"):
            return
        with Session(self.engine) as session:
            for ticket in session.scalars(select(Ticket)):
                events = session.scalars(select(TicketEvent).where(TicketEvent.ticket_id == ticket.id).order_by(TicketEvent.version)).all()
                course = clocks.course(keeping.happened(events, ticket.priority), OFFICE)
                rows = {(row.kind, row.version): row for row in keeping.of_ticket(session, ticket)}
                assert rows.keys() == {(clock.kind, clock.version) for clock in course.clocks}
                for clock in course.clocks:
                    self.agrees(rows[clock.kind, clock.version], clock)
                due = [c.due_at for c in course.clocks if c.state is C.RUNNING and c.due_at and c.kind is not K.TIER]
                done = ticket.state in {S.RESOLVED, S.CLOSED}
                assert ticket.next_due_at.replace(tzinfo=UTC) == (FAR if done else min(due, default=FAR))
                seen = [(e.kind, e.details["clock"], e.details["since"], e.details["due"]) for e in events if e.kind.startswith("clock_")]
                assert len(seen) == len(set(seen)), "an alarm was told twice"

    def agrees(self, row: TicketClock, clock: Clock) -> None:
        for name in ("due_at", "ended_at", "alarm_at", "paused_at"):
            kept, meant = getattr(row, name), getattr(clock, name)
            assert (kept.replace(tzinfo=UTC) if kept else None) == meant, name
        assert row.state == clock.state
        assert (clock.ended_at is None) == (clock.state in {C.RUNNING, C.PAUSED})
        if clock.state is C.MET and clock.kind is not K.TIER:
            assert clock.spent <= clock.span
        if clock.state is C.BREACHED and clock.kind is not K.TIER:
            assert clock.spent >= clock.span


TestClocksAgainstEvents = ClocksAgainstEvents.TestCase
TestClocksAgainstEvents.settings = settings(
    max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_clocks_against_events_at_length() -> None:
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(ClocksAgainstEvents, settings=settings(max_examples=400, stateful_step_count=50, deadline=None))


# ── the files ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "text", "says"),
    [
        ("profiles", "office:\n  title: t\n  calendar: nope\n  targets: []\n", "line 3, office.calendar: 'nope' is not one of"),
        (
            "profiles",
            "office:\n  title: t\n  calendar: office\n  targets:\n  - {queue: nowhere, first_reply: 1h}\n",
            "line 5, office.targets[0].queue",
        ),
        ("profiles", "office:\n  title: t\n  calendar: office\n  targets:\n  - {first_reply: soon}\n", "must be a length of time"),
        ("profiles", "office:\n  title: t\n  calendar: office\n  targets:\n  - {first_reply: 0h}\n", "longer than nothing"),
        ("profiles", "office:\n  title: t\n  calendar: office\n  targets:\n  - {channel: chat}\n", "names at least one of"),
        (
            "profiles",
            "office:\n  title: t\n  calendar: office\n  warn_at: 75\n  targets: []\n",
            "line 4, office.warn_at: must lie from 0.1",
        ),
        ("chains", "a:\n  title: t\n  queues: [legal]\n  calendar: office\n  tiers: []\n", "at least one tier"),
        ("chains", "a: {title: t, queues: [legal], calendar: office, tiers: [{who: x, until: friday}]}\n", "'friday' is not one of"),
        (
            "chains",
            "a: {title: t, queues: [legal], calendar: office, tiers: [{who: x}]}\nb: {title: t, queues: [legal], calendar: office, tiers: [{who: x}]}\n",
            "the queue legal stands in the chains a and b",
        ),
    ],
)
def test_what_is_wrong_with_promises_is_told_with_its_line(tmp_path: Path, kind: str, text: str, says: str) -> None:
    file = tmp_path / f"{kind}.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadData) as error:
        sla.book("office", Files(**{kind: file}))
    assert says in str(error.value)


def test_a_profile_that_is_not_there_is_told() -> None:
    with pytest.raises(NoSuchProfile, match="there are office, channels, overall, b2b"):
        sla.book("gold")
