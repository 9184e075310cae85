"""What a visitor does, on a desktop, on a phone and with the keyboard alone."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from assistant.tables import Conversation, Feedback
from tests.browser.browsing import PHONE, Site, Window

Open = Callable[..., Window]


def test_before_the_visitor_opens_it_nothing_is_stored_and_nothing_but_the_loader_is_fetched(window: Open, site: Site) -> None:
    here = window()
    here.page.goto(site.host("<h1>Shop</h1>"))
    here.launcher.wait_for()
    here.page.wait_for_load_state("networkidle")
    assert [url for url in here.requests if url.startswith(site.url)] == [f"{site.url}/widget.js"]
    assert here.page.context.cookies() == []
    assert here.page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
    assert here.page.evaluate("indexedDB.databases().then(found => found.length)") == 0


def test_opening_it_stores_nothing_and_starts_no_conversation(window: Open) -> None:
    here = window().talking()
    here.page.wait_for_load_state("networkidle")
    assert not any("/api/conversations" in url for url in here.requests)
    assert here.inner.evaluate("localStorage.length") == 0


def test_a_visitor_searches_reads_asks_follows_the_source_and_says_whether_it_helped(window: Open, site: Site) -> None:
    here = window().opened()
    search = here.frame.get_by_role("combobox")
    search.fill("password")
    here.frame.get_by_role("option", name="Reset your password").click()
    here.frame.get_by_role("heading", name="Reset your password").wait_for()
    here.frame.get_by_role("button", name="Back").click()
    here.frame.get_by_role("option", name="Reset your password").wait_for()
    search.press("Escape")
    here.frame.locator(".talk").click()
    assert here.frame.locator(".log > *").first.get_attribute("class") == "notice"
    assert "AI assistant" in here.frame.locator(".notice").inner_text()
    here.say("How do I ask for a refund?")
    (answer,) = here.replies(1)
    assert "Billing" in answer
    assert here.frame.locator(".message.assistant .text strong", has_text="Billing").count() == 1
    here.frame.get_by_role("button", name="Source 1: Ask for a refund").click()
    here.frame.locator("mark", has_text="Press").first.wait_for()
    assert here.frame.locator(".article .text li mark").count() >= 3
    here.frame.get_by_role("button", name="Back").click()
    here.frame.get_by_role("button", name="Not helpful").click()
    here.frame.get_by_role("button", name="Hard to follow").click()
    here.frame.get_by_role("textbox", name="Tell us more (optional)").fill("which menu?")
    here.frame.get_by_role("button", name="Send feedback").click()
    here.frame.get_by_text("Thank you for telling us.").first.wait_for()
    with site.service.database.read() as session:
        reasons = list(session.scalars(select(Feedback.reason)))
    assert "unclear: which menu?" in reasons


def test_a_choice_is_a_button_and_its_article_answers(window: Open) -> None:
    here = window().talking()
    here.say("perhaps a refund")
    choice = here.frame.locator(".choices button", has_text="Ask for a refund")
    assert choice.locator(".preview").inner_text() == "Press Refund. Wait five days for the money."
    choice.click()
    assert "Billing" in here.replies(2)[1]
    assert here.frame.locator(".visitor .bubble").all_inner_texts() == ["perhaps a refund", "Ask for a refund"]


def test_an_unanswered_question_offers_a_person(window: Open) -> None:
    here = window().talking()
    here.say("weather in Lisbon")
    assert "help@shop.example" in here.replies(1)[0]
    here.frame.locator(".message.assistant + .message, .message.assistant .offer button").first.wait_for()
    assert here.frame.get_by_role("button", name="Talk to a person").count() == 2  # below the reply, and always above the field


def test_a_link_to_another_article_opens_in_the_panel(window: Open) -> None:
    here = window().opened()
    here.page.evaluate("Firstline('article', 'ask-for-a-refund')")
    here.frame.get_by_role("heading", name="Ask for a refund", level=1).wait_for()
    assert here.frame.get_by_role("link", name="our page").get_attribute("href") == "https://pay.example.com/refunds"
    here.frame.get_by_role("link", name="The terms", exact=True).click()
    here.frame.get_by_role("heading", name="The terms of a refund").wait_for()
    here.frame.get_by_role("button", name="Back").click()
    here.frame.get_by_role("heading", name="Ask for a refund", level=1).wait_for()


def test_the_conversation_is_there_again_after_a_reload(window: Open) -> None:
    here = window().talking()
    here.say("How do I ask for a refund?")
    before = here.replies(1)
    here.frame.get_by_role("button", name="Helpful", exact=True).click()
    here.frame.get_by_text("Thank you").first.wait_for()
    here.page.reload()
    here.launcher.click()
    here.frame.get_by_text("Continue the conversation").click()
    assert here.replies(1) == before
    assert here.frame.get_by_role("button", name="Helpful", exact=True).get_attribute("aria-pressed") == "true"


def test_the_transcript_is_a_text_file_made_here(window: Open, tmp_path: Any) -> None:
    here = window().talking()
    here.say("How do I ask for a refund?")
    here.replies(1)
    here.frame.get_by_label("More options").click()
    with here.page.expect_download() as waiting:
        here.frame.get_by_role("button", name="Download transcript").click()
    file = tmp_path / "transcript.txt"
    waiting.value.save_as(file)
    text = file.read_text()
    assert (
        text.index("You are talking to the AI assistant")
        < text.index("How do I ask for a refund?")
        < text.index("Source 1: Ask for a refund")
    )


def test_the_secret_of_a_conversation_is_never_in_an_address(window: Open) -> None:
    here = window().talking()
    here.say("How do I ask for a refund?")
    here.replies(1)
    secret = here.inner.evaluate("JSON.parse(localStorage.firstline).conversation.secret")
    assert len(secret) > 30
    assert not [url for url in [*here.requests, *(frame.url for frame in here.page.frames)] if secret in url]


def test_the_keyboard_alone_is_enough(window: Open, site: Site) -> None:
    here = window()
    here.page.goto(site.host('<a href="#x">first</a>'))
    here.launcher.wait_for()
    keys = here.page.keyboard
    keys.press("Tab")
    keys.press("Tab")
    keys.press("Enter")
    search = here.frame.get_by_role("combobox")
    search.wait_for()
    here.inner.wait_for_function("() => document.activeElement.getAttribute('role') === 'combobox'")
    keys.type("refund")
    here.frame.get_by_role("option").first.wait_for()
    keys.press("ArrowDown")
    assert here.inner.evaluate("document.activeElement.getAttribute('aria-activedescendant')") == "active-option"
    keys.press("Enter")
    here.frame.locator("main.article h1").wait_for()
    here.inner.wait_for_function("() => document.activeElement.tagName === 'H1'")
    keys.press("Shift+Tab")
    keys.press("Shift+Tab")
    keys.press("Shift+Tab")
    assert here.inner.evaluate("document.activeElement.getAttribute('aria-label')") == "Back"
    keys.press("Enter")
    here.inner.wait_for_function("() => document.activeElement.getAttribute('role') === 'combobox'")
    keys.press("Escape")
    keys.press("Tab")
    keys.press("Enter")
    here.inner.wait_for_function("() => document.activeElement.tagName === 'TEXTAREA'")
    keys.type("How do I ask for a refund?")
    keys.press("Enter")
    here.replies(1)
    keys.press("Escape")
    here.page.wait_for_function("document.activeElement.localName === 'firstline-widget'")
    assert here.launcher.get_attribute("aria-expanded") == "false"


def test_an_answer_is_announced_once(window: Open) -> None:
    here = window().talking()
    here.inner.evaluate(
        "window.said = []; new MutationObserver(() => announcer.textContent && said.push(announcer.textContent))"
        ".observe(announcer, {childList: true})"
    )
    here.say("How long is the trial?")
    here.replies(1)
    here.inner.wait_for_function("() => said.length > 0")
    here.page.wait_for_timeout(300)
    said = here.inner.evaluate("said")
    assert len([words for words in said if "14 days" in words]) == 1
    assert len(said) <= 2  # the notice at the beginning, and the answer


def test_on_a_phone_it_fills_the_screen_keeps_the_focus_and_the_back_button_closes_it(window: Open, site: Site) -> None:
    here = window(**PHONE)
    here.page.goto(site.host("<h1>Shop</h1>"))
    here.launcher.tap()
    here.frame.locator(".talk").tap()
    box = here.page.locator("firstline-widget iframe").bounding_box()
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 390, 780)
    assert here.inner.evaluate("parseFloat(getComputedStyle(document.querySelector('.composer textarea')).fontSize)") >= 16
    here.say("How do I ask for a refund?")
    here.replies(1)
    for _ in range(14):
        here.page.keyboard.press("Tab")
        assert here.page.evaluate("document.activeElement.localName") == "firstline-widget"
    url = here.page.url
    here.page.evaluate("history.back()")
    here.page.locator("firstline-widget iframe").wait_for(state="hidden")
    assert here.page.url == url
    assert here.launcher.is_visible()


def test_what_the_page_says_about_its_visitor_is_kept_as_unverified(window: Open, site: Site) -> None:
    here = window().talking()
    here.page.evaluate("Firstline('identify', {name: 'Ada', email: 'ada@shop.example', admin: true})")
    here.say("How do I ask for a refund?")
    here.replies(1)
    name = here.inner.evaluate("JSON.parse(localStorage.firstline).conversation.id")
    here.page.wait_for_load_state("networkidle")
    with site.service.database.read() as session:
        details = session.get_one(Conversation, name).details
    assert details.pop("zone") == here.page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")
    assert details == {"name": "Ada", "email": "ada@shop.example"}


def test_where_the_browser_forbids_storing_a_conversation_lasts_as_long_as_the_page(window: Open, site: Site) -> None:
    here = window().talking(site.host("<h1>Shop</h1>").replace("127.0.0.1", "localhost"))
    here.say("How do I ask for a refund?")
    here.replies(1)
    here.page.keyboard.press("Escape")
    here.launcher.click()
    assert len(here.replies(1)) == 1
