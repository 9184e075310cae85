"""`firstline doctor` against a running server: all well, something wrong, and nobody there; its test ticket stays in no queue."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from api.bootstrap import Service
from api.cli.doctor import Finding, State, examined
from escalation.tables import Ticket, TicketState
from guardrails import policies
from knowledge.confidence import Band
from tests.builders import article, client_of, decided, faq, firstline, publish, running_in, serving


@pytest.fixture
def well(tmp_path: Path) -> Iterator[Service]:
    given: dict[str, Any] = {"public_url": "https://help.shop.example", "widget_origins": "https://shop.example"}
    with running_in(tmp_path / "data", assistant={"contact": "help@shop.example"}, **given) as service:
        publish(service, article(), faq())
        yield decided(service, Band.ANSWER)


def examine(service: Service, client: httpx.Client | None = None, at: datetime | None = None) -> dict[str, Finding]:
    database: Callable[[], AbstractContextManager[Any]] = lambda: nullcontext(service.database)  # noqa: E731
    now = (lambda: at) if at else service.now
    return {found.what: found for found in examined(client or client_of(service), service.settings, database, now)}


def test_a_good_server_is_found_well(well: Service) -> None:
    found = examine(well)
    assert {what: finding for what, finding in found.items() if finding.state is not State.OK and what != "admin"} == {}
    assert {
        "server",
        "help page",
        "FAQ",
        "contact form",
        "bug report",
        "widget: loader",
        "widget: panel",
        "test question",
        "test ticket",
    } <= set(found)


def test_the_test_ticket_is_marked_and_stays_in_no_queue(well: Service) -> None:
    examine(well)
    with well.database.read() as session:
        (ticket,) = session.scalars(select(Ticket))
    assert (ticket.state, "doctor" in ticket.tags) == (TicketState.CLOSED, True)


def test_every_warning_says_how_to_mend_it(tmp_path: Path) -> None:
    with running_in(tmp_path / "data") as service:
        found = examine(service, at=datetime(2030, 1, 1, tzinfo=UTC))
    warned = {what for what, finding in found.items() if finding.state is State.WARNING}
    assert warned == {"test question", "admin", "contact", "public address", "widget origins", "crisis lines"}
    assert all(finding.mend for finding in found.values() if finding.state is not State.OK)


def test_an_answer_that_is_none_is_wrong(well: Service) -> None:
    found = examine(decided(well, Band.NOT_COVERED))
    assert found["test question"].state is State.WRONG
    assert "reindex" in found["test question"].mend


def test_a_page_that_is_missing_is_wrong(well: Service) -> None:
    inner = client_of(well)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/help/contact":
            return httpx.Response(502)
        response = inner.request(request.method, str(request.url), content=request.content, headers=dict(request.headers))
        return httpx.Response(response.status_code, content=response.content)

    with httpx.Client(transport=httpx.MockTransport(answer), base_url="http://testserver") as client:
        found = examine(well, client)
    assert [what for what, finding in found.items() if finding.state is State.WRONG] == ["contact form"]


def test_nobody_there_is_wrong_and_the_settings_are_checked_all_the_same(well: Service) -> None:
    with httpx.Client(base_url="http://127.0.0.1:9", timeout=2) as client:
        found = examine(well, client)
    assert found["server"].state is State.WRONG
    assert "firstline serve" in found["server"].mend
    assert {"contact", "crisis lines"} <= set(found)


def test_every_crisis_line_has_a_day_of_review() -> None:
    assert all(datetime.fromisoformat(str(line.checked)) for line in policies.crisis_lines().values())


def test_on_the_command_line_beside_a_running_server(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data):
        good = firstline(data, "doctor")
        assert good.returncode == 0, good.stdout + good.stderr
        assert "ok       test ticket: ticket 1 was opened, read, resolved and closed" in good.stdout
    gone = firstline(data, "doctor", "--url", "http://127.0.0.1:9")
    assert gone.returncode == 1
    assert gone.stdout.startswith("wrong    server")
