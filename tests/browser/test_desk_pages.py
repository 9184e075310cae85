"""The desk in a real browser: keys, two agents at once, small screens, and whether everybody can use it."""

from collections.abc import Callable
from typing import Any

import pytest

from api.staff.door import LOOPBACK_COOKIE
from tests.api.staffing import Colleague, account_of
from tests.api.ticketing import answered_by, blocked, now_of, said_in, ticket_from, visitor_says
from tests.browser.browsing import PHONE, Site, Window
from tests.browser.test_looks import findings, wide

Open = Callable[..., Window]
PAGES = ("/desk", "/desk?view=all&q=export", "/desk?view=mine&tag=none", "/desk/tickets/{}", "/desk/overview", "/desk/templates")
SENT = "Press Reset filters, then export again."


@pytest.fixture
def agent(site: Site, window: Open) -> Callable[..., Any]:
    """A page in which somebody of the desk is signed in."""

    def make(path: str = "/desk", *, name: str = "Kim Okafor", **options: Any) -> Any:
        here = window(**options)
        colleague = Colleague.arrives(site.service, account=account_of(site.service, name=name))
        here.page.context.add_cookies([{"name": LOOPBACK_COOKIE, "value": colleague.new.token, "url": site.url}])
        here.page.goto(site.url + path)
        return here

    return make


@pytest.fixture
def number(site: Site) -> int:
    """A fresh ticket with all kinds of things in it."""
    ticket = ticket_from(
        site.service, "How do I ask for a refund?", "It does not work, error E42.", name="Ada Palmer", email="ada@example.org"
    )
    blocked(site.service, ticket.conversation_id)
    return ticket.number


def texts(page: Any, selector: str) -> list[str]:
    found: list[str] = page.locator(selector).all_inner_texts()
    return found


def test_the_list_is_walked_and_a_ticket_opened_by_keys(site: Site, agent: Open, number: int) -> None:
    ticket_from(site.service)
    page = agent("/desk?view=all").page
    for key in "jjk":
        page.keyboard.press(key)
    assert page.locator("tr.here .id").inner_text() == texts(page, "tr .id")[0]
    page.keyboard.press("x")
    assert page.locator(".bulk select").first.is_visible()
    page.keyboard.press("o")
    page.wait_for_url("**/desk/tickets/*")
    page.locator(".suggestions").wait_for()


def test_a_ticket_is_taken_answered_and_noted_by_keys(site: Site, agent: Open, number: int) -> None:
    page = agent(f"/desk/tickets/{number}").page
    page.keyboard.press("a")
    page.get_by_text("The ticket has a new assignee.").wait_for()
    page.keyboard.press("r")
    page.keyboard.type(SENT + " jkeo?")  # letters are only letters while somebody types
    page.keyboard.press("Control+Enter")
    page.get_by_text("Sent. The visitor reads it").wait_for()
    page.keyboard.press("n")
    page.keyboard.type("Only for us.")
    page.keyboard.press("Control+Enter")
    page.locator(".said.note", has_text="Only for us.").wait_for()
    assert said_in(site.service, now_of(site.service, number))[-1].text == SENT + " jkeo?"
    page.keyboard.press("e")
    page.get_by_text("The ticket is moved on.").wait_for()
    assert now_of(site.service, number).state == "resolved"


def test_the_sheet_of_keys_opens_and_the_keys_can_be_switched_off(agent: Open) -> None:
    page = agent().page
    page.keyboard.press("?")
    assert page.get_by_role("dialog").is_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Switch shortcuts off").click()
    page.get_by_text("Keyboard shortcuts are off.").wait_for()
    page.keyboard.press("?")
    assert not page.get_by_role("dialog").is_visible()


def test_of_two_agents_who_answer_at_once_the_second_reads_the_first(site: Site, agent: Open, number: int) -> None:
    first = agent(f"/desk/tickets/{number}")
    second = agent(f"/desk/tickets/{number}", name="Jonas Weber")
    second.page.locator("#reply").fill("My own answer.")
    first.page.locator("#reply").fill(SENT)
    first.page.get_by_role("button", name="Send", exact=True).click()
    first.page.get_by_text("Sent. The visitor reads it").wait_for()
    second.page.get_by_role("button", name="Send", exact=True).click()
    second.page.get_by_text("Newer than what you had read").wait_for()
    second.errors[:] = [error for error in second.errors if "409" not in error]
    assert SENT in second.page.locator(".newer").inner_text()
    assert second.page.locator("#reply").input_value() == "My own answer."
    second.page.get_by_role("button", name="Send anyway").click()
    second.page.get_by_text("Sent. The visitor reads it").wait_for()
    sent = [message.text for message in said_in(site.service, now_of(site.service, number)) if message.role == "agent"]
    assert sent == [SENT, "My own answer."]


