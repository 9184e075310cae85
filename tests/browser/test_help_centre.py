"""The help centre in a browser without a script, and how its pages print and reflow."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from api.tables import ArticleFeedback
from tests.browser.browsing import Site, Window

Open = Callable[..., Window]


def test_without_a_script_a_reader_finds_reads_and_says_what_was_missing(window: Open, site: Site) -> None:
    page = window(java_script_enabled=False).page
    page.goto(f"{site.url}/help")
    page.get_by_role("searchbox").fill("refund")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("main").get_by_role("link", name="Ask for a refund").first.click()
    page.get_by_role("navigation", name="On this page").get_by_role("link", name="What's next").click()
    assert page.url.endswith("#whats-next")
    page.get_by_role("link", name="The terms", exact=True).click()
    page.get_by_role("navigation", name="You are here").get_by_role("link", name="Billing").click()
    page.get_by_role("link", name="Ask for a refund").click()
    page.get_by_role("button", name="No").click()
    page.get_by_label("Something is missing").check()
    page.get_by_label("Tell us more (optional)").fill("screenshots")
    page.get_by_role("button", name="Send feedback").click()
    assert page.get_by_role("status").inner_text() == "Thank you for telling us."
    with site.service.database.read() as session:
        kept = list(session.scalars(select(ArticleFeedback)))
    assert [(k.helpful, k.reason) for k in kept] == [(False, "missing: screenshots")]


@pytest.mark.parametrize("path", ["/", "/help", "/help/ask-for-a-refund", "/faq", "/search?q=refund", "/demo"])
def test_pages_fit_320_pixels(window: Open, site: Site, path: str) -> None:
    page = window(viewport={"width": 320, "height": 640}).page
    page.goto(site.url + path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_a_printed_article_is_only_the_article(window: Open, site: Site) -> None:
    page = window().page
    page.goto(f"{site.url}/help/ask-for-a-refund")
    page.locator("firstline-widget").wait_for(state="attached")
    page.emulate_media(media="print")
    assert page.get_by_role("heading", name="Ask for a refund", level=1).is_visible()
    for gone in (".top", ".crumbs", ".contents", ".thumbs", "firstline-widget .launcher"):
        assert page.locator(gone).is_hidden(), gone


def test_the_help_centre_speaks_the_readers_language(window: Open, site: Site) -> None:
    here = window(locale="de-DE")
    here.page.goto(f"{site.url}/help")
    assert here.page.get_by_role("heading", level=1).inner_text() == "Wie können wir helfen?"
    assert here.page.locator("html").get_attribute("lang") == "de"
    here.launcher.click()
    here.frame.get_by_text("Eine Frage stellen").wait_for()
