"""Whether everybody can use it: axe in every state, small screens, long words, big targets, and its weight."""

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from api.routes.widget import MODULES
from escalation.tables import TicketState
from tests.browser.browsing import PHONE, Site, Window

Open = Callable[..., Window]
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
LOADER_BYTES, ALL_BYTES = 6 * 1024, 25 * 1024


def findings(frame: Any) -> list[str]:
    """What axe finds in a page or a frame."""
    from axe_playwright_python import sync_playwright

    frame.evaluate((Path(sync_playwright.__file__).parent / "axe.min.js").read_text())
    options = {"runOnly": {"type": "tag", "values": TAGS}, "iframes": False, "resultTypes": ["violations"]}
    result = frame.evaluate("(options) => axe.run(document, options)", options)
    return [f"{v['id']}: {n['html'][:160]} {n.get('failureSummary', '')[:300]}" for v in result["violations"] for n in v["nodes"]]


def home(here: Window) -> None:
    here.opened()


def found(here: Window) -> None:
    here.opened().frame.get_by_role("combobox").fill("refund")
    here.frame.get_by_role("option").first.wait_for()
    here.page.keyboard.press("ArrowDown")


def empty(here: Window) -> None:
    here.talking()


def answered(here: Window) -> None:
    here.talking().say("How do I ask for a refund?")
    here.replies(1)
    here.frame.locator(".thumb").first.wait_for()


def choosing(here: Window) -> None:
    here.talking().say("perhaps a refund")
    here.replies(1)


def unanswered(here: Window) -> None:
    here.talking().say("weather")
    here.replies(1)


def rating(here: Window) -> None:
    answered(here)
    here.frame.get_by_role("button", name="Not helpful").click()
    here.frame.locator(".chip").first.click()


def article(here: Window) -> None:
    answered(here)
    here.frame.locator(".sources button").click()
    here.frame.locator("mark").first.wait_for()


def menu(here: Window) -> None:
    here.talking().frame.get_by_label("More options").click()


def offline(here: Window) -> None:
    here.talking().page.context.set_offline(True)
    here.say("refund offline")
    here.frame.get_by_text("Waiting for the connection").wait_for()
    here.input.fill("x" * 4100)
    here.errors.clear()


def failed(here: Window) -> None:
    here.talking().page.route("**/messages", lambda route: route.fulfill(status=422, json={"status": 422, "detail": "no"}))
    here.say("refund refused")
    here.frame.get_by_text("Try again").wait_for()
    here.errors.clear()


def handed_over(here: Window) -> None:
    here.called()
    here.frame.locator(".wanted").wait_for()


def wrongly_told(here: Window) -> None:
    handed_over(here)
    here.frame.get_by_label("E-mail address for our answer").fill("ada")
    here.frame.get_by_role("button", name="Add to my ticket").click()


def by_an_agent(here: Window) -> None:
    here.site.answer(here.called(), "Hello Ada,\n\nI am looking into it. Which **version** do you use?")
    here.frame.locator(".message.agent .initials").wait_for()


def solved(here: Window) -> None:
    here.site.answer(here.called(), "It works again: please try once more.", TicketState.RESOLVED)
    here.frame.get_by_role("button", name="Yes, solved").wait_for()


def stars(here: Window) -> None:
    solved(here)
    here.frame.get_by_role("button", name="Yes, solved").click()
    here.frame.get_by_role("radio", name="4 of 5 stars").check(force=True)


def rated(here: Window) -> None:
    stars(here)
    here.frame.get_by_role("button", name="Send rating").click()
    here.frame.locator(".solved", has_text="Thank you for your rating.").wait_for()


def contact(here: Window) -> None:
    here.opened().frame.get_by_role("button", name="Contact us").click()
    here.frame.get_by_label("What do you want to do?").fill("Get a refund for my plan")
    here.frame.locator(".maybe button").first.wait_for()


def refused(here: Window) -> None:
    here.opened().frame.get_by_role("button", name="Contact us").click()
    here.frame.get_by_label("E-mail address (optional)").fill("ada")
    here.frame.get_by_role("button", name="Send").click()


def preview(here: Window) -> None:
    here.opened()
    here.page.evaluate("console.error('The cart broke', {step: 3})")
    here.frame.get_by_role("button", name="Report a bug").click()
    here.frame.get_by_label("Send technical details").check()
    here.frame.locator(".preview li").first.wait_for()
    here.errors.clear()


STATES = [home, found, empty, answered, choosing, unanswered, rating, article, menu, offline, failed]
STATES += [handed_over, wrongly_told, by_an_agent, solved, stars, rated, contact, refused, preview]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES, ids=[state.__name__ for state in STATES])
def test_axe_finds_nothing(window: Open, state: Callable[[Window], None], theme: str) -> None:
    here = window(color_scheme=theme)
    state(here)
    assert findings(here.inner) == []
    assert findings(here.page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/help",
        "/help/sections/billing",
        "/help/ask-for-a-refund",
        "/help/contact",
        "/help/report",
        "/help/tickets",
        "/faq",
        "/search?q=refund",
        "/search?q=zzz",
        "/help/gone",
        "/demo",
        "/docs",
    ],
)
def test_axe_finds_nothing_on_the_pages(window: Open, site: Site, path: str, theme: str) -> None:
    here = window(color_scheme=theme)
    here.page.goto(site.url + path)
    here.launcher.wait_for()
    assert findings(here.page) == []
    here.errors[:] = [error for error in here.errors if "404" not in error]


