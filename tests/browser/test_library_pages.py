"""The library in a real browser: writing with preview and house style, deciding by keys, small screens, and whether everybody can use it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from api.staff.door import LOOPBACK_COOKIE
from api.tables import StaffRole
from knowledge.loop_tables import SuggestionState
from knowledge.suggestions import Similar
from tests.api.shelving import LOOSE, SUPPORTED, article_now, by_title, suggested, suggestion_now
from tests.api.staffing import Colleague, account_of
from tests.browser.browsing import PHONE, Site, Window
from tests.browser.test_looks import findings, wide

Open = Callable[..., Window]
REFUND = "ask-for-a-refund.md"


@pytest.fixture
def writer(site: Site, window: Open) -> Callable[..., Any]:
    """A page in which a writer is signed in."""

    def make(path: str = "/library", *, name: str = "Ada Palmer", **options: Any) -> Any:
        here = window(**options)
        colleague = Colleague.arrives(site.service, account=account_of(site.service, StaffRole.WRITER, name=name))
        here.page.context.add_cookies([{"name": LOOPBACK_COOKIE, "value": colleague.new.token, "url": site.url}])
        here.page.goto(site.url + path)
        return here

    return make


@pytest.fixture
def waiting(site: Site) -> Iterator[Callable[..., str]]:
    """Makes suggestions; none is left waiting for the next test."""
    made: list[str] = []

    def make(*body: Any, **more: Any) -> str:
        made.append(suggested(site.service, *body, **more))
        return made[-1]

    yield make
    with site.service.database.write() as session:
        for id_ in made:
            found = suggestion_now(site.service, id_)
            if found.state in {"pending", "snoozed"}:
                found.state = SuggestionState.EXPIRED
                session.merge(found)


def refund(site: Site) -> str:
    return f"/library/articles/{article_now(site.service, REFUND).id}"


def test_what_is_typed_is_checked_and_shown_as_both_readers_see_it(site: Site, writer: Open) -> None:
    page = writer(refund(site)).page
    shown = page.frame_locator("iframe.as-help")
    assert shown.locator("h1").inner_text() == "Ask for a refund"
    assert shown.locator("article").evaluate("node => getComputedStyle(node.querySelector('h2')).fontWeight") != "400"
    page.locator("#body").fill("# Loud\n\nYou will ask for your **zeppelin** back.")
    page.locator(".complaints", has_text="the only heading of level 1").wait_for()
    assert shown.locator("article strong").inner_text() == "zeppelin"
    page.get_by_text("Widget", exact=True).click()
    panel = page.frame_locator("iframe.as-panel")
    assert panel.locator("main.article strong").inner_text() == "zeppelin"
    page.locator(".complaints code").first.click()
    assert (
        page.evaluate("document.activeElement.value.slice(document.activeElement.selectionStart, document.activeElement.selectionEnd)")
        == "# Loud"
    )
    assert article_now(site.service, REFUND).revision == 1


def test_the_widget_preview_is_what_the_widget_draws(site: Site, writer: Open, window: Open) -> None:
    page = writer(refund(site)).page
    page.get_by_text("Widget", exact=True).click()
    drawn = page.frame_locator("iframe.as-panel").locator("main.article .text").inner_html()
    here = window().opened()
    here.frame.get_by_role("combobox").fill("refund")
    here.frame.get_by_role("option", name="Ask for a refund").click()
    here.frame.locator("main.article .text:not([aria-busy])").wait_for()
    assert here.frame.locator("main.article .text").inner_html() == drawn


def test_an_article_is_written_published_and_taken_back_by_keys_alone(site: Site, writer: Open) -> None:
    page = writer().page
    page.get_by_role("link", name="New FAQ").focus()
    page.keyboard.press("Enter")
    page.locator("#title").focus()
    page.keyboard.type("Where do zeppelins land?")
    page.keyboard.press("Tab")
    page.keyboard.type("On the **roof**.")
    page.keyboard.press("Control+Enter")
    page.get_by_text("Published. The next answer can use it.").wait_for()
    assert by_title(site.service, "Where do zeppelins land?").state == "published"
    page.locator(".moves summary", has_text="Retire").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Why").nth(1).focus()
    page.keyboard.type("no roof any more")
    page.keyboard.press("Enter")
    page.get_by_text("Retired. No answer uses it").wait_for()
    assert by_title(site.service, "Where do zeppelins land?").state == "retired"


def test_a_suggestion_is_accepted_with_one_key_and_the_next_rejected_with_three(site: Site, writer: Open, waiting: Any) -> None:
    first, second, third = (waiting(title=f"Zeppelin {n}?", rank=90.0 - n) for n in range(3))
    page = writer(f"/library/suggestions/{first}").page
    page.keyboard.press("a")
    page.get_by_text("Accepted: the next answer can use it.").wait_for()
    assert page.locator("h1").inner_text() == "Zeppelin 1?"
    page.keyboard.press("j")
    page.wait_for_url(f"**/suggestions/{third}")
    page.goto(f"{site.url}/library/suggestions/{second}")
    for key in ("r", "3", "Enter"):
        page.keyboard.press(key)
    page.get_by_text("Rejected. It comes back").wait_for()
    assert suggestion_now(site.service, second).reason == "single_case"
    assert page.locator("h1").inner_text() == "Zeppelin 2?"
    page.keyboard.press("e")
    page.keyboard.type("A jar: ")  # letters are only letters while somebody writes
    assert "A jar: " in page.locator("#text").input_value()
    assert suggestion_now(site.service, third).state == "pending"


def test_accepting_what_has_no_evidence_first_leads_to_the_box(site: Site, writer: Open, waiting: Any) -> None:
    id_ = waiting(SUPPORTED, LOOSE, title="Loose zeppelins?", rank=80.0)
    page = writer(f"/library/suggestions/{id_}").page
    for key in ("a", "Space", "a"):
        page.keyboard.press(key)
    page.get_by_text("Accepted: the next answer can use it.").wait_for()
    assert suggestion_now(site.service, id_).overridden


def test_the_keys_can_be_switched_off(site: Site, writer: Open, waiting: Any) -> None:
    id_ = waiting(title="Silent zeppelins?", rank=70.0)
    page = writer(f"/library/suggestions/{id_}").page
    page.get_by_role("button", name="Switch shortcuts off").click()
    page.get_by_text("Keyboard shortcuts are off.").wait_for()
    page.keyboard.press("a")
    page.keyboard.press("r")
    assert page.locator("#rejecting[open]").count() == 0
    assert suggestion_now(site.service, id_).state == "pending"


def test_everything_works_without_a_script(site: Site, writer: Open, waiting: Any) -> None:
    id_ = waiting(title="Plain zeppelins?", rank=60.0)
    page = writer(refund(site), java_script_enabled=False).page
    page.locator("#summary").fill("Another summary.")
    page.get_by_role("button", name="Preview and check").click()
    assert page.frame_locator("iframe.as-help").locator("h1").inner_text() == "Ask for a refund"
    assert page.locator("#summary").input_value() == "Another summary."
    page.goto(f"{site.url}/library/suggestions/{id_}")
    page.locator("#rejecting summary").click()
    page.get_by_label("A single case").check()
    page.get_by_role("button", name="Reject", exact=True).click()
    assert suggestion_now(site.service, id_).state == "rejected"


PAGES = (
    "/library",
    "/library?q=nothing+at+all&state=retired",
    "{article}",
    "{article}/revisions",
    "/library/articles/new",
    "/library/suggestions",
    "{suggestion}",
    "/library/groups",
    "{group}",
)


@pytest.fixture
def address(site: Site, waiting: Any) -> Callable[[str], str]:
    """The address of a page, with something in it."""
    near = Similar("article", article_now(site.service, REFUND).id, "Ask for a refund", 0.83, duplicate=True)
    id_ = waiting(SUPPORTED, LOOSE, title="How do I export my invoices?", similar=(near,), rank=50.0)
    group = suggestion_now(site.service, id_).group_id
    return lambda path: path.format(article=refund(site), suggestion=f"/library/suggestions/{id_}", group=f"/library/groups/{group}")


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_wider_than_a_phone(writer: Open, address: Callable[[str], str], path: str) -> None:
    here = writer(address(path), **PHONE)
    assert here.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    assert [found for found in wide(here.page) if "hidden" not in found and "tabs" not in found] == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing(writer: Open, address: Callable[[str], str], path: str, theme: str) -> None:
    here = writer(address(path), color_scheme=theme)
    assert findings(here.page) == []
