"""A real browser before a real server: the app over uvicorn in a thread, host pages on another origin, and Chromium.

Where Chromium or Playwright is missing these tests are reported as NOT RUN; in CI that is an error.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from api.bootstrap import running, utc_now
from knowledge.confidence import Band
from tests.browser.browsing import ByWords, Site, Window, hosting
from tests.builders import article, faq, publish, served, settings_in

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
IN_CI = bool(os.environ.get("CI"))  # noqa: TID251 - a test may ask where it runs
PATIENCE_MS = 20_000

REFUND = """In this article you ask for your money back.

## Before you start

You need the **owner** role. Read [the terms](the-terms-of-a-refund.md) or [our page](https://pay.example.com/refunds).

## Ask for a refund

1. Open **Billing**.
2. Press `Refund`.
3. Wait five days for the money.

| Plan | Refund |
| --- | --- |
| Yearly | 30 days |
| Monthly | none |

## What's next

- [The terms](the-terms-of-a-refund.md)
"""


def _not_run(why: str) -> None:
    if IN_CI:
        pytest.fail(f"browser tests must run in CI: {why}")
    pytest.skip(f"NOT RUN: {why}")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright, which keeps an event loop running in this thread until the file is done."""
    if not CHROMIUM:
        _not_run("Chromium is missing; apt-get install chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _not_run("Playwright is missing; pip install playwright")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One server for all tests of a session: every test starts with a browser that has stored nothing."""
    settings = settings_in(
        tmp_path_factory.mktemp("browser") / "data",
        assistant={"contact": "help@shop.example"},
        widget_origins="*",
        requests_per_minute=100_000,
        messages_per_minute=10_000,
        conversations_per_hour=100_000,
    )
    with running(settings, now=utc_now) as service:
        publish(
            service,
            article("ask-for-a-refund.md", "Ask for a refund", REFUND, section="Billing", summary="How to get your money back."),
            article("the-terms-of-a-refund.md", "The terms of a refund", "The **terms** say: refunds within 30 days.", section="Billing"),
            article(
                "reset-your-password", "Reset your password", "1. Open the sign-in page.\n2. Press **Forgot password**.", section="Account"
            ),
            faq("trial", "How long is the trial?", "The trial lasts **14 days**.", section="Account"),
            faq("card", "Do I need a card?", "No, you need no card.", section="Billing"),
        )
        library: Any = ByWords(service.library, Band.ANSWER)
        deciding = replace(service, assistant=replace(service.assistant, library=library))
        pages: dict[str, tuple[str, dict[str, str]]] = {}
        with served(deciding) as url, hosting(pages) as hosts:
            yield Site(url, hosts, deciding, pages)


def _told(message: Any) -> str:
    return f"{message.text} ({message.location.get('url', '')})"


@pytest.fixture
def window(chromium: Any, site: Site) -> Iterator[Callable[..., Window]]:
    """Opens windows; at the end none may have had an error that the test did not take away."""
    contexts: list[Any] = []
    windows: list[Window] = []

    def make(**options: Any) -> Window:
        context = chromium.new_context(
            **{"viewport": {"width": 1100, "height": 820}, "locale": "en-GB", "reduced_motion": "reduce", **options}
        )
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        made = Window(context.new_page(), site, [], [])
        made.page.on("pageerror", lambda error: made.errors.append(str(error)))
        made.page.on("console", lambda message: made.errors.append(_told(message)) if message.type == "error" else None)
        made.page.on("request", lambda request: made.requests.append(request.url))
        windows.append(made)
        return made

    yield make
    left = [error for made in windows for error in made.errors if "ERR_INTERNET_DISCONNECTED" not in error]
    for context in contexts:
        context.close()
    assert not left, left