@pytest.mark.parametrize("state", STATES, ids=[state.__name__ for state in STATES])
def test_at_320_pixels_nothing_is_wider_than_the_screen(window: Open, state: Callable[[Window], None]) -> None:
    here = window(viewport={"width": 320, "height": 640})
    state(here)
    assert wide(here.inner) == []


def test_long_words_of_a_pseudo_language_are_not_cut(window: Open) -> None:
    here = window(viewport={"width": 320, "height": 640})
    here.page.route("**/widget/panel*", pseudo)
    here.opened()
    assert here.frame.get_by_role("heading", level=1).inner_text().startswith("[Ħ")
    assert wide(here.inner) == []
    assert "⟦" not in here.inner.evaluate("document.body.innerText")
    here.frame.locator(".talk").click()
    here.say("How do I ask for a refund?")
    here.replies(1)
    here.frame.locator(".thumb").nth(1).click()
    here.frame.locator(".chip").first.wait_for()
    assert wide(here.inner) == []
    assert "⟦" not in here.inner.evaluate("document.body.innerText")


@pytest.mark.parametrize("state", [handed_over, stars, contact, preview], ids=lambda state: state.__name__)
def test_long_words_are_not_cut_in_what_is_loaded_later(window: Open, state: Callable[[Window], None]) -> None:
    here = window(viewport={"width": 320, "height": 640})
    state(here)
    here.inner.evaluate(LENGTHENED)
    assert wide(here.inner) == []
    assert "⟦" not in here.inner.evaluate("document.body.innerText")


@pytest.mark.parametrize("path", ["/", "/help/contact", "/help/report", "/help/tickets"])
def test_long_words_fit_the_pages_of_the_help_centre(window: Open, site: Site, path: str) -> None:
    page = window(viewport={"width": 320, "height": 640}).page
    page.goto(site.url + path)
    page.evaluate(LENGTHENED)
    assert wide(page) == []


@pytest.mark.parametrize("state", STATES, ids=[state.__name__ for state in STATES])
def test_every_target_is_44_pixels_or_stands_in_a_sentence(window: Open, state: Callable[[Window], None]) -> None:
    here = window(**PHONE)
    state(here)
    small = here.inner.evaluate(
        "[...document.querySelectorAll('a[href],button,input,textarea,summary,[role=option]')]"
        ".filter((e) => e.checkVisibility() && !e.closest('.text, .notice')).map((e) => e.closest('.tick') || e)"
        ".map((e) => [e.outerHTML.slice(0, 90), e.getBoundingClientRect().width, e.getBoundingClientRect().height])"
        ".filter(([, w, h]) => w < 43.5 || h < 43.5)"
    )
    assert small == []


def test_the_loader_and_all_that_is_loaded_before_the_first_message_are_small(window: Open, site: Site) -> None:
    here = window()
    bodies: dict[str, int] = {}

    def weigh(response: Any) -> None:
        if response.url.startswith(site.url) and not response.url.startswith(f"{site.url}/api/"):
            zipped = response.headers.get("content-encoding") == "gzip"
            bodies[response.url] = int(response.headers["content-length"]) if zipped else len(gzip.compress(response.body(), 9))

    here.page.on("response", weigh)
    here.talking()
    here.input.fill("How do I ask for a refund?")
    here.page.wait_for_load_state("networkidle")
    assert len([url for url in bodies if "/panel/" in url]) == len(MODULES) + 1  # and the style sheet
    assert bodies[f"{site.url}/widget.js"] <= LOADER_BYTES
    assert sum(bodies.values()) <= ALL_BYTES, (sum(bodies.values()), bodies)


# every word on the page 40 % longer, as another language could have it
LENGTHENED = """(() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) texts.push(walker.currentNode);
  for (const text of texts.filter((one) => one.data.trim() && !one.parentElement.closest("script, .hidden")))
    text.data = `[${text.data} ${"~".repeat(text.data.length / 4)} ${"~".repeat(text.data.length / 8)}]`;
})()"""


def wide(frame: Any) -> list[str]:
    """What is wider than the window, and buttons whose words do not fit."""
    script = (
        "[...document.querySelectorAll('body *')].filter((e) => e.checkVisibility() && !e.closest('.scroll, pre, .hidden, svg') &&"
        " (e.getBoundingClientRect().right > innerWidth + 1 ||"
        " (e.matches('button,a,p,h1,h2,li') && e.scrollWidth > e.clientWidth + 2 && e.clientWidth)))"
        ".map((e) => e.outerHTML.slice(0, 120))"
    )
    result: list[str] = frame.evaluate(script)
    return result


def pseudo(route: Any) -> None:
    """The panel's page with every word longer and accented, as a language that nobody speaks."""
    import json
    import re

    response = route.fetch()

    def longer(match: re.Match[str]) -> str:
        config = json.loads(match[2])
        config["words"] = {key: pseudo_word(text) for key, text in config["words"].items()}
        config["notice"] = pseudo_word(config["notice"])
        return match[1] + json.dumps(config).replace("<", "\\u003c") + match[3]

    body = re.sub(r'(<script type="application/json" id="config">)(.*?)(</script>)', longer, response.text(), flags=re.DOTALL)
    route.fulfill(response=response, body=body)


def pseudo_word(text: str) -> str:
    """[Ħéllö ẅörld one two]: 40 % longer, placeholders kept."""
    table = str.maketrans("aeiouHw", "áéíöüĦẅ")
    parts = [part if part.startswith("{") else part.translate(table) for part in _split(text)]
    return f"[{''.join(parts)} {'~' * (len(text) // 4)} {'~' * (len(text) // 8)}]"


def _split(text: str) -> Iterator[str]:
    import re

    yield from re.split(r"(\{\w+\})", text)
