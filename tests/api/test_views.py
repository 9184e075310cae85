"""What agents see: the worklist with its filters and pages, a ticket with all its parts, and the operator's numbers."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from api.bootstrap import Service
from api.desk import overview as view_overview
from api.desk import saved_views
from api.desk import worklist as views
from api.desk.errors import NoSuchView
from api.desk.overview import Overview
from api.desk.shapes import SavedViewIn
from api.desk.ticket import by_number, newer, ticket_view
from api.desk.worklist import Filters, View
from assistant import conversation, handover
from assistant.tables import Conversation
from escalation import linking, work
from escalation.tables import NoteId, Priority, Ticket, TicketId, TicketState
from escalation.tickets import NoSuchTicket
from guardrails import ledger
from tests.api.staffing import account_of
from tests.api.ticketing import answered_by, answering, blocked, given, now_of, ticket_from, visitor_says
from tests.builders import START, Clock, begin, say_to

ME = "the-agent-who-looks"


@pytest.fixture
def desk(service_on_both: Service) -> Service:
    return answering(service_on_both)


def numbers(service: Service, me: str = ME, **filters: str) -> list[int]:
    with service.database.read() as session:
        return [line.number for line in views.page(session, Filters.read(filters), me).lines]


def spread(service: Service, count: int) -> list[Ticket]:
    """Copies of one ticket with numbers from 2 on, a minute apart."""
    first = ticket_from(service)
    with service.database.write() as session:
        for number in range(2, count + 1):
            values = {c.key: getattr(first, c.key) for c in Ticket.__table__.columns}
            values |= {"id": TicketId(f"{number:032x}"), "number": number, "conversation_id": f"c{number}"}
            values |= {"opened_at": first.opened_at + timedelta(minutes=number)}
            session.add(Ticket(**values))
    with service.database.read() as session:
        return list(session.scalars(select(Ticket).order_by(Ticket.number)))


def test_a_worklist_by_priority_shows_the_most_urgent_first_and_then_the_oldest(desk: Service, clock: Clock) -> None:
    for priority in (Priority.NORMAL, Priority.URGENT, Priority.NORMAL, Priority.HIGH):
        given(desk, ticket_from(desk), priority=priority)
        clock.move(60)
    assert numbers(desk, sort="priority") == [2, 4, 1, 3]


def test_each_view_shows_its_tickets(desk: Service) -> None:
    states = [TicketState.OPEN, TicketState.ACKNOWLEDGED, TicketState.WAITING_CUSTOMER, TicketState.RESOLVED, TicketState.CLOSED]
    for state in states:
        given(desk, ticket_from(desk), state=state, assignee=ME if state == TicketState.ACKNOWLEDGED else None)
    expected = {
        "open": [1, 2, 3],
        "mine": [2],
        "unassigned": [1, 3],
        "waiting": [3],
        "resolved": [4],
        "closed": [5],
        "all": [5, 4, 3, 2, 1],
    }
    assert {view: numbers(desk, view=view) for view in expected} == expected
    with desk.database.read() as session:
        assert views.counts(session, ME).views == {"open": 3, "unassigned": 2, "mine": 1, "waiting": 1}


def test_filters_narrow_and_what_nobody_can_mean_does_not(desk: Service) -> None:
    given(desk, ticket_from(desk), queue="billing", priority="high", language="de", tags=["vip", "über"])
    given(desk, ticket_from(desk), queue="legal", priority="low")
    for filters in ({"queue": "billing"}, {"priority": "high"}, {"language": "de"}):
        assert numbers(desk, **filters) == [1]
    assert numbers(desk, queue="legal", priority="high") == []
    assert sorted(numbers(desk, queue="; drop table", priority="no", view="none")) == [1, 2]


@pytest.mark.parametrize("tag", ["vip", "über", 'a "b"'])
def test_a_tag_is_found_whole(desk: Service, tag: str) -> None:
    ticket = ticket_from(desk)
    ticket_from(desk)
    with desk.database.write() as session:
        one = session.get_one(Ticket, ticket.id)
        work.tag(session, one, [tag, "other"], by="a", now=desk.now(), expected_version=one.version)
        handover.reindex(session, one)
    assert numbers(desk, tag=tag) == [1]
    assert numbers(desk, tag=tag[:-1]) == []


def test_a_search_looks_everywhere_unless_a_view_is_named(desk: Service) -> None:
    ticket_from(desk, "The invoice of October is wrong.")
    given(desk, ticket_from(desk, "The invoice of May is wrong."), state=TicketState.CLOSED)
    assert numbers(desk, q="invoice wro") == [2, 1]
    assert numbers(desk, q="invoice", view="open") == [1]
    assert numbers(desk, q="zeppelin") == []
    assert (numbers(desk, q="invoice oc"), numbers(desk, q="invoice o")) == ([1], []), "a single letter is a word, no beginning"


def test_pages_follow_each_other_without_a_gap_or_a_double(desk: Service) -> None:
    spread(desk, 120)
    for view in (View.OPEN, View.ALL):
        seen: list[int] = []
        after = ""
        for _ in range(3):
            with desk.database.read() as session:
                page = views.page(session, Filters.read({"view": view, "after": after}), ME)
            seen += [line.number for line in page.lines]
            after = page.next
        assert after == ""
        assert seen == sorted(range(1, 121), reverse=view == View.ALL)


@pytest.mark.parametrize("after", ["x", "1.2", "99999999999999999.1.1", "٣", "1.-5.3", "9" * 16])
def test_a_place_that_is_none_is_the_first_page(desk: Service, after: str) -> None:
    ticket_from(desk)
    assert numbers(desk, after=after) == [1]
    assert numbers(desk, view="all", after=after) == [1]


def test_a_new_message_is_marked_until_it_is_read_or_answered(desk: Service) -> None:
    me = account_of(desk).id

    def mark() -> str:
        with desk.database.read() as session:
            return views.page(session, Filters(), me).lines[0].mark

    ticket = ticket_from(desk)
    assert mark() == "new"
    visitor_says(desk, ticket, "Are you there?")
    assert mark() == "message"
    with desk.database.write() as session:
        session.merge(views.TicketSeen(account_id=me, ticket_id=ticket.id, version=now_of(desk, 1).version))
    assert mark() == ""
    visitor_says(desk, ticket, "Hello?")
    assert mark() == "message"
    answered_by(desk, 1, "Yes.")
    assert mark() == ""


def test_a_ticket_shows_what_was_said_in_order_with_notes_and_sources(desk: Service, clock: Clock) -> None:
    ticket = ticket_from(desk, "refund")
    clock.move(60)
    with desk.database.write() as session:
        work.note(session, by_number(session, 1), NoteId("n1"), "Looks like last week.", by=ME, now=desk.now())
    clock.move(60)
    answered_by(desk, 1, "Here you are.")
    with desk.database.read() as session:
        view = ticket_view(session, 1, ME, {}, START)
    assert [said.kind for said in view.said if said.kind != "event"] == ["visitor", "assistant", "visitor", "assistant", "note", "agent"]
    assert [source["title"] for source in view.said[1].sources] == ["Ask for a refund"]
    assert view.said[1].outcome == "answered_quoted"
    assert view.ticket.id == ticket.id
    assert view.moves == (TicketState.IN_DIAGNOSIS, TicketState.WAITING_CUSTOMER, TicketState.WAITING_THIRD_PARTY, TicketState.RESOLVED)


def test_a_merged_ticket_brings_its_conversation_along(desk: Service) -> None:
    one, two = ticket_from(desk, "first trouble here"), ticket_from(desk, "second trouble here")
    with desk.database.write() as session:
        first, second = session.get_one(Ticket, one.id), session.get_one(Ticket, two.id)
        handover.merge(session, second, first, by=ME, now=desk.now(), expected_version=second.version, into_version=first.version)
    with desk.database.read() as session:
        view, gone = ticket_view(session, 1, ME, {}, START), ticket_view(session, 2, ME, {}, START)
    assert {said.conversation for said in view.said if said.kind == "visitor"} == {1, 2}
    assert [line.number for line in view.merged] == [2]
    assert gone.into is not None
    assert (gone.into.number, gone.moves) == (1, ())


def test_other_tickets_of_the_same_person_and_incidents_stand_beside_it(desk: Service) -> None:
    first = ticket_from(desk, email="ada@example.org")
    second = ticket_from(desk, email="ada@example.org")
    third = ticket_from(desk)
    with desk.database.write() as session:
        hangs, incident = session.get_one(Ticket, third.id), session.get_one(Ticket, first.id)
        linking.link(session, hangs, incident, by=ME, now=desk.now(), expected_version=hangs.version)
    with desk.database.read() as session:
        assert [line.number for line in ticket_view(session, second.number, ME, {}, START).related] == [first.number]
        assert [line.number for line in ticket_view(session, first.number, ME, {}, START).linked] == [third.number]
        found = ticket_view(session, third.number, ME, {}, START).incident
        assert found is not None
        assert found.number == first.number


def test_findings_come_from_the_ledger_with_what_a_person_thinks_of_them(desk: Service) -> None:
    ticket = ticket_from(desk)
    number = blocked(desk, ticket.conversation_id)
    with desk.database.read() as session:
        finding = ticket_view(session, 1, ME, {}, START).findings[0]
    assert (finding.number, finding.title, finding.right, finding.score) == (number, "Legal advice", None, 0.9)
    with desk.database.write() as session:
        ledger.judge(session, number, right=False, by=ME, now=desk.now())
    with desk.database.read() as session:
        assert ticket_view(session, 1, ME, {}, START).findings[0].right is False


def test_what_came_after_a_version_is_told(desk: Service) -> None:
    ticket = ticket_from(desk)
    seen = now_of(desk, 1).version
    visitor_says(desk, ticket, "It works again!")
    with desk.database.read() as session:
        assert [message.text for message in newer(session, ticket, seen)] == ["It works again!"]
        assert newer(session, ticket, now_of(desk, 1).version) == []


@pytest.mark.parametrize("number", [2, 0, -1, 2**31, 10**30])
def test_a_ticket_that_is_not_there_is_not_found(desk: Service, number: int) -> None:
    ticket_from(desk)
    with desk.database.read() as session, pytest.raises(NoSuchTicket):
        by_number(session, number)


def overview(service: Service) -> Overview:
    with service.database.read() as session:
        return view_overview.overview(session, service.now() - timedelta(days=7), service.now(), {})


def figure(shown: Overview, name: str) -> float | None:
    return next(one.value for one in shown.figures if one.name == name)


def test_the_overview_counts_who_was_helped_by_whom(desk: Service) -> None:
    alone, happy, angry = begin(desk), begin(desk), begin(desk)
    for started in (alone, happy, angry):
        reply = say_to(desk, started.id, "refund")
        if started is not alone:
            with desk.database.write() as session:
                conversation.rate(session, started.id, reply.id, helpful=started is happy, reason="", now=desk.now())
    ticket_from(desk)
    begin(desk)  # who only looks in is no conversation
    shown = overview(desk)
    counted = {
        name: figure(shown, name) for name in ("Conversations", "Without a person", "Solved, confirmed", "Solved, assumed", "Helpful")
    }
    assert counted == {"Conversations": 4, "Without a person": 75, "Solved, confirmed": 25, "Solved, assumed": 25, "Helpful": 50}
    assert shown.outcomes["answered"] == 4
    assert shown.outcomes["escalated"] == 1
    assert all(one.definition for one in shown.figures)


def test_the_overview_tells_confirmed_from_assumed_and_reopened(desk: Service) -> None:
    for number in (1, 2, 3):
        ticket_from(desk)
        answered_by(desk, number, "Fixed.", then=TicketState.RESOLVED)
    with desk.database.write() as session:
        for number, yes in ((1, True), (2, False)):
            held = session.scalars(select(Conversation).where(Conversation.id == by_number(session, number).conversation_id)).one()
            handover.solved(session, conversation.locked(session, held.id), yes=yes, now=desk.now())
        third = by_number(session, 3)
        handover.move(session, third, TicketState.CLOSED, by=ME, now=desk.now(), expected_version=third.version)
        work.rated(session, third, 4, "", now=desk.now())
    shown = overview(desk)
    counted = [
        figure(shown, name) for name in ("Tickets opened", "Tickets open now", "Closed, confirmed", "Closed, assumed", "Reopened", "Rating")
    ]
    assert counted == [3, 1, 1, 1, 1, 4]
    assert shown.ratings[4] == 1
    assert sum(sum(ages.values()) for ages in shown.open_by_queue.values()) == 1


def test_the_overview_counts_blocks_and_judgements_by_policy(desk: Service) -> None:
    first, _ = blocked(desk, "c1"), blocked(desk, "c2")
    with desk.database.write() as session:
        ledger.judge(session, first, right=True, by=ME, now=desk.now())
    found = overview(desk).blocks[0]
    assert (found.title, found.decided, found.blocked, found.right, found.judged) == ("Legal advice", 2, 2, 1, 1)


def test_the_overview_of_an_empty_desk_says_nothing_rather_than_nought(desk: Service) -> None:
    shown = overview(desk)
    assert figure(shown, "Conversations") == 0
    assert {name: figure(shown, name) for name in ("Without a person", "Rating", "Helpful")} == dict.fromkeys(
        ("Without a person", "Rating", "Helpful")
    )


def test_a_saved_view_belongs_to_one_agent_and_a_name_is_used_once(desk: Service) -> None:
    me, other = account_of(desk).id, account_of(desk).id
    with desk.database.write() as session:
        for query in ("view=open&queue=billing", "view=mine&after=3&nonsense=1"):
            kept = saved_views.keep(session, me, SavedViewIn(name="Mine first", query=query), desk.new_id(), now=desk.now())
        assert [(one.name, one.query) for one in saved_views.of(session, me)] == [("Mine first", "view=mine")]
        assert saved_views.of(session, other) == []
        with pytest.raises(NoSuchView):
            saved_views.drop(session, other, kept.id)
        saved_views.drop(session, me, kept.id)
        assert saved_views.of(session, me) == []
