"""What an agent reads first: quoted from the conversation, and suggestions that say where they come from."""

import pytest
from sqlalchemy import select

from api.bootstrap import Service
from assistant import briefing
from assistant.briefing import Briefing, Suggestion
from assistant.tables import Message
from escalation.tables import Ticket, TicketState
from knowledge.confidence import Band
from tests.api.ticketing import ASK, TROUBLE, answered_by, answering, now_of, said_in, sure_of, ticket_from


@pytest.fixture
def desk(service_on_both: Service) -> Service:
    return answering(service_on_both)


def brief(service: Service, ticket: Ticket) -> Briefing:
    return briefing.brief(now_of(service, ticket.number), said_in(service, ticket))


def suggested(service: Service, ticket: Ticket) -> list[Suggestion]:
    with service.database.read() as session:
        one = session.get_one(Ticket, ticket.id)
        messages = list(session.scalars(select(Message).where(Message.conversation_id == one.conversation_id).order_by(Message.id)))
        return briefing.suggest(service.assistant, session, one, messages)


def test_it_quotes_the_first_and_the_last_ask_and_why_it_came_here(desk: Service) -> None:
    found = brief(desk, ticket_from(desk, "Hello", TROUBLE, "It also fails in Opera.", "thanks"))
    assert (found.first_ask, found.last_ask) == (TROUBLE, "It also fails in Opera.")
    assert found.why == "The visitor asked for a person."


def test_a_call_for_a_person_is_quoted_only_where_nothing_else_was_asked(desk: Service) -> None:
    found = brief(desk, ticket_from(desk, "Hello"))
    assert ASK in {found.first_ask, found.last_ask}


def test_it_says_what_the_assistant_answered_and_from_which_articles(desk: Service) -> None:
    found = brief(desk, ticket_from(desk, "How do I get a refund?"))
    assert [(one.question, one.outcome, one.titles) for one in found.answered] == [
        ("How do I get a refund?", "answered_quoted", ("Ask for a refund",)),
    ]
    assert "**" not in found.answered[0].text


def test_it_names_errors_versions_addresses_and_codes(desk: Service) -> None:
    says = ("The page https://app.example.com/exports fails with version 4.2.1.", "It is order AB-20391, I am ada@example.org.")
    found = brief(desk, ticket_from(desk, *says))
    assert found.addresses == ("https://app.example.com/exports", "ada@example.org")
    assert "version 4.2.1" in found.versions or "4.2.1" in found.versions
    assert (*found.errors, *found.codes) == ("AB-20391",)


def test_it_says_what_is_missing(desk: Service) -> None:
    ticket = ticket_from(desk)
    with desk.database.write() as session:
        one = session.get_one(Ticket, ticket.id)
        one.asked = []
    assert set(brief(desk, ticket).missing) >= {"contact", "account", "role"}


def test_it_stands_without_any_message(desk: Service) -> None:
    ticket = ticket_from(desk)
    found = briefing.brief(ticket, [])
    assert (found.first_ask, found.last_ask, found.answered) == ("", "", ())


def test_an_article_suggests_a_reply_in_plain_text_with_its_source(desk: Service) -> None:
    first = suggested(desk, ticket_from(desk, "How do I ask for a refund?"))[0]
    assert [source.title for source in first.sources] == ["Ask for a refund"]
    assert "Billing" in first.text
    assert "*" not in first.text


def test_nothing_near_suggests_nothing(desk: Service) -> None:
    ticket = ticket_from(desk, "The zeppelin lost its mooring mast in Friedrichshafen.")
    assert suggested(sure_of(desk, Band.NOT_COVERED), ticket) == []


def test_the_reply_to_a_similar_resolved_ticket_is_suggested_with_its_number(desk: Service) -> None:
    first = ticket_from(desk)
    answered_by(desk, first.number, "Press Reset filters, then export again.", then=TicketState.RESOLVED)
    second = ticket_from(desk)
    found = [one for one in suggested(desk, second) if one.ticket]
    assert [(one.ticket, one.text) for one in found] == [(1, "Press Reset filters, then export again.")]
    assert found[0].likeness is not None
    assert found[0].likeness >= briefing.LIKE


@pytest.mark.parametrize("state", [None, TicketState.WAITING_CUSTOMER])
def test_a_reply_that_resolved_nothing_is_not_suggested(desk: Service, state: TicketState | None) -> None:
    first = ticket_from(desk)
    answered_by(desk, first.number, "I am looking.", then=state)
    assert [one for one in suggested(desk, ticket_from(desk)) if one.ticket] == []


def test_a_similar_ticket_in_another_language_is_not_suggested(desk: Service) -> None:
    first = ticket_from(desk)
    answered_by(desk, first.number, "Press Reset filters.", then=TicketState.RESOLVED)
    second = ticket_from(desk)
    with desk.database.write() as session:
        session.get_one(Ticket, second.id).language = "de"
    assert [one for one in suggested(desk, second) if one.ticket] == []


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("1. Open **Billing**.\n2. Press `Refund`.", "1. Open Billing.\n2. Press Refund."),
        ("## Terms\n\nSee [the terms](terms.md) and ![a picture](x.png).", "Terms\n\nSee the terms and a picture."),
        ("Multiply 2 * 3 and use snake_case", "Multiply 2 * 3 and use snake_case"),
        ("*Important*: go", "Important: go"),
    ],
)
def test_marks_of_markdown_are_not_sent_to_visitors(markdown: str, text: str) -> None:
    assert briefing.plain(markdown) == text
