"""A visitor's mails: one question a day to an address nobody has confirmed, the agent's replies to one that is, and links that work once (S-33, S-35)."""

import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from api.bootstrap import Service, running
from api.help.held import COOKIE, PLAIN_COOKIE
from api.messages import delivering
from assistant import handover
from assistant.handover import AgentReply
from assistant.wording import LANGUAGES
from escalation import tickets, work
from escalation.tables import EventKind, Ticket, TicketState
from escalation.tickets import Contact
from tests.api.sinks import PUBLIC, Mailbox, mailbox, settings_with
from tests.builders import Clock, Visitor, client_of

LINK = re.compile(rf"{PUBLIC}(/help/mail/[\w-]+)")


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox() as found:
        yield found


@pytest.fixture
def desk(tmp_path: Path, clock: Clock, prepared_sqlite: Path, box: Mailbox) -> Iterator[Service]:
    (tmp_path / "data").mkdir()
    shutil.copy(prepared_sqlite, tmp_path / "data")
    with running(settings_with(tmp_path / "data", box), now=clock) as service:
        yield service


def form(client: TestClient, number: int, email: str, **more: Any) -> dict[str, Any]:
    """A contact form that was sent."""
    details = {"email": email, "name": "Eve\r\nBcc: all@example.com", **more}
    body = {"client_id": f"form-{number:020}", "goal": "SECRET GOAL", "happened": "SECRET STORY", "details": details, "locale": "en"}
    sent = client.post("/api/forms/contact", json={**body, "details": {**details, "name": "Eve"}})
    assert sent.status_code == 201, sent.text
    found: dict[str, Any] = sent.json()
    return found


def run(service: Service) -> None:
    delivering.spread(service, service.now())
    delivering.send_mail(service, service.now())


def ticket_of(service: Service, number: int) -> Ticket:
    with service.database.read() as session:
        return session.scalars(select(Ticket).where(Ticket.number == number)).one()


def answered(service: Service, number: int, text: str = "Press **Export**.") -> None:
    with service.database.write() as session:
        ticket = session.scalars(select(Ticket).where(Ticket.number == number)).one()
        handover.answer(session, ticket, AgentReply(text, "agent-1", "Kim\r\nLee"), now=service.now(), expected_version=ticket.version)


def finished(service: Service, number: int) -> None:
    with service.database.write() as session:
        ticket = session.scalars(select(Ticket).where(Ticket.number == number)).one()
        for state in (TicketState.ACKNOWLEDGED, TicketState.RESOLVED):
            tickets.move(session, ticket, state, by="agent-1", now=service.now(), expected_version=ticket.version)
        handover.close(session, ticket, by="agent-1", now=service.now())


def link_in(box: Mailbox) -> str:
    found = LINK.search(box.texts()[-1])
    assert found is not None, box.texts()[-1]
    return found[1]


def confirmed(service: Service, box: Mailbox, client: TestClient, email: str = "eve@example.com") -> dict[str, Any]:
    """A form whose address its visitor has confirmed."""
    sent = form(client, 1, email)
    run(service)
    assert client.post(link_in(box), follow_redirects=False).status_code == 200
    return sent


# ── is it theirs ────────────────────────────────────────────────────────────────────────────────────


def test_an_address_is_asked_once_in_fixed_words_and_confirms_its_own_request(desk: Service, box: Mailbox) -> None:
    client = client_of(desk)
    number = form(client, 1, "eve@example.com")["ticket"]["number"]
    run(desk)
    (letter,) = box.letters
    assert (box.recipients, letter["Subject"]) == (["eve@example.com"], "Is this your address?")
    assert "SECRET" not in letter.as_string()
    assert "Eve" not in letter.as_string()
    assert str(number) not in letter["Subject"]
    assert not ticket_of(desk, number).contact_verified
    link = link_in(box)
    for _ in range(2):  # looking uses nothing up
        page = client.get(link)
        assert (page.status_code, page.headers["referrer-policy"], page.headers["cache-control"]) == (200, "no-referrer", "no-store")
    assert "SECRET" not in page.text
    assert not ticket_of(desk, number).contact_verified
    used = client.post(link)
    assert (used.status_code, "confirmed" in used.text) == (200, True)
    assert ticket_of(desk, number).contact_verified
    assert client.post(link).status_code == 404
    assert client.get(link).status_code == 404
    with desk.database.read() as session:
        assert tickets.history(session, ticket_of(desk, number))[-1].kind == EventKind.DESCRIBED


