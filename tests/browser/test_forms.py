"""Contact form and bug report in a real browser: in the widget, and in the help centre with and without a script."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from api.bootstrap import running, utc_now
from assistant import handover
from assistant.tables import Message
from escalation import tickets
from escalation.tables import Ticket, TicketState
from tests.browser.browsing import Site, Window
from tests.browser.test_looks import findings
from tests.builders import faq, publish, served, settings_in

Open = Callable[..., Window]


def ticket_with(site: Site, goal: str) -> Ticket:
    with site.service.database.read() as session:
        return session.scalars(select(Ticket).where(Ticket.goal == goal)).one()


def writing(here: Window, link: str, url: str = "") -> Any:
    """A form of the widget, one click from the panel's first view."""
    here.opened(url)
    here.frame.get_by_role("button", name=link).click()
    here.frame.locator("main.form").wait_for()
    return here.frame


def test_the_contact_form_is_one_click_away_and_becomes_a_conversation_with_a_ticket(window: Open, site: Site) -> None:
    here = window()
    frame = writing(here, "Contact us", site.host("<h1>Shop</h1>") + "?token=hidden")
    frame.locator(".along dd", has_text=site.hosts).wait_for()
    shown = frame.locator(".along").inner_text()
    assert "Chrom" in shown
    assert "token" not in shown
    frame.get_by_label("What do you want to do?").fill("Ask for a refund of the widget")
    frame.locator(".maybe button", has_text="Ask for a refund").first.click()
    frame.get_by_role("heading", name="Ask for a refund", level=1).wait_for()
    frame.get_by_role("button", name="Back").click()
    assert frame.get_by_label("What do you want to do?").input_value() == "Ask for a refund of the widget"
    frame.get_by_label("What happened? (optional)").fill("It said E42")
    frame.get_by_label("E-mail address (optional)").fill("ada@shop.example")
    frame.get_by_role("button", name="Send").click()
    frame.locator(".message.handover .ticket").wait_for()
    ticket = ticket_with(site, "Ask for a refund of the widget")
    assert (ticket.symptom, ticket.contact_email) == ("It said E42", "ada@shop.example")
    assert (ticket.page or "").startswith(site.hosts)
    assert "token" not in (ticket.page or "")
    site.answer(ticket.conversation_id, "Here you are")
    frame.locator(".message.agent", has_text="Here you are").wait_for()


def test_errors_stand_beside_the_fields_and_a_reload_keeps_what_was_typed(window: Open, site: Site) -> None:
    here = window()
    frame = writing(here, "Contact us")
    frame.get_by_role("button", name="Send").click()
    assert here.inner.evaluate("document.activeElement.name") == "goal"
    assert "Please write what you want to do" in frame.locator("#form-goal-wrong").inner_text()
    frame.get_by_label("What do you want to do?").fill("Keep what I typed")
    frame.get_by_label("E-mail address (optional)").fill("ada@shop")
    frame.get_by_role("button", name="Send").click()
    assert here.inner.evaluate("document.activeElement.name") == "email"
    here.page.reload()
    here.launcher.click()
    frame.get_by_role("button", name="Contact us").click()
    assert frame.get_by_label("What do you want to do?").input_value() == "Keep what I typed"


def test_a_form_whose_answer_is_lost_is_sent_once_and_stays_readable(window: Open, site: Site) -> None:
    here = window()
    frame = writing(here, "Contact us")
    lost: list[str] = []

    def lose(route: Any) -> None:
        lost.append("x")
        if len(lost) == 1:
            route.fetch()
            route.abort("connectionreset")
        else:
            route.continue_()

    here.page.route("**/api/forms/*", lose)
    frame.get_by_label("What do you want to do?").fill("A form with a lost answer")
    frame.get_by_role("button", name="Send").dblclick()
    frame.get_by_text("Waiting for the connection").wait_for()
    frame.locator(".ticket").wait_for(timeout=15_000)
    assert ticket_with(site, "A form with a lost answer").number > 0
    assert len(lost) == 2
    here.errors.clear()


HOST = """<h1>Shop</h1><script>
setTimeout(() => { console.error("cart broke", {step: 3}); fetch("/missing?key=secret"); Promise.reject(new TypeError("x is undefined")); }, 600);
</script>"""


def test_a_bug_report_sends_technical_details_only_after_the_tick_and_shows_them_first(window: Open, site: Site) -> None:
    here = window()
    url = site.host(HOST, attributes='data-version="4.2.1"') + "?order=77"
    here.page.route("**/missing*", lambda route: route.fulfill(status=404, body="no"))
    frame = writing(here, "Report a bug", url)
    here.page.wait_for_timeout(900)
    frame.get_by_label("What were you doing?").fill("Pay the cart")
    frame.get_by_label("What happened?", exact=True).fill("Nothing at all")
    frame.get_by_label("What did you expect?").fill("A receipt")
    assert frame.locator(".preview").is_hidden()
    frame.get_by_label("Send technical details").check()
    preview = frame.locator(".preview")
    preview.get_by_text("x is undefined").wait_for()
    text = preview.inner_text()
    for part in ("cart broke", '{"step":3}', "404: ", "4.2.1", " × ", url.partition("?")[0]):
        assert part in text, part
    assert "secret" not in text
    assert "order=77" not in text
    frame.get_by_label("With the part of the address").check()
    assert "order=77" in preview.inner_text()
    frame.get_by_label("With the part of the address").uncheck()
    frame.get_by_role("button", name="Send").click()
    frame.locator(".ticket").wait_for()
    ticket = ticket_with(site, "Pay the cart")
    assert ticket.app_version == "4.2.1"
    assert any("x is undefined" in error for error in ticket.error_texts)
    assert "order" not in (ticket.page or "")
    with site.service.database.read() as session:
        texts = list(session.scalars(select(Message.text).where(Message.conversation_id == ticket.conversation_id)))
    assert "A receipt" in texts[0]
    here.errors.clear()


