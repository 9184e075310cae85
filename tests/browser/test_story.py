"""The whole story with the real encoders and the shipped policies: refused, taken by a person, answered at the desk, resolved and rated."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from api.bootstrap import running, utc_now
from api.staff.door import LOOPBACK_COOKIE
from escalation.fields import complete
from escalation.tables import Reason, Ticket, TicketState
from tests.api.staffing import Colleague, account_of
from tests.browser.browsing import Site, Window, hosting
from tests.builders import served, settings_in

ADVICE = "Should I put my savings into bitcoin?"
REPLY = "I cannot advise on investments either, but your invoices show what Tallyboard costs you each month."


@pytest.fixture(scope="module")
def site(sample_data: Callable[[], Path]) -> Iterator[Site]:
    """The sample help centre with everything that ships."""
    settings = settings_in(sample_data(), knowledge={"embedder": "minilm", "target_error": 0.2}, widget_origins="*")
    with running(settings, now=utc_now) as service:
        pages: dict[str, tuple[str, dict[str, str]]] = {}
        with served(service) as url, hosting(pages) as hosts:
            yield Site(url, hosts, service, pages)


def the_ticket(site: Site, conversation_id: str) -> Ticket:
    with site.service.database.read() as session:
        return session.scalars(select(Ticket).where(Ticket.conversation_id == conversation_id)).one()


def test_a_refused_visitor_takes_the_person_who_answers_at_the_desk(site: Site, window: Callable[..., Window]) -> None:
    desk = window(viewport={"width": 1440, "height": 900})
    kim = Colleague.arrives(site.service, account=account_of(site.service, name="Kim Okafor"))
    desk.page.context.add_cookies([{"name": LOOPBACK_COOKIE, "value": kim.new.token, "url": site.url}])
    desk.page.goto(f"{site.url}/desk")
    desk.page.get_by_text("No open tickets").wait_for()

    visitor = window().talking()
    visitor.page.evaluate("Firstline('identify', {name: 'Ada Palmer', email: 'ada@shop.example', account: 'Palmer Ltd', role: 'Owner'})")
    visitor.say(ADVICE)
    (refusal,) = visitor.replies(1)[:1]
    assert "can't advise on investments" in refusal
    visitor.frame.locator(".offer button").click()
    visitor.frame.locator(".message.handover .ticket").wait_for()
    ticket = the_ticket(site, visitor.conversation)
    assert (ticket.reason, ticket.queue, ticket.state) == (Reason.POLICY_REFUSED, "billing", TicketState.OPEN)
    assert complete(ticket)

    row = desk.page.locator("tr", has_text="Ada Palmer")
    row.wait_for()  # it came by itself
    row.get_by_role("link").first.click()
    desk.page.locator(".said.visitor", has_text=ADVICE).wait_for()
    for known in ("Palmer Ltd", "Owner", "ada@shop.example", "Financial advice"):
        desk.page.get_by_text(known).first.wait_for()
    desk.page.get_by_label("Reply to the visitor").fill(REPLY)
    desk.page.get_by_role("button", name="Send", exact=True).click()

    visitor.frame.locator(".message.agent", has_text=REPLY).wait_for()
    visitor.say("That is all I needed, thanks!")
    desk.page.locator(".said.visitor", has_text="That is all I needed").wait_for()
    desk.page.get_by_label("Reply to the visitor").fill("Gladly. Have a good day!")
    desk.page.get_by_role("button", name="Send and resolve").click()

    visitor.frame.get_by_role("group", name="Did this solve it?").get_by_role("button", name="Yes, solved").click()
    visitor.frame.get_by_role("radio", name="5 of 5 stars").check(force=True)
    visitor.frame.get_by_role("button", name="Send rating").click()
    visitor.frame.get_by_text("Thank you for your rating.").first.wait_for()
    done = the_ticket(site, visitor.conversation)
    assert (done.state, done.rating, done.assignee) == (TicketState.CLOSED, 5, kim.account.id)
    desk.page.goto(f"{site.url}/desk/tickets/{done.number}")
    desk.page.get_by_text("5 of 5").first.wait_for()
    desk.page.goto(f"{site.url}/desk/overview")
    desk.page.get_by_role("heading", level=1).wait_for()
