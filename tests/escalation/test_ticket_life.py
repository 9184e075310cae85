"""The life of tickets against a model: whatever comes in whatever order, each change is one event and nobody loses a conversation."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from api.database import Database
from escalation import linking, tickets, work
from escalation.fields import Fields
from escalation.queues import NoSuchQueue
from escalation.tables import (
    AppendOnlyError,
    Base,
    Counter,
    EventKind,
    Note,
    NoteId,
    Priority,
    Reason,
    Ticket,
    TicketEvent,
    TicketId,
    TicketState,
)
from escalation.tickets import MOVES, AlreadyOpen, Contact, IllegalMove, NoSuchTicket, Opening, StaleVersion

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
S = TicketState


def opening(conversation: str = "c1", **changes: Any) -> Opening:
    values: dict[str, Any] = {
        "conversation_id": conversation,
        "reason": Reason.ASKED,
        "reason_text": "The visitor asked for a person.",
        "queue": "technical",
        "language": "en",
        "fields": Fields(goal="export a report", symptom="nothing happens"),
        "sources": [],
    }
    return Opening(**(values | changes))


def ticket_id(number: int) -> TicketId:
    return TicketId(f"{number:032x}")


# ── against a model ─────────────────────────────────────────────────────────────────────────────────


@dataclass
class Known:
    """What the model believes of a ticket."""

    number: int
    conversation: str
    state: TicketState = S.OPEN
    version: int = 1
    merged_into: str | None = None
    incident: str | None = None
    notes: set[str] = field(default_factory=set)


class TicketLife(RuleBasedStateMachine):
    """Verbs in any order, with true and stale versions, some of them told twice."""

    ids = Bundle("ids")

    @initialize()
    def begin(self) -> None:
        self.engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
        Base.metadata.create_all(self.engine)
        self.model: dict[str, Known] = {}
        self.now = NOW

    def teardown(self) -> None:
        if hasattr(self, "engine"):
            self.engine.dispose()

    def attempt(self, expected: type[Exception] | None, verb: Callable[[Session], Any]) -> None:
        self.now += timedelta(seconds=1)
        if expected is None:
            with Session(self.engine) as session, session.begin():
                verb(session)
        else:
            with pytest.raises(expected), Session(self.engine) as session, session.begin():
                verb(session)

    def holder(self, conversation: str) -> Known | None:
        for known in sorted((k for k in self.model.values() if k.conversation == conversation), key=lambda k: -k.number):
            held = self.model[known.merged_into] if known.merged_into else known
            if held.state is not S.CLOSED:
                return held
        return None

    def hanging(self, incident: str) -> list[Known]:
        return [known for known in self.model.values() if known.incident == incident]

    @rule(target=ids, conversation=st.sampled_from(["a", "b", "c"]), twice=st.booleans())
    def open(self, conversation: str, twice: bool) -> Any:
        new = ticket_id(len(self.model) + 1)
        refused = self.holder(conversation) is not None
        self.attempt(
            AlreadyOpen if refused else None, lambda s: tickets.open_ticket(s, opening(conversation), new, by="assistant", now=self.now)
        )
        if refused:
            return next(iter(self.model))
        self.model[new] = Known(len(self.model) + 1, conversation)
        if twice:
            self.attempt(None, lambda s: tickets.open_ticket(s, opening(conversation), new, by="assistant", now=self.now))
        return new

    @rule(one=ids, to=st.sampled_from(S), stale=st.booleans(), twice=st.booleans())
    def move(self, one: str, to: TicketState, stale: bool, twice: bool) -> None:
        known = self.model[one]
        version = known.version - stale
        expected: type[Exception] | None = StaleVersion if stale else None if to in MOVES[known.state] else IllegalMove
        if expected is None and known.state is S.CLOSED:
            mine = [known.conversation, *(k.conversation for k in self.model.values() if k.merged_into == one)]
            expected = IllegalMove if known.merged_into else AlreadyOpen if any(self.holder(c) for c in mine) else None

        def verb(session: Session) -> None:
            tickets.move(session, tickets.get(session, one), to, by="ann", now=self.now, expected_version=version)

        self.attempt(expected, verb)
        if expected is None:
            known.state, known.version = to, known.version + 1
            if twice:
                self.attempt(StaleVersion, verb)

    @rule(one=ids, stale=st.booleans(), which=st.sampled_from(["assign", "queue", "priority", "reply", "describe", "tag", "ask"]))
    def change(self, one: str, stale: bool, which: str) -> None:
        known = self.model[one]
        how: dict[str, Callable[[Session, Ticket, dict[str, Any]], None]] = {
            "assign": lambda s, t, k: work.assign(s, t, "ann", **k),
            "queue": lambda s, t, k: work.set_queue(s, t, "billing", **k),
            "priority": lambda s, t, k: work.set_priority(s, t, Priority.HIGH, **k),
            "reply": lambda s, t, k: work.replied(s, t, "m1", **k),
            "describe": lambda s, t, k: work.describe(s, t, {"goal": "pay"}, **k),
            "tag": lambda s, t, k: work.tag(s, t, ["Login"], **k),
            "ask": lambda s, t, k: work.asked(s, t, ["contact"], **k),
        }
        told = {"by": "ann", "now": self.now, "expected_version": known.version - stale}
        expected = StaleVersion if stale else IllegalMove if known.state is S.CLOSED else None
        self.attempt(expected, lambda s: how[which](s, tickets.get(s, one), told))
        known.version += expected is None

    @rule(one=ids, name=st.sampled_from(["n1", "n2"]))
    def note(self, one: str, name: str) -> None:
        note_id = NoteId(one[-8:] + name)
        self.attempt(None, lambda s: work.note(s, tickets.get(s, one), note_id, "look here", by="ann", now=self.now))
        known = self.model[one]
        known.version += note_id not in known.notes
        known.notes.add(note_id)

    @rule(one=ids, other=ids, stale=st.booleans())
    def merge(self, one: str, other: str, stale: bool) -> None:
        source, target = self.model[one], self.model[other]
        versions = {"expected_version": source.version, "into_version": target.version - stale}
        expected: type[Exception] | None = None
        if one == other:
            expected = IllegalMove
        elif stale:
            expected = StaleVersion
        elif S.CLOSED in {source.state, target.state} or self.hanging(one):
            expected = IllegalMove
        self.attempt(
            expected,
            lambda s: linking.merge(s, tickets.get(s, one), tickets.get(s, other), by="ann", now=self.now, **versions),
        )
        if expected is None:
            if target.incident is None and source.incident != other and not self.hanging(other):
                target.incident = source.incident
            for earlier in self.model.values():
                if earlier.merged_into == one:
                    earlier.merged_into, earlier.version = other, earlier.version + 1
            source.state, source.merged_into, source.incident = S.CLOSED, other, None
            source.version, target.version = source.version + 1, target.version + 1

    @rule(one=ids, other=ids)
    def link(self, one: str, other: str) -> None:
        known, incident = self.model[one], self.model[other]
        refused = one == other or S.CLOSED in {known.state, incident.state} or incident.incident or self.hanging(one)
        self.attempt(
            IllegalMove if refused else None,
            lambda s: linking.link(s, tickets.get(s, one), tickets.get(s, other), by="ann", now=self.now, expected_version=known.version),
        )
        if not refused:
            known.incident, known.version = other, known.version + 1

    @rule(one=ids)
    def unlink(self, one: str) -> None:
        known = self.model[one]
        self.attempt(
            None if known.incident else IllegalMove,
            lambda s: linking.unlink(s, tickets.get(s, one), by="ann", now=self.now, expected_version=known.version),
        )
        if known.incident:
            known.incident, known.version = None, known.version + 1

    @invariant()
    def the_database_says_what_the_model_says(self) -> None:
        if not hasattr(self, "engine"):
            return
        with Session(self.engine) as session:
            stored = {t.id: t for t in session.scalars(select(Ticket))}
            assert sorted(t.number for t in stored.values()) == list(range(1, len(self.model) + 1))
            for one, known in self.model.items():
                found = stored[TicketId(one)]
                assert (found.state, found.version, found.merged_into, found.incident_id) == (
                    known.state,
                    known.version,
                    known.merged_into,
                    known.incident,
                )
                events = tickets.history(session, found)
                assert [e.version for e in events] == list(range(1, known.version + 1))
                assert [e.id for e in events] == sorted(e.id for e in events)
            for conversation in ("a", "b", "c"):
                held, model = tickets.of_conversation(session, conversation), self.holder(conversation)
                assert (held.number if held else None) == (model.number if model else None)
                reached = [t for t in stored.values() if t.state != S.CLOSED and conversation in linking.conversations(session, t)]
                assert len(reached) <= 1


TestTicketLife = TicketLife.TestCase
TestTicketLife.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)


@pytest.mark.slow
@pytest.mark.timeout(7200)
class TestTicketLifeInFull(TicketLife.TestCase):  # type: ignore[name-defined,misc]
    settings = settings(max_examples=2000, stateful_step_count=50, deadline=None)


# ── on both databases ───────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def tables(empty_url: str) -> Iterator[Database]:
    """Escalation's own tables in a database of each kind."""
    database = Database(empty_url)
    Base.metadata.create_all(database.engine)
    yield database
    database.close()