def test_an_address_gets_at_most_one_question_a_day_whoever_names_it(desk: Service, box: Mailbox, clock: Clock) -> None:
    for number in range(12):
        form(client_of(desk, f"203.0.113.{number}"), number, "Eve@Example.com" if number % 2 else "eve@example.com")
        run(desk)
        clock.move(7199)
    assert len(box.letters) == 1
    clock.move(60)
    form(client_of(desk, "203.0.113.99"), 99, "eve@example.com")
    run(desk)
    assert len(box.letters) == 2


def test_one_caller_names_at_most_three_new_addresses_an_hour(desk: Service, box: Mailbox, clock: Clock) -> None:
    for number in range(10):
        form(client_of(desk), number, f"victim-{number}@example.com")
        clock.move(300)
    run(desk)
    assert len(box.letters) == 3
    form(client_of(desk, "203.0.113.200"), 20, "other@example.com")
    run(desk)
    assert len(box.letters) == 4
    clock.move(3600)
    form(client_of(desk), 21, "late@example.com")
    run(desk)
    assert len(box.letters) == 5


def test_a_question_speaks_the_visitors_language(desk: Service, box: Mailbox) -> None:
    for number, language in enumerate(LANGUAGES):
        body = {"client_id": f"form-{number:020}", "goal": "x", "details": {"email": f"{language}@example.com"}, "locale": language}
        client_of(desk, f"203.0.113.{number}").post("/api/forms/contact", json=body)
    run(desk)
    assert len({letter["Subject"] for letter in box.letters}) == len(LANGUAGES)
    assert {letter["Content-Language"] for letter in box.letters} == set(LANGUAGES)


def test_a_link_runs_out_and_a_request_with_another_address_by_now_is_not_confirmed(desk: Service, box: Mailbox, clock: Clock) -> None:
    client = client_of(desk)
    first = form(client, 1, "eve@example.com")
    run(desk)
    old = link_in(box)
    headers = {"Authorization": f"Bearer {first['secret']}"}
    client.put(f"/api/conversations/{first['conversation_id']}/details", json={"email": "mallory@example.com"}, headers=headers)
    assert client.post(old).status_code == 404
    assert not ticket_of(desk, first["ticket"]["number"]).contact_verified
    run(desk)
    late = link_in(box)
    assert box.recipients[-1] == "mallory@example.com"
    clock.at += timedelta(days=2)
    assert client.get(late).status_code == 404
    assert client.post(late).status_code == 404


def test_what_nobody_has_proven_never_takes_the_place_of_a_confirmed_address(desk: Service, box: Mailbox) -> None:
    client = client_of(desk)
    sent = confirmed(desk, box, client)
    headers = {"Authorization": f"Bearer {sent['secret']}"}
    told = {"email": "mallory@example.com", "name": "Mallory"}
    assert client.put(f"/api/conversations/{sent['conversation_id']}/details", json=told, headers=headers).status_code == 200
    found = ticket_of(desk, sent["ticket"]["number"])
    assert (found.contact_email, found.contact_verified) == ("eve@example.com", True)


def test_who_confirms_one_address_and_then_names_another_has_proven_nothing_of_it(desk: Service, box: Mailbox) -> None:
    client = client_of(desk)
    confirmed(desk, box, client, "victim@example.com")
    mallory = form(client_of(desk, "203.0.113.51"), 2, "mallory@example.com")
    run(desk)
    assert client.post(link_in(box)).status_code == 200
    headers = {"Authorization": f"Bearer {mallory['secret']}"}
    claim = f"/widget/conversations/{mallory['conversation_id']}/visitor"
    assert client.put(claim, json={"email": "victim@example.com"}, headers=headers).status_code == 204
    finished(desk, mallory["ticket"]["number"])
    again = client.post(f"/api/conversations/{mallory['conversation_id']}/handover", json={}, headers=headers)
    assert again.status_code < 300, again.text
    with desk.database.read() as session:
        found = session.scalars(select(Ticket).order_by(Ticket.number.desc())).first()
    assert found is not None
    assert (found.contact_email, found.contact_verified, found.related) == ("victim@example.com", False, [])


