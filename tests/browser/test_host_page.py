"""The widget on other people's pages: their policies, their scripts, their style sheets, and what they may call."""

import io
from collections.abc import Callable

import pytest
from PIL import Image, ImageChops

from tests.browser.browsing import Site, Window

Open = Callable[..., Window]
STUB = (
    "<script>window.Firstline ||= (...call) =>"
    " { (Firstline.q ||= []).push(call); return () => Firstline('off', ...call.slice(1)); };</script>"
)


def test_it_runs_under_a_strict_policy_with_trusted_types_and_no_connect_src(window: Open, site: Site) -> None:
    csp = f"default-src 'self'; script-src {site.url}; frame-src {site.url}; require-trusted-types-for 'script'; trusted-types 'none'"
    here = window().talking(site.host("<h1>Shop</h1>", csp=csp))
    here.say("How do I ask for a refund?")
    here.replies(1)
    assert here.errors == []


def test_calls_made_before_the_loader_came_are_made_then_and_listening_ends(window: Open, site: Site) -> None:
    head = f"{STUB}<script>window.heard = []; window.off = Firstline('on', 'open', () => heard.push('open')); Firstline('open');</script>"
    here = window()
    here.page.goto(site.host("<h1>Shop</h1>", head=head))
    here.frame.get_by_role("combobox").wait_for()
    assert here.page.evaluate("heard") == ["open"]
    here.page.evaluate("off(); Firstline('close'); Firstline('open')")
    assert here.page.evaluate("heard") == ["open"]
    here.page.evaluate(
        "window.off = Firstline('on', 'close', () => heard.push('close')); Firstline('close'); off(); Firstline('open'); Firstline('close')"
    )
    assert here.page.evaluate("heard") == ["open", "close"]


def test_every_command_does_what_its_name_says(window: Open, site: Site) -> None:
    here = window()
    here.page.goto(site.host("<h1>Shop</h1>"))
    here.launcher.wait_for()
    call = here.page.evaluate
    call("window.heard = []")
    call(
        "for (const name of ['open', 'close', 'message', 'article']) Firstline('on', name, (d) => heard.push([name, d])); 0"
    )  # Playwright calls a function
    call("Firstline('hide')")
    assert here.launcher.is_hidden()
    call("Firstline('show'); Firstline('search', 'refund')")
    here.frame.get_by_role("option", name="Ask for a refund").wait_for()
    call("Firstline('ask', 'How long is the trial?')")
    assert "14 days" in here.replies(1)[0]
    call("Firstline('article', 'reset-your-password')")
    here.frame.get_by_role("heading", name="Reset your password").wait_for()
    call("Firstline('setLocale', 'de-AT')")
    here.frame.get_by_text("Wie können wir helfen?").wait_for()
    assert here.launcher.get_attribute("aria-label") == "Hilfe schließen"
    call("Firstline('setTheme', 'dark')")
    here.inner.wait_for_function("() => document.documentElement.dataset.theme === 'dark'")
    call("Firstline('update', {side: 'left', offset: 40, theme: 'url(x)', color: 'red'})")
    assert here.launcher.bounding_box()["x"] == 40
    assert here.page.locator("firstline-widget .box").get_attribute("data-theme") == "dark"
    call("Firstline('reset')")
    here.inner.wait_for_function("() => localStorage.length === 0", polling=50)  # a hidden frame draws nothing
    call("Firstline('toggle')")
    here.frame.get_by_text("Eine Frage stellen").wait_for()
    names = [name for name, _ in call("heard")]
    assert {"open", "close", "message", "article"} <= set(names)
    call("Firstline('destroy')")
    assert here.page.locator("firstline-widget").count() == 0
    assert call("typeof window.Firstline") == "undefined"


def test_twenty_loaders_make_one_widget_and_a_page_that_replaces_its_body_keeps_it(window: Open, site: Site) -> None:
    here = window()
    here.page.goto(site.host("<h1>Shop</h1>"))
    here.launcher.wait_for()
    here.page.evaluate(
        "(url) => Promise.all(Array.from({length: 20}, () => new Promise((done) => { const s = document.createElement('script');"
        " s.src = url; s.onload = done; document.head.append(s); })))",
        f"{site.url}/widget.js",
    )
    assert here.page.locator("firstline-widget").count() == 1
    here.page.evaluate("document.body.replaceWith(document.createElement('body')); history.pushState({}, '', '/next')")
    assert here.launcher.is_visible()
    here.page.evaluate("document.querySelector('firstline-widget').remove()")
    here.launcher.click()
    here.frame.get_by_role("combobox").wait_for()


def test_an_element_that_names_an_article_opens_it_and_gets_the_focus_back(window: Open, site: Site) -> None:
    here = window()
    here.page.goto(site.host('<a id="hint" href="/nowhere" data-firstline-article="reset-your-password">?</a>'))
    here.launcher.wait_for()
    here.page.locator("#hint").click()
    here.frame.get_by_role("heading", name="Reset your password").wait_for()
    here.page.keyboard.press("Escape")
    here.page.wait_for_function("document.activeElement.id === 'hint'")


def test_the_button_steps_aside_for_what_has_the_focus(window: Open, site: Site) -> None:
    here = window()
    here.page.goto(site.host('<a id="low" href="#" style="position:fixed;right:30px;bottom:30px">low</a>'))
    here.launcher.wait_for()
    here.page.locator("#low").focus()
    low, button = here.page.locator("#low").bounding_box(), here.launcher.bounding_box()
    assert button["y"] + button["height"] <= low["y"]