@contextmanager
def opened(database: Database, conversation: str = "c1", number: int = 1, **changes: Any) -> Iterator[tuple[Session, Ticket]]:
    with database.write() as session:
        yield session, tickets.open_ticket(session, opening(conversation, **changes), ticket_id(number), by="assistant", now=NOW)


def test_twenty_writers_at_once_get_numbers_without_gaps_or_doubles(tables: Database) -> None:
    def one(n: int) -> int | None:
        try:
            with opened(tables, f"c{n}", n) as (_, ticket):
                if n % 5 == 0:
                    raise RuntimeError("this one fails after it got its number")
                return ticket.number
        except RuntimeError:
            return None

    with ThreadPoolExecutor(20) as pool:
        numbers = [n for n in pool.map(one, range(1, 101)) if n is not None]
    assert sorted(numbers) == list(range(1, 81))
    with tables.read() as session:
        assert session.scalar(select(func.count()).select_from(TicketEvent)) == 80
        assert session.scalar(select(Counter.value)) == 80


def test_one_conversation_handed_over_ten_times_at_once_has_one_ticket(tables: Database) -> None:
    def one(n: int) -> str:
        try:
            with opened(tables, "same", n) as (_, ticket):
                return f"new {ticket.number}"
        except AlreadyOpen as refused:
            return f"has {refused.number}"

    with ThreadPoolExecutor(10) as pool:
        said = list(pool.map(one, range(1, 11)))
    assert sorted(said) == ["has 1"] * 9 + ["new 1"]