def test_an_old_link_opens_nothing_once_the_request_has_another_address(desk: Service, box: Mailbox) -> None:
    client = client_of(desk)
    sent = confirmed(desk, box, client)
    answered(desk, sent["ticket"]["number"])
    run(desk)
    link = link_in(box)
    with desk.database.write() as session:
        ticket = session.scalars(select(Ticket).where(Ticket.number == sent["ticket"]["number"])).one()
        other = Contact("Eve", "eve@new.example.com")
        work.set_contact(session, ticket, other, by="agent-1", now=desk.now(), expected_version=ticket.version)
    assert client_of(desk, "203.0.113.52").post(link, follow_redirects=False).status_code == 404


def test_a_stranger_who_names_a_confirmed_address_is_neither_confirmed_nor_related(desk: Service, box: Mailbox) -> None:
    confirmed(desk, box, client_of(desk))
    other = form(client_of(desk, "203.0.113.50"), 2, "eve@example.com")
    found = ticket_of(desk, other["ticket"]["number"])
    assert (found.contact_verified, found.related) == (False, [])
    answered(desk, other["ticket"]["number"])
    before = len(box.letters)
    run(desk)
    assert len(box.letters) == before


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
@pytest.mark.parametrize(
    "said",
    [
        ["I want to talk to a human please", "You can reach me at eve@example.com"],
        ["My address is eve@example.com", "I want to talk to a human please"],
        ["I want to talk to a human, write to eve@example.com"],
    ],
    ids=["after the handover", "before it", "with it"],
)
def test_an_address_typed_into_the_chat_is_asked_as_one_of_a_form_is(desk: Service, box: Mailbox, accept: str, said: list[str]) -> None:
    visitor = Visitor.arrives(client_of(desk))
    for text in said:
        assert visitor.say(text, headers={"Accept": accept}).status_code == 200
    run(desk)
    assert box.recipients == ["eve@example.com"]
    assert "talk to a human" not in box.texts()[0]
    assert visitor.client.post(link_in(box), follow_redirects=False).status_code == 200
    assert ticket_of(desk, 1).contact_verified
    visitor.say("Again: eve@example.com", headers={"Accept": accept})
    run(desk)
    assert len(box.letters) == 1


def test_an_address_typed_on_the_status_page_is_asked(desk: Service, box: Mailbox) -> None:
    client = client_of(desk)
    sent = form(client, 1, "")
    client.cookies.set(PLAIN_COOKIE, sent["secret"])
    path = f"/help/tickets/{sent['conversation_id']}/reply"
    assert client.post(path, data={"text": "Write to eve@example.com"}, follow_redirects=False).status_code == 303
    run(desk)
    assert box.recipients == ["eve@example.com"]


def test_without_a_mail_server_nobody_is_asked(service: Service) -> None:
    form(client_of(service), 1, "eve@example.com")
    assert delivering.send_mail(service, service.now()) == "no mail server is set"


# ── replies ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_confirmed_visitor_gets_the_reply_with_a_link_that_opens_it_once_in_another_browser(desk: Service, box: Mailbox) -> None:
    number = confirmed(desk, box, client_of(desk))["ticket"]["number"]
    answered(desk, number)
    run(desk)
    letter = box.letters[-1]
    assert (letter["Subject"], letter["Auto-Submitted"]) == (f"Reply to your request {number}", "auto-generated")
    assert f"Kim Lee answered your request {number}:" in letter.get_content()
    assert "Press **Export**." in letter.get_content()
    link = link_in(box)
    phone = client_of(desk, "203.0.113.77")
    assert "SECRET" not in phone.get(link).text
    opened = phone.post(link, follow_redirects=False)
    assert (opened.status_code, opened.headers["location"].partition("#")[0]) == (303, "/help/tickets")
    shown = phone.get("/help/tickets").text
    assert "Export" in shown
    assert "SECRET STORY" in shown
    assert client_of(desk, "203.0.113.78").post(link).status_code == 404
    name = PLAIN_COOKIE if PLAIN_COOKIE in phone.cookies else COOKIE
    assert phone.cookies[name] not in "".join(box.texts())