def test_without_the_tick_nothing_of_the_page_is_sent(window: Open, site: Site) -> None:
    here = window()
    frame = writing(here, "Report a bug", site.host(HOST))
    here.page.wait_for_timeout(900)
    frame.get_by_label("What were you doing?").fill("No consent given")
    frame.get_by_role("button", name="Send").click()
    frame.locator(".ticket").wait_for()
    ticket = ticket_with(site, "No consent given")
    assert (ticket.page, ticket.error_texts, ticket.app_version) == (None, [], None)
    here.errors.clear()


def test_after_destroy_the_page_is_as_before(window: Open, site: Site) -> None:
    here = window()
    here.page.goto(site.host("<script>window.before = console.error</script>"))
    here.launcher.wait_for()
    here.page.evaluate("Firstline('destroy')")
    assert here.page.evaluate("console.error === window.before")


def test_commands_of_the_host_page_open_the_forms(window: Open, site: Site) -> None:
    here = window().opened()
    here.page.evaluate("Firstline('report')")
    here.frame.get_by_role("heading", name="Report a bug").wait_for()
    here.page.evaluate("Firstline('contact')")
    here.frame.get_by_role("heading", name="Contact us").wait_for()


def test_with_the_assistant_off_there_are_search_and_forms_and_a_person(window: Open, site: Site, tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "data", widget_origins="*", assistant_on=False)
    with running(settings, now=utc_now) as service:
        publish(service, faq("trial", "How long is the trial?", "The trial lasts **14 days**."))
        with served(service) as url:
            here = window()
            off = Site(url, site.hosts, service, site.pages)
            frame = writing(here, "Contact us", off.host("<h1>Shop</h1>"))
            frame.get_by_role("button", name="Back").click()
            assert frame.locator(".talk").is_hidden()
            frame.get_by_role("combobox").fill("trial")
            frame.get_by_role("option", name="How long is the trial?").wait_for()
            assert frame.get_by_role("option").count() == 1
            frame.get_by_role("combobox").fill("")
            frame.get_by_role("button", name="Contact us").click()
            frame.get_by_label("What do you want to do?").fill("Write to a person")
            frame.get_by_role("button", name="Send").click()
            frame.locator(".ticket").wait_for()
            assert frame.locator(".notice").count() == 0
            here.say("And one thing more")
            frame.locator(".status", has_text="Delivered").wait_for()


@pytest.mark.parametrize("scripted", [True, False], ids=["with script", "without script"])
def test_the_help_centre_takes_a_request_and_shows_the_answer(window: Open, site: Site, scripted: bool) -> None:
    goal = f"Get a refund, {scripted}"
    here = window(java_script_enabled=scripted)
    page = here.page
    page.goto(f"{site.url}/help/ask-for-a-refund")
    page.get_by_role("contentinfo").get_by_role("link", name="Contact us").click()
    page.get_by_role("button", name="Send").click()
    assert "Please write what you want to do" in page.locator("#e-goal").inner_text()
    page.get_by_label("What do you want to do?").fill(goal)
    page.get_by_label("E-mail address (optional)").fill("ada@shop.example")
    page.get_by_role("button", name="Send").click()
    page.get_by_role("heading", name="Perhaps one of these answers it").wait_for()
    page.get_by_role("main").get_by_role("link", name="Ask for a refund").wait_for()
    page.get_by_role("button", name="Change my message").click()
    assert page.get_by_label("What do you want to do?").input_value() == goal
    page.get_by_role("button", name="Send").click()
    page.get_by_role("button", name="None of these: send").click()
    ticket = ticket_with(site, goal)
    assert f"Your ticket number is {ticket.number}." in page.get_by_role("status").first.inner_text()
    assert ticket.browser
    site.answer(ticket.conversation_id, "It is **on its way**.", TicketState.RESOLVED)
    page.goto(f"{site.url}/help/tickets")
    page.locator(".agent strong", has_text="on its way").wait_for()
    page.get_by_role("button", name="Yes, solved").click()
    page.get_by_label("4 of 5 stars").check(force=True)
    page.get_by_role("button", name="Send rating").click()
    page.get_by_text("Thank you for your rating.").wait_for()
    assert ticket_with(site, goal).rating == 4
    cookies = page.context.cookies()
    assert [(cookie["httpOnly"], cookie["sameSite"]) for cookie in cookies] == [(True, "Lax")]
    here.errors[:] = [error for error in here.errors if "422" not in error]  # the form that was sent empty


