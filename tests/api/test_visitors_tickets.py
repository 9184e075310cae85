"""The visitor and a person over HTTP: called once, told once, heard live, solved or not; and the forms that become tickets."""

import json
import threading
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from api.bootstrap import Service
from api.live import TicketNews
from assistant import handover
from assistant.handover import AgentReply
from escalation import tickets
from escalation.fields import complete
from escalation.tables import Ticket, TicketEvent, TicketState
from knowledge.confidence import Band
from tests.builders import CARD, Visitor, article, client_of, decided, is_problem, publish, served

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:120.0) Gecko/20100101 Firefox/120.0"


@pytest.fixture
def visitor(service: Service) -> Visitor:
    publish(service, article())
    return Visitor.arrives(client_of(decided(service, Band.NOT_COVERED)))


def post(visitor: Visitor, path: str, body: dict[str, Any], method: str = "POST") -> httpx.Response:
    return visitor.client.request(
        method, f"/api/conversations/{visitor.id}/{path}", json=body, headers={**visitor.headers, "User-Agent": FIREFOX}
    )


def answer(service: Service, visitor: Visitor, text: str, then: TicketState | None = None) -> None:
    with service.database.write() as session:
        ticket = tickets.of_conversation(session, visitor.id)
        assert ticket is not None
        handover.answer(session, ticket, AgentReply(text, "agent-1", "Kim", then), now=service.now(), expected_version=ticket.version)


def the_ticket(service: Service, number: int = 1) -> Ticket:
    with service.database.read() as session:
        return session.query(Ticket).filter_by(number=number).one()


def test_the_button_gives_the_conversation_to_a_person_once(service: Service, visitor: Visitor) -> None:
    visitor.say("How do I export to Mars?")
    first = post(visitor, "handover", {"email": "ada@example.org", "page": "https://shop.example/cart"})
    again = post(visitor, "handover", {})
    assert (first.status_code, first.json()) == (200, again.json())
    assert first.json()["handover"]["number"] == 1
    ticket = the_ticket(service)
    assert (ticket.contact_email, ticket.page) == ("ada@example.org", "https://shop.example/cart")
    assert (ticket.browser, ticket.os) == ("Firefox 120", "Windows 10")
    assert ticket.reason == "not_covered"
    assert complete(ticket)


def test_a_message_for_the_person_is_delivered_and_not_answered(visitor: Visitor) -> None:
    post(visitor, "handover", {})
    said = visitor.say("It says E42").json()
    assert (said["role"], said["outcome"]) == ("visitor", "delivered")


def test_what_the_form_of_the_handover_tells_stands_in_the_ticket(service: Service, visitor: Visitor) -> None:
    post(visitor, "handover", {})
    told = post(visitor, "details", {"email": "ada@example.org", "goal": f"pay with {CARD}", "account": "Lovelace Ltd"}, "PUT")
    assert (told.status_code, told.json()["number"]) == (200, 1)
    ticket = the_ticket(service)
    assert (ticket.contact_email, ticket.account, ticket.goal) == ("ada@example.org", "Lovelace Ltd", "pay with [CARD]")
    assert ticket.contact_verified is False


def test_an_answer_is_rated_and_closes_the_ticket(service: Service, visitor: Visitor) -> None:
    post(visitor, "handover", {})
    answer(service, visitor, "Fixed.", TicketState.RESOLVED)
    last = visitor.client.get(f"/api/conversations/{visitor.id}/messages", headers=visitor.headers).json()["messages"][-1]
    assert (last["role"], last["agent"], last["resolves"]) == ("agent", "Kim", 1)
    solved = post(visitor, "solved", {"solved": True, "rating": 5})
    assert (solved.json()["state"], solved.json()["rating"]) == ("closed", 5)
    assert visitor.say("How do I export to Venus?").json()["role"] == "assistant"
    assert post(visitor, "solved", {"solved": True, "rating": 4}).json()["rating"] == 4


def test_not_solved_opens_it_again(service: Service, visitor: Visitor) -> None:
    post(visitor, "handover", {})
    answer(service, visitor, "Fixed.", TicketState.RESOLVED)
    assert post(visitor, "solved", {"solved": False}).json()["state"] == "open"


@pytest.mark.parametrize(("path", "method"), [("ticket", "GET"), ("details", "PUT"), ("solved", "POST")])
def test_without_a_ticket_there_is_nothing_to_tell_it(visitor: Visitor, path: str, method: str) -> None:
    body: dict[str, Any] = {"solved": True} if path == "solved" else {}
    response = (
        post(visitor, path, body, method)
        if method != "GET"
        else visitor.client.get(f"/api/conversations/{visitor.id}/ticket", headers=visitor.headers)
    )
    assert is_problem(response, 404)


