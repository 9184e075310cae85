"""A conversation goes to a person and comes back: one handover message, a complete ticket, and never two who answer."""

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from api.bootstrap import Service
from assistant import conversation, handover, reception
from assistant.conversation import Incoming
from assistant.handover import AgentReply
from assistant.tables import Conversation, ConversationId, Holder, Message, Outcome, Role
from assistant.turn import Step, take_turn
from escalation import fields, finding, linking, tickets
from escalation.tables import EventKind, Reason, Ticket, TicketState
from escalation.tickets import IllegalMove, StaleVersion
from knowledge.confidence import Band
from tests.builders import Clock, article, begin, decided, publish, say_to, together

ASK = "I want to talk to a human please"


@pytest.fixture
def sure(service_on_both: Service) -> Service:
    publish(service_on_both, article())
    return decided(service_on_both, Band.ANSWER)


def ticket_of(service: Service, conversation_id: str) -> Ticket:
    with service.database.read() as session:
        found = tickets.of_conversation(session, conversation_id)
        assert found is not None
        return found


def holder(service: Service, conversation_id: ConversationId) -> str:
    with service.database.read() as session:
        return session.get_one(Conversation, conversation_id).holder


def said(service: Service, conversation_id: ConversationId) -> list[Message]:
    with service.database.read() as session:
        return conversation.messages_after(session, conversation_id, 0, 100)


def reply(service: Service, conversation_id: str, text: str, **more: Any) -> list[Message]:
    with service.database.write() as session:
        ticket = session.get_one(Ticket, ticket_of(service, conversation_id).id)
        version = more.pop("version", ticket.version)
        words = AgentReply(text, "agent-1", "Kim", **more)
        return handover.answer(session, ticket, words, now=service.now(), expected_version=version)


def handed(service: Service) -> ConversationId:
    started = begin(service)
    say_to(service, started.id, "I cannot export my dashboard, it says error E42 in Firefox.")
    say_to(service, started.id, ASK)
    return started.id


def test_who_asks_for_a_person_gets_a_ticket_with_what_was_said(sure: Service) -> None:
    started = begin(sure)
    say_to(sure, started.id, "refund")
    answer = say_to(sure, started.id, ASK)
    ticket = ticket_of(sure, started.id)
    assert answer.content["outcome"] == Outcome.ESCALATED_ASKED
    assert (ticket.number, ticket.reason, ticket.state) == (1, Reason.ASKED, TicketState.OPEN)
    assert "ticket is 1" in answer.text
    assert answer.content["handover"]["number"] == 1
    assert [source["title"] for source in ticket.sources or []] == ["Ask for a refund"]
    assert ticket.reason_text == "The visitor asked for a person."
    assert fields.complete(ticket)
    assert holder(sure, started.id) == Holder.PERSON


def test_what_is_missing_is_asked_in_at_most_two_questions(sure: Service) -> None:
    started = begin(sure)
    answer = say_to(sure, started.id, ASK)
    questions = answer.content["handover"]["questions"]
    assert 1 <= len(questions) <= 2
    assert all(question["text"] in answer.text for question in questions)


def test_while_a_person_holds_it_the_assistant_is_silent(sure: Service) -> None:
    to = handed(sure)
    before = len(said(sure, to))
    answer = say_to(sure, to, "refund", "m9")
    assert (answer.role, answer.content["outcome"]) == (Role.VISITOR, Outcome.DELIVERED)
    assert len(said(sure, to)) == before + 1
    assert say_to(sure, to, "refund", "m9").id == answer.id
    with sure.database.read() as session:
        kinds = [event.kind for event in tickets.history(session, ticket_of(sure, to))]
    assert kinds.count(EventKind.VISITOR_WROTE) == 1


def test_what_is_told_later_completes_the_ticket(sure: Service) -> None:
    started = begin(sure)
    say_to(sure, started.id, ASK)
    assert ticket_of(sure, started.id).contact_email is None
    say_to(sure, started.id, "I use Firefox 120 on Windows 11, and my mail is kim@example.org.")
    ticket = ticket_of(sure, started.id)
    assert ticket.contact_email == "kim@example.org"
    assert "Firefox" in (ticket.browser or "")


