"""The outbox: written with the event, tried on the standard's schedule, and lost by nothing."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from api.database import Database
from escalation import outbox, tickets, work
from escalation.fields import Fields
from escalation.notifications import CHOICES, RULES, SILENT
from escalation.outbox import JITTER, LEASE, PAUSES, NoSuchDelivery
from escalation.outbox_tables import Delivery, DeliveryState, Outbox, Way
from escalation.tables import EventKind, Reason, Ticket, TicketId
from escalation.tickets import Opening
from tests.builders import Clock

TO = [(Way.WEBHOOK, "hook"), (Way.MAIL, "agent")]


def opened(database: Database, clock: Clock, number: int = 1) -> Ticket:
    opening = Opening(f"conversation-{number}", Reason.ASKED, "asked", "billing", "en", Fields(), [])
    with database.write() as session:
        return tickets.open_ticket(session, opening, TicketId(f"{number:032x}"), by="assistant", now=clock.at)


def spread(database: Database, clock: Clock) -> list[str]:
    with database.write() as session:
        for one in outbox.unspread(session, 100):
            outbox.spread(session, one, TO, now=clock.at)
        return list(session.scalars(select(Delivery.id).order_by(Delivery.way)))


def stored(database: Database, name: str) -> Delivery:
    with database.read() as session:
        return session.get_one(Delivery, name)


def test_every_kind_of_event_tells_somebody_or_is_known_to_tell_nobody() -> None:
    known = {kind.value for kind in EventKind}
    assert known <= RULES.keys() | SILENT
    assert RULES.keys().isdisjoint(SILENT)
    assert {rule.choice for rule in RULES.values() if rule.choice} == set(CHOICES)
    assert [kind for kind, rule in RULES.items() if rule.to - {"visitor"} and rule.choice is None] == []


def test_an_outbox_row_lives_and_dies_with_its_event(database: Database, clock: Clock) -> None:
    ticket = opened(database, clock)

    def lost() -> None:
        with database.write() as session:
            found = tickets.get(session, ticket.id)
            work.visitor_wrote(session, found, "7", now=clock.at)
            raise RuntimeError("the power fails")

    with pytest.raises(RuntimeError, match="the power fails"):
        lost()
    with database.read() as session:
        owed = session.scalars(select(Outbox)).all()
        assert [(one.kind, one.event_id) for one in owed] == [("opened", tickets.history(session, ticket)[0].id)]
        assert outbox.counts(session)["waiting"] == 1


def test_silent_events_owe_nothing(database: Database, clock: Clock) -> None:
    ticket = opened(database, clock)
    with database.write() as session:
        work.tag(session, tickets.get(session, ticket.id), ["x"], by="a", now=clock.at, expected_version=ticket.version)
        assert [one.kind for one in outbox.unspread(session, 10)] == ["opened"]


def test_spreading_twice_gives_the_same_messages_once(database: Database, clock: Clock) -> None:
    opened(database, clock)
    with database.write() as session:
        owed = outbox.unspread(session, 10)[0]
        copy = {column.name: getattr(owed, column.name) for column in Outbox.__table__.columns}
        outbox.spread(session, owed, TO, now=clock.at)
    with database.write() as session:
        session.add(Outbox(**copy))
        session.flush()
        outbox.spread(session, outbox.unspread(session, 10)[0], TO, now=clock.at)
        assert len(session.scalars(select(Delivery)).all()) == 2
        assert outbox.unspread(session, 10) == []


@pytest.mark.parametrize("chance", [0.0, 0.999])
def test_ten_tries_follow_the_standards_schedule_with_jitter_and_then_it_is_given_up(
    database: Database, clock: Clock, chance: float
) -> None:
    opened(database, clock)
    name = spread(database, clock)[0]
    waited: list[timedelta] = []
    dead = False
    while not dead:
        at = clock.at
        with database.write() as session:
            tried = outbox.claim(session, name, now=clock.at)
            assert tried is not None
            dead = outbox.failed(session, tried, "503", now=clock.at, chance=chance)
        if not dead:
            clock.at = stored(database, name).next_at
            waited.append(clock.at - at)
    assert len(waited) == 9
    for pause, meant in zip(waited, PAUSES, strict=True):
        assert timedelta(0) <= pause - meant * (1 + JITTER * chance) < timedelta(milliseconds=1) or pause == meant * (1 + JITTER * chance)
    assert sum(PAUSES, timedelta(0)) == timedelta(hours=75, minutes=35, seconds=5)
    found = stored(database, name)
    assert (found.state, found.tries, found.error) == (DeliveryState.DEAD, 10, "503")


def test_a_receiver_may_ask_for_a_longer_pause_but_not_for_ever(database: Database, clock: Clock) -> None:
    opened(database, clock)
    one, other = spread(database, clock)
    for name, wait, longest in ((one, timedelta(minutes=10), timedelta(minutes=10)), (other, timedelta(days=365), timedelta(hours=24))):
        with database.write() as session:
            tried = outbox.claim(session, name, now=clock.at)
            assert tried is not None
            assert not outbox.failed(session, tried, "429", now=clock.at, chance=0.0, wait=wait)
        assert stored(database, name).next_at - clock.at == longest


def test_a_try_belongs_to_one_worker_until_its_lease_is_over(database: Database, clock: Clock) -> None:
    opened(database, clock)
    name = spread(database, clock)[0]
    with database.write() as session:
        first = outbox.claim(session, name, now=clock.at)
    with database.write() as session:
        assert outbox.claim(session, name, now=clock.at) is None
        assert outbox.due(session, list(Way), 10, now=clock.at) != [name]
    clock.at += LEASE
    with database.write() as session:
        second = outbox.claim(session, name, now=clock.at)
    assert first is not None
    assert second is not None
    assert (first.tries, second.tries) == (1, 2)
    with database.write() as session:
        outbox.failed(session, first, "late", now=clock.at, chance=0.0, for_good=True)  # its try is not its own any more
    assert stored(database, name).state == DeliveryState.WAITING
    with database.write() as session:
        outbox.sent(session, second, now=clock.at)
    assert stored(database, name).state == DeliveryState.SENT


def test_what_was_given_up_is_tried_anew_with_the_id_it_had(database: Database, clock: Clock) -> None:
    opened(database, clock)
    name = spread(database, clock)[0]
    with database.write() as session:
        tried = outbox.claim(session, name, now=clock.at)
        assert tried is not None
        assert outbox.failed(session, tried, "550", now=clock.at, chance=0.0, for_good=True)
        assert [one.id for one in outbox.listed(session, DeliveryState.DEAD, 10)] == [name]
    with database.write() as session:
        with pytest.raises(NoSuchDelivery):
            outbox.replay(session, "0" * 32, now=clock.at)
        assert outbox.replay_all(session, now=clock.at) == 1
        with pytest.raises(NoSuchDelivery):
            outbox.replay(session, name, now=clock.at)
    with database.write() as session:
        again = outbox.claim(session, name, now=clock.at)
    assert again is not None
    assert (again.id, again.tries) == (name, 1)


def test_what_ended_long_ago_is_forgotten_and_nothing_else(database: Database, clock: Clock) -> None:
    opened(database, clock)
    sent, _waiting = spread(database, clock)
    with database.write() as session:
        tried = outbox.claim(session, sent, now=clock.at)
        assert tried is not None
        outbox.sent(session, tried, now=clock.at)
    clock.move(60)
    with database.write() as session:
        assert outbox.forget(session, before=clock.at) == 1
        assert outbox.counts(session) == {"waiting": 1, "sent": 0, "dead": 0, "dropped": 0}
