"""At least 120 payloads wherever text of a visitor or a writer is shown: nothing runs, nothing is fetched from elsewhere."""

from collections.abc import Callable
from itertools import product

import httpx
import pytest
from sqlalchemy import select

from api.staff.door import LOOPBACK_COOKIE
from escalation.tables import Ticket
from tests.api.staffing import Colleague, account_of
from tests.browser.browsing import Site, Window
from tests.builders import article, publish

Open = Callable[..., Window]

CODE = "window.top.hacked=1"
TAGS = [
    "<script>{}</script>",
    "<img src=x onerror={}>",
    "<svg onload={}>",
    "<svg><script>{}</script></svg>",
    "<iframe srcdoc='<script>{}</script>'></iframe>",
    "<iframe src='javascript:{}'></iframe>",
    "<body onload={}>",
    "<details open ontoggle={}>x</details>",
    "<video><source onerror={}></video>",
    "<input autofocus onfocus={}>",
    "<math><mtext><table><mglyph><style><img src=x onerror={}></style></mglyph></table></mtext></math>",
    "<a href='javascript:{}'>x</a>",
    "<form action='javascript:{}'><button>x</button></form>",
    "<object data='javascript:{}'></object>",
    "<embed src='javascript:{}'>",
    "<link rel=stylesheet href='javascript:{}'>",
    "<base href='javascript:{}//'>",
    "<meta http-equiv=refresh content='0;url=javascript:{}'>",
    "<template><script>{}</script></template>",
    "<noscript><p title='</noscript><img src=x onerror={}>'></noscript>",
]
AROUND = ["{}", "\"'>{}", "</script>{}", "</textarea></title>{}", "<!--{}-->", "]]>{}"]
MARKDOWN = [
    "[x](javascript:{})",
    "[x](JaVaScRiPt:{})",
    "[x](java\tscript:{})",
    "[x](data:text/html,<script>{}</script>)",
    "[x](vbscript:{})",
    "[x](//evil.example/{})",
    "[x]( javascript:{})",
    "![x](javascript:{})",
    "![x](http://evil.example/pixel.png?{})",
    "![x][r]\n\n[r]: http://evil.example/pixel.png",
    "<javascript:{}>",
    "<http://evil.example/{}>",
    "[x]: javascript:{}\n\n[x]",
    "```html\n<script>{}</script>\n```",
    "`<img src=x onerror={}>`",
    "| a |\n|---|\n| <img src=x onerror={}> |",
    "# <img src=x onerror={}>",
    "[<img src=x onerror={}>](http://ok.example)",
    '[x](http://ok.example "onmouseover={}")',
    "{{{{constructor.constructor('{}')()}}}}",
]
PAYLOADS = [around.format(tag.format(CODE)) for around, tag in product(AROUND, TAGS)] + [text.format(CODE) for text in MARKDOWN]
TOGETHER = 20