def test_the_key_of_another_browser_answers_like_the_first_and_runs_out(desk: Service, box: Mailbox, clock: Clock) -> None:
    from api.jobs.housekeeping import sweep

    sent = confirmed(desk, box, client_of(desk))
    answered(desk, sent["ticket"]["number"])
    run(desk)
    phone = client_of(desk, "203.0.113.77")
    phone.post(link_in(box))
    replied = phone.post(f"/help/tickets/{sent['conversation_id']}/reply", data={"text": "It works now"})
    assert replied.status_code == 200
    assert "It works now" in replied.text
    clock.at += timedelta(days=91)
    sweep(desk, clock.at)
    assert "It works now" not in phone.get("/help/tickets").text


def test_who_has_not_confirmed_gets_no_reply_by_mail(desk: Service, box: Mailbox) -> None:
    sent = form(client_of(desk), 1, "eve@example.com")
    answered(desk, sent["ticket"]["number"])
    run(desk)
    assert [letter["Subject"] for letter in box.letters] == ["Is this your address?"]


def test_an_incidents_reply_reaches_every_confirmed_visitor_once(desk: Service, box: Mailbox) -> None:
    from escalation import linking

    sent = [form(client_of(desk, f"203.0.113.{number}"), number, f"v{number}@example.com") for number in range(3)]
    run(desk)
    for letter, text in zip(list(box.letters), box.texts(), strict=True):
        if letter["To"] != "v2@example.com":
            found = LINK.search(text)
            assert found is not None
            assert client_of(desk).post(found[1]).status_code == 200
    first, *others = [ticket_of(desk, one["ticket"]["number"]) for one in sent]
    with desk.database.write() as session:
        incident = tickets.get(session, first.id)
        for one in others:
            ticket = tickets.get(session, one.id)
            linking.link(session, ticket, incident, by="a", now=desk.now(), expected_version=ticket.version)
    answered(desk, first.number, "It is mended.")
    run(desk)
    replies = [letter["To"] for letter in box.letters if "Reply" in letter["Subject"]]
    assert sorted(replies) == ["v0@example.com", "v1@example.com"]


def test_the_status_page_says_how_it_stands_with_mail(desk: Service, box: Mailbox) -> None:
    client = client_of(desk)
    secret = "s" * 43
    client.post(
        "/help/contact", data={"goal": "Export", "email": "eve@example.com", "step": "send", "secret": secret, "client_id": "c" * 43}
    )
    assert "asked you by e-mail" in client.get("/help/tickets").text
    run(desk)
    client.post(link_in(box))
    assert "come to your e-mail address" in client.get("/help/tickets").text


def test_a_form_of_another_site_uses_no_link_up(desk: Service, box: Mailbox) -> None:
    client = client_of(desk)
    number = form(client, 1, "eve@example.com")["ticket"]["number"]
    run(desk)
    refused = client.post(link_in(box), headers={"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"})
    assert refused.status_code == 403
    assert not ticket_of(desk, number).contact_verified


def test_a_closed_request_is_not_confirmed_any_more(desk: Service, box: Mailbox) -> None:
    client = client_of(desk)
    number = form(client, 1, "eve@example.com")["ticket"]["number"]
    run(desk)
    with desk.database.write() as session:
        ticket = session.scalars(select(Ticket).where(Ticket.number == number)).one()
        tickets.advance(session, ticket, TicketState.RESOLVED, by="a", now=desk.now())
        handover.close(session, ticket, by="a", now=desk.now())
    assert client.post(link_in(box)).status_code == 404
