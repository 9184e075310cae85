"""A network that is cut, slow or says no: nothing is lost, and nothing comes twice."""

from collections.abc import Callable

from sqlalchemy import select

from assistant.tables import Message
from tests.browser.browsing import Site, Window
from tests.builders import wait_until

Open = Callable[..., Window]


def stored(site: Site, text: str) -> int:
    """How many messages with this text the server has."""
    with site.service.database.read() as session:
        return len(list(session.scalars(select(Message.id).where(Message.text == text))))


def quiet(here: Window) -> None:
    """Failed requests are what these tests are about."""
    here.errors[:] = [error for error in here.errors if "Failed to load resource" not in error]


def test_what_is_sent_offline_waits_and_is_sent_once_when_the_network_is_back(window: Open, site: Site) -> None:
    here = window().talking()
    here.page.context.set_offline(True)
    here.say("refund sent offline")
    here.frame.get_by_text("Waiting for the connection").wait_for()
    assert "You are offline" in here.frame.locator(".banner").inner_text()
    assert stored(site, "refund sent offline") == 0
    here.page.context.set_offline(False)
    here.replies(1)
    assert stored(site, "refund sent offline") == 1
    assert here.frame.locator(".visitor").count() == 1
    assert here.frame.locator(".banner").is_hidden()
    quiet(here)


def test_an_answer_lost_on_the_way_is_asked_for_again_and_neither_message_is_doubled(window: Open, site: Site) -> None:
    here = window().talking()
    lost: list[str] = []

    def lose(route: object) -> None:
        lost.append("x")
        if len(lost) == 1:
            route.fetch()  # type: ignore[attr-defined]  # the server has it; the visitor never hears of it
            route.abort("connectionreset")  # type: ignore[attr-defined]
        else:
            route.continue_()  # type: ignore[attr-defined]

    here.page.route("**/api/conversations/*/messages", lose)
    here.say("refund with a lost answer")
    here.replies(1)
    assert len(lost) == 2
    assert stored(site, "refund with a lost answer") == 1
    assert here.frame.locator(".visitor").count() == 1
    assert here.frame.locator(".message.assistant").count() == 1
    quiet(here)


def test_after_three_attempts_it_says_not_sent_and_tries_again_with_the_same_id(window: Open, site: Site) -> None:
    here = window().talking()
    ids: list[str] = []

    def refuse(route: object) -> None:
        ids.append(route.request.post_data_json["client_message_id"])  # type: ignore[attr-defined]
        if len(ids) <= 3:
            route.abort("connectionrefused")  # type: ignore[attr-defined]
        else:
            route.continue_()  # type: ignore[attr-defined]

    here.page.route("**/api/conversations/*/messages", refuse)
    here.say("refund that fails")
    here.frame.get_by_text("Not sent").wait_for()
    here.frame.get_by_role("button", name="Try again").click()
    here.replies(1)
    assert len(set(ids)) == 1
    assert len(ids) == 4
    assert stored(site, "refund that fails") == 1
    quiet(here)


def test_too_many_messages_shows_how_long_it_takes_and_goes_on_by_itself(window: Open, site: Site) -> None:
    here = window().talking()
    asked: list[str] = []

    def limit(route: object) -> None:
        asked.append("x")
        if len(asked) == 1:
            route.fulfill(status=429, headers={"Retry-After": "2"}, json={"status": 429, "detail": "too many messages"})  # type: ignore[attr-defined]
        else:
            route.continue_()  # type: ignore[attr-defined]

    here.page.route("**/api/conversations/*/messages", limit)
    here.say("refund in a hurry")
    here.frame.get_by_text("next try in").wait_for()
    here.replies(1)
    assert stored(site, "refund in a hurry") == 1
    quiet(here)


def test_unsent_text_survives_a_reload(window: Open) -> None:
    here = window().talking()
    here.input.fill("How do I ask for")
    here.page.reload()
    here.launcher.click()
    assert here.input.input_value() == "How do I ask for"


def test_a_message_on_its_way_when_the_page_was_left_is_sent_once(window: Open, site: Site) -> None:
    here = window().talking()
    here.page.route("**/api/conversations/*/messages", lambda route: route.abort("connectionreset"))
    here.say("refund and away")
    here.frame.locator(".visitor").wait_for()
    here.page.reload()
    here.page.unroute_all(behavior="ignoreErrors")
    here.launcher.click()
    here.replies(1)
    assert stored(site, "refund and away") == 1
    assert here.frame.locator(".visitor").count() == 1
    quiet(here)


def test_a_conversation_that_was_erased_ends_in_words_and_the_next_message_starts_another(window: Open, site: Site) -> None:
    here = window().talking()
    here.say("refund before")
    here.replies(1)
    here.inner.evaluate(
        "const s = JSON.parse(localStorage.firstline); s.conversation.secret = 'gone'; localStorage.firstline = JSON.stringify(s)"
    )
    here.say("refund after")
    wait_until(lambda: stored(site, "refund after") == 1)
    here.replies(1)
    assert here.frame.locator(".visitor .bubble").all_inner_texts() == ["refund after"]
    quiet(here)


def test_two_tabs_share_a_conversation_without_doubling(window: Open, site: Site) -> None:
    here = window().talking(site.host("<h1>Shop</h1>"))
    other = Window(here.page.context.new_page(), site, [], [])
    other.talking(here.page.url)
    here.say("refund from one tab")
    here.replies(1)
    other.replies(1)
    other.say("How long is the trial?")
    other.replies(2)
    here.replies(2)
    assert here.frame.locator(".visitor .bubble").all_inner_texts() == other.frame.locator(".visitor .bubble").all_inner_texts()
    assert stored(site, "refund from one tab") == 1


def test_without_the_network_search_says_so(window: Open) -> None:
    here = window().opened()
    here.page.context.set_offline(True)
    here.frame.get_by_role("combobox").fill("refund")
    here.frame.locator(".note", has_text="Search is not available right now.").wait_for()
    here.frame.get_by_role("option", name="Ask the assistant").wait_for()
    quiet(here)


def test_a_panel_that_does_not_load_offers_the_help_centre(window: Open, site: Site) -> None:
    here = window()
    here.page.clock.install()
    here.page.route("**/widget/panel*", lambda route: route.abort())
    here.page.goto(site.host("<h1>Shop</h1>"))
    here.launcher.click()
    here.page.clock.run_for(13_000)
    link = here.page.locator("firstline-widget .broken a")
    assert link.get_attribute("href") == f"{site.url}/help"
    here.page.unroute_all(behavior="ignoreErrors")
    here.page.locator("firstline-widget .retry").click()
    here.frame.get_by_role("combobox").wait_for()
    here.errors.clear()