FORGED = """(target) => {
  for (let n = 0; n < 20; n += 1) {
    const channel = new MessageChannel();
    target.postMessage({firstline: 'hello', locale: 'de', theme: 'dark', person: {name: 'Eve'}}, '*', n % 2 ? [channel.port2] : []);
    channel.port1.onmessage = (event) => (window.leaked = event.data);
    target.postMessage({type: 'reset'}, '*');
    target.postMessage('open', '*');
  }
}"""


def test_messages_of_others_are_ignored(window: Open, site: Site) -> None:
    here = window().talking()
    here.say("How long is the trial?")
    here.replies(1)
    forger = (
        f"const target = document.querySelector('firstline-widget').shadowRoot.querySelector('iframe').contentWindow; ({FORGED})(target)"
    )
    here.page.evaluate(forger)
    here.page.evaluate(
        "(script) => new Promise((done) => { const f = document.createElement('iframe'); f.sandbox = 'allow-scripts'; f.onload = done;"
        " f.srcdoc = `<script>(${script})(parent.frames[0])</` + 'script>'; document.body.append(f); })",
        FORGED,
    )
    here.page.wait_for_timeout(300)
    assert here.page.evaluate("window.leaked") is None
    assert here.inner.evaluate("document.documentElement.lang") == "en"
    assert len(here.replies(1)) == 1
    here.page.evaluate("for (let n = 0; n < 20; n += 1) window.postMessage({type: 'close'}, '*')")
    assert here.launcher.get_attribute("aria-expanded") == "true"


def test_a_page_that_is_not_listed_gets_no_panel(window: Open, site: Site) -> None:
    here = window()
    here.page.route("**/widget/panel*", lambda route: _with_policy(route, site))
    here.page.goto(site.host("<h1>Shop</h1>"))
    here.launcher.click()
    here.page.wait_for_timeout(500)
    assert not any("combobox" in frame.content() for frame in here.page.frames if frame.parent_frame)
    here.errors.clear()


def _with_policy(route: object, site: Site) -> None:
    response = route.fetch()  # type: ignore[attr-defined]
    policy = response.headers["content-security-policy"].replace("'self' *", "'self' https://www.shop.example")
    assert policy.endswith("https://www.shop.example")
    route.fulfill(response=response, headers={**response.headers, "content-security-policy": policy})  # type: ignore[attr-defined]


HOSTILE = {
    "unset": "<style>*{all:unset!important}</style>",
    "rem": "<style>html{font-size:62.5%!important}body{font:40px/3 serif;letter-spacing:9px;text-transform:uppercase;color:red}</style>",
    "reset": "<style>*,*::before{margin:0!important;padding:9px!important;border:3px solid red!important;box-sizing:content-box!important;"
    "display:block;opacity:.5;transform:rotate(3deg);transition:all 2s}iframe,button,div,firstline-widget{display:none!important}</style>",
    "layers": "<style>body::after{content:'';position:fixed;inset:0;z-index:2147483647;background:#0f0}html{overflow:hidden}</style>",
    "prototype": "<script>Array.prototype.toJSON = () => 'broken'; Array.from = () => { throw Error('prototype.js') };"
    "Object.prototype.extra = () => 1;"
    "Function.prototype.bind = null; Element.prototype.hide = () => 0; window.$ = () => 0; String.prototype.strip = () => '';</script>",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("rtl", [False, True], ids=["ltr", "rtl"])
def test_a_hostile_page_does_not_change_the_widget(window: Open, site: Site, name: str, rtl: bool) -> None:
    body = '<script>document.documentElement.dir = "rtl"</script>' if rtl else ""
    here = window().opened(site.host("<p>Shop</p>"))
    places = [here.page.locator("firstline-widget .panel").bounding_box(), here.launcher.bounding_box()]
    plain = _looks(here, places)
    hostile = _looks(window().opened(site.host(f"{body}<p>Shop</p>", head=HOSTILE[name])), places)
    for mine, theirs in zip(plain, hostile, strict=True):
        assert mine.size == theirs.size
        assert min(_difference(mine, theirs, shift) for shift in range(-12, 13)) <= 0.01


def _difference(mine: Image.Image, theirs: Image.Image, shift: int) -> float:
    """The share of pixels that differ, when one picture is moved aside: margins of a page in RTL move its window's edge."""
    wide, high = mine.width - 12, mine.height
    left = mine.crop((max(0, shift), 0, max(0, shift) + wide, high))
    right = theirs.crop((max(0, -shift), 0, max(0, -shift) + wide, high))
    pixels = ImageChops.difference(left, right).convert("L").tobytes()
    return sum(1 for pixel in pixels if pixel > 24) / len(pixels)


def _looks(here: Window, places: list[dict[str, float]]) -> list[Image.Image]:
    """The inside of the panel and of the button where they belong, without what shines through at their edges."""
    here.frame.get_by_role("combobox").wait_for()
    here.page.mouse.move(5, 5)
    whole = Image.open(io.BytesIO(here.page.screenshot()))
    box, button = places
    inner = (box["x"] + 20, box["y"] + 20, box["x"] + box["width"] - 20, box["y"] + box["height"] - 20)
    middle = (button["x"] + 10, button["y"] + 10, button["x"] + 46, button["y"] + 46)
    return [whole.crop(tuple(round(side) for side in part)).convert("RGB") for part in (inner, middle)]
