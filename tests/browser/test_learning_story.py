"""From the fourth ticket about the same thing to the suggested FAQ that a writer accepts, and to the fifth visitor whom it answers."""

from collections.abc import Callable

from api.operations import LocalOperations
from api.staff.door import LOOPBACK_COOKIE
from api.tables import StaffRole
from escalation import tickets
from escalation.tables import TicketState
from tests.api.staffing import Colleague, account_of
from tests.api.ticketing import answered_by, ticket_from
from tests.browser.browsing import Site, Window

# whoever names the weather is not covered by the articles (tests/browser/browsing.py); the fifth visitor does not name it
ASKED = (
    "How do I export the weather report to PDF?",
    "how do i export my weather report to pdf",
    "export weather report to PDF how do I do that",
    "How can I export the weather report to a PDF file?",
)
TOLD = (
    "Hi Nadia, open the report and press Share, then choose Export. I have sent yours to nadia@example.org.",
    "Open the report and press Share, then choose Export. Your order 88123 is fine.",
    "You open the report and press Share, then choose Export.",
    "Open the report and press Share, then choose Export.",
)
FIFTH = "how do I export a report to PDF"


def signed_in(site: Site, window: Callable[..., Window], role: StaffRole, name: str) -> Window:
    here = window(viewport={"width": 1360, "height": 900})
    colleague = Colleague.arrives(site.service, account=account_of(site.service, role, name=name))
    here.page.context.add_cookies([{"name": LOOPBACK_COOKIE, "value": colleague.new.token, "url": site.url}])
    return here


def test_what_a_fourth_visitor_asks_becomes_a_faq_that_answers_the_fifth(site: Site, window: Callable[..., Window]) -> None:
    for question, told in zip(ASKED[:3], TOLD[:3], strict=True):
        answered_by(site.service, ticket_from(site.service, question).number, told, then=TicketState.RESOLVED)

    fourth = window().talking()
    fourth.say(ASKED[3])
    fourth.frame.locator(".offer button").click()
    fourth.frame.locator(".message.handover .ticket").wait_for()
    with site.service.database.read() as session:
        ticket = tickets.of_conversation(session, fourth.conversation)
        assert ticket is not None
        number = ticket.number
    desk = signed_in(site, window, StaffRole.AGENT, "Kim Okafor").page
    desk.goto(f"{site.url}/desk/tickets/{number}")
    desk.get_by_label("Reply to the visitor").fill(TOLD[3])
    desk.get_by_role("button", name="Send and resolve").click()
    fourth.frame.locator(".message.agent", has_text="press Share").wait_for()

    assert any("report to PDF" in title for title in LocalOperations(site.service).suggest(rebuild=True)["suggested"])

    library = signed_in(site, window, StaffRole.WRITER, "Ada Palmer").page
    library.goto(f"{site.url}/library/suggestions")
    library.get_by_role("link", name="report to PDF").click()
    library.get_by_text("All supported").wait_for()
    assert "4 people" in library.locator(".why").inner_text()
    sentences = " ".join(library.locator(".sentence").all_inner_texts())
    assert "choose Export" in sentences
    for private in ("nadia", "88123"):
        assert private not in sentences
    library.keyboard.press("a")
    library.get_by_text("Accepted: the next answer can use it.").wait_for()

    fifth = window().talking()
    fifth.say(FIFTH)
    assert "choose Export" in fifth.replies(1)[0]
    fifth.frame.locator(".sources button").first.click()
    fifth.frame.locator("main.article h1", has_text="report to").wait_for()
