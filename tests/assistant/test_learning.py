"""From tickets about the same thing to a suggestion, and from its acceptance to the next visitor who is answered."""

from datetime import timedelta

import pytest

from api.bootstrap import Service
from assistant import handover, learning
from assistant.handover import AgentReply
from assistant.reception import call_person
from escalation import tickets, work
from escalation.tables import TicketState
from knowledge import deciding, suggestions
from knowledge.confidence import Band
from knowledge.deciding import Decision
from knowledge.loop_tables import Gap, GapGroup, GroupState, RejectReason, Suggestion
from knowledge.suggestions import Rejection
from tests.builders import Clock, article, begin, decided, publish, say_to

ASKED = (
    "How do I export a dashboard to PDF?",
    "how do i export my dashboard to pdf",
    "export dashboard to PDF how do I do that",
    "How can I export the dashboard to a PDF file?",
)
TOLD = (
    "Hi Nadia, open the dashboard and press Share, then choose Export. I have sent yours to nadia@example.org.",
    "Open the dashboard and press Share, then choose Export. Your order 88123 is fine.",
    "You open the dashboard and press Share, then choose Export. It takes two minutes.",
    "Open the dashboard, press Share and choose Export. Best, Tom",
)


def asks(service: Service, question: str, told: str | None = None) -> None:
    """A visitor asks what nothing answers; an agent answers where there is something told."""
    sure = decided(service, Band.NOT_COVERED)
    started = begin(sure)
    say_to(sure, started.id, question)
    if told is None:
        return
    call_person(service.assistant, started.id, {}, now=service.now())
    with service.database.write() as session:
        ticket = tickets.of_conversation(session, started.id)
        assert ticket is not None
        reply = AgentReply(told, "ada", "Ada", TicketState.RESOLVED)
        handover.answer(session, ticket, reply, now=service.now(), expected_version=ticket.version)


def learned(service: Service, **more: bool) -> learning.Learned:
    return learning.learn(service.assistant, service.settings.knowledge, now=service.now(), **more)


def waiting(service: Service) -> list[Suggestion]:
    with service.database.read() as session:
        return list(suggestions.listed(session))


def rows(service: Service, table: type) -> list:  # type: ignore[type-arg]
    with service.database.read() as session:
        return list(session.query(table))


@pytest.fixture
def taught(service: Service) -> Service:
    """A service where four visitors asked the same and were told the same."""
    publish(service, article())
    for question, told in zip(ASKED, TOLD, strict=True):
        asks(service, question, told)
    return service


def test_what_several_people_asked_and_agents_answered_is_suggested_with_its_evidence(taught: Service) -> None:
    assert len(learned(taught).suggested) == 1
    (row,) = waiting(taught)
    assert "export" in row.title.lower()
    assert row.title.endswith("?")
    assert "press Share" in row.text
    assert (row.kind, row.people, row.size) == ("new", 4, 4)
    assert all(sentence["supported"] and sentence["evidence"] for sentence in row.body)
    assert {source["of"] for sentence in row.body for source in sentence["evidence"]} == {"message"}


def test_nothing_of_one_customer_alone_enters(taught: Service) -> None:
    learned(taught)
    (row,) = waiting(taught)
    stored = f"{row.title} {row.text} {row.wordings}"
    assert [word for word in ("Nadia", "example.org", "88123", "Tom", "two minutes") if word in stored] == []


def test_learning_twice_changes_nothing(taught: Service) -> None:
    learned(taught)
    again = learned(taught, rebuild=True)
    assert (again.new, again.suggested, len(rows(taught, Gap)), len(waiting(taught))) == (0, (), 4, 1)


def test_an_accepted_suggestion_answers_the_next_visitor(taught: Service) -> None:
    learned(taught)
    (row,) = waiting(taught)
    deciding.accept(taught.library, row.id, Decision("Ada", row.version), now=taught.now())
    sure = decided(taught, Band.ANSWER)
    reply = say_to(sure, begin(sure).id, "How do I export my dashboard as PDF?")
    assert (reply.text, reply.content["outcome"]) == (row.text, "answered_faq")


def test_two_people_are_not_enough_and_one_person_twice_is_one(service: Service) -> None:
    publish(service, article())
    for question, told in zip(ASKED[:2], TOLD[:2], strict=True):
        asks(service, question, told)
    assert learned(service).suggested == ()


def test_what_was_asked_long_ago_is_not_suggested_now(taught: Service, clock: Clock) -> None:
    clock.move(timedelta(days=15).total_seconds())
    assert learned(taught).suggested == ()


def test_a_rejected_group_comes_back_only_when_it_has_grown_markedly(taught: Service) -> None:
    learned(taught)
    (row,) = waiting(taught)
    with taught.database.write() as session:
        suggestions.reject(session, row.id, Rejection(RejectReason.SINGLE_CASE), by="Ada", expected_version=row.version, now=taught.now())
    asks(taught, ASKED[0], TOLD[0])
    assert learned(taught).suggested == ()
    for question, told in zip(ASKED[1:], TOLD[1:], strict=True):
        asks(taught, question, told)
    assert len(learned(taught).suggested) == 1


def test_a_group_keeps_its_identity_when_all_are_made_anew(taught: Service) -> None:
    learned(taught)
    before = {group.id: group.state for group in rows(taught, GapGroup)}
    learned(taught, rebuild=True)
    assert {group.id: group.state for group in rows(taught, GapGroup)} == before
    assert GroupState.SUGGESTED in before.values()


def test_a_ticket_tells_how_long_it_took_and_that_it_should_become_a_faq(service: Service, clock: Clock) -> None:
    publish(service, article())
    asks(service, ASKED[0], TOLD[0])
    with service.database.write() as session:
        ticket = tickets.of_conversation(session, rows(service, Gap)[0].conversation_id) if rows(service, Gap) else None
        assert ticket is None  # nothing is recorded while visitors wait
    learned(service)
    (gap,) = rows(service, Gap)
    assert gap.kinds == ["nothing_found", "agent_resolved", "escalated"]
    assert gap.agent_minutes is not None
    with service.database.write() as session:
        ticket = tickets.get(session, gap.ticket_id)
        work.becomes_faq(session, ticket, by="ada", now=clock())
    learned(service)
    assert rows(service, Gap)[0].kinds[0] == "becomes_faq"