def test_of_two_agents_who_move_at_once_one_is_told_that_it_is_stale(tables: Database) -> None:
    with opened(tables):
        pass

    def one(agent: str) -> str:
        try:
            with tables.write() as session:
                ticket = tickets.get(session, ticket_id(1))
                tickets.move(session, ticket, S.ACKNOWLEDGED, by=agent, now=NOW, expected_version=1)
        except StaleVersion as stale:
            return f"stale, now {stale.version}"
        return "moved"

    with ThreadPoolExecutor(8) as pool:
        said = sorted(pool.map(one, [f"agent {n}" for n in range(8)]))
    assert said == ["moved"] + ["stale, now 2"] * 7


def test_two_tickets_merged_into_each_other_at_once_do_not_wait_for_ever(tables: Database) -> None:
    for number in (1, 2):
        with opened(tables, f"c{number}", number):
            pass

    def one(pair: tuple[int, int]) -> str:
        try:
            with tables.write() as session:
                first, second = (tickets.get(session, ticket_id(n)) for n in pair)
                linking.merge(session, first, second, by="ann", now=NOW, expected_version=1, into_version=1)
        except (StaleVersion, IllegalMove):
            return "refused"
        return "merged"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(one, [(1, 2), (2, 1)])) == ["merged", "refused"]


def test_reopening_sets_the_boundary_and_takes_back_the_end(tables: Database) -> None:
    with opened(tables) as (session, ticket):
        for step, to in enumerate([S.ACKNOWLEDGED, S.IN_DIAGNOSIS, S.WAITING_CUSTOMER, S.RESOLVED], start=1):
            tickets.move(session, ticket, to, by="ann", now=NOW + timedelta(hours=step), expected_version=step)
        assert ticket.boundary_at == NOW + timedelta(hours=4)
        tickets.reopen(session, ticket, by="visitor", now=NOW + timedelta(hours=9), expected_version=5)
        assert (ticket.state, ticket.resolved_at, ticket.boundary_at) == (S.OPEN, None, NOW + timedelta(hours=9))
        assert tickets.history(session, ticket)[-1].kind == EventKind.REOPENED