def test_a_reply_reaches_the_visitor_and_takes_the_ticket(sure: Service) -> None:
    to = handed(sure)
    reply(sure, to, "Hello, I am looking into it.")
    last = said(sure, to)[-1]
    ticket = ticket_of(sure, to)
    assert (last.role, last.text, last.content["agent"]) == (Role.AGENT, "Hello, I am looking into it.", "Kim")
    assert (ticket.state, ticket.assignee) == (TicketState.ACKNOWLEDGED, "agent-1")


def test_a_reply_to_what_was_not_read_is_refused(sure: Service) -> None:
    to = handed(sure)
    seen = ticket_of(sure, to).version
    say_to(sure, to, "It works now!")
    with pytest.raises(StaleVersion):
        reply(sure, to, "Try this.", version=seen)
    assert said(sure, to)[-1].text == "It works now!"


def test_two_agents_at_once_answer_once(sure: Service) -> None:
    to = handed(sure)
    seen = ticket_of(sure, to).version

    def send(number: int) -> str:
        try:
            reply(sure, to, f"Answer {number}", version=seen)
        except StaleVersion:
            return "stale"
        return "sent"

    assert sorted(together(2, send)) == ["sent", "stale"]
    assert sum(message.role == Role.AGENT for message in said(sure, to)) == 1


def test_a_solved_ticket_gives_the_conversation_back_with_a_clean_memory(sure: Service) -> None:
    to = handed(sure)
    reply(sure, to, "Fixed.", then=TicketState.RESOLVED)
    assert said(sure, to)[-1].content["resolves"] == 1
    with sure.database.write() as session:
        handover.solved(session, conversation.locked(session, to), yes=True, now=sure.now())
    assert holder(sure, to) == Holder.ASSISTANT
    answer = say_to(sure, to, "refund")
    assert answer.content["outcome"] == Outcome.ANSWERED_QUOTED
    with sure.database.write() as session:
        received = conversation.receive(
            session, to, Incoming("and then?"), new_id=sure.new_id, lease=timedelta(seconds=30), history=20, now=sure.now()
        )
    assert isinstance(received, conversation.Received)
    assert [one.text for one in received.history] == ["refund", answer.text]
    assert [one.question for one in received.earlier] == ["refund"]


def test_not_solved_opens_it_again(sure: Service) -> None:
    to = handed(sure)
    reply(sure, to, "Fixed.", then=TicketState.RESOLVED)
    with sure.database.write() as session:
        handover.solved(session, conversation.locked(session, to), yes=False, now=sure.now())
    assert ticket_of(sure, to).state == TicketState.OPEN
    assert holder(sure, to) == Holder.PERSON


@pytest.mark.parametrize(("text", "state"), [("Thanks a lot!", TicketState.RESOLVED), ("It is still broken.", TicketState.OPEN)])
def test_thanks_reopen_nothing_and_anything_else_does(sure: Service, text: str, state: TicketState) -> None:
    to = handed(sure)
    reply(sure, to, "Fixed.", then=TicketState.RESOLVED)
    say_to(sure, to, text)
    assert ticket_of(sure, to).state == state


def test_long_after_the_resolution_a_message_is_a_new_matter(service_on_both: Service, clock: Clock) -> None:
    publish(service_on_both, article())
    sure = decided(service_on_both, Band.ANSWER)
    to = handed(sure)
    reply(sure, to, "Fixed.", then=TicketState.RESOLVED)
    clock.move(8 * 86_400)
    assert say_to(sure, to, "refund").content["outcome"] == Outcome.ANSWERED_QUOTED
    with sure.database.read() as session:
        assert session.scalars(select(Ticket.state)).all() == [TicketState.CLOSED]


def test_a_closed_conversation_may_get_a_second_ticket(sure: Service) -> None:
    to = handed(sure)
    reply(sure, to, "Fixed.", then=TicketState.RESOLVED)
    with sure.database.write() as session:
        handover.solved(session, conversation.locked(session, to), yes=True, now=sure.now())
    say_to(sure, to, ASK)
    assert ticket_of(sure, to).number == 2


def test_a_merged_conversation_is_answered_with_the_other_and_given_back_with_it(sure: Service) -> None:
    one, two = handed(sure), handed(sure)
    with sure.database.write() as session:
        first, second = (session.get_one(Ticket, ticket_of(sure, to).id) for to in (one, two))
        handover.merge(session, second, first, by="a", now=sure.now(), expected_version=second.version, into_version=first.version)
    reply(sure, two, "For both of you.", then=TicketState.RESOLVED)
    assert said(sure, one)[-1].text == said(sure, two)[-1].text == "For both of you."
    with sure.database.write() as session:
        handover.move(
            session,
            session.get_one(Ticket, first.id),
            TicketState.CLOSED,
            by="a",
            now=sure.now(),
            expected_version=ticket_of(sure, one).version,
        )
    assert holder(sure, one) == holder(sure, two) == Holder.ASSISTANT