def test_there_are_enough_payloads() -> None:
    assert len(set(PAYLOADS)) >= 120


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, len(PAYLOADS), TOGETHER))
def test_nothing_runs_wherever_a_payload_is_shown(window: Open, site: Site, start: int) -> None:
    batch = PAYLOADS[start : start + TOGETHER]
    names = [f"xss-{start + n}" for n in range(len(batch))]
    texts = [
        article(
            f"{name}.md",
            f"Bad {name} {payload}"[:400],
            f"{payload}\n\n{name} needs care.\n\n{payload}",
            section=payload[:150],
            summary=payload,
        )
        for name, payload in zip(names, batch, strict=True)
    ]
    published = publish(site.service, *texts)
    here = window()
    policy = "csp.push(event.violatedDirective + ' ' + event.blockedURI)"
    here.page.add_init_script(f"window.csp = []; addEventListener('securitypolicyviolation', (event) => {policy})")
    here.talking()
    for name, payload in zip(names, batch, strict=True):
        here.frame.locator(".composer textarea").fill(f"{payload} {name}")
        here.page.keyboard.press("Enter")
    here.frame.locator(".message.assistant").nth(len(batch) - 1).wait_for(timeout=60_000)
    here.page.evaluate("(text) => Firstline('search', text)", batch[0][:150])
    here.frame.get_by_role("option").first.wait_for()
    for one in published:
        here.page.evaluate("(id) => Firstline('article', id)", one.article_id)
        here.frame.locator("main.article .text:not([aria-busy])").wait_for()
    _nothing_happened(here, site)
    for name, payload in zip(names, batch, strict=True):
        assert here.page.goto(f"{site.url}/help/{name}").ok
        here.page.goto(f"{site.url}/search?q={name}")
        here.page.evaluate("(text) => { document.querySelector('main input[name=q]').value = text.slice(0, 200) }", payload)
        here.page.locator("main form button").first.click()
        _nothing_happened(here, site)
    here.page.goto(f"{site.url}/help")
    _nothing_happened(here, site)
    here.errors.clear()


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, len(PAYLOADS), TOGETHER))
def test_nothing_runs_in_what_visitors_and_agents_tell_each_other(window: Open, site: Site, start: int) -> None:
    batch = PAYLOADS[start : start + TOGETHER]
    here = window()
    policy = "csp.push(event.violatedDirective + ' ' + event.blockedURI)"
    here.page.add_init_script(f"window.csp = []; addEventListener('securitypolicyviolation', (event) => {policy})")
    talk = here.called()
    here.frame.get_by_label("What were you trying to do?").fill(batch[0])
    here.frame.get_by_label("Account it is about").fill(batch[1])
    here.frame.get_by_role("button", name="Add to my ticket").click()
    for payload in batch:
        site.answer(talk, payload)
    here.frame.locator(".message.agent").nth(len(batch) - 1).wait_for(timeout=60_000)
    _nothing_happened(here, site)
    here.page.goto(f"{site.url}/help/contact")
    for name, payload in zip(("goal", "happened", "email", "name", "browser", "os", "device", "app_version"), batch, strict=False):
        here.page.locator(f"#f-{name}").fill(payload)
    here.page.get_by_role("button", name="Send").click()
    _nothing_happened(here, site)
    for name in ("email", "browser", "os", "device", "app_version"):
        here.page.locator(f"#f-{name}").fill("")
    here.page.get_by_role("button", name="Send").click()
    send = here.page.get_by_role("button", name="None of these: send")
    if send.count():
        _nothing_happened(here, site)
        send.click()
    here.page.locator(".request").first.wait_for()
    with site.service.database.read() as session:
        held = session.scalars(select(Ticket.conversation_id).order_by(Ticket.number.desc())).first()
    for payload in batch:
        site.answer(held or "", payload)
    here.page.goto(f"{site.url}/help/tickets")
    assert here.page.locator(".said .agent").count() == len(batch)
    _nothing_happened(here, site)
    here.errors.clear()


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, len(PAYLOADS), TOGETHER))
def test_nothing_runs_at_the_desk(window: Open, site: Site, start: int) -> None:
    here = window(viewport={"width": 1440, "height": 900})
    policy = "csp.push(event.violatedDirective + ' ' + event.blockedURI)"
    here.page.add_init_script(f"window.csp = []; addEventListener('securitypolicyviolation', (event) => {policy})")
    agent = Colleague.arrives(site.service, account=account_of(site.service, name="Kim Okafor"))
    here.page.context.add_cookies([{"name": LOOPBACK_COOKIE, "value": agent.new.token, "url": site.url}])
    for number, payload in enumerate(PAYLOADS[start : start + TOGETHER]):
        line = " ".join(payload.split())[:200]
        details = {"name": line, "account": line, "role": line, "page": line, "app_version": line[:100]}
        form = {"client_id": f"{start:010}-{number:010}", "goal": payload[:2000], "happened": payload[:2000], "errors": [payload[:2000]]}
        sent = httpx.post(f"{site.url}/api/forms/bug_report", json={**form, "details": details})
        assert sent.status_code == 201, sent.text
        ticket = sent.json()["ticket"]["number"]
        site.answer(sent.json()["conversation_id"], payload)
        here.page.goto(f"{site.url}/desk/tickets/{ticket}")
        here.page.locator(".said.agent").first.wait_for()
        here.page.get_by_label("Reply to the visitor").fill(payload)
        _nothing_happened(here, site)
    for path in ("/desk?view=all", "/desk?view=all&q=alert", "/desk/overview"):
        here.page.goto(site.url + path)
        _nothing_happened(here, site)
    here.errors.clear()


def _nothing_happened(here: Window, site: Site) -> None:
    assert here.page.evaluate("window.top.hacked") is None
    assert [frame.evaluate("window.csp || []") for frame in here.page.frames if not frame.is_detached()] == [[] for _ in here.page.frames]
    assert [url for url in here.requests if not url.startswith((site.url, site.hosts, "about:", "blob:"))] == []
    assert not [error for error in here.errors if "Content Security Policy" in error or "TrustedHTML" in error]
