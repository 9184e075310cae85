"""Clocks over HTTP and on the command line: the queue in their order, the ticket's page, the visitor's expected time, jobs, what-if."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from api.bootstrap import Service, utc_now
from api.cli import sla as cli_sla
from api.cli import sla_words
from api.desk import clock_words
from api.jobs import clocks as job
from assistant import expecting
from assistant.wording import LANGUAGES
from escalation import keeping, linking, sla, tickets
from escalation.calendars import Calendar
from escalation.tables import FAR, EventKind, TicketEvent, TicketState
from tests.api.staffing import Colleague, said
from tests.api.ticketing import answered_by, answering, given, now_of, said_in, ticket_from, visitor_says
from tests.builders import Clock, client_of, firstline, running_in

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def desk(service: Service, clock: Clock) -> Service:
    clock.at = MONDAY
    return answering(service)


@pytest.fixture
def kim(desk: Service) -> Colleague:
    return Colleague.arrives(desk)


def listed(agent: Colleague, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = agent.client.get(f"/api/desk/tickets?{query}").json()["tickets"]
    return found


# ── the queue ───────────────────────────────────────────────────────────────────────────────────────


def test_the_queue_stands_in_the_order_of_the_next_clock_or_of_priority(desk: Service, kim: Colleague, clock: Clock) -> None:
    for minutes in range(4):
        clock.at = MONDAY + timedelta(minutes=minutes)
        ticket_from(desk)
    answered_by(desk, 1, "Hello")  # the next clock is its resolution
    answered_by(desk, 2, "Hello", then=TicketState.WAITING_CUSTOMER)
    given(desk, now_of(desk, 1), priority="high")
    assert [line["number"] for line in listed(kim)] == [3, 4, 1, 2]
    assert [line["number"] for line in listed(kim, "sort=priority")] == [1, 2, 3, 4]
    first, *_, last = listed(kim)
    assert (first["next_clock"], first["due_at"]) == ("first_reply", "2026-11-23T10:02:00Z")
    assert (last["next_clock"], last["clock_state"], last["due_at"]) == ("resolution", "paused", None)
    shown = said(kim.get("/desk"))
    assert "First reply due in 59 min" in shown
    assert "Resolution paused while waiting for the customer" in shown
    clock.at = MONDAY + 3 * HOUR
    assert "First reply overdue by 1 h 58 min" in said(kim.get("/desk"))


def test_pages_in_the_order_of_the_clock_show_every_ticket_once(desk: Service, kim: Colleague, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.desk.worklist.PAGE", 2)
    numbers = [ticket_from(desk).number for _ in range(5)]
    given(desk, now_of(desk, 4), next_due_at=MONDAY)
    given(desk, now_of(desk, 5), next_due_at=FAR)
    seen, after = [], ""
    for _ in range(3):
        found = kim.client.get(f"/api/desk/tickets?after={after}").json()
        seen += [line["number"] for line in found["tickets"]]
        after = found["next"] or ""
    assert seen == [4, 1, 2, 3, 5]
    assert sorted(seen) == numbers
    assert after == ""


@pytest.mark.parametrize("after", ["1", "1.2.3.4", "x.1", "99999999999999999999.1", "1.99999999999"])
def test_a_place_nobody_gave_is_the_first_page(desk: Service, kim: Colleague, after: str) -> None:
    ticket_from(desk)
    assert [line["number"] for line in listed(kim, f"after={after}")] == [1]


def test_clocks_are_told_in_words_and_colour() -> None:
    now = MONDAY
    cases = [
        (("first_reply", "running", now + timedelta(minutes=35)), "waiting", "First reply due in 35 min"),
        (("resolution", "running", now + 26 * HOUR), "info", "Resolution due in 1 d 2 h"),
        (("next_reply", "running", now - 2 * HOUR), "overdue", "Next reply overdue by 2 h"),
        (("resolution", "paused", None), "plain", "Resolution paused while waiting for the customer"),
        (("resolution", "never", None), "plain", "Resolution never due: its calendar has no open hours"),
    ]
    for given_, badge, words in cases:
        found = clock_words.told(*given_, now)
        assert found is not None
        assert (found.badge, str(found)) == (badge, words)
    assert clock_words.told("", "", None, now) is None


# ── a ticket ────────────────────────────────────────────────────────────────────────────────────────


def test_the_ticket_shows_each_clock_and_its_chain(desk: Service, kim: Colleague, clock: Clock) -> None:
    ticket_from(desk)
    clock.at = MONDAY + HOUR / 2
    answered_by(desk, 1, "Hello", then=TicketState.WAITING_CUSTOMER)
    shown = said(kim.get("/desk/tickets/1"))
    assert "First reply met, 30 min before its end" in shown
    assert "Paused since Mon 23 Nov, 09:30 (UTC) · 30 min of 8 h used" in shown
    assert "Was due Mon 23 Nov, 10:00 (UTC)" in shown
    assert "Technical chain Customer-success manager" in shown
    found = kim.client.get("/api/desk/tickets/1").json()
    assert {(one["kind"], one["state"], one["span_seconds"]) for one in found["clocks"]} == {
        ("first_reply", "met", 3600),
        ("resolution", "paused", 28_800),
    }
    assert [tier["here"] for tier in found["tiers"]] == [True, False, False]


def test_an_agent_calls_the_next_tier_on_the_page_and_over_http(desk: Service, kim: Colleague) -> None:
    ticket_from(desk)
    assert "Call the Engineering lead" in kim.get("/desk/tickets/1").text
    assert kim.post("/desk/tickets/1/escalate", version=str(now_of(desk, 1).version)).status_code == 303
    assert "called the Engineering lead (tier 2)" in said(kim.get("/desk/tickets/1"))
    sent = {"headers": {"X-CSRF-Token": kim.new.csrf}}
    for status in (200, 409):  # the last tier, then nobody is left
        asked = kim.client.post("/api/desk/tickets/1/escalate", json={"version": now_of(desk, 1).version}, **sent)
        assert asked.status_code == status
    assert now_of(desk, 1).tier == 3


def test_the_overviews_promises_add_up(desk: Service, kim: Colleague, clock: Clock) -> None:
    for _ in range(4):
        ticket_from(desk)
    answered_by(desk, 1, "Hello", then=TicketState.RESOLVED)
    answered_by(desk, 2, "Hello", then=TicketState.WAITING_CUSTOMER)
    clock.at = MONDAY + 2 * HOUR
    answered_by(desk, 3, "Hello")
    counted = {one["clock"]: one["counts"] for one in kim.client.get("/api/desk/overview").json()["promises"]}
    assert {how: n for how, n in counted["first_reply"].items() if n} == {"met": 2, "breached": 1, "overdue": 1}
    assert {how: n for how, n in counted["resolution"].items() if n} == {"met": 1, "paused": 1, "running": 2}
    shown = said(kim.get("/desk/overview"))
    assert "Promises to visitors" in shown
    assert "Breached: done, but after the due time." in shown


def test_a_reply_to_an_incident_answers_the_tickets_that_hang_on_it(desk: Service) -> None:
    ticket_from(desk), ticket_from(desk)
    with desk.database.write() as session:
        first, second = tickets.get(session, now_of(desk, 1).id), tickets.get(session, now_of(desk, 2).id)
        linking.link(session, second, first, by="ann", now=MONDAY, expected_version=second.version)
    answered_by(desk, 1, "All of you: it works again.")
    with desk.database.read() as session:
        states = {row.kind: row.state for row in keeping.of_ticket(session, now_of(desk, 2))}
    assert states == {"first_reply": "met", "resolution": "running", "tier": "met"}


def test_a_form_with_an_address_awaits_its_answer_by_mail(desk: Service) -> None:
    client = client_of(desk)
    for number, details in enumerate(({}, {"email": "eve@example.com"}), start=1):
        form = {"client_id": f"form-{number:020}", "goal": "Export a dashboard", "details": details}
        assert client.post("/api/forms/contact", json=form).status_code == 201
    ticket_from(desk)
    assert [now_of(desk, number).channel for number in (1, 2, 3)] == ["form", "email", "chat"]


def test_thanks_start_no_clock(desk: Service) -> None:
    ticket = ticket_from(desk)
    answered_by(desk, 1, "Hello")
    visitor_says(desk, ticket, "Thank you!")
    assert now_of(desk, 1).next_clock == "resolution"
    visitor_says(desk, ticket, "But the export is still empty in Firefox")
    assert now_of(desk, 1).next_clock == "next_reply"


# ── the visitor ─────────────────────────────────────────────────────────────────────────────────────


def test_the_handover_names_the_expected_time_by_the_visitors_clock(desk: Service) -> None:
    ticket = ticket_from(desk, zone="America/New_York")
    assert "We aim to answer today by 05:00 (America/New_York)." in said_in(desk, ticket)[-1].text
    assert "We aim to answer today by 10:00 (UTC)." in said_in(desk, ticket_from(desk, zone="Mars/Base"))[-1].text


def test_the_widget_tells_its_zone_and_the_interface_when_to_expect_an_answer(desk: Service) -> None:
    client: TestClient = client_of(desk)
    started = client.post("/api/conversations", json={"zone": "Asia/Tokyo"}).json()
    visitor = {"Authorization": f"Bearer {started['secret']}"}
    told = client.post(f"/api/conversations/{started['id']}/handover", json={}, headers=visitor).json()
    assert "(Asia/Tokyo)" in told["text"]
    assert client.get(f"/api/conversations/{started['id']}/ticket", headers=visitor).json()["answer_by"] == "2026-11-23T10:00:00Z"


def test_every_language_says_when(desk: Service, clock: Clock) -> None:
    berlin, due = ZoneInfo("Europe/Berlin"), datetime(2026, 11, 30, 9, 1, tzinfo=UTC)
    found = {language: expecting.when(due, berlin, language, now=MONDAY) for language in LANGUAGES}
    assert found == {
        "en": "by Monday, 30 November, 10:05 (Europe/Berlin)",
        "de": "bis Montag, 30. November, 10:05 Uhr (Europe/Berlin)",
        "fr": "avant le lundi 30 novembre à 10:05 (Europe/Berlin)",
        "es": "antes del lunes, 30 de noviembre, a las 10:05 (Europe/Berlin)",
        "pt": "até segunda-feira, 30 de novembro, às 10:05 (Europe/Berlin)",
    }
    near = expecting.when(MONDAY + HOUR, berlin, "de", now=MONDAY), expecting.when(MONDAY + 20 * HOUR, berlin, "de", now=MONDAY)
    assert near == ("heute bis 11:00 Uhr (Europe/Berlin)", "morgen bis 06:00 Uhr (Europe/Berlin)")


def test_nothing_is_promised_that_is_over_or_never_due(desk: Service, clock: Clock) -> None:
    ticket = ticket_from(desk)
    with desk.database.read() as session:
        assert expecting.sentence(session, ticket, {}, "en", now=MONDAY + 2 * HOUR) == ""
    answered_by(desk, 1, "Hello")
    with desk.database.read() as session:
        assert expecting.sentence(session, ticket, {}, "en", now=MONDAY) == ""


# ── by itself ───────────────────────────────────────────────────────────────────────────────────────


def test_a_round_of_the_clocks_says_what_it_did_and_a_poisonous_ticket_stops_nobody(desk: Service) -> None:
    ticket_from(desk), ticket_from(desk)
    with desk.database.write() as session:
        session.add(
            TicketEvent(ticket_id=now_of(desk, 1).id, version=99, kind=EventKind.MOVED, by="?", details={"to": "nowhere"}, at=MONDAY)
        )
    assert job.run(desk.database, MONDAY + HOUR) == "0 warned, 1 breached, 1 escalated, 1 could not be told"
    assert now_of(desk, 2).tier == 2
    assert job.run(desk.database, MONDAY + HOUR) == "0 warned, 0 breached, 0 escalated, 1 could not be told"


def test_other_promises_count_from_the_next_round_on(desk: Service) -> None:
    ticket_from(desk)
    desk.database.info[keeping.BOOK] = sla.book("overall")
    assert job.run(desk.database, MONDAY) == "0 warned, 0 breached, 0 escalated, 1 told anew"
    assert now_of(desk, 1).next_due_at == MONDAY + 4 * HOUR


def test_the_command_line_shows_promises_rings_alarms_and_tries_others(tmp_path: Path) -> None:
    clock = Clock(utc_now() - timedelta(days=3))
    with running_in(tmp_path / "data", clock) as service:
        ticket_from(answering(service))
    shown = firstline(tmp_path / "data", "sla", "show").stdout
    assert re.search(r"Tickets from the chat +first reply within 1 h, next reply within 1 h", shown)
    assert "working time in “office hours”: Monday to Friday 09:00–17:00, zone UTC." in shown
    assert "1. Customer-success manager has 1 h to acknowledge the ticket" in shown
    assert "\n  channels: by channel, around the clock" in shown
    tried = firstline(
        tmp_path / "data", "sla", "what-if", "--profile", "overall", "--since", "7d", "--json", FIRSTLINE_SLA_PROFILE="channels"
    )
    assert tried.returncode == 0, tried.stderr
    told = json.loads(tried.stdout)
    assert told["tickets"] == 1
    assert {(one["clock"], one["ending"], one["count"]) for one in told["before"]} == {
        ("first_reply", "overdue", 1),
        ("resolution", "overdue", 1),
    }
    tried = firstline(tmp_path / "data", "sla", "what-if", "--profile", "overall").stdout
    assert "1 ticket, told under “office”, which counts now, and under “overall”." in tried
    assert re.search(r"first reply +all queues +\d of 1 broken +1 of 1 broken", tried)
    rung = firstline(tmp_path / "data", "sla", "run", FIRSTLINE_SLA_PROFILE="channels").stdout
    assert rung == "0 warned, 0 breached, 0 escalated, 3 late already, 1 told anew\n"
    wrong = firstline(tmp_path / "data", "sla", "what-if", "--profile", "gold")
    assert (wrong.returncode, "there is no SLA profile 'gold'" in wrong.stderr) == (2, True)
    assert "is no length of time" in firstline(tmp_path / "data", "sla", "what-if", "--profile", "b2b", "--since", "soon").stderr


def test_calendars_are_told_with_their_hours_and_the_next_closed_days() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    halves = ((540, 720), (780, 1020))
    calendar = Calendar(
        "own", "our hours", berlin, (halves,) * 4 + (((540, 720),), (), ()), country="DE", closed=frozenset({date(2026, 12, 24)})
    )
    *hours, closed = sla_words.calendar_lines(calendar, date(2026, 12, 20))
    assert hours == [
        "own: our hours, zone Europe/Berlin",
        "  Monday to Thursday   09:00–12:00, 13:00–17:00",
        "  Friday               09:00–12:00",
        "  Saturday to Sunday   closed",
        "  public holidays: DE",
    ]
    assert re.fullmatch(r"  closed next: Thu 24 Dec 2026; Fri 25 Dec 2026 \(.+\); Sat 26 Dec 2026 \(.+\)", closed)
    assert "every hour of every day" in CliRunner().invoke(cli_sla.sla, ["calendars"]).stdout


def test_a_wrong_file_stops_the_start_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "calendars.yaml"
    file.write_text("office:\n  title: o\n  zone: Moon/Base\n", encoding="utf-8")
    stopped = firstline(tmp_path / "data", "sla", "show", FIRSTLINE_SLA_CALENDARS=str(file))
    assert (stopped.returncode, f"{file}, line 3, office.zone" in stopped.stderr) == (2, True)
