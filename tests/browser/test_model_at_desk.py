"""What a chat model does for an agent, in a real browser: a briefing and a reply beside the ticket, marked as AI, put in by hand."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from api.bootstrap import writer
from api.staff.door import LOOPBACK_COOKIE
from assistant.chat_model import Prompt
from assistant.stand_ins import Line, ScriptedModel
from tests.api.staffing import Colleague, account_of
from tests.api.ticketing import said_in, ticket_from
from tests.browser.browsing import PHONE, Site, Window
from tests.browser.test_looks import findings, wide
from tests.builders import served

SAID = "I want a refund of my yearly plan, but the button in Billing stays grey. I sit at an abacus."
BRIEFED = "The visitor wants a refund of a yearly plan; the button in Billing stays grey."
REPLY = "Open Billing and press Refund."


def helps(prompt: Prompt) -> Line:
    if prompt.name == "briefing":
        return {"sentences": [{"text": BRIEFED, "passages": ["M1"]}]}
    if prompt.name == "fields":
        return dict.fromkeys(prompt.schema["properties"], "") | {"device": "abacus"}
    rows = [{"text": REPLY, "passages": ["P1", "P2", "P3"]}]
    return {"kind": "answer", "sentences": rows, "question": "", "missing": ""}


@pytest.fixture(scope="module")
def helped(site: Site) -> Iterator[Site]:
    """The same site with a chat model."""
    pens = writer(site.service.settings, site.service.database, ScriptedModel(helps, name="model-1"), site.service.now)
    service = replace(site.service, assistant=replace(site.service.assistant, writer=pens))
    with served(service) as url:
        yield replace(site, url=url, service=service)


@pytest.fixture
def ticket(helped: Site, window: Callable[..., Window]) -> Callable[..., tuple[Any, Any]]:
    """Opens a fresh ticket at the desk."""

    def make(**options: Any) -> tuple[Any, Any]:
        ticket = ticket_from(helped.service, SAID, name="Ada Palmer", email="ada@example.org")
        page = window(**options).page
        colleague = Colleague.arrives(helped.service, account=account_of(helped.service, name="Kim Okafor"))
        page.context.add_cookies([{"name": LOOPBACK_COOKIE, "value": colleague.new.token, "url": helped.url}])
        page.goto(f"{helped.url}/desk/tickets/{ticket.number}")
        page.locator(".suggestions").get_by_text("Written by model-1").wait_for()
        return page, ticket

    return make


def test_an_agent_sees_a_briefing_and_values_marked_as_ai(ticket: Callable[..., tuple[Any, Any]]) -> None:
    page, _ = ticket()
    shown = page.locator(".suggestions").inner_text()
    assert BRIEFED in shown
    assert "abacus" in shown
    assert "every sentence checked" in shown
    assert page.locator(".suggestions .badge", has_text="AI").count() == 2


def test_the_suggested_reply_is_put_into_the_box_by_hand_and_never_sent(helped: Site, ticket: Callable[..., tuple[Any, Any]]) -> None:
    page, one = ticket()
    before = len(said_in(helped.service, one))
    own = page.locator(".suggestion", has_text=REPLY)
    assert "From Ask for a refund" in own.first.inner_text()
    own.first.get_by_role("button", name="Put into the reply").click()
    assert page.locator("#reply").input_value() == REPLY
    assert len(said_in(helped.service, one)) == before


@pytest.mark.parametrize("options", [{}, PHONE, {"color_scheme": "dark"}], ids=["desk", "phone", "dark"])
def test_everybody_can_use_it_on_every_screen(ticket: Callable[..., tuple[Any, Any]], options: dict[str, Any]) -> None:
    page, _ = ticket(**options)
    assert findings(page.main_frame) == []
    assert not wide(page.main_frame)