def test_a_merge_keeps_both_conversations_and_one_reply_to_an_incident_reaches_each_once(tables: Database) -> None:
    with tables.write() as session:
        one, two, three, incident = (
            tickets.open_ticket(session, opening(f"c{n}"), ticket_id(n), by="assistant", now=NOW) for n in range(1, 5)
        )
        linking.merge(session, one, two, by="ann", now=NOW, expected_version=1, into_version=1)
        assert linking.conversations(session, two) == ["c2", "c1"]
        assert tickets.of_conversation(session, "c1") is two
        linking.link(session, two, incident, by="ann", now=NOW, expected_version=2)
        linking.link(session, three, incident, by="ann", now=NOW, expected_version=1)
        assert sorted(linking.audience(session, incident)) == ["c1", "c2", "c3", "c4"]
        assert [t.number for t in linking.linked(session, incident)] == [2, 3]


def test_tickets_that_were_merged_before_come_along(tables: Database) -> None:
    with tables.write() as session:
        one, two, three = (tickets.open_ticket(session, opening(f"c{n}"), ticket_id(n), by="assistant", now=NOW) for n in (1, 2, 3))
        linking.merge(session, one, two, by="ann", now=NOW, expected_version=1, into_version=1)
        linking.merge(session, two, three, by="ann", now=NOW, expected_version=2, into_version=1)
        assert linking.conversations(session, three) == ["c3", "c1", "c2"]
        assert tickets.of_conversation(session, "c1") is three
        assert (one.merged_into, one.version) == (three.id, 3)


def test_a_merged_ticket_cannot_be_reopened_but_the_one_it_went_into_can(tables: Database) -> None:
    with tables.write() as session:
        one, two = (tickets.open_ticket(session, opening(f"c{n}"), ticket_id(n), by="assistant", now=NOW) for n in (1, 2))
        linking.merge(session, one, two, by="ann", now=NOW, expected_version=1, into_version=1)
        with pytest.raises(IllegalMove, match="merged into 2"):
            tickets.reopen(session, one, by="ann", now=NOW, expected_version=2)


def test_what_happened_cannot_be_changed(tables: Database) -> None:
    with opened(tables) as (session, ticket):
        happened = tickets.history(session, ticket)[0]
        happened.by = "somebody else"
        with pytest.raises(AppendOnlyError):
            session.flush()
        session.expunge(happened)


def test_a_new_ticket_carries_everything_an_agent_needs(tables: Database) -> None:
    fields = Fields(
        goal="export", symptom="spins", errors=("E-204",), tried=("restarted",), browser="Firefox", os="Windows 11", tags=("export",)
    )
    with opened(tables, fields=fields, contact=Contact("Ann", "ann@example.org", verified=True), queue="safety") as (session, ticket):
        session.flush()
        session.expire(ticket)
        assert (ticket.goal, ticket.error_texts, ticket.environment) == ("export", ["E-204"], "Firefox, Windows 11")
        assert (ticket.contact_email, ticket.contact_verified, ticket.priority) == ("ann@example.org", True, Priority.URGENT)
        assert ticket.opened_at == NOW


def test_the_same_note_twice_is_one_note(tables: Database) -> None:
    with opened(tables) as (session, ticket):
        for _ in range(2):
            work.note(session, ticket, NoteId("n1"), "call back", by="ann", now=NOW)
        assert session.scalar(select(func.count()).select_from(Note)) == 1
        assert ticket.version == 2


def test_another_queue_takes_the_assignee_away(tables: Database) -> None:
    with opened(tables) as (session, ticket):
        work.assign(session, ticket, "ann", by="ann", now=NOW, expected_version=1)
        work.set_queue(session, ticket, "billing", by="ann", now=NOW, expected_version=2)
        assert (ticket.queue, ticket.assignee) == ("billing", None)
        work.set_contact(session, ticket, Contact("Bo", "bo@example.org"), by="ann", now=NOW, expected_version=3)
        assert tickets.history(session, ticket)[-1].details == {"fields": ["contact"]}


def test_unknown_things_are_refused_by_name(tables: Database) -> None:
    with opened(tables) as (session, ticket):
        with pytest.raises(NoSuchTicket):
            tickets.get(session, "nobody")
        with pytest.raises(NoSuchQueue, match="technical"):
            work.set_queue(session, ticket, "cooking", by="ann", now=NOW, expected_version=1)
        with pytest.raises(work.NoSuchField, match="password"):
            work.describe(session, ticket, {"password": "x"}, by="ann", now=NOW, expected_version=1)


def test_every_state_is_left_and_reached() -> None:
    assert set(MOVES) == set(S)
    assert {to for moves in MOVES.values() for to in moves} == set(S)
