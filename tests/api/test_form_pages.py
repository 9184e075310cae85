"""Contact form, bug report and status page of the help centre over HTTP: nothing typed is lost, nothing is sent twice or by others."""

import re
from collections.abc import Mapping
from html import unescape
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from api.bootstrap import Service
from api.help import held
from assistant import handover
from assistant.handover import AgentReply
from assistant.tables import Conversation
from assistant.wording import LANGUAGES, words
from escalation import tickets
from escalation.fields import complete
from escalation.tables import Ticket, TicketState
from knowledge.confidence import Band
from tests.builders import CARD, Clock, article, client_of, decided, publish, running_in, together

TOLD = {"goal": "Export a dashboard", "happened": "The file is empty", "email": "ada@example.org", "name": "Ada"}


@pytest.fixture
def browser(service: Service) -> TestClient:
    publish(service, article(title="Export a dashboard", body="Press **Export**."))
    return client_of(decided(service, Band.NOT_COVERED))


def hidden(response: httpx.Response) -> dict[str, str]:
    """The names under which the page will send its form."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', response.text)
    return {name: unescape(value) for name, value in found}


def fill(client: TestClient, path: str = "/help/contact", /, **typed: str) -> dict[str, str]:
    """A form as a visitor filled it in."""
    return {**hidden(client.get(path)), **TOLD, **typed}


def send(client: TestClient, path: str = "/help/contact", /, **typed: str) -> httpx.Response:
    found: httpx.Response = client.post(path, data=fill(client, path, **typed))
    return found


def the_ticket(service: Service, number: int = 1) -> Ticket:
    with service.database.read() as session:
        return session.scalars(select(Ticket).where(Ticket.number == number)).one()


def count(service: Service, table: Any) -> int:
    with service.database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def answer(service: Service, text: str, then: TicketState | None = None) -> None:
    with service.database.write() as session:
        ticket = session.scalars(select(Ticket).order_by(Ticket.number.desc())).first()
        assert ticket is not None
        handover.answer(session, ticket, AgentReply(text, "agent-1", "Kim", then), now=service.now(), expected_version=ticket.version)


def of_first(response: httpx.Response, action: str) -> str:
    """Where the first form of a kind on the status page goes."""
    return re.search(rf'action="(/help/tickets/\w+/{action})"', response.text)[1]  # type: ignore[index]


@pytest.mark.parametrize("path", ["/help/contact", "/help/report"])
def test_a_form_ends_on_the_status_page_with_its_number(service: Service, browser: TestClient, path: str) -> None:
    response = send(browser, path)
    assert (response.status_code, response.url.path) == (200, "/help/tickets")
    assert "Thank you. Your ticket number is 1." in response.text
    ticket = the_ticket(service)
    assert complete(ticket)
    assert (ticket.goal, ticket.symptom, ticket.contact_email) == ("Export a dashboard", "The file is empty", "ada@example.org")
    assert response.headers["cache-control"] == "no-store"


def test_a_bug_report_carries_expectation_error_page_and_version(service: Service, browser: TestClient) -> None:
    send(
        browser,
        "/help/report",
        expected="A full file",
        errors=f"Declined: {CARD}",
        page="https://shop.example/x",
        app_version="4.2",
        browser="Firefox 120",
    )
    ticket = the_ticket(service)
    assert ticket.error_texts == ["Declined: [CARD]"]
    assert (ticket.page, ticket.app_version, ticket.browser) == ("https://shop.example/x", "4.2", "Firefox 120")
    assert "A full file" in browser.get("/help/tickets").text


def test_articles_that_may_answer_come_first_and_nothing_is_lost_on_the_way(service: Service) -> None:
    publish(service, article(title="Export a dashboard", body="Press **Export**."))
    browser = client_of(decided(service, Band.ANSWER))
    offered = send(browser)
    assert offered.status_code == 200
    assert "None of these: send" in offered.text
    assert 'target="_blank" rel="noopener"><strong>Export a dashboard</strong>' in offered.text
    assert count(service, Ticket) == 0
    edited = browser.post("/help/contact", data={**hidden(offered), "step": "edit"})
    assert "The file is empty" in edited.text
    done = browser.post("/help/contact", data={**hidden(offered), "step": "send"})
    assert done.url.path == "/help/tickets"
    assert count(service, Ticket) == 1


@pytest.mark.parametrize(
    ("typed", "field", "says"),
    [
        ({"goal": " ", "happened": ""}, "goal", "error_empty"),
        ({"email": "ada at example"}, "email", "error_email"),
        ({"happened": "x" * 4001}, "happened", "error_long"),
        ({"name": "x" * 201}, "name", "error_long"),
    ],
)
def test_a_wrong_field_is_told_beside_it_and_everything_typed_stays(
    service: Service, browser: TestClient, typed: Mapping[str, str], field: str, says: str
) -> None:
    sent = {**TOLD, **typed}
    response = send(browser, **typed)
    assert response.status_code == 422
    sentence = words("more", "en")[says].partition("{")[0]
    assert re.search(rf'id="e-{field}">{re.escape(sentence)}', unescape(response.text))
    assert re.search(rf'id="f-{field}"[^>]*aria-invalid="true" aria-describedby="e-{field}"', response.text)
    for value in sent.values():
        assert value.strip() in unescape(response.text)
    assert count(service, Ticket) == 0


def test_sent_twice_it_is_one_ticket_and_the_same_browser_may_read_it(service: Service, browser: TestClient) -> None:
    typed = fill(browser)
    browser.post("/help/contact", data=typed)
    browser.cookies.clear()  # the first answer was lost with its cookie
    again = browser.post("/help/contact", data=typed)
    assert "Your ticket number is 1." in again.text
    assert "Export a dashboard" in again.text
    assert (count(service, Ticket), count(service, Conversation)) == (1, 1)


def test_eight_presses_at_once_make_one_ticket(service: Service, browser: TestClient) -> None:
    typed = fill(browser)
    answers = together(8, lambda _: browser.post("/help/contact", data=typed, follow_redirects=False).headers["location"])
    assert set(answers) == {"/help/tickets?sent=1"}
    assert (count(service, Ticket), count(service, Conversation)) == (1, 1)


def test_a_form_sent_again_by_a_stranger_shows_them_nothing(service: Service, browser: TestClient) -> None:
    typed = fill(browser)
    browser.post("/help/contact", data=typed)
    stranger = client_of(decided(service, Band.NOT_COVERED))
    seen = stranger.post("/help/contact", data={**typed, "secret": "s" * 43})
    assert "Export a dashboard" not in seen.text
    assert "Your ticket number" not in seen.text
    assert count(service, Ticket) == 1


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Content-Type": "text/plain"}])
def test_a_form_of_another_site_is_refused(service: Service, browser: TestClient, headers: dict[str, str]) -> None:
    send(browser)
    page = browser.get("/help/tickets")
    for path, data in [("/help/contact", TOLD), (of_first(page, "reply"), {"text": "hi"})]:
        response = browser.post(path, data=data, headers=headers)
        assert response.status_code in {403, 422}
    assert count(service, Ticket) == 1
    assert "hi" not in re.findall(r'class="own">([^<]*)', browser.get("/help/tickets").text)


def test_the_cookie_is_for_the_server_only_and_locked_to_it_over_https(service: Service, browser: TestClient) -> None:
    plain = send(browser).history[0].headers["set-cookie"]
    assert plain.startswith(f"{held.PLAIN_COOKIE}=")
    assert "HttpOnly" in plain
    assert "SameSite=lax" in plain
    assert "Secure" not in plain
    encrypted = TestClient(browser.app, base_url="https://testserver")
    locked = send(encrypted).history[0].headers["set-cookie"]
    assert locked.startswith(f"{held.COOKIE}=")
    for part in ("Secure", "Path=/", "HttpOnly", "SameSite=lax"):
        assert part in locked
    assert "Domain" not in locked


def test_several_requests_stand_on_the_page_the_latest_first_and_only_the_last_are_kept(service: Service, browser: TestClient) -> None:
    for n in range(held.MOST + 1):
        send(browser, goal=f"Request number {n}")
    text = browser.get("/help/tickets").text
    assert re.findall(r"Request number (\d)", text) == [str(n) for n in range(held.MOST, 0, -1)]


def test_the_answer_is_read_answered_and_rated_without_a_script(service: Service, browser: TestClient) -> None:
    send(browser)
    answer(service, "Which **version**?", TicketState.WAITING_CUSTOMER)
    page = browser.get("/help/tickets")
    assert "<strong>version</strong>" in page.text
    assert "Kim" in page.text
    assert "We are waiting for your answer" in page.text
    written = {**hidden(page), "text": f"4.2 and {CARD}"}
    page = browser.post(of_first(page, "reply"), data=written)
    page = browser.post(of_first(page, "reply"), data=written)  # pressed twice
    assert re.findall(r'class="own">([^<]*)', page.text)[1:] == ["4.2 and [CARD]"]
    assert the_ticket(service).state == TicketState.IN_DIAGNOSIS
    answer(service, "Fixed.", TicketState.RESOLVED)
    page = browser.get("/help/tickets")
    assert "Did this solve it?" in page.text
    page = browser.post(of_first(page, "solved"), data={"solved": "yes"})
    assert the_ticket(service).state == TicketState.CLOSED
    page = browser.post(of_first(page, "solved"), data={"solved": "yes", "rating": "5", "text": "Thanks"})
    assert (the_ticket(service).rating, the_ticket(service).rating_text) == (5, "Thanks")
    assert "Thank you for your rating." in page.text


def test_not_solved_opens_it_again(service: Service, browser: TestClient) -> None:
    send(browser)
    answer(service, "Fixed.", TicketState.RESOLVED)
    browser.post(of_first(browser.get("/help/tickets"), "solved"), data={"solved": "no"})
    assert the_ticket(service).state == TicketState.OPEN


def test_an_empty_reply_is_told_beside_its_field(browser: TestClient) -> None:
    page = browser.post(of_first(send(browser), "reply"), data={"text": "  "})
    assert "Please write your reply first." in page.text


def test_a_stranger_can_neither_read_nor_write_nor_close(service: Service, browser: TestClient) -> None:
    sent = send(browser)
    stranger = client_of(service)
    assert "Export a dashboard" not in stranger.get("/help/tickets").text
    assert stranger.post(of_first(sent, "reply"), data={"text": "hi"}).status_code == 404
    answer(service, "Fixed.", TicketState.RESOLVED)
    path = of_first(browser.get("/help/tickets"), "solved")
    assert stranger.post(path, data={"solved": "yes"}).status_code == 404
    assert the_ticket(service).state == TicketState.RESOLVED


@pytest.mark.parametrize("value", ["x", "..", "a" * 5000, "'; drop table ticket", "." * 50])
def test_a_cookie_that_means_nothing_shows_nothing(browser: TestClient, value: str) -> None:
    header = {"Cookie": f"{held.PLAIN_COOKIE}={value}"}
    response = browser.get("/help/tickets", headers=header)
    assert response.status_code == 200
    assert "No requests were sent from this browser." in response.text


def test_too_many_forms_are_told_in_the_form_with_everything_typed(tmp_path: Any) -> None:
    with running_in(tmp_path / "data", Clock(), conversations_per_hour=1) as service:
        browser = client_of(service)
        send(browser, step="send")
        refused = send(browser, step="send")
    assert refused.status_code == 429
    assert "What you wrote is kept" in refused.text
    assert "The file is empty" in refused.text


def test_what_is_typed_is_text_and_never_html(service: Service, browser: TestClient) -> None:
    bad = "</textarea><script>alert(1)</script>"
    for response in (send(browser, goal=bad, email="no"), send(browser, goal=bad)):
        assert "<script>alert" not in response.text
    answer(service, "<img src=x onerror=alert(1)> <script>alert(1)</script>")
    text = browser.get("/help/tickets").text
    assert "<img" not in text
    assert "<script>alert" not in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", ["/help/contact", "/help/report", "/help/tickets"])
def test_the_pages_speak_every_language(browser: TestClient, path: str, language: str) -> None:
    response = browser.get(path, headers={"Accept-Language": language})
    assert f'<html lang="{language}">' in response.text
    title = {"/help/contact": words("widget", language)["contact"], "/help/report": words("more", language)["bug_report"]}
    assert f"<h1>{title.get(path, words('help', language)['tickets'])}</h1>" in unescape(response.text)


def test_every_page_leads_to_the_contact_form(service: Service, browser: TestClient) -> None:
    for path in ("/", "/help", "/faq", "/search", "/help/export-a-dashboard", "/help/gone"):
        assert 'href="/help/contact"' in browser.get(path).text, path
    front = browser.get("/").text
    for path in ("/help", "/faq", "/help/contact", "/help/report", "/help/tickets", "/demo", "/docs", "/staff/login"):
        assert f'href="{path}"' in front


# ── the same through the interface ──────────────────────────────────────────────────────────────────

FORM = {"client_id": "c" * 20, "secret": "s" * 43, "goal": "Export"}


def test_a_secret_of_ones_own_opens_the_conversation_even_when_the_answer_was_lost(service: Service) -> None:
    client = client_of(service)
    first, again = client.post("/api/forms/contact", json=FORM).json(), client.post("/api/forms/contact", json=FORM).json()
    assert first["conversation_id"] == again["conversation_id"]
    read = client.get(f"/api/conversations/{again['conversation_id']}/ticket", headers={"Authorization": f"Bearer {FORM['secret']}"})
    assert read.json()["number"] == 1


def test_a_secret_that_was_used_before_is_refused(service: Service) -> None:
    client = client_of(service)
    client.post("/api/forms/contact", json=FORM)
    other = client.post("/api/forms/contact", json={**FORM, "client_id": "d" * 20})
    assert other.status_code == 409
    assert count(service, Ticket) == 1


def test_with_the_assistant_off_only_a_person_is_written_to(tmp_path: Any) -> None:
    with running_in(tmp_path / "data", Clock(), assistant_on=False) as service:
        client = client_of(service)
        sent = client.post("/api/forms/contact", json=FORM).json()
        headers = {"Authorization": f"Bearer {FORM['secret']}"}
        path = f"/api/conversations/{sent['conversation_id']}/messages"
        assert client.post(path, json={"text": "More"}, headers=headers).json()["outcome"] == "delivered"
        answer(service, "Done.", TicketState.RESOLVED)
        client.post(f"/api/conversations/{sent['conversation_id']}/solved", json={"solved": True}, headers=headers)
        assert client.post(path, json={"text": "New"}, headers=headers).status_code == 409
        assert client.get("/widget/config").json()["assistant_on"] is False
        with service.database.read() as session:
            assert tickets.of_conversation(session, sent["conversation_id"]) is None
