"""From the assistant to a person and back, in a real browser: called, told, heard live, solved and rated; cut off and reloaded on the way."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from assistant.tables import Message
from escalation.tables import Ticket, TicketState
from tests.browser.browsing import PHONE, Site, Window
from tests.builders import wait_until

Open = Callable[..., Window]


def ticket_of(here: Window, site: Site) -> Ticket:
    with site.service.database.read() as session:
        return session.scalars(select(Ticket).where(Ticket.conversation_id == here.conversation)).one()


def heard(here: Window, text: str) -> Any:
    """A message of an agent."""
    return here.frame.locator(".message.agent", has_text=text)


def quiet(here: Window) -> None:
    here.errors[:] = [error for error in here.errors if "Failed to load resource" not in error]


def test_the_offered_person_is_taken_told_heard_live_and_rated(window: Open, site: Site) -> None:
    here = window()
    talk = here.called()
    ticket = ticket_of(here, site)
    assert here.frame.locator(".ticket strong").inner_text() == f"Ticket {ticket.number}"
    assert "Chrom" in (ticket.browser or "")
    here.frame.get_by_label("E-mail address for our answer").fill("ada@shop")
    here.frame.get_by_role("button", name="Add to my ticket").click()
    here.frame.get_by_text("This does not look like an e-mail address").wait_for()
    here.frame.get_by_label("E-mail address for our answer").fill("ada@shop.example")
    here.frame.get_by_label("Account it is about").fill("Lovelace Ltd")
    here.frame.get_by_role("button", name="Add to my ticket").click()
    here.frame.locator(".thanks").wait_for()
    told = ticket_of(here, site)
    assert (told.contact_email, told.account, told.contact_verified) == ("ada@shop.example", "Lovelace Ltd", False)
    here.say("It says E42")
    here.frame.locator(".status", has_text="Delivered").wait_for()
    assert here.frame.locator(".message.assistant").count() == 2
    site.answer(talk, "Hello, I am **looking** into it.")
    here.frame.locator(".message.agent strong", has_text="looking").wait_for()
    assert "Kim Lee" in here.frame.locator(".message.agent .who").inner_text()
    assert here.frame.locator(".top small").inner_text() == "Support team"
    site.answer(talk, "It works again.", TicketState.RESOLVED)
    here.frame.get_by_role("group", name="Did this solve it?").get_by_role("button", name="Yes, solved").click()
    here.frame.get_by_role("radio", name="4 of 5 stars").check(force=True)
    here.frame.get_by_label("A word about it (optional)").fill("Quick and kind")
    here.frame.get_by_role("button", name="Send rating").click()
    here.frame.get_by_text("Thank you for your rating.").first.wait_for()
    done = ticket_of(here, site)
    assert (done.state, done.rating, done.rating_text) == (TicketState.CLOSED, 4, "Quick and kind")
    here.say("How do I ask for a refund?")
    assert "Billing" in here.replies(3)[2]


def test_not_solved_opens_the_ticket_again(window: Open, site: Site) -> None:
    here = window()
    talk = here.called()
    site.answer(talk, "Done.", TicketState.RESOLVED)
    here.frame.get_by_role("button", name="No, not yet").click()
    here.frame.locator(".solved", has_text="It is open again").wait_for()
    assert ticket_of(here, site).state == TicketState.OPEN
    assert here.inner.evaluate("document.activeElement.tagName") == "TEXTAREA"


def test_a_person_can_be_called_before_anything_was_said(window: Open, site: Site) -> None:
    here = window().talking()
    here.page.evaluate("Firstline('identify', {name: 'Ada', email: 'ada@shop.example', account: 'Lovelace Ltd'})")
    here.frame.get_by_role("button", name="Talk to a person").click()
    here.frame.get_by_label("What were you trying to do?").fill("Export a dashboard")
    here.frame.get_by_role("button", name="Add to my ticket").click()
    here.frame.locator(".thanks").wait_for()
    ticket = ticket_of(here, site)
    assert (ticket.goal, ticket.contact_name, ticket.contact_email) == ("Export a dashboard", "Ada", "ada@shop.example")
    assert (ticket.account, ticket.contact_verified) == ("Lovelace Ltd", False)


def test_two_presses_make_one_ticket(window: Open, site: Site) -> None:
    here = window().talking()
    here.frame.get_by_role("button", name="Talk to a person").dblclick()
    here.frame.locator(".ticket").wait_for()
    assert ticket_of(here, site).number > 0
    assert here.frame.locator(".ticket").count() == 1


def test_a_reload_in_between_loses_nothing(window: Open, site: Site) -> None:
    here = window()
    talk = here.called()
    here.page.reload()
    site.answer(talk, "While you were away.")
    here.launcher.click()
    here.frame.get_by_text("Continue the conversation").click()
    heard(here, "While you were away.").wait_for()
    here.frame.locator(".wanted summary").wait_for()
    site.answer(talk, "And now live.", TicketState.RESOLVED)
    heard(here, "And now live.").wait_for()
    here.frame.get_by_role("button", name="Yes, solved").click()
    here.frame.get_by_role("radio").first.wait_for(state="attached")
    here.page.reload()
    here.launcher.click()
    here.frame.get_by_text("Continue the conversation").click()
    here.frame.get_by_role("radio", name="5 of 5 stars").check(force=True)
    here.frame.get_by_role("button", name="Send rating").click()
    here.frame.get_by_text("Thank you for your rating.").first.wait_for()
    assert ticket_of(here, site).rating == 5
    assert here.frame.locator(".message.agent").count() == 2


def test_a_cut_network_loses_and_doubles_nothing(window: Open, site: Site) -> None:
    here = window()
    talk = here.called()
    here.page.context.set_offline(True)
    here.frame.get_by_label("E-mail address for our answer").fill("ada@shop.example")
    here.frame.get_by_role("button", name="Add to my ticket").click()
    here.frame.locator(".wanted .status", has_text="Waiting for the connection").wait_for()
    for n in range(3):
        site.answer(talk, f"Reply {n} while offline")
    here.page.context.set_offline(False)
    heard(here, "Reply 2 while offline").wait_for()
    here.frame.locator(".thanks").wait_for()
    assert ticket_of(here, site).contact_email == "ada@shop.example"
    site.answer(talk, "Back on the line")
    heard(here, "Back on the line").wait_for()
    assert here.frame.locator(".message.agent").count() == 4
    quiet(here)


def test_a_person_called_offline_is_called_once_when_the_network_is_back(window: Open, site: Site) -> None:
    here = window().talking()
    here.say("weather offline")
    here.replies(1)
    here.page.context.set_offline(True)
    here.frame.locator(".person").click()
    here.frame.locator(".calling", has_text="Waiting for the connection").wait_for()
    here.page.context.set_offline(False)
    here.frame.locator(".ticket").wait_for()
    assert here.frame.locator(".calling").count() == 0
    quiet(here)


def test_where_streams_are_refused_replies_are_read_by_asking(window: Open, site: Site) -> None:
    here = window()
    here.page.route(
        "**/events*", lambda route: route.fulfill(status=503, headers={"Retry-After": "1"}, json={"status": 503, "detail": "no"})
    )
    talk = here.called()
    site.answer(talk, "Found by asking")
    heard(here, "Found by asking").wait_for(timeout=20_000)
    assert here.frame.locator(".message.agent").count() == 1
    quiet(here)


def test_a_reply_while_the_panel_is_closed_shows_on_the_button(window: Open, site: Site) -> None:
    here = window()
    talk = here.called()
    here.page.evaluate("window.counts = []; Firstline('on', 'unread', (count) => counts.push(count)); Firstline('close')")
    site.answer(talk, "Are you there?")
    badge = here.page.locator("firstline-widget .badge")
    badge.wait_for()
    assert badge.inner_text() == "1"
    assert here.launcher.get_attribute("aria-label") == "Open help, new messages: 1"
    here.launcher.click()
    here.page.wait_for_function("counts.at(-1) === 0")
    assert badge.is_hidden()


def test_two_tabs_hear_the_same_person_through_one_stream(window: Open, site: Site) -> None:
    here = window()
    talk = here.called()
    other = Window(here.page.context.new_page(), site, [], [])
    other.page.on("request", lambda request: other.requests.append(request.url))
    other.opened(here.page.url).frame.get_by_text("Continue the conversation").click()
    other.frame.locator(".ticket").wait_for()
    site.answer(talk, "To both tabs")
    for tab in (here, other):
        heard(tab, "To both tabs").wait_for()
        assert tab.frame.locator(".message.agent").count() == 1
    assert not [url for url in other.requests if "/events" in url]


def test_each_message_of_a_person_is_announced_once(window: Open, site: Site) -> None:
    here = window()
    talk = here.called()
    here.inner.evaluate(
        "window.said = []; new MutationObserver(() => announcer.textContent && said.push(announcer.textContent))"
        ".observe(announcer, {childList: true})"
    )
    site.answer(talk, "First words")
    heard(here, "First words").wait_for()
    here.inner.wait_for_function("() => said.length > 0")
    here.page.wait_for_timeout(300)
    said = [" ".join(words.split()) for words in here.inner.evaluate("said")]
    assert [words for words in said if "First words" in words] == ["Kim Lee: First words"]


def test_the_transcript_names_the_agent_and_the_ticket(window: Open, site: Site, tmp_path: Any) -> None:
    here = window()
    talk = here.called()
    site.answer(talk, "Words for the file")
    heard(here, "Words for the file").wait_for()
    here.frame.get_by_label("More options").click()
    with here.page.expect_download() as waiting:
        here.frame.get_by_role("button", name="Download transcript").click()
    waiting.value.save_as(tmp_path / "t.txt")
    text = (tmp_path / "t.txt").read_text()
    assert "Kim Lee, Support team" in text
    assert f"Ticket {ticket_of(here, site).number}" in text.splitlines()[0]


def test_a_new_conversation_keeps_the_way_back_to_the_ticket(window: Open, site: Site) -> None:
    here = window()
    talk = here.called()
    number = ticket_of(here, site).number
    here.frame.get_by_label("More options").click()
    here.frame.get_by_role("button", name="New conversation").click()
    here.frame.get_by_role("button", name="Back").click()
    here.frame.get_by_role("button", name=f"Ticket {number}").click()
    here.frame.locator(".ticket").wait_for()
    assert here.conversation == talk


def test_the_keyboard_alone_takes_the_person_and_rates(window: Open, site: Site) -> None:
    here = window().talking()
    keys = here.page.keyboard
    keys.press("Shift+Tab")
    assert here.inner.evaluate("document.activeElement.textContent") == "Talk to a person"
    keys.press("Enter")
    here.frame.locator(".ticket").wait_for()
    talk = here.conversation
    site.answer(talk, "Done.", TicketState.RESOLVED)
    here.frame.get_by_role("button", name="Yes, solved").wait_for()
    for _ in range(12):
        keys.press("Shift+Tab")
        if here.inner.evaluate("document.activeElement.textContent") == "Yes, solved":
            break
    keys.press("Enter")
    here.inner.wait_for_function("() => document.activeElement.name === 'stars'")
    keys.press("ArrowRight")
    keys.press("ArrowRight")
    keys.press("Enter")
    wait_until(lambda: ticket_of(here, site).rating == 3)


@pytest.mark.parametrize("options", [{}, PHONE], ids=["desktop", "phone"])
def test_the_secret_is_in_no_address_of_the_stream(window: Open, site: Site, options: dict[str, Any]) -> None:
    here = window(**options)
    here.called()
    secret = here.inner.evaluate("JSON.parse(localStorage.firstline).conversation.secret")
    here.page.wait_for_timeout(200)
    assert any("/events?" in url for url in here.requests)
    assert not [url for url in here.requests if secret in url]
    with site.service.database.read() as session:
        assert session.scalars(select(Message).where(Message.conversation_id == here.conversation)).first() is not None