def walked_to(page: Any, name: str, key: str = "Tab", most: int = 40) -> None:
    """Press a key until what has the focus is called so."""
    called = "() => { let at = document.activeElement; while (at?.contentDocument) at = at.contentDocument.activeElement; return at }"
    for _ in range(most):
        page.keyboard.press(key)
        frame = next((one for one in page.frames if "/widget/panel" in one.url and one.evaluate("document.hasFocus()")), page.main_frame)
        told = frame.evaluate(
            f"(() => {{ const at = ({called})(); return [at.labels?.[0]?.innerText, at.innerText, at.ariaLabel].join(' ') }})()"
        )
        if name in told:
            return
    raise AssertionError(f"{key} never reached {name!r}")


def test_the_contact_form_of_the_help_centre_is_sent_by_keys_alone(window: Open, site: Site) -> None:
    goal = "Ask for a refund of my plan, by keys"
    page = window().page
    page.goto(f"{site.url}/help/contact")
    walked_to(page, "What do you want to do?")
    page.keyboard.type(goal)
    walked_to(page, "E-mail address")
    page.keyboard.type("ada@shop.example")
    walked_to(page, "Send")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="None of these: send").wait_for()
    walked_to(page, "None of these: send")
    page.keyboard.press("Enter")
    page.locator(".request").first.wait_for()
    assert ticket_with(site, goal).contact_email == "ada@shop.example"


def test_the_bug_report_of_the_widget_is_sent_by_keys_alone(window: Open, site: Site) -> None:
    goal = "Sort the table, by keys"
    here = window().opened()
    page = here.page
    walked_to(page, "Report a bug")
    page.keyboard.press("Enter")
    here.frame.locator("main.form").wait_for()
    walked_to(page, "What were you doing?")
    page.keyboard.type(goal)
    walked_to(page, "What happened?")
    page.keyboard.type("Nothing moved")
    walked_to(page, "Send technical details")
    page.keyboard.press("Space")
    assert here.frame.get_by_label("Send technical details").is_checked()
    walked_to(page, "Send")
    page.keyboard.press("Enter")
    here.frame.locator(".message.handover .ticket").wait_for()
    assert (ticket_with(site, goal).symptom or "").startswith("Nothing moved")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_the_way_through_the_forms_of_the_help_centre(window: Open, site: Site, theme: str) -> None:
    here = window(color_scheme=theme)
    page, goal = here.page, f"Get a refund in {theme}"
    found: dict[str, list[str]] = {}

    def look(name: str) -> None:
        here.launcher.wait_for()
        found[name] = findings(page)

    page.goto(f"{site.url}/help/report")
    page.get_by_role("button", name="Send").click()
    look("wrong")
    page.get_by_label("What were you doing?").fill(goal)
    page.get_by_role("button", name="Send").click()
    look("perhaps")
    page.get_by_role("button", name="None of these: send").click()
    look("sent")
    page.get_by_role("button", name="Send reply").click()
    look("empty reply")
    site.answer(ticket_with(site, goal).conversation_id, "Done, see `Billing`.", TicketState.RESOLVED)
    page.goto(f"{site.url}/help/tickets")
    look("resolved")
    page.get_by_role("button", name="Yes, solved").click()
    look("rating")
    assert {name: what for name, what in found.items() if what} == {}
    here.errors[:] = [error for error in here.errors if "422" not in error]


def test_typing_into_the_handover_goes_on_while_a_person_answers(window: Open, site: Site) -> None:
    here = window()
    talk = here.called()
    goal = here.frame.get_by_label("What were you trying to do?")
    goal.fill("Half a sen")
    site.answer(talk, "Hello from the desk")
    here.frame.locator(".message.agent", has_text="Hello from the desk").wait_for()
    here.page.keyboard.type("tence")
    assert goal.input_value() == "Half a sentence"
    assert goal.is_visible()


def test_details_for_a_ticket_that_was_closed_meanwhile_end_no_conversation(window: Open, site: Site) -> None:
    here = window()
    talk = here.called()
    here.page.context.set_offline(True)
    here.frame.get_by_label("Account it is about").fill("Lovelace Ltd")
    here.frame.get_by_role("button", name="Add to my ticket").click()
    site.answer(talk, "Solved already", TicketState.RESOLVED)
    with site.service.database.write() as session:
        ticket = tickets.of_conversation(session, talk)
        assert ticket is not None
        handover.close(session, ticket, by="agent-1", now=site.service.now())
    here.page.context.set_offline(False)
    here.frame.locator(".message.agent", has_text="Solved already").wait_for()
    here.inner.wait_for_function("() => JSON.parse(localStorage.firstline).unsent.length === 0")
    assert here.conversation == talk
    here.errors.clear()


def test_reading_the_help_centre_sets_no_cookie(window: Open, site: Site) -> None:
    page = window().page
    for path in ("/", "/help", "/help/contact", "/help/report", "/help/tickets"):
        page.goto(site.url + path)
    assert page.context.cookies() == []