def test_only_what_is_resolved_can_be_closed(sure: Service) -> None:
    to = handed(sure)
    ticket = ticket_of(sure, to)

    def close() -> None:
        with sure.database.write() as session:
            again = session.get_one(Ticket, ticket.id)
            handover.move(session, again, TicketState.CLOSED, by="a", now=sure.now(), expected_version=ticket.version)

    with pytest.raises(IllegalMove):
        close()
    assert holder(sure, to) == Holder.PERSON


def test_a_person_called_while_the_assistant_thinks_silences_it(sure: Service) -> None:
    started = begin(sure)
    say_to(sure, started.id, "refund")
    reached, go_on = threading.Event(), threading.Event()

    def progress(step: Step) -> None:
        if step is Step.ANSWERING:
            reached.set()
            go_on.wait(20)

    results: list[Any] = []
    slow = threading.Thread(
        target=lambda: results.append(take_turn(sure.assistant, started.id, Incoming("refund again"), now=sure.now(), progress=progress))
    )
    slow.start()
    assert reached.wait(20)
    say_to(sure, started.id, ASK)
    go_on.set()
    slow.join()
    assert results[0].content["outcome"] == Outcome.DELIVERED
    assert said(sure, started.id)[-1].content["outcome"] == Outcome.ESCALATED_ASKED


def test_a_turn_that_is_run_again_opens_no_second_ticket(sure: Service) -> None:
    started = begin(sure)
    results = together(5, lambda _: take_turn(sure.assistant, started.id, Incoming(ASK, "m1"), now=sure.now()))
    assert sum(isinstance(result, Message) for result in results) >= 1
    with sure.database.read() as session:
        assert session.scalars(select(Ticket.number)).all() == [1]


@pytest.mark.parametrize("query", ["export", "dashb", "E42", "firefox dashboard", "kim@example.org"])
def test_a_ticket_is_found_by_its_words(sure: Service, query: str) -> None:
    to = handed(sure)
    say_to(sure, to, "My address is kim@example.org, the dashboard is called Überblick.")
    with sure.database.read() as session:
        chosen = finding.numbers(session, query)
        assert chosen is not None
        assert session.scalars(chosen).all() == [1]
        nothing = finding.numbers(session, "zeppelin")
        assert nothing is not None
        assert session.scalars(nothing).all() == []


def test_unanswered_twice_offers_a_person_once_more_and_nobody_is_called(sure: Service) -> None:
    lost = replace(sure, assistant=decided(sure, Band.NOT_COVERED).assistant)
    started = begin(lost)
    first = say_to(lost, started.id, "bicycles?")
    second = say_to(lost, started.id, "what of tandems?")
    assert (first.content["offer"], second.content["offer"]) == (Reason.NOT_COVERED, Reason.FAILED_TURNS)
    assert holder(lost, started.id) == Holder.ASSISTANT


def test_only_the_visitor_of_the_resolved_ticket_is_asked_whether_it_is_solved(sure: Service) -> None:
    incident, hanging = handed(sure), handed(sure)
    with sure.database.write() as session:
        one, other = (session.get_one(Ticket, ticket_of(sure, to).id) for to in (hanging, incident))
        linking.link(session, one, other, by="a", now=sure.now(), expected_version=one.version)
    reply(sure, incident, "It works for everybody again.", then=TicketState.RESOLVED)
    asked = [said(sure, to)[-1].content.get("resolves") for to in (incident, hanging)]
    assert asked == [ticket_of(sure, incident).number, None]
    assert ticket_of(sure, hanging).state == TicketState.OPEN


def test_who_takes_an_offer_brings_its_sentence_to_the_agent(sure: Service, clock: Clock) -> None:
    lost = replace(sure, assistant=decided(sure, Band.NOT_COVERED).assistant)
    started = begin(lost)
    say_to(lost, started.id, "bicycles?")
    say_to(lost, started.id, "what of tandems?")
    reception.call_person(lost.assistant, started.id, {}, now=clock())
    assert ticket_of(lost, started.id).reason_text == reception.TOOK_OFFER.format(because="2 turns in a row ended without an answer.")