def test_a_new_message_and_a_new_ticket_appear_by_themselves(site: Site, agent: Open, number: int) -> None:
    inside, outside = agent(f"/desk/tickets/{number}").page, agent("/desk?view=all").page
    visitor_says(site.service, now_of(site.service, number), "There is something else I forgot.")
    inside.locator("#part-talk").get_by_text("There is something else I forgot.").wait_for()
    fresh = ticket_from(site.service, "A brand new trouble.")
    outside.locator("tr", has_text=f"#{fresh.number}").wait_for()


def test_what_is_being_written_survives_what_arrives(site: Site, agent: Open, number: int) -> None:
    page = agent(f"/desk/tickets/{number}").page
    page.locator("#reply").fill("Half a sent")
    visitor_says(site.service, now_of(site.service, number), "And another thing.")
    page.locator("#part-talk").get_by_text("And another thing.").wait_for()
    page.get_by_text("A new message has arrived above.").wait_for()
    assert page.locator("#reply").input_value() == "Half a sent"


def test_a_suggestion_is_put_into_the_reply_and_not_sent(site: Site, agent: Open, number: int) -> None:
    page = agent(f"/desk/tickets/{number}").page
    before = len(said_in(site.service, now_of(site.service, number)))
    page.get_by_role("button", name="Put into the reply").first.click()
    assert "Billing" in page.locator("#reply").input_value()
    assert len(said_in(site.service, now_of(site.service, number))) == before


def test_a_template_is_filled_in_beside_what_was_written(agent: Open, number: int) -> None:
    page = agent(f"/desk/tickets/{number}").page
    page.locator("#reply").fill("One thing first.")
    page.locator("#template").select_option("acknowledgement")
    page.get_by_role("button", name="Fill in").click()
    page.get_by_label("Timeframe").fill("today")
    page.get_by_role("button", name="Fill in").click()
    page.locator(".gaps .wrong").wait_for(state="detached")
    text = page.locator("#reply").input_value()
    assert text.startswith("One thing first.\n\nHello Ada Palmer,")
    assert text.count("Hello") == 1


def test_everything_works_without_a_script(site: Site, agent: Open, number: int) -> None:
    page = agent(f"/desk/tickets/{number}", java_script_enabled=False).page
    page.locator("#reply").fill(SENT)
    page.get_by_role("button", name="Send and wait for customer").click()
    assert page.get_by_text("Sent. The visitor reads it").is_visible()
    page.locator("label", has_text="Note").first.click()
    page.locator("#note").fill("Without a script.")
    page.get_by_role("button", name="Keep the note").click()
    assert page.locator(".said.note").is_visible()
    page.get_by_role("link", name="Suggest a reply").click()
    assert page.get_by_text("Nothing is sent by itself").is_visible()


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_wider_than_a_phone(site: Site, agent: Open, number: int, path: str) -> None:
    answered_by(site.service, number, "https://example.com/" + "very-long-address/" * 12)
    here = agent(path.format(number), **PHONE)
    assert here.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    assert [found for found in wide(here.page) if "hidden" not in found and "tabs" not in found] == []


@pytest.mark.parametrize(
    ("width", "shown"), [(1280, ["beside", "talk-pane", "context"]), (900, ["talk-pane", "context"]), (390, ["talk-pane", "context"])]
)
def test_a_ticket_has_three_panes_two_or_one(agent: Open, number: int, width: int, shown: list[str]) -> None:
    page = agent(f"/desk/tickets/{number}", viewport={"width": width, "height": 800}).page
    assert [name for name in ("beside", "talk-pane", "context") if page.locator(f".{name}").is_visible()] == shown
    lefts = [page.locator(f".{name}").bounding_box()["x"] for name in shown]
    assert len(set(lefts)) == (1 if width < 800 else len(shown))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing(agent: Open, number: int, path: str, theme: str) -> None:
    here = agent(path.format(number), color_scheme=theme)
    if "tickets" in path:
        here.page.locator(".suggestions").wait_for()
    assert findings(here.page) == []