def test_another_visitor_reaches_none_of_it(visitor: Visitor) -> None:
    post(visitor, "handover", {})
    other = Visitor.arrives(visitor.client)
    for path, method, body in [("handover", "POST", {}), ("details", "PUT", {}), ("solved", "POST", {"solved": True})]:
        response = visitor.client.request(method, f"/api/conversations/{visitor.id}/{path}", json=body, headers=other.headers)
        assert response.status_code == 404
    assert visitor.client.get(f"/api/conversations/{visitor.id}/events", headers=other.headers).status_code == 404


BUG = {
    "client_id": "a" * 20,
    "goal": "Export a dashboard",
    "happened": f"The file is empty, I paid with {CARD}",
    "errors": ["TypeError: x is undefined"],
    "details": {"email": "ada@example.org", "app_version": "4.2", "browser": "Firefox 120"},
}


@pytest.mark.parametrize("form", ["contact", "bug_report"])
def test_a_form_becomes_a_complete_ticket_once(service: Service, client: TestClient, form: str) -> None:
    first = client.post(f"/api/forms/{form}", json=BUG)
    again = client.post(f"/api/forms/{form}", json=BUG)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["ticket"]["number"] == again.json()["ticket"]["number"] == 1
    assert first.json()["secret"]
    assert again.json()["secret"] is None
    ticket = the_ticket(service)
    assert complete(ticket)
    assert (ticket.goal, ticket.app_version, ticket.error_texts) == ("Export a dashboard", "4.2", ["TypeError: x is undefined"])
    assert CARD not in json.dumps([ticket.symptom, first.json()["message"]["text"]])


def test_a_form_sent_again_after_its_ticket_was_closed_gives_the_same_ticket(service: Service, client: TestClient) -> None:
    sent = client.post("/api/forms/contact", json=BUG).json()
    mine = Visitor(client, sent["conversation_id"], sent["secret"], [])
    answer(service, mine, "Done.", TicketState.RESOLVED)
    assert post(mine, "solved", {"solved": True}).json()["state"] == "closed"
    again = client.post("/api/forms/contact", json=BUG)
    assert (again.status_code, again.json()["ticket"]["number"], again.json()["ticket"]["state"]) == (201, 1, "closed")


def test_an_event_that_becomes_visible_late_is_told_once(service: Service, visitor: Visitor) -> None:
    post(visitor, "handover", {})
    visitor.say("It says E42")
    with service.database.read() as session:
        every = session.scalars(select(TicketEvent.id).order_by(TicketEvent.id)).all()
        news = TicketNews(0)
        late = every[-2]
        told = [event.id for event in news.read(_Without(session, late), 0)]
        assert told == [id_ for id_ in every if id_ != late]
        assert [event.id for event in news.read(session, every[-1])] == [late]
        assert news.read(session, every[-1]) == []
        assert TicketNews(every[-1]).read(session, every[-1]) == []


class _Without:
    """A session that does not see one event yet."""

    def __init__(self, session: Any, hidden: int) -> None:
        self.session, self.hidden = session, hidden

    def scalars(self, query: Any) -> Any:
        return self.session.scalars(query.where(TicketEvent.id != self.hidden))


def test_an_empty_form_is_refused(client: TestClient) -> None:
    assert is_problem(client.post("/api/forms/contact", json={"client_id": "b" * 20}), 422)


def test_the_sender_of_a_form_reads_the_answer_with_its_secret(service: Service, client: TestClient) -> None:
    sent = client.post("/api/forms/contact", json=BUG).json()
    mine = Visitor(client, sent["conversation_id"], sent["secret"], [])
    answer(service, mine, "Hello Ada")
    read = client.get(f"/api/conversations/{mine.id}/messages", headers=mine.headers).json()["messages"]
    assert [message["role"] for message in read] == ["visitor", "assistant", "agent"]


def test_a_reply_is_heard_live_and_from_where_the_page_left_off(service: Service) -> None:
    publish(service, article())
    with served(service) as address, httpx.Client(base_url=address, timeout=20) as client:
        visitor = Visitor.arrives(client)
        post(visitor, "handover", {})
        url = f"/api/conversations/{visitor.id}/events"
        with client.stream("GET", url, headers=visitor.headers) as stream:
            lines = stream.iter_lines()
            seen = [heard(lines), heard(lines)]
            threading.Thread(target=answer, args=(service, visitor, "Hello from Kim")).start()
            live = heard(lines)
        assert live["text"] == "Hello from Kim"
        with client.stream("GET", url, headers={**visitor.headers, "Last-Event-ID": str(seen[-1]["id"])}) as stream:
            assert heard(stream.iter_lines())["id"] == live["id"]


def heard(lines: Any) -> dict[str, Any]:
    """The next message of a stream."""
    data = next(line for line in lines if line.startswith("data: "))
    found: dict[str, Any] = json.loads(data.removeprefix("data: "))
    return found
